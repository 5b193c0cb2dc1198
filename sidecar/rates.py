"""How often each caller may do something within a time that slides on."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

MOST_CALLERS = 10_000


class Rates:
    """At most `limit` times in `seconds` for each caller. What is refused does not count."""

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nobody."""
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._times: dict[str, deque[float]] = {}

    def __len__(self) -> int:
        """Return how many callers are remembered."""
        return len(self._times)

    def take(self, caller: str) -> int | None:
        """Count one more. Return None when it is allowed, else the whole seconds after which it will be."""
        now = self._clock()
        times = self._times.get(caller)
        if times is None:
            self._make_room(now)
            times = self._times[caller] = deque()
        while times and times[0] <= now - self._seconds:
            times.popleft()
        if len(times) >= self._limit:
            return max(1, math.ceil(times[0] + self._seconds - now))
        times.append(now)
        return None

    def _make_room(self, now: float) -> None:
        """Forget callers that have been quiet; beyond the bound also the one that was new the longest time ago."""
        if len(self._times) < MOST_CALLERS:
            return
        quiet = [name for name, times in self._times.items() if not times or times[-1] <= now - self._seconds]
        for name in quiet or [next(iter(self._times))]:
            del self._times[name]
