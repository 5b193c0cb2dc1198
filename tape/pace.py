"""How fast tape time passes, and how often a price is sent. Pure: the caller passes wall seconds."""

from __future__ import annotations

from wire.types import Instant

AS_FAST_AS_THE_DESK_ANSWERS = 0.0
LARGEST_LAG_SECONDS = 1.0


class Pace:
    """Converts gaps between ticks to waits.

    ``speed`` 1 is real time, 10 ten times as fast, 0 never waits. No wait is longer than ``longest_gap_seconds``, so
    that a night passes quickly. A tape more than a second behind, after a pause or because the desk is slow, continues
    at its speed and does not catch up.
    """

    def __init__(self, speed: float, longest_gap_seconds: float) -> None:
        self._speed = speed
        self._longest_gap = longest_gap_seconds
        self._tape_at: Instant | None = None
        self._due = 0.0

    def wait_before(self, at: Instant, wall: float) -> float:
        """Return how many seconds to wait at ``wall`` before playing the tick of tape time ``at``."""
        if self._speed == AS_FAST_AS_THE_DESK_ANSWERS:
            return 0.0
        if self._tape_at is None:
            self._due = wall
        else:
            gap = (at - self._tape_at).total_seconds() / self._speed
            self._due = max(self._due + min(gap, self._longest_gap), wall - LARGEST_LAG_SECONDS)
        self._tape_at = at
        return max(self._due - wall, 0.0)


class Throttle:
    """Allows at most ``per_second`` heartbeats; a forced one also counts."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1.0 / per_second
        self._next = 0.0

    def passes(self, wall: float, forced: bool) -> bool:
        """Return whether a heartbeat may be sent at ``wall`` seconds."""
        if not forced and wall < self._next:
            return False
        self._next = wall + self._interval
        return True
