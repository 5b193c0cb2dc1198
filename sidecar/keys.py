"""API keys, which web alone knows: asked when a key comes, and again each second while something of it is open.

An answer holds for a second. While web is away a key that was good goes on to be for 15 minutes, because web's outage
must not cut off who was let in; a key that was not seen before is neither good nor bad then (`DeskAway`).
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

import msgspec
import structlog
from msgspec import Struct

from sidecar.web import DeskAway, WebClient
from wire.encoding import encode
from wire.keys import KeyCheck, KeyChecks

logger = structlog.get_logger(__name__)

HOLDS_SECONDS = 1.0
KNOWN_FOR_SECONDS = 900.0
AGAIN_SECONDS = 0.5
ANSWER_SECONDS = 4.0
ASKED_AT_ONCE = 200
STRANGERS_AT_ONCE = 1_000
"""Keys that may wait for web's answer; more are told to come back, so that a flood asks nothing of web."""

LONGEST_TOKEN = 200
KEPT = 10_000

_checks = msgspec.json.Decoder(KeyChecks)


class _Known(Struct):
    """What web said of a key. `check` is None for one that opens nothing; times are of the monotonic clock."""

    check: KeyCheck | None
    asked_at: float
    confirmed_at: float


class Hold:
    """Something open that a key opened. `on_change` hears the new answer, None when the key opens nothing any more."""

    def __init__(
        self, token: str, on_change: Callable[[KeyCheck | None], None], on_unknown: Callable[[], None]
    ) -> None:
        """Watch the key with this text. `on_unknown` is called when nobody has been able to say so for too long."""
        self.token = token
        self.on_change = on_change
        self.on_unknown = on_unknown
        self.seen: KeyCheck | None = None


