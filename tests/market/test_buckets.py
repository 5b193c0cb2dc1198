"""Which candle an instant belongs to, in every timeframe and on every market's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.market.buckets import TIMEFRAMES, Bucket, Timeframe, bucket_of, traded_in
from services.market.calendars import (
    CALENDARS,
    CME_EQUITY,
    CRYPTO,
    FX,
    INDEX_CFD,
    NEW_YORK,
    SPOT_METALS,
    Calendar,
)

MOMENT = timedelta(microseconds=1)
STEP = timedelta(minutes=10)
CLOCK_CHANGES = (date(2026, 3, 8), date(2026, 11, 1))
instants = st.datetimes(datetime(2014, 1, 1), datetime(2039, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
calendars = st.sampled_from(tuple(CALENDARS.values()))
by_name: dict[str, Any] = {"ids": lambda value: getattr(value, "name", str(value))}


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def between(start: str, end: str) -> Bucket:
    return Bucket(new_york(start), new_york(end))


@given(calendars, st.sampled_from(TIMEFRAMES), instants)
def test_every_instant_lies_in_exactly_one_bucket(calendar: Calendar, timeframe: Timeframe, instant: datetime) -> None:
    bucket = bucket_of(instant, timeframe, calendar)
    assert bucket.start <= instant < bucket.end
    for inside in (bucket.start, bucket.end - MOMENT):
        assert bucket_of(inside, timeframe, calendar) == bucket
    assert bucket_of(bucket.end, timeframe, calendar).start == bucket.end
    assert bucket_of(bucket.start - MOMENT, timeframe, calendar).end == bucket.start


@given(calendars, instants)
def test_a_smaller_bucket_lies_within_the_larger_one(calendar: Calendar, instant: datetime) -> None:
    day, week, four = (bucket_of(instant, timeframe, calendar) for timeframe in ("1d", "1w", "4h"))
    assert week.start <= day.start < day.end <= week.end
    for timeframe in TIMEFRAMES[:5]:
        smaller = bucket_of(instant, timeframe, calendar)
        assert day.start <= smaller.start < smaller.end <= day.end
    assert day.start <= four.start < four.end <= day.end


@given(calendars, instants)
def test_a_day_is_a_trade_date_and_a_week_begins_with_monday(calendar: Calendar, instant: datetime) -> None:
    day, week = (bucket_of(instant, timeframe, calendar) for timeframe in ("1d", "1w"))
    dates = {calendar.trade_date(inside) for inside in (day.start, instant, day.end - MOMENT)}
    assert dates == {calendar.trade_date(instant)}
    monday = calendar.trade_date(week.start)
    assert monday.weekday() == 0
    assert calendar.trade_date(week.end) == monday + timedelta(days=7)


@pytest.mark.parametrize("calendar", CALENDARS.values(), **by_name)
@pytest.mark.parametrize("sunday", CLOCK_CHANGES, **by_name)
def test_buckets_touch_and_do_not_overlap_in_the_week_of_a_clock_change(calendar: Calendar, sunday: date) -> None:
    begins = datetime(sunday.year, sunday.month, sunday.day, tzinfo=UTC) - timedelta(days=3)
    for timeframe in ("60m", "4h", "1d", "1w"):
        at = begins
        while at < begins + timedelta(days=7):
            bucket = bucket_of(at, timeframe, calendar)
            assert bucket.start <= at < bucket.end
            following = bucket_of(bucket.end, timeframe, calendar)
            assert following.start == bucket.end
            at = bucket.end


@pytest.mark.parametrize("calendar", [CME_EQUITY, FX, INDEX_CFD, SPOT_METALS], **by_name)
@pytest.mark.parametrize("sunday", CLOCK_CHANGES, **by_name)
def test_four_hours_count_from_the_open_as_a_trader_counts_them(calendar: Calendar, sunday: date) -> None:
    """Count open time from each opening, without asking the calendar for a date, and compare the groups."""
    at = datetime(sunday.year, sunday.month, sunday.day, tzinfo=UTC) - timedelta(days=3)
    counted: dict[tuple[date, int], set[Bucket]] = {}
    for _ in range(timedelta(days=8) // STEP):
        wall = at.astimezone(NEW_YORK).replace(tzinfo=None)
        if calendar.is_open(at):
            opening = 17 if calendar is FX else 18
            since = wall - timedelta(hours=opening)
            hours = (since - datetime.combine(since.date(), datetime.min.time())) // timedelta(hours=4)
            counted.setdefault((since.date(), hours), set()).add(bucket_of(at, "4h", calendar))
        at += STEP
    assert len(counted) > 20
    assert all(len(buckets) == 1 for buckets in counted.values())
    assert len({bucket for buckets in counted.values() for bucket in buckets}) == len(counted)


@pytest.mark.parametrize(
    ("timeframe", "start", "end"),
    [
        ("1m", "2026-11-17T15:07", "2026-11-17T15:08"),
        ("5m", "2026-11-17T15:05", "2026-11-17T15:10"),
        ("15m", "2026-11-17T15:00", "2026-11-17T15:15"),
        ("30m", "2026-11-17T15:00", "2026-11-17T15:30"),
        ("60m", "2026-11-17T15:00", "2026-11-17T16:00"),
    ],
)
@pytest.mark.parametrize("calendar", CALENDARS.values(), **by_name)
def test_up_to_an_hour_the_grid_is_the_utc_clock(
    calendar: Calendar, timeframe: Timeframe, start: str, end: str
) -> None:
    assert bucket_of(utc("2026-11-17T15:07:59.999"), timeframe, calendar) == Bucket(utc(start), utc(end))


@pytest.mark.parametrize(
    ("calendar", "instant", "start", "end"),
    [
        (CME_EQUITY, "2026-11-16T18:00", "2026-11-16T18:00", "2026-11-16T22:00"),
        (CME_EQUITY, "2026-11-17T09:30", "2026-11-17T06:00", "2026-11-17T10:00"),
        (CME_EQUITY, "2026-11-17T16:59", "2026-11-17T14:00", "2026-11-17T18:00"),  # trades until 17:00
        (CME_EQUITY, "2026-11-17T17:30", "2026-11-17T14:00", "2026-11-17T18:00"),
        (CME_EQUITY, "2026-03-08T18:00", "2026-03-08T18:00", "2026-03-08T22:00"),  # summer time began at 02:00
        (CME_EQUITY, "2026-11-01T18:00", "2026-11-01T18:00", "2026-11-01T22:00"),
        (FX, "2026-11-17T16:59", "2026-11-17T13:00", "2026-11-17T17:00"),
        (FX, "2026-11-17T17:00", "2026-11-17T17:00", "2026-11-17T21:00"),
        (INDEX_CFD, "2026-11-17T16:59", "2026-11-17T14:00", "2026-11-17T17:00"),
        (INDEX_CFD, "2026-11-17T17:30", "2026-11-17T17:00", "2026-11-17T18:00"),  # a quote in the break
        (SPOT_METALS, "2026-11-17T18:00", "2026-11-17T18:00", "2026-11-17T22:00"),
        (CRYPTO, "2026-11-17T09:30", "2026-11-17T07:00", "2026-11-17T11:00"),  # noon to 16:00 in UTC
    ],
    **by_name,
)
def test_four_hours(calendar: Calendar, instant: str, start: str, end: str) -> None:
    assert bucket_of(new_york(instant), "4h", calendar) == between(start, end)


@pytest.mark.parametrize(
    ("calendar", "timeframe", "instant", "opens", "closes"),
    [
        (CME_EQUITY, "1d", "2026-11-23T10:00", "2026-11-22T18:00", "2026-11-23T17:00"),  # Monday's, from Sunday on
        (CME_EQUITY, "1d", "2026-11-21T12:00", "2026-11-22T18:00", "2026-11-23T17:00"),
        (CME_EQUITY, "1d", "2026-11-26T10:00", "2026-11-25T18:00", "2026-11-26T13:00"),  # Thanksgiving
        (CME_EQUITY, "4h", "2026-11-17T15:00", "2026-11-17T14:00", "2026-11-17T17:00"),  # the last one is three hours
        (CME_EQUITY, "4h", "2026-11-27T13:00", "2026-11-27T10:00", "2026-11-27T13:15"),  # an early close
        (CME_EQUITY, "1w", "2026-11-25T10:00", "2026-11-22T18:00", "2026-11-27T13:15"),
        (CME_EQUITY, "1w", "2026-12-23T10:00", "2026-12-20T18:00", "2026-12-24T13:15"),  # Christmas on a Friday
        (CME_EQUITY, "5m", "2026-11-17T15:00", "2026-11-17T15:00", "2026-11-17T15:05"),
        (FX, "1d", "2026-11-23T10:00", "2026-11-22T17:00", "2026-11-23T17:00"),
        (FX, "1w", "2026-11-25T10:00", "2026-11-22T17:00", "2026-11-27T17:00"),
        (CRYPTO, "1w", "2026-11-25T10:00", "2026-11-22T19:00", "2026-11-29T19:00"),  # Monday to Sunday in UTC
    ],
    **by_name,
)
def test_the_part_of_a_bucket_in_which_there_is_trading(
    calendar: Calendar, timeframe: Timeframe, instant: str, opens: str, closes: str
) -> None:
    assert traded_in(bucket_of(new_york(instant), timeframe, calendar), calendar) == between(opens, closes)


@pytest.mark.parametrize(
    ("timeframe", "instant"),
    [("1d", "2026-12-25T10:00"), ("4h", "2026-11-27T15:00"), ("5m", "2026-11-17T17:30"), ("60m", "2026-11-21T12:00")],
    ids=["Christmas", "after an early close", "the break", "Saturday"],
)
def test_a_bucket_without_trading(timeframe: Timeframe, instant: str) -> None:
    assert traded_in(bucket_of(new_york(instant), timeframe, CME_EQUITY), CME_EQUITY) is None


@pytest.mark.parametrize("sunday", CLOCK_CHANGES, **by_name)
def test_a_day_at_cme_has_1380_minutes_of_trading_when_the_clocks_change(sunday: date) -> None:
    for count in range(-2, 4):
        noon = datetime(sunday.year, sunday.month, sunday.day, 17, tzinfo=UTC) + timedelta(days=count)
        day = traded_in(bucket_of(noon, "1d", CME_EQUITY), CME_EQUITY)
        assert day is not None
        assert day.end - day.start == timedelta(minutes=1380)


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_a_naive_time_is_refused(timeframe: Timeframe) -> None:
    with pytest.raises(ValueError, match="aware"):
        bucket_of(datetime(2026, 11, 20, 12, 0), timeframe, CME_EQUITY)  # noqa: DTZ001


def test_an_unknown_timeframe_is_refused() -> None:
    with pytest.raises(ValueError, match="'2h', must be one of 1m, 5m"):
        bucket_of(utc("2026-11-17T15:00"), cast(Timeframe, "2h"), CME_EQUITY)
