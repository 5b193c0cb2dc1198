"""Check the operator's password: one at a time, and few wrong ones, by address and from everywhere.

A slow hash takes 64 MiB and a tenth of a second of every core. Checked one at a time, a crowd of guesses takes no more
memory than one guess. All times are of the monotonic clock: a clock that is set back prolongs no wait.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import ceil
from typing import Literal

import structlog
from msgspec import Struct

WINDOW_SECONDS = 300.0
WRONG_PER_ADDRESS = 5  # in the window
WRONG_FROM_EVERYWHERE = 50  # in the window; an address that knew the password before is not held up by others
KNOWN_ADDRESSES = 64
AT_ONCE = 3  # one is checked, the others wait, each on a thread of web
WAITS_AT_MOST_SECONDS = 2.0
BUSY_FOR_SECONDS = 1
NETWORK_OF_ONE_CALLER = 64  # bits: whoever has one IPv6 address has a whole network of them
LONGEST_ADDRESS = 64

log = structlog.get_logger(__name__)


class Wait(Struct, frozen=True):
    """The password was not looked at: the address or all addresses sent too many wrong ones, or others are checked."""

    why: Literal["address", "everywhere", "busy"]
    seconds: int


Verdict = Literal["right", "wrong"] | Wait


class PasswordChecks:
    """Checks passwords with ``is_right``, which may be slow. ``clock`` counts seconds and is never set."""

    def __init__(self, is_right: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._is_right = is_right
        self._wrong = WrongTries(clock)
        self._known: OrderedDict[str, None] = OrderedDict()
        self._turn = threading.Semaphore(1)
        self._count = threading.Lock()
        self._inside = 0

    def check(self, password: str, address: str) -> Verdict:
        """Return whether the password is right, or how long to wait. It takes two seconds and one check at most.

        A right password forgets the wrong ones of its address.
        """
        caller = caller_of(address)
        if (wait := self._held_up(caller)) is not None:
            return wait
        with self._next_turn(caller) as has_turn:
            if not has_turn:
                return Wait("busy", BUSY_FOR_SECONDS)
            if (wait := self._held_up(caller)) is not None:  # by the tries that were checked meanwhile
                return wait
            if not self._is_right(password):
                self._wrong.add(caller)
                return "wrong"
            self._wrong.forget(caller)
            self._remember(caller)
            return "right"

    def _held_up(self, caller: str) -> Wait | None:
        if seconds := self._wrong.seconds_of(caller):
            return Wait("address", seconds)
        if caller not in self._known and (seconds := self._wrong.seconds_of_all()):
            return Wait("everywhere", seconds)
        return None

    @contextmanager
    def _next_turn(self, caller: str) -> Iterator[bool]:
        """Wait for the check before. Give False when too many wait, or when it takes too long."""
        with self._count:
            may_wait = self._inside < AT_ONCE or caller in self._known
            self._inside += may_wait
        has_turn = False
        try:
            has_turn = may_wait and self._turn.acquire(timeout=WAITS_AT_MOST_SECONDS)
            yield has_turn
        finally:
            if has_turn:
                self._turn.release()
            with self._count:
                self._inside -= may_wait

    def _remember(self, caller: str) -> None:
        self._known[caller] = None
        self._known.move_to_end(caller)
        if len(self._known) > KNOWN_ADDRESSES:
            self._known.popitem(last=False)


class WrongTries:
    """The wrong passwords of the window, with their callers: at most 50, and five of each known caller."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tries: deque[tuple[float, str]] = deque()

    def add(self, caller: str) -> None:
        """Count a wrong password."""
        with self._lock:
            self._tries.append((self._clock(), caller))
            is_full = len(self._tries) == WRONG_FROM_EVERYWHERE
        if is_full:
            log.warning("too many wrong passwords, new addresses wait", count=WRONG_FROM_EVERYWHERE)

    def forget(self, caller: str) -> None:
        """Forget the wrong passwords of a caller."""
        with self._lock:
            self._tries = deque((at, who) for at, who in self._tries if who != caller)

    def seconds_of(self, caller: str) -> int:
        """Return the seconds that this caller has to wait, 0 when it may try."""
        return self._seconds([at for at, who in self._recent() if who == caller], WRONG_PER_ADDRESS)

    def seconds_of_all(self) -> int:
        """Return the seconds that a caller who is not known has to wait, 0 when it may try."""
        return self._seconds([at for at, _ in self._recent()], WRONG_FROM_EVERYWHERE)

    def _recent(self) -> tuple[tuple[float, str], ...]:
        with self._lock:
            while self._tries and self._tries[0][0] <= self._clock() - WINDOW_SECONDS:
                self._tries.popleft()
            return tuple(self._tries)

    def _seconds(self, tries: list[float], most: int) -> int:
        if len(tries) < most:
            return 0
        return max(1, ceil(tries[-most] + WINDOW_SECONDS - self._clock()))


def caller_of(address: str) -> str:
    """Return who an address is: an IPv4 address, the /64 network of an IPv6 address, else the text itself.

    Some proxies add the port to the address. IPv4 within IPv6 is the IPv4 address.
    """
    text = address.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    found: IPv4Address | IPv6Address | None = None
    with suppress(ValueError):
        found = ip_address(text.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, NETWORK_OF_ONE_CALLER), strict=False))
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped)
    return str(found) if found is not None else text[:LONGEST_ADDRESS]
