"""What the desk is told of its markets: their sessions by the calendars, and the news times of the file (SPEC 5.9).

The engine reads neither calendar nor file. The clock job tells it whenever something has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import islice
from pathlib import Path

from services.engine.model.window import NewsTime, SessionHours
from services.engine.model.window_commands import NoteSessions
from services.market.instruments import INSTRUMENTS
from services.ops.news_file import NewsUnreadable, read_news
from wire.types import Instant

SESSIONS_TOLD = 3
"""The running session and the two after it: a lockout may end with the second, and a standby may come late."""
NEWS_AHEAD = timedelta(days=8)

SessionsAfter = Callable[[str, Instant], tuple[SessionHours, ...]]


def sessions_after(asset: str, now: Instant) -> tuple[SessionHours, ...]:
    """Return the running session of an asset's market and those that follow. Raises KeyError for an unknown asset."""
    sessions = islice(INSTRUMENTS[asset].calendar.sessions_from(now), SESSIONS_TOLD)
    return tuple(SessionHours(session.opens, session.closes) for session in sessions)


class MarketFactsReader:
    """Reads what the desk is to be told. ``sessions`` is the calendar, another one where a test says so.

    The news file is read again when it has changed; while it cannot be read the desk is told so.
    """

    def __init__(self, news_file: Path | None, sessions: SessionsAfter = sessions_after) -> None:
        self._news_file = news_file
        self._sessions = sessions
        self._news: tuple[NewsTime, ...] = ()
        self._fault: str | None = None

    def read_file(self) -> None:
        """Read the news file again. A fault is kept and told; the times read before go on to count."""
        if self._news_file is None:
            return
        try:
            self._news = read_news(self._news_file)
            self._fault = None
        except NewsUnreadable as error:
            self._fault = str(error)

    def facts_at(self, assets: Iterable[str], now: Instant) -> NoteSessions:
        """Return what is known at an instant: sessions of the assets, and the news of the next days."""
        sessions = {asset: self._sessions(asset, now) for asset in assets}
        news = tuple([news for news in self._news if now < news.ends and news.begins <= now + NEWS_AHEAD])
        return NoteSessions(sessions, news, self._fault)
