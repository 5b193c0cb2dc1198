"""Which candle an instant belongs to: the grid of each timeframe on a market's calendar.

Up to an hour the grid is that of the UTC clock. Four hours count from the open of the session, a day is the trade date,
a week is Monday's trade date to Sunday's. The buckets of one timeframe touch and never overlap, and every instant lies
in exactly one, also where the market is closed; ``traded_in`` says which part of a bucket is open for trade. A bucket
without prices is a gap: nothing here fills one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, get_args

from msgspec import Struct

from services.market.calendars import ONE_DAY, Calendar
from wire.types import Instant

Timeframe = Literal["1m", "5m", "15m", "30m", "60m", "4h", "1d", "1w"]
TIMEFRAMES: tuple[Timeframe, ...] = get_args(Timeframe)
BY_THE_CLOCK: Mapping[Timeframe, timedelta] = MappingProxyType(
    {
        "1m": timedelta(minutes=1),
        "5m": timedelta(minutes=5),
        "15m": timedelta(minutes=15),
        "30m": timedelta(minutes=30),
        "60m": timedelta(minutes=60),
    }
)
FOUR_HOURS = timedelta(hours=4)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Bucket(Struct, frozen=True, order=True):
    """One cell of a timeframe's grid: from ``start`` until just before ``end`` (UTC)."""

    start: Instant
    end: Instant


def bucket_of(instant: Instant, timeframe: Timeframe, calendar: Calendar) -> Bucket:
    """Return the bucket that an aware instant lies in. Raises ValueError for a naive one or an unknown timeframe."""
    length = BY_THE_CLOCK.get(timeframe)
    if length is not None:
        return _by_the_clock(instant, length)
    day = calendar.trade_date(instant)
    if timeframe == "4h":
        return _four_hours(instant, day, calendar)
    if timeframe == "1d":
        return _day(day, calendar)
    if timeframe == "1w":
        return _week(day, calendar)
    raise ValueError(f"the timeframe was {timeframe!r}, must be one of {', '.join(TIMEFRAMES)}")


def traded_in(bucket: Bucket, calendar: Calendar) -> Bucket | None:
    """Return from the first to the last instant at which the market is open within a bucket, None when it never is.

    A candle of Monday begins with its session on Sunday evening, although its bucket begins on Friday. The last four
    hours of an ordinary day at CME are three.
    """
    inside = []
    for session in calendar.sessions_from(bucket.start):
        if session.opens >= bucket.end:
            break
        inside.append(session)
    if not inside:
        return None
    return Bucket(max(bucket.start, inside[0].opens), min(bucket.end, inside[-1].closes))


def _by_the_clock(instant: Instant, length: timedelta) -> Bucket:
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} was not an aware instant")
    start = EPOCH + (instant - EPOCH) // length * length
    return Bucket(start, start + length)


def _four_hours(instant: Instant, day: date, calendar: Calendar) -> Bucket:
    """Return the four hours, counted from the open of the trade date's session and cut at both ends of the date."""
    begins, ends = _ends_of(day, calendar)
    anchor = calendar.nominal_open(day)
    start = anchor + (instant - anchor) // FOUR_HOURS * FOUR_HOURS
    return Bucket(max(start, begins), min(start + FOUR_HOURS, ends))


def _day(day: date, calendar: Calendar) -> Bucket:
    return Bucket(*_ends_of(day, calendar))


def _week(day: date, calendar: Calendar) -> Bucket:
    monday = day - timedelta(days=day.weekday())
    return Bucket(_ends_of(monday, calendar)[0], _ends_of(monday + 7 * ONE_DAY, calendar)[0])


@lru_cache(maxsize=1024)
def _ends_of(day: date, calendar: Calendar) -> tuple[Instant, Instant]:
    return calendar.day_of(day)
