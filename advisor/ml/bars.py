"""Closed bars of one symbol and timeframe, in columns, each with its session.

A bar is made of the minutes that there are: a minute without a trade has none. A bar whose true range is unknown is
left out: one of which any minute is sampled or simulated, and one of fewer than half of the minutes that its market was
open in it. Gaps stay gaps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from math import isfinite
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from services.market.calendars import Calendar
from services.market.instruments import instrument_for
from wire.candles import BarSource
from wire.ml_engine import MlTimeframe
from wire.types import Instant

MINUTE = 60
HOUR = 3_600
SECONDS: Mapping[MlTimeframe, int] = MappingProxyType({"1m": 60, "5m": 300, "15m": 900, "30m": 1_800, "1h": HOUR})
NEVER_LEARNED: frozenset[BarSource] = frozenset({"sampled", "simulated"})
"""Sources that say nothing true of a range: samples miss the extremes, a simulated market is invented."""
LEAST_SHARE = 0.5
"""A bar with fewer of its minutes is no bar: nobody knows whether they had no trade or were not recorded."""


class Minute(Struct, frozen=True, gc=False):
    """One minute, or one bar of a longer timeframe: ``t`` is its start in seconds of the epoch.

    ``v`` is None when the volume is unknown, never 0 for that. ``source`` is the least certain one of what it is made
    of.
    """

    t: int
    o: float
    h: float
    l: float  # noqa: E741 - as charts name it
    c: float
    v: float | None
    source: BarSource


class BarsRefused(ValueError):
    """The bars cannot be true: out of order, twice, off the clock, or with impossible prices."""


class Series(Struct, frozen=True):
    """Closed bars of one timeframe, oldest first. All columns are of one length.

    ``session`` is the ordinal of the trade date by the calendar of the symbol. ``next_hour`` is the hour of the day, by
    that calendar's clock, in which the following bar begins. ``sources`` counts the minutes (or bars) that came from
    each source.
    """

    symbol: str
    timeframe: MlTimeframe
    starts: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float | None]
    session: list[int]
    next_hour: list[int]
    sources: dict[BarSource, int]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def seconds(self) -> int:
        """The length of a bar."""
        return SECONDS[self.timeframe]

    @property
    def has_volumes(self) -> bool:
        """Whether the volume of every bar is known."""
        return None not in self.volume

    def ends_at(self, index: int) -> Instant:
        """Return when a bar ended."""
        return datetime.fromtimestamp(self.starts[index] + self.seconds, UTC)

    def begins_at(self, index: int) -> Instant:
        """Return when a bar began."""
        return datetime.fromtimestamp(self.starts[index], UTC)

    def is_followed(self, index: int) -> bool:
        """Return whether the next bar begins where this one ends; False for the newest."""
        following = index + 1
        return following < len(self.starts) and self.starts[following] - self.starts[index] == self.seconds

    def until(self, length: int) -> Series:
        """Return the oldest bars, so many of them: what was known when the last of them ended."""
        return self._part(slice(length))

    def newest(self, length: int) -> Series:
        """Return the newest bars, so many of them."""
        return self if length >= len(self) else self._part(slice(len(self) - length, None))

    def _part(self, part: slice) -> Series:
        return replace(
            self,
            starts=self.starts[part],
            open=self.open[part],
            high=self.high[part],
            low=self.low[part],
            close=self.close[part],
            volume=self.volume[part],
            session=self.session[part],
            next_hour=self.next_hour[part],
        )


def series_of(symbol: str, timeframe: MlTimeframe, minutes: Iterable[Minute], until: Instant | None = None) -> Series:
    """Return the closed bars of a timeframe that minutes make, oldest first.

    A bar is closed when it ended at ``until`` or before; without one, at the end of the newest minute. Raises
    UnknownInstrument, and BarsRefused for minutes that are out of order or impossible.
    """
    clock = _Clock(instrument_for(symbol).calendar)
    seconds = SECONDS[timeframe]
    kept: list[Minute] = []
    sources: dict[BarSource, int] = {}
    newest_end = 0
    for start, parts in groupby(_in_order(minutes, MINUTE), key=lambda minute: minute.t // seconds * seconds):
        of_bar = list(parts)
        newest_end = of_bar[-1].t + MINUTE
        if not NEVER_LEARNED.isdisjoint(minute.source for minute in of_bar):
            continue
        if len(of_bar) < LEAST_SHARE * clock.open_minutes(start, seconds):
            continue
        kept.append(_bar(start, of_bar))
        for minute in of_bar:
            sources[minute.source] = sources.get(minute.source, 0) + 1
    closed_by = newest_end if until is None else int(until.timestamp())
    while kept and kept[-1].t + seconds > closed_by:
        kept.pop()
    return _columns(symbol, timeframe, kept, sources, clock)


def series_of_bars(symbol: str, timeframe: MlTimeframe, bars: Iterable[Minute]) -> Series:
    """Return bars that are closed and of the timeframe already, oldest first, as a series.

    Sampled and simulated ones are left out. Raises UnknownInstrument, and BarsRefused like ``series_of``.
    """
    kept = [bar for bar in _in_order(bars, SECONDS[timeframe]) if bar.source not in NEVER_LEARNED]
    sources: dict[BarSource, int] = {}
    for bar in kept:
        sources[bar.source] = sources.get(bar.source, 0) + 1
    return _columns(symbol, timeframe, kept, sources, _Clock(instrument_for(symbol).calendar))


def digest_of(series: Series) -> str:
    """Return the sha256 of the bars: equal bars, equal digest; a card names the bars that it was made of."""
    sha = hashlib.sha256(f"{series.symbol} {series.timeframe}\n".encode())
    columns = zip(
        series.starts, series.open, series.high, series.low, series.close, series.volume, series.session, strict=True
    )
    for row in columns:
        sha.update(repr(row).encode())
    return sha.hexdigest()


def _in_order(bars: Iterable[Minute], seconds: int) -> Iterator[Minute]:
    newest: int | None = None
    for bar in bars:
        if bar.t % seconds or (newest is not None and bar.t <= newest):
            raise BarsRefused(f"the bar at {bar.t} was off the clock or out of order")
        if not _is_possible(bar):
            raise BarsRefused(f"the bar at {bar.t} had impossible prices")
        newest = bar.t
        yield bar


def _is_possible(bar: Minute) -> bool:
    prices = (bar.o, bar.h, bar.l, bar.c)
    volume = 0.0 if bar.v is None else bar.v
    return (
        all(isfinite(price) for price in prices)
        and bar.l <= min(bar.o, bar.c)
        and bar.h >= max(bar.o, bar.c)
        and isfinite(volume)
        and volume >= 0
    )


def _bar(start: int, parts: list[Minute]) -> Minute:
    volumes = [part.v for part in parts if part.v is not None]
    return Minute(
        start,
        parts[0].o,
        max(part.h for part in parts),
        min(part.l for part in parts),
        parts[-1].c,
        sum(volumes) if len(volumes) == len(parts) else None,
        parts[0].source,
    )


def _columns(
    symbol: str, timeframe: MlTimeframe, bars: list[Minute], sources: dict[BarSource, int], clock: _Clock
) -> Series:
    seconds = SECONDS[timeframe]
    return Series(
        symbol=symbol,
        timeframe=timeframe,
        starts=[bar.t for bar in bars],
        open=[bar.o for bar in bars],
        high=[bar.h for bar in bars],
        low=[bar.l for bar in bars],
        close=[bar.c for bar in bars],
        volume=[bar.v for bar in bars],
        session=[clock.session(bar.t) for bar in bars],
        next_hour=[clock.hour(bar.t + seconds) for bar in bars],
        sources=sources,
    )


class _Hour(Struct, frozen=True):
    """An hour: its trade date, its place in the day, and when the session of that date opens and closes."""

    trade_date: int
    hour: int
    opens: int
    closes: int


class _Clock:
    """Trade date, hour of the day and session of instants. No trade date changes within an hour: each is asked once."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._hours: dict[int, _Hour] = {}

    def session(self, seconds: int) -> int:
        return self._of(seconds).trade_date

    def hour(self, seconds: int) -> int:
        return self._of(seconds).hour

    def open_minutes(self, start: int, seconds: int) -> int:
        """Return how many minutes of a bar lie in the session; all of them where the calendar knows of none.

        A bar lies within one hour. A market that traded while its calendar has it closed kept other hours then.
        """
        hour = self._of(start)
        inside = max(0, min(start + seconds, hour.closes) - max(start, hour.opens))
        return (inside or seconds) // MINUTE

    def _of(self, seconds: int) -> _Hour:
        number = seconds // HOUR
        known = self._hours.get(number)
        if known is None:
            instant = datetime.fromtimestamp(number * HOUR, UTC)
            day = self._calendar.trade_date(instant)
            session = self._calendar.session_of(day)
            opens, closes = (0, 0) if session is None else (session.opens.timestamp(), session.closes.timestamp())
            hour = instant.astimezone(self._calendar.zone).hour
            known = _Hour(day.toordinal(), hour, int(opens), int(closes))
            self._hours[number] = known
        return known