class KeyDoor:
    """The keys that were shown to this program. Everything runs on one loop."""

    def __init__(self, web: WebClient, clock: Callable[[], float] = time.monotonic) -> None:
        """Ask `web`; nothing is asked before the first key comes."""
        self._web = web
        self._clock = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._waiting: dict[bytes, tuple[str, asyncio.Future[_Known]]] = {}
        self._asker: asyncio.Task[None] | None = None
        self._holds: dict[str, set[Hold]] = {}
        self._edition: str | None = None
        """Of web's keys, when `_asked` were asked for."""

        self._asked: set[str] = set()

    # -- when a key comes ---------------------------------------------------------------------------------------

    async def check(self, token: str) -> KeyCheck | None:
        """Return what a key opens, None for one that is unknown, revoked or malformed.

        Raises `DeskAway` when web cannot be asked and the key was not seen before.
        """
        if not _may_be_a_key(token):
            return None
        name = _digest(token)
        known = self._known.get(name)
        if known is not None and self._clock() - known.asked_at < HOLDS_SECONDS:
            return known.check
        try:
            return (await self._ask_once(name, token)).check
        except DeskAway:
            if known is not None and self._still_counts(known):
                return known.check
            raise

    async def _ask_once(self, name: bytes, token: str) -> _Known:
        """Ask web, once for all who show the same key meanwhile. Raises `DeskAway`."""
        waiting = self._waiting.get(name)
        if waiting is None:
            if len(self._waiting) >= STRANGERS_AT_ONCE:
                raise DeskAway("busy", "as many keys are asked about as may be at one time")
            waiting = self._waiting[name] = (token, asyncio.get_running_loop().create_future())
            if self._asker is None or self._asker.done():
                self._asker = asyncio.create_task(self._ask_for_strangers())
        return await asyncio.shield(waiting[1])

    async def _ask_for_strangers(self) -> None:
        """Ask about all who wait, one call after the other: who comes during a call is in the next one."""
        while self._waiting:
            asked = dict(itertools.islice(self._waiting.items(), ASKED_AT_ONCE))
            try:
                answers: Sequence[_Known | DeskAway] = await self._ask([token for token, _ in asked.values()])
            except DeskAway as error:
                answers = [error] * len(asked)
            for (name, (_, future)), answer in zip(asked.items(), answers, strict=True):
                del self._waiting[name]
                if isinstance(answer, DeskAway):
                    future.set_exception(answer)
                    future.exception()  # when nobody waits any more it is no news
                else:
                    future.set_result(answer)

    async def _ask(self, tokens: Sequence[str]) -> list[_Known]:
        """Ask web about several keys in one call. Raises `DeskAway`."""
        return (await self._ask_with_edition(tokens))[0]

    async def _ask_with_edition(self, tokens: Sequence[str]) -> tuple[list[_Known], str | None]:
        """Do the same, and return the edition of web's keys, None from a web that has none. Raises `DeskAway`."""
        asked_at = self._clock()
        body = await self._web.post("/api/keys/checks", encode({"tokens": tokens}), ANSWER_SECONDS)
        try:
            answer = _checks.decode(body)
        except msgspec.DecodeError as error:
            raise DeskAway("failing", f"the answer about keys cannot be read: {error}") from error
        if len(answer.keys) != len(tokens):
            raise DeskAway("failing", "web answers about another number of keys than it was asked about")
        found = [self._note(_digest(one), check, asked_at) for one, check in zip(tokens, answer.keys, strict=True)]
        return found, answer.edition

    def _note(self, name: bytes, check: KeyCheck, asked_at: float) -> _Known:
        opens = check if check.active and check.id is not None and check.account is not None else None
        known = _Known(opens, asked_at, asked_at)
        self._known[name] = known
        self._known.move_to_end(name)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return known

    def _still_counts(self, known: _Known) -> bool:
        return known.check is not None and self._clock() - known.confirmed_at < KNOWN_FOR_SECONDS

    # -- while something is open --------------------------------------------------------------------------------

    def hold(self, hold: Hold, check: KeyCheck) -> None:
        """Watch a key until `release`; `check` is what it opens now."""
        hold.seen = check
        self._holds.setdefault(hold.token, set()).add(hold)

    def release(self, hold: Hold) -> None:
        """Stop watching."""
        holds = self._holds.get(hold.token)
        if holds is not None:
            holds.discard(hold)
            if not holds:
                del self._holds[hold.token]
                self._asked.discard(hold.token)

    async def run(self) -> None:
        """Ask for every key that holds something open, each once in a turn, until the task is cancelled."""
        while True:
            began = self._clock()
            await self._ask_again(tuple(self._holds))
            await asyncio.sleep(max(0.0, AGAIN_SECONDS - (self._clock() - began)))

    async def _ask_again(self, tokens: Sequence[str]) -> None:
        """Ask for keys, many in one call and all calls at once: one after the other would take too long.

        While web's keys are of the same edition only those are asked for that were not yet: a thousand keys that
        nobody changed cost web one small call.
        """
        if self._edition is not None:
            try:
                _, edition = await self._ask_with_edition(())
            except DeskAway:
                self._look_at_ages(tokens)
                return
            if edition == self._edition:
                self._confirm(self._asked.intersection(tokens))
                tokens = [token for token in tokens if token not in self._asked]
        editions = set(await asyncio.gather(*(self._ask_some_again(some) for some in _batches(tokens))))
        if not editions:
            return
        is_whole = len(editions) == 1 and None not in editions
        edition = editions.pop() if is_whole else None
        self._asked = {*tokens, *(self._asked if edition == self._edition else ())} if is_whole else set()
        self._edition = edition

    async def _ask_some_again(self, tokens: Sequence[str]) -> str | None:
        """Ask in one call; return the edition of web's keys, None where it is unknown."""
        try:
            found, edition = await self._ask_with_edition(tokens)
        except DeskAway:
            self._look_at_ages(tokens)  # while web is away only how long they have been good counts
            return None
        for token, known in zip(tokens, found, strict=True):
            self._tell(token, known.check)
        return edition

    def _confirm(self, tokens: Iterable[str]) -> None:
        """Note that web says nothing new of these keys."""
        now = self._clock()
        for token in tokens:
            known = self._known.get(_digest(token))
            if known is not None:
                known.confirmed_at = now

    def _look_at_ages(self, tokens: Iterable[str]) -> None:
        for token in tokens:
            known = self._known.get(_digest(token))
            if known is None or not self._still_counts(known):
                self._tell_unknown(token)

    def _tell(self, token: str, check: KeyCheck | None) -> None:
        for hold in tuple(self._holds.get(token, ())):
            if hold.seen != check:
                hold.seen = check
                hold.on_change(check)

    def _tell_unknown(self, token: str) -> None:
        for hold in tuple(self._holds.get(token, ())):
            hold.on_unknown()


def _batches(tokens: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(tokens), ASKED_AT_ONCE):
        yield tokens[begin : begin + ASKED_AT_ONCE]


def key_in(headers: Mapping[str, str]) -> str | None:
    """Return the key that a request shows, None without one. Two that differ are none: nobody can say whose it is."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    shown = {bearer.strip()} if scheme.lower() == "bearer" else set()
    shown.add(headers.get("x-api-key", "").strip())
    shown.discard("")
    return shown.pop() if len(shown) == 1 else None


def _may_be_a_key(token: str) -> bool:
    return 0 < len(token) <= LONGEST_TOKEN and token.isascii() and token.isprintable()


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
