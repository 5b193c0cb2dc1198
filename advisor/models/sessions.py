"""How many sessions there are to learn from, for the refusal of a symbol that has no model."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime

from msgspec import Struct

from advisor.bars import BarsAway, FeedsBars
from advisor.ml.bars import BarsRefused, Minute, series_of
from advisor.ml.walk import LEAST_SESSIONS, NotEnough, sessions_of
from advisor.models.places import TIMEFRAMES
from advisor.shared import PATIENCE_SECONDS, SharedWork, StillUnderWay
from services.market.instruments import instrument_for
from wire.minutes import LONGEST_PAGE
from wire.ml_engine import MlTimeframe

HOLDS_SECONDS = 6 * 3_600.0
LOOKS_SECONDS = 300.0
"""So long nobody asks feeds whether it has other minutes by now."""

MUCH_CHANGED = 180
"""Minutes: three hours make a session."""

MOST_PAGES = 6
"""Ten sessions of a market that never closes are two pages; samples in between may fill the others."""


class _Known(Struct):
    """What was counted, of how many stored minutes, and when. ``looked_at`` is when those were last compared."""

    sentences: dict[MlTimeframe, str]
    rows: int
    counted_at: float
    looked_at: float


class SessionCounts:
    """Counts the newest sessions of a symbol's bars, until there are enough: beside the loop, one symbol at a time.

    A count holds for six hours, unless three hours of minutes or more came or went; that is looked at after 5 minutes.
    """

    def __init__(
        self,
        feeds: FeedsBars,
        clock: Callable[[], float] = time.monotonic,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Read the minutes of `feeds`. Who asks waits so long; the count goes on all the same."""
        self._feeds = feeds
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._counting: SharedWork[dict[MlTimeframe, str]] = SharedWork(patience_seconds)
        self._one_at_a_time = asyncio.Lock()

    async def sentence(self, symbol: str, timeframe: MlTimeframe) -> str:
        """Return why there is no model: ``ES 15m: 3 of 10 sessions``."""
        known = self._known.get(symbol)
        if known is not None and self._clock() - known.looked_at <= LOOKS_SECONDS:
            return known.sentences[timeframe]
        try:
            return (await self._counting.result(symbol, lambda: self._look(symbol)))[timeframe]
        except StillUnderWay:
            return f"{symbol} {timeframe}: there is no model, and its sessions are being counted: ask again"
        except BarsAway as error:
            return f"{symbol} {timeframe}: there is no model, and no bars to count sessions of: {error}"

    async def _look(self, symbol: str) -> dict[MlTimeframe, str]:
        """Count anew unless what is known still holds. Raises `BarsAway`."""
        async with self._one_at_a_time:
            row = (await self._feeds.stored()).get(symbol)
            rows = 0 if row is None else row.rows
            now = self._clock()
            known = self._known.get(symbol)
            if known is not None and now - known.counted_at <= HOLDS_SECONDS and not _is_much(rows, known.rows):
                known.looked_at = now
                return known.sentences
            sentences = _without_bars(symbol) if row is None else await self._count(symbol)
            self._known[symbol] = _Known(sentences, rows, now, now)
            return sentences

    async def _count(self, symbol: str) -> dict[MlTimeframe, str]:
        """Raises `BarsAway`."""
        counts: Counter[MlTimeframe] = Counter()
        before: int | None = None
        for _ in range(MOST_PAGES):
            page = await self._feeds.newest(symbol, before)
            is_last = len(page) < LONGEST_PAGE
            try:
                counted = await asyncio.to_thread(_sessions_in, symbol, page, is_last)
            except BarsRefused as refused:
                return {one: f"{symbol} {one}: the recorded bars cannot be true: {refused}" for one in TIMEFRAMES}
            counts.update(counted.of)
            before = counted.first_t
            if is_last or before is None or min(counts[one] for one in TIMEFRAMES) >= LEAST_SESSIONS:
                break
        return {one: _sentence(symbol, one, counts[one]) for one in TIMEFRAMES}


class _Counted(Struct, frozen=True):
    """The sessions of a page, and the first minute that was counted; the page before ends there."""

    of: dict[MlTimeframe, int]
    first_t: int | None


def _sessions_in(symbol: str, page: list[Minute], is_last: bool) -> _Counted:
    """Count the sessions of a page. The oldest may have begun before it: it is left to the next page. Pure."""
    whole = page if is_last else page[_second_session(symbol, page) :]
    of = {one: len(sessions_of(series_of(symbol, one, whole))) for one in TIMEFRAMES}
    return _Counted(of, whole[0].t if whole else None)


def _second_session(symbol: str, page: list[Minute]) -> int:
    """Return where the second trade date of a page begins; the end of the page when there is none."""
    calendar = instrument_for(symbol).calendar

    def trade_date(minute: Minute) -> date:
        return calendar.trade_date(datetime.fromtimestamp(minute.t, UTC))

    return bisect_right(page, trade_date(page[0]), key=trade_date)


def _is_much(rows: int, counted: int) -> bool:
    return abs(rows - counted) >= MUCH_CHANGED or (rows == 0) != (counted == 0)


def _without_bars(symbol: str) -> dict[MlTimeframe, str]:
    return {one: f"{NotEnough(symbol, one, 0).sentence}: no bars of a real market" for one in TIMEFRAMES}


def _sentence(symbol: str, timeframe: MlTimeframe, count: int) -> str:
    if count < LEAST_SESSIONS:
        return NotEnough(symbol, timeframe, count).sentence
    return f"{symbol} {timeframe}: {LEAST_SESSIONS} sessions or more are recorded, and no model has been trained yet"
