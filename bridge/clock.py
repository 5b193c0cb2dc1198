"""The bridge's clock: the desk's time as its answers tell it, so that both judge an order's age alike (SPEC 5.8)."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import structlog

from wire.bridge import DESK_TIME_HEADER

logger = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
"""Returns the current time, aware and in UTC."""

KEPT_SECONDS = 60.0
"""So long an answer says what time it is at the desk, unless none comes later."""

MOST_SECONDS = 2.0
"""A larger difference between this machine's clock and the desk's is told."""

SECONDS_OF_A_DATE = 1.0
"""A ``Date`` header leaves out the fraction of a second."""

ANSWERS_THAT_TELL = 3
"""An answer may have been long on its way: the best of so many says how the clocks differ."""


def utc_now() -> datetime:
    """Return the machine's time, aware and in UTC."""
    return datetime.now(UTC)


def seconds_since_boot() -> float:
    """Return seconds of a clock that nobody sets; it counts the machine's sleep where the system offers that."""
    boot_time: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


class DeskTime:
    """Call it for the desk's time, or this machine's until the desk has told its own; safe for threads.

    The desk's own header is believed before ``Date``, which is the time of the machine that the desk runs on.
    """

    def __init__(self, machine: Clock = utc_now, passing: Callable[[], float] = seconds_since_boot) -> None:
        """Set the clocks: `machine`'s, and one in seconds that nobody sets."""
        self.machine = machine
        self._passing = passing
        self._lock = threading.Lock()
        self._told: deque[tuple[float, datetime]] = deque()
        self._is_exact = False
        self._has_answered = False
        self._is_off = False

    def __call__(self) -> datetime:
        """Return the desk's time now: of the answers of the last minute the one that was least on its way counts."""
        with self._lock:
            told = list(self._told)
        passing = self._passing()
        times = [at + timedelta(seconds=passing - heard_at) for heard_at, at in told]
        return max(times) if times else self.machine()

    def is_known(self) -> bool:
        """Return whether the desk has answered since this process began."""
        return self._has_answered

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take the time out of an answer that has just arrived."""
        exact, rough = _exact(headers.get(DESK_TIME_HEADER, "")), _rough(headers.get("Date", ""))
        with self._lock:
            self._has_answered = True
            if exact is not None and not self._is_exact:
                self._told.clear()
                self._is_exact = True
            at = exact if self._is_exact else rough
            if at is not None:
                heard_at = self._passing()
                self._told.append((heard_at, at))
                while self._told[0][0] < heard_at - KEPT_SECONDS:
                    self._told.popleft()
        self._compare()

    def _compare(self) -> None:
        """Log once that this machine's clock differs from the desk's, and once that it agrees again."""
        if len(self._told) < ANSWERS_THAT_TELL:
            return
        ahead = (self.machine() - self()).total_seconds()
        is_off = abs(ahead) > MOST_SECONDS + (0 if self._is_exact else SECONDS_OF_A_DATE)
        if is_off is self._is_off:
            return
        self._is_off = is_off
        if is_off:
            logger.error("this machine's clock differs from the desk's", alert=True, ahead_seconds=round(ahead, 1))
        else:
            logger.info("this machine's clock agrees with the desk's again")


def _exact(text: str) -> datetime | None:
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    return told.astimezone(UTC) if told.tzinfo is not None else None


def _rough(text: str) -> datetime | None:
    try:
        told = parsedate_to_datetime(text)
    except ValueError:
        return None
    return told.astimezone(UTC) if told.tzinfo is not None else None
