"""The desk's clock: the machine's time, unless that jumps against the time since boot (SPEC 5.8).

Every command is decided at this clock's time, and every view shows it. It never goes back. The time since boot counts
sleep, and nobody sets it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from services.engine.model.bridge_commands import NoteClock
from wire.types import Instant

log = structlog.get_logger(__name__)

FOLLOWED = 2.0
"""Seconds: a smaller difference is an ordinary correction, the desk takes the machine's time at once."""
JUMP = 60.0
"""Seconds: a larger difference is a jump; a second clock must agree with the machine's before it is believed."""
GAIN = 0.05
"""What of each second the desk gains or loses until a difference between the two limits is gone."""
CONFIRMED_LOSS = 0.2
"""The same where a second clock says that the desk itself is ahead; its clock does not go back either."""
APART = 2.0
"""Seconds between the two messages that confirm a jump: one reading proves nothing (SPEC 1)."""
BOOT_TIME: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def utc_now() -> Instant:
    """Return the machine's time, aware and in UTC."""
    return datetime.now(UTC)


def seconds_since_boot() -> float:
    """Return the seconds since the machine was started, its sleep included."""
    return time.clock_gettime(BOOT_TIME)


class DeskClock:
    """Call it for the desk's time; safe for threads.

    Parameters: the machine's clock (aware UTC), and a measure of time that passes, in seconds. Without the second the
    first one is believed about that, too, so that a test moves both at once.
    """

    def __init__(self, wall: Callable[[], Instant] = utc_now, passing: Callable[[], float] | None = None) -> None:
        self._wall = wall
        self._passing = passing or (lambda: wall().timestamp())
        self._lock = threading.Lock()
        self._read_at, self._now = self._passing(), wall()
        self._wall_ahead = 0.0
        self._agreed_at: float | None = None
        self._confirmed: float | None = None

    def __call__(self) -> Instant:
        with self._lock:
            return self._advance()

    @property
    def machine_ahead(self) -> float:
        """By how many seconds the machine's clock is ahead of the desk's, negative when it is behind."""
        with self._lock:
            self._advance()
            return self._wall_ahead

    def never_before(self, at: Instant) -> None:
        """Go on from ``at``, the time of what is stored, when the machine's clock is behind it."""
        with self._lock:
            self._now = max(self._advance(), at)

    def hear(self, told: Instant) -> None:
        """Hear the time of a message that was sent just now by another clock than this machine's.

        Two such messages that agree with the machine's clock confirm a jump of it.
        """
        with self._lock:
            now = self._advance()
            wall = now + timedelta(seconds=self._wall_ahead)
            if abs((told - now).total_seconds()) <= JUMP or abs((told - wall).total_seconds()) > JUMP:
                self._agreed_at = None
            elif self._agreed_at is None:
                self._agreed_at = self._read_at
            elif self._confirmed is None and self._read_at - self._agreed_at >= APART:
                self._believe(wall)

    def _believe(self, wall: Instant) -> None:
        log.warning("a second clock agrees with the machine's", ahead_seconds=round(self._wall_ahead, 1))
        self._agreed_at = None
        self._confirmed = self._wall_ahead if self._wall_ahead < 0 else None
        self._now = max(self._now, wall)

    def _read(self) -> tuple[float, Instant, float]:
        """Read both clocks. Return the time that passes, the machine's time, and how far that is ahead."""
        passing, wall = self._passing(), self._wall()
        return passing, wall, (wall - self._now).total_seconds() - self._passed(passing)

    def _passed(self, passing: float) -> float:
        """Return the seconds since the last reading."""
        return max(0.0, passing - self._read_at)

    def _advance(self) -> Instant:
        """Move the desk's time by what has passed, towards the machine's time where that is believed."""
        passing, wall, ahead = self._read()
        if abs(ahead) > FOLLOWED:  # the process may have been frozen between the two clocks
            passing, wall, ahead = self._read()
        passed, self._read_at = self._passed(passing), passing
        if self._confirmed is not None and not self._confirmed - FOLLOWED <= ahead < -FOLLOWED:
            self._confirmed = None
        if abs(ahead) > FOLLOWED:
            self._now += timedelta(seconds=passed + self._correction(ahead, passed))
        elif wall >= self._now:
            self._now, self._wall_ahead = wall, 0.0
            return wall
        self._wall_ahead = (wall - self._now).total_seconds()
        return self._now

    def _correction(self, ahead: float, passed: float) -> float:
        """Return what to add to the time that has passed, in seconds; never as much as to go back."""
        if self._confirmed is None and abs(ahead) > JUMP:
            return 0.0
        most = passed * (GAIN if self._confirmed is None else CONFIRMED_LOSS)
        return max(-most, min(most, ahead))


def desk_clock(wall: Callable[[], Instant] | None) -> DeskClock:
    """Return the machine's clock as the desk's, or a clock that somebody gave: that one alone says what time it is."""
    return DeskClock(passing=seconds_since_boot) if wall is None else DeskClock(wall)


def note_of_machine(ahead: float) -> NoteClock:
    """Return what to tell the desk of the machine's clock, which is ``ahead`` seconds ahead of the desk's."""
    agrees = abs(ahead) <= FOLLOWED
    way = "ahead" if ahead > 0 else "back"
    detail = f"this machine's clock was set {way} by {abs(ahead):.0f} s; the desk counts on by the time that has passed"
    return NoteClock("machine", round(ahead, 1), agrees, detail)
