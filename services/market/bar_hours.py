"""What a calendar says around a bar: since when the market has been open, and when its silence begins to count."""

from __future__ import annotations

from datetime import timedelta

from services.market.calendars import ONE_DAY, Calendar, Session
from wire.types import Instant

LONGEST_BREAK_DAYS = 14
SILENT_AFTER = {"15S": timedelta(seconds=180), "1": timedelta(seconds=300)}
"""How long no bar of a base timeframe may come while the market is open: without a trade there is none."""


def open_since(calendar: Calendar, instant: Instant) -> tuple[Instant | None, Instant | None]:
    """Return when the market closed and opened last before an aware instant; both None for one that never stops.

    Sessions that follow each other without a break are one. At an instant at which it is closed by the calendar, the
    market counts as opened at that instant.
    """
    if calendar.next_close(instant) is None:
        return None, None
    opened = instant
    for session in _sessions_before(calendar, instant):
        if session.closes < opened:
            return session.closes, opened
        opened = min(opened, session.opens)
    return None, opened


def silent_from(calendar: Calendar, base: str, ended_at: Instant) -> Instant:
    """Return from when on a feed is silent whose newest bar ended at an aware instant; breaks do not count."""
    return calendar.after_session_time(ended_at, SILENT_AFTER[base])


def _sessions_before(calendar: Calendar, instant: Instant) -> list[Session]:
    """Return the sessions that opened before an instant, the newest first."""
    day = calendar.trade_date(instant)
    days = (day - number * ONE_DAY for number in range(LONGEST_BREAK_DAYS))
    sessions = (calendar.session_of(day) for day in days)
    return [session for session in sessions if session is not None and session.opens <= instant]
