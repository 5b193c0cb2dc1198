"""When a candle begins and ends, by the calendar of its market (``services/market/calendars.py``).

Minutes are those of UTC. Four hours count from the open of the session, a day is a session, a week is all sessions of
its trade dates. The grid is that of ``services/market/buckets.py``; here each long candle is cut to the hours in which
its market trades, because a price of other hours belongs to none.
"""

from __future__ import annotations

from msgspec import Struct

from feeds.prices.types import Timeframe
from services.market.buckets import BY_THE_CLOCK, bucket_of, traded_in
from services.market.calendars import CRYPTO, Calendar
from services.market.instruments import INSTRUMENTS
from wire.types import Instant


class Period(Struct, frozen=True):
    """The time of one candle, ``start`` included, ``end`` not. Without ``is_session`` the market is shut in it."""

    start: Instant
    end: Instant
    is_session: bool = True


def calendar_of(asset: str) -> Calendar:
    """Return the calendar of an asset. One that is not in the table of instruments is never taken for shut."""
    instrument = INSTRUMENTS.get(asset)
    return CRYPTO if instrument is None else instrument.calendar


def period_of(timeframe: Timeframe, at: Instant, calendar: Calendar) -> Period:
    """Return the period of the timeframe that contains an aware instant.

    While the market is shut no candle of 4h or 1d contains it, and none of 1w before the first and after the last
    session of a week: then the period lasts from the instant to the next open. Minutes are counted at any time.
    """
    bucket = bucket_of(at, timeframe, calendar)
    if timeframe in BY_THE_CLOCK:
        return Period(bucket.start, bucket.end)
    traded = traded_in(bucket, calendar)
    if traded is not None and traded.start <= at < traded.end:
        return Period(traded.start, traded.end)
    return Period(at, next(calendar.sessions_from(at)).opens, is_session=False)


def next_start(timeframe: Timeframe, at: Instant, calendar: Calendar) -> Instant:
    """Return when the period begins in which the first price at or after the instant can lie."""
    period = period_of(timeframe, at, calendar)
    return period.start if period.is_session else period.end


def is_shut(since: Instant, until: Instant, calendar: Calendar) -> bool:
    """Return whether the market is shut all the time between two instants."""
    return not calendar.is_open(since) and until <= next(calendar.sessions_from(since)).opens
