"""Candles of the platform's timeframes, made of stored minutes. Nothing is filled: a gap is a gap.

Up to an hour the periods are those of the UTC clock, longer ones follow the calendar of the symbol's market
(``services/market/buckets.py``). A candle exists where a minute is stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from msgspec import Struct

from feeds.bars.rows import Exact, volume_of
from feeds.bars.types import MINUTE, SOURCES, BarCandle
from services.market.buckets import BY_THE_CLOCK, Timeframe, bucket_of, traded_in
from services.market.calendars import Calendar
from services.market.instruments import instrument_for

DIGITS_OF_VOLUME = 8
EARLIEST, LATEST = 0, 4_102_444_800  # the years 1970 to 2099
Row = tuple[int, float, float, float, float, float | None, int, int, int]
SUMS = """min(t) AS first, max(t) AS last, max(high) AS high, min(low) AS low, sum(volume) AS volume,
    count(*) AS minutes, count(volume) AS told, max(source) AS source"""
BY_CLOCK = """
    SELECT g.start, o.open, g.high, g.low, c.close, g.volume, g.told, g.source, g.minutes
    FROM (SELECT t / :length * :length AS start, {sums} FROM {table}
          WHERE symbol = :symbol AND t >= :start AND t < :end GROUP BY t / :length) g
    JOIN {table} o ON o.symbol = :symbol AND o.t = g.first
    JOIN {table} c ON c.symbol = :symbol AND c.t = g.last
    ORDER BY g.start"""
BY_MINUTE = """
    SELECT t, open, high, low, close, volume, volume IS NOT NULL, source, 1 FROM {table}
    WHERE symbol = :symbol AND t >= :start AND t < :end ORDER BY t"""
ONE = """
    SELECT :start, o.open, g.high, g.low, c.close, g.volume, g.told, g.source, g.minutes
    FROM (SELECT {sums} FROM {table} WHERE symbol = :symbol AND t >= :start AND t < :end) g
    JOIN {table} o ON o.symbol = :symbol AND o.t = g.first
    JOIN {table} c ON c.symbol = :symbol AND c.t = g.last"""


class Span(Struct, frozen=True):
    """Which candles are asked for: those of `symbol` that begin from `start` (None: the newest) until before `end`."""

    symbol: str
    start: int | None
    end: int
    limit: int


class Period(Struct, frozen=True):
    """The time of one candle, ``start`` included, ``end`` not; ``bucket`` is the cell of the grid that it lies in."""

    start: int
    end: int
    bucket: tuple[int, int]


def candles_of(
    connection: sqlite3.Connection, table: str, span: Span, timeframe: Timeframe, now: float
) -> list[BarCandle]:
    """Return the candles of a span, ascending. Raises UnknownInstrument."""
    calendar = instrument_for(span.symbol).calendar
    minutes = Minutes(connection, table, span.symbol)
    if span.limit <= 0:
        return []
    if timeframe in BY_THE_CLOCK:
        length = int(BY_THE_CLOCK[timeframe].total_seconds())
        rows = _first_rows(minutes, span, length) if span.start is not None else _newest_rows(minutes, span, length)
        made = [(row, row[0], row[0] + length) for row in rows]
    else:
        calls = _periods_from if span.start is not None else _periods_back
        periods = islice(calls(minutes, span, timeframe, calendar), span.limit)
        made = [(row, one.start, one.end) for one in periods for row in minutes.of_one(*one.bucket)]
        made.sort(key=lambda each: each[1])
    exact = Exact()
    return [_candle(span.symbol, row, start, end, now, exact) for row, start, end in made]


class Minutes:
    """The stored minutes of one symbol, as rows of candles."""

    def __init__(self, connection: sqlite3.Connection, table: str, symbol: str) -> None:
        self._connection = connection
        self._table = table
        self._symbol = symbol

    def newest_before(self, end: int) -> int | None:
        """Return the start of the last minute before an instant."""
        return self._edge("max", "<", end)

    def first_from(self, start: int) -> int | None:
        """Return the start of the first minute from an instant on."""
        return self._edge("min", ">=", start)

    def by_clock(self, start: int, end: int, length: int) -> list[Row]:
        """Return a row for each period of `length` seconds in which a minute lies."""
        return self._rows(BY_MINUTE if length == MINUTE else BY_CLOCK, start, end, length)

    def of_one(self, start: int, end: int) -> list[Row]:
        """Return the one row of all minutes of a time, none when there is no minute."""
        return self._rows(ONE, start, end, 0)

    def _edge(self, which: str, compared: str, instant: int) -> int | None:
        sql = f"SELECT {which}(t) FROM {self._table} WHERE symbol = ? AND t {compared} ?"  # noqa: S608
        ((found,),) = self._connection.execute(sql, (self._symbol, instant)).fetchall()
        return None if found is None else int(found)

    def _rows(self, sql: str, start: int, end: int, length: int) -> list[Row]:
        asked = {"symbol": self._symbol, "start": start, "end": end, "length": length}
        return self._connection.execute(sql.format(table=self._table, sums=SUMS), asked).fetchall()


# -- periods of the clock ---------------------------------------------------------------------------------------


def _newest_rows(minutes: Minutes, span: Span, length: int) -> list[Row]:
    """Read back from the end, each time as much as is still missing; times without minutes are jumped over."""
    rows: list[Row] = []
    end = _ceil(span.end, length)
    while len(rows) < span.limit:
        newest = minutes.newest_before(end)
        if newest is None:
            break
        end = newest // length * length + length
        start = end - (span.limit - len(rows)) * length
        rows = minutes.by_clock(start, end, length) + rows
        end = start
    return rows[-span.limit :]


def _first_rows(minutes: Minutes, span: Span, length: int) -> list[Row]:
    rows: list[Row] = []
    start, last = _ceil(span.start or 0, length), _ceil(span.end, length)
    while len(rows) < span.limit:
        first = minutes.first_from(start)
        if first is None or first >= last:
            break
        start = first // length * length
        end = min(start + (span.limit - len(rows)) * length, last)
        rows += minutes.by_clock(start, end, length)
        start = end
    return rows


def _ceil(instant: int, length: int) -> int:
    return -(-instant // length) * length


# -- periods of a calendar --------------------------------------------------------------------------------------


def _periods_back(minutes: Minutes, span: Span, timeframe: Timeframe, calendar: Calendar) -> Iterator[Period]:
    """Yield the periods that have a minute and begin before the end of the span, the newest first."""
    newest = minutes.newest_before(LATEST)
    if newest is None:
        return
    last = _period_at(min(span.end - 1, newest), timeframe, calendar)
    instant = minutes.newest_before(last.bucket[1])
    while instant is not None:
        period = _period_at(instant, timeframe, calendar)
        if period.start < span.end:
            yield period
        instant = minutes.newest_before(period.bucket[0])


def _periods_from(minutes: Minutes, span: Span, timeframe: Timeframe, calendar: Calendar) -> Iterator[Period]:
    start = span.start or EARLIEST
    instant = minutes.first_from(_period_at(start, timeframe, calendar).bucket[0])
    while instant is not None:
        period = _period_at(instant, timeframe, calendar)
        if period.start >= span.end:
            return
        if period.start >= start:
            yield period
        instant = minutes.first_from(period.bucket[1])


def _period_at(instant: int, timeframe: Timeframe, calendar: Calendar) -> Period:
    at = datetime.fromtimestamp(min(max(instant, EARLIEST), LATEST), UTC)
    bucket = bucket_of(at, timeframe, calendar)
    traded = traded_in(bucket, calendar) or bucket  # quotes on a holiday: their candle has the whole day
    return Period(_seconds(traded.start), _seconds(traded.end), (_seconds(bucket.start), _seconds(bucket.end)))


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def _candle(symbol: str, row: Row, start: int, end: int, now: float, exact: Exact) -> BarCandle:
    _, opened, high, low, closed, volume, told, rank, minutes = row
    whole = round(volume, DIGITS_OF_VOLUME) if volume is not None and told == minutes else None
    return BarCandle(
        symbol=symbol,
        start=start,
        end=end,
        open=exact[opened],
        high=exact[high],
        low=exact[low],
        close=exact[closed],
        volume=volume_of(whole),
        source=SOURCES[rank],
        minutes=minutes,
        is_closed=now >= end,
    )
