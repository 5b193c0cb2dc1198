"""Ask the advisor: at most four questions at once, each in a thread of its own, so that none of web's waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from services.ops.beside_call import FAILURES, Answered, Away, Bounds, Connection, Question, away_by, read_whole
from wire.feeds_answer import Absence
from wire.hosts import is_read_on_the_way
from wire.keys import SERVICE_HEADER

AdvisorPort = Literal["ml", "agent"]

ANSWER = Bounds(seconds=2.0, longest=1_000_000)
MOST_AT_ONCE = 4
MOST_CHATS = 3
"""A chat may take half a minute: one place is kept for what is answered at once."""

MOST_OF_KEYS = 2
"""Of these places programs with an API key take no more together: what they ask keeps the operator from no answer."""

SETTING: Mapping[AdvisorPort, str] = MappingProxyType({"ml": "ADVISOR_URL", "agent": "AGENT_URL"})
SENTENCES: Mapping[Absence, str] = MappingProxyType(
    {
        "refused": "the advisor is away: nobody listens at its address",
        "unreachable": "the advisor is away: its address cannot be reached",
        "silent": "the advisor is away: it gave no answer in time",
        "unreadable": "the advisor is away: what answers at its address is no advisor of this version",
        "other_desk": "the advisor is away: what answers is the advisor of another desk",
    }
)


class AdvisorAway(Exception):
    """The advisor was not asked, or gave no answer; the message is one sentence that says why."""


class TooManyAsk(Exception):
    """As many questions are under way as may be."""


class Addresses(Struct, frozen=True):
    """Where the advisor's two ports are asked (None: off), and the secret that both are shown."""

    ml: str | None
    agent: str | None
    secret: str | None

    def of(self, port: AdvisorPort) -> tuple[str, str]:
        """Return the address of a port, and the secret. Raises AdvisorAway where it may not be asked."""
        url = self.ml if port == "ml" else self.agent
        if url is None:
            raise AdvisorAway(f"the advisor is off: {SETTING[port]} names no address")
        if self.secret is None:
            raise AdvisorAway("the advisor cannot be asked: SERVICE_SECRET is not set")
        if is_read_on_the_way(url):
            raise AdvisorAway(
                "the advisor is not asked over http across the internet: everybody on the way reads the secret"
            )
        return url, self.secret


class AdvisorCall:
    """A question under way. Any thread may look at it or give it up."""

    is_chat = False
    is_of_key = False

    def __init__(self, url: str, question: Question, bounds: Bounds) -> None:
        """Ask at `url`; the time of the whole answer begins now."""
        self._connection = Connection(url, bounds)
        self._question = question
        self._bounds = bounds
        self._found: Answered | Away | None = None

    @property
    def is_over(self) -> bool:
        """Whether there is something to say."""
        return self._found is not None

    def result(self) -> Answered:
        """Return the answer. Raises AdvisorAway when there is none, or none yet."""
        found = self._found if self._found is not None else Away("silent")
        if isinstance(found, Away):
            raise AdvisorAway(SENTENCES[found.reason]) from found
        return found

    def give_up(self) -> None:
        """End it: nobody waits for it any more."""
        self._connection.cut()

    def run(self, wake: Callable[[], None]) -> None:
        """Ask, and wait for the answer. Runs in the call's own thread; ``wake`` is called when there is one."""
        try:
            with self._connection.ask(self._question) as response:
                self._found = read_whole(response, self._bounds)
        except FAILURES as error:
            self._found = away_by(error)
        finally:
            self._connection.close()
            wake()


Call = TypeVar("Call", bound=AdvisorCall)


class AdvisorCalls:
    """The questions to the advisor. Any thread may begin one."""

    def __init__(self, addresses: Addresses, wake: Callable[[], None]) -> None:
        """``wake`` lets whoever waits look again."""
        self._addresses = addresses
        self._wake = wake
        self._lock = threading.Lock()
        self._running: set[AdvisorCall] = set()
        self._is_stopping = False

    def ask(self, port: AdvisorPort, question: Question, *, is_of_key: bool = False) -> AdvisorCall:
        """Begin a question whose whole answer comes within 2 s. Raises AdvisorAway, TooManyAsk."""
        return self.begin(port, question, lambda url, shown: AdvisorCall(url, shown, ANSWER), is_of_key=is_of_key)

    def begin(
        self, port: AdvisorPort, question: Question, make: Callable[[str, Question], Call], *, is_of_key: bool = False
    ) -> Call:
        """Begin the call that ``make`` makes of the address and the question with the secret.

        ``is_of_key``: a program with an API key asks, which has fewer places than the operator.
        Raises AdvisorAway, TooManyAsk.
        """
        url, secret = self._addresses.of(port)
        call = make(url, replace(question, headers={**question.headers, SERVICE_HEADER: secret}))
        call.is_of_key = is_of_key
        with self._lock:
            if self._is_stopping or self._is_full_for(call):
                raise TooManyAsk
            self._running.add(call)
        try:
            threading.Thread(target=self._run, args=(call,), name="advisor", daemon=True).start()
        except RuntimeError as error:  # the machine gives no more threads
            self._forget(call)
            raise TooManyAsk from error
        return call

    def stop(self) -> None:
        """End every question, because the process is about to end."""
        with self._lock:
            self._is_stopping = True
            running = list(self._running)
        for call in running:
            call.give_up()

    def _is_full_for(self, call: AdvisorCall) -> bool:
        chats = sum(running.is_chat for running in self._running)
        of_keys = sum(running.is_of_key for running in self._running)
        has_place = not (call.is_chat and chats >= MOST_CHATS) and not (call.is_of_key and of_keys >= MOST_OF_KEYS)
        return len(self._running) >= MOST_AT_ONCE or not has_place

    def _run(self, call: AdvisorCall) -> None:
        try:
            call.run(self._wake)
        finally:
            self._forget(call)

    def _forget(self, call: AdvisorCall) -> None:
        with self._lock:
            self._running.discard(call)
