"""The bridge's clock beside the desk's (SPEC 5.8). It is told by a header, else by the time of the bridge's data."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime

from services.engine.model.bridge_commands import NoteClock

MOST_SECONDS = 2.0
"""A larger difference is told."""
IN_A_ROW = 3
"""Messages that must be late before the clock is called behind: a message may have been long on its way."""


class ClockWatch:
    """Compares the times that a bridge tells with the desk's; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead: deque[float] = deque(maxlen=IN_A_ROW)
        self._tells_clock = False

    def hear_clock(self, told: datetime, now: datetime) -> NoteClock | None:
        """Take the time of the bridge's own clock, as it told when it sent; None while nothing can be said."""
        self._tells_clock = True
        return self._note(told, now, "the bridge's clock is {s} s {way} the desk's")

    def hear_data(self, as_of: datetime, now: datetime) -> NoteClock | None:
        """Take the time of the broker's data, from a bridge that does not tell its own."""
        if self._tells_clock:
            return None
        behind = "the bridge's data are {s} s {way} the desk's clock: its clock is wrong, or its data are late"
        return self._note(as_of, now, behind)

    def _note(self, told: datetime, now: datetime, sentence: str) -> NoteClock | None:
        """Judge by the last messages: each was on its way for a while, so the least late one is the nearest."""
        ahead = (told - now).total_seconds()
        with self._lock:
            self._ahead.append(ahead)
            nearest, heard = max(self._ahead), len(self._ahead)
        if ahead <= MOST_SECONDS and (heard < IN_A_ROW or nearest > MOST_SECONDS):
            return None
        detail = sentence.format(s=f"{abs(nearest):.0f}", way="ahead of" if nearest > 0 else "behind")
        return NoteClock("bridge", round(nearest, 1), abs(nearest) <= MOST_SECONDS, detail)
