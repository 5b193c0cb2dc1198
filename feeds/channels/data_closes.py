"""Which candles have just closed: the clock says that a period has ended, the stored bars say what was in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from feeds.bars.types import MINUTE, BarCandle, timeframe_named
from services.market.buckets import bucket_of, traded_in
from services.market.instruments import instrument_for
from wire.data_service import DataTimeframe

SETTLES_WITHIN = timedelta(seconds=10)
"""How long after a period its last minute may still come; then the candle is what is there."""

Pair = tuple[str, DataTimeframe]


class Ended(Struct, frozen=True):
    """A period that has ended: its candle is awaited. ``start`` and ``end`` are seconds of the epoch."""

    symbol: str
    timeframe: DataTimeframe
    start: int
    end: int
    waits_until: datetime


class Closes:
    """The periods of what is wanted, and those that have ended. The caller's clock is the only one."""

    def __init__(self, settles_within: timedelta = SETTLES_WITHIN) -> None:
        """Know no period yet."""
        self._settles_within = settles_within
        self._ends: dict[Pair, tuple[int, int]] = {}
        self._newest: datetime | None = None
        self.awaited: list[Ended] = []

    def pass_time(self, now: datetime, wanted: Collection[Pair]) -> None:
        """Note which periods have ended. The one in which a pair is first wanted is the first that is told."""
        if self._newest is not None and now < self._newest - self._settles_within:
            self._ends.clear()  # the clock was set back: what ends by the old time would be waited for
        self._newest = now
        for gone in self._ends.keys() - set(wanted):
            del self._ends[gone]
        self.awaited = [one for one in self.awaited if (one.symbol, one.timeframe) in wanted and now < one.waits_until]
        for pair in wanted:
            before = self._ends.get(pair)
            if before is None or now.timestamp() >= before[1]:
                self._ends[pair] = _period(pair, now)
                if before is not None:
                    self.awaited.append(Ended(*pair, *before, now + self._settles_within))

    def settle(self, found: Iterable[tuple[Ended, BarCandle]]) -> None:
        """Drop the periods whose candles were told."""
        told = {(one.symbol, one.timeframe, one.start) for one, _ in found}
        self.awaited = [one for one in self.awaited if (one.symbol, one.timeframe, one.start) not in told]


def is_whole(candle: BarCandle, ended: Ended, newest: int | None, now: datetime) -> bool:
    """Return whether nothing more can come: its last minute is stored, a later one is, or the wait is over."""
    has_last = newest is not None and newest >= min(ended.end, candle.end) - MINUTE
    return candle.is_closed and (has_last or now + timedelta(seconds=1) >= ended.waits_until)


def _period(pair: Pair, now: datetime) -> tuple[int, int]:
    """Return the period that has not ended: where the market has closed for the rest of one, it is the next.

    A day ends with its trade at 17:00 in New York, and not when the next one opens.
    """
    symbol, timeframe = pair
    calendar = instrument_for(symbol).calendar
    bucket = bucket_of(now, timeframe_named(timeframe), calendar)
    traded = traded_in(bucket, calendar)
    if traded is not None and traded.end <= now:
        bucket = bucket_of(bucket.end, timeframe_named(timeframe), calendar)
        traded = traded_in(bucket, calendar)
    return int(bucket.start.timestamp()), int((traded or bucket).end.timestamp())
