"""When candles begin and end: UTC minutes, four hours from 18:00 New York, trade dates and their weeks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from feeds.prices.periods import calendar_of, is_shut, next_start, period_of
from feeds.prices.types import Timeframe
from services.market.calendars import (
    CALENDARS,
    CME_ENERGY,
    CME_EQUITY,
    CME_METALS,
    CRYPTO,
    FX,
    INDEX_CFD,
    SPOT_METALS,
    Calendar,
)
from tests.feeds.prices.story import ny

MINUTE = timedelta(minutes=1)
LONG: tuple[Timeframe, ...] = ("4h", "1d", "1w")


@pytest.mark.parametrize(
    ("timeframe", "start", "end"),
    [
        ("1m", "10:47", "10:48"),
        ("15m", "10:45", "11:00"),
        ("30m", "10:30", "11:00"),
        ("60m", "10:00", "11:00"),
        ("4h", "10:00", "14:00"),
        ("1d", "2026-11-17 18:00", "17:00"),
        ("1w", "2026-11-15 18:00", "2026-11-20 17:00"),
    ],
)
def test_a_wednesday_morning_lies_in_these_candles(timeframe: Timeframe, start: str, end: str) -> None:
    period = period_of(timeframe, ny("10:47:12.5"), CME_EQUITY)
    assert (period.start, period.end, period.is_session) == (ny(start), ny(end), True)


def test_the_first_instant_belongs_to_a_candle_and_the_last_to_the_next() -> None:
    assert period_of("4h", ny("14:00"), CME_EQUITY).start == ny("14:00")
    assert period_of("4h", ny("13:59:59.999999"), CME_EQUITY).start == ny("10:00")


def test_the_last_four_hours_of_a_day_are_three() -> None:
    last = period_of("4h", ny("16:59"), CME_EQUITY)
    assert (last.start, last.end) == (ny("14:00"), ny("17:00"))


@pytest.mark.parametrize("timeframe", ["4h", "1d"])
def test_while_the_market_pauses_no_long_candle_goes_on(timeframe: Timeframe) -> None:
    pause = period_of(timeframe, ny("17:00"), CME_EQUITY)
    assert (pause.is_session, pause.end) == (False, ny("18:00"))
    assert next_start(timeframe, ny("17:20"), CME_EQUITY) == ny("18:00")


def test_a_week_goes_on_over_the_pauses_and_ends_on_friday() -> None:
    assert period_of("1w", ny("17:20"), CME_EQUITY).is_session
    weekend = period_of("1w", ny("2026-11-20 17:00"), CME_EQUITY)
    assert (weekend.is_session, weekend.end) == (False, ny("2026-11-22 18:00"))


@pytest.mark.parametrize("monday", [date(2026, 3, 9), date(2026, 11, 2)], ids=["clocks forward", "clocks back"])
@pytest.mark.parametrize(("timeframe", "count"), [("4h", 6), ("60m", 23), ("30m", 46), ("15m", 92), ("1m", 1380)])
def test_each_session_around_a_clock_change_has_as_many_candles(monday: date, timeframe: Timeframe, count: int) -> None:
    for day in [monday - timedelta(days=3), monday, monday + timedelta(days=1)]:
        session = period_of("1d", ny(f"{day} 12:00"), CME_EQUITY)
        minutes = [session.start + MINUTE * number for number in range(1380)]
        assert session.end == minutes[-1] + MINUTE
        assert len({period_of(timeframe, minute, CME_EQUITY).start for minute in minutes}) == count


@pytest.mark.parametrize("day", [date(2026, 3, 9), date(2026, 11, 2)])
def test_four_hours_begin_at_the_same_clock_times_in_summer_and_winter(day: date) -> None:
    starts = ["18:00", "22:00", "02:00", "06:00", "10:00", "14:00"]
    for clock in starts:
        on = day - timedelta(days=1) if clock > "17" else day
        at = ny(f"{on} {clock}")
        assert period_of("4h", at + timedelta(minutes=59), CME_EQUITY).start == at


@pytest.mark.parametrize(
    ("day", "index", "energy"),
    [("2026-11-26", "13:00", "14:30"), ("2026-11-27", "13:15", "14:45"), ("2026-12-24", "13:15", "13:45")],
    ids=["Thanksgiving", "the Friday after it", "Christmas Eve"],
)
def test_an_early_close_ends_the_day_of_each_market_at_its_own_time(day: str, index: str, energy: str) -> None:
    for calendar, closes in ((CME_EQUITY, index), (CME_ENERGY, energy), (CME_METALS, energy)):
        assert period_of("1d", ny(f"{day} 11:00"), calendar).end == ny(f"{day} {closes}")
        assert period_of("4h", ny(f"{day} 11:00"), calendar).end == ny(f"{day} {min(closes, '14:00')}")
        assert not period_of("1d", ny(f"{day} 15:00"), calendar).is_session
    assert period_of("1d", ny(f"{day} 15:00"), FX).end == ny(f"{day} 17:00")


def test_a_closed_day_has_no_candle_and_ends_its_week_the_day_before() -> None:
    good_friday = "2027-03-26"
    closed = period_of("1d", ny(f"{good_friday} 11:00"), CME_EQUITY)
    assert (closed.is_session, closed.end) == (False, ny("2027-03-28 18:00"))
    week = period_of("1w", ny("2027-03-24 11:00"), CME_EQUITY)
    assert (week.start, week.end) == (ny("2027-03-21 18:00"), ny("2027-03-25 17:00"))


def test_a_week_whose_monday_is_closed_begins_when_the_market_opens() -> None:
    christmas_week = period_of("1w", ny("2023-12-27 11:00"), CME_EQUITY)  # Monday the 25th
    assert christmas_week.start == ny("2023-12-25 18:00")


def test_currencies_trade_through_the_pause_of_futures_and_roll_at_five() -> None:
    assert period_of("1d", ny("16:59"), FX).end == period_of("1d", ny("17:00"), FX).start == ny("17:00")
    assert period_of("4h", ny("17:30"), FX).start == ny("17:00")
    week = period_of("1w", ny("10:00"), FX)
    assert (week.start, week.end) == (ny("2026-11-15 17:00"), ny("2026-11-20 17:00"))


@pytest.mark.parametrize("asset", ["US30", "XAUUSD"])
def test_index_cfds_and_spot_gold_pause_for_an_hour(asset: str) -> None:
    assert not period_of("1d", ny("17:30"), calendar_of(asset)).is_session
    assert period_of("1d", ny("18:00"), calendar_of(asset)).start == ny("18:00")


def test_cryptocurrencies_have_days_of_utc_and_weeks_of_seven() -> None:
    saturday = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
    day = period_of("1d", saturday, CRYPTO)
    assert (day.start, day.end) == (datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
    week = period_of("1w", saturday, CRYPTO)
    assert (week.start, week.end) == (datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
    assert not is_shut(saturday, saturday + timedelta(hours=1), CRYPTO)


@pytest.mark.parametrize(
    ("asset", "calendar"),
    [
        *(("ES", CME_EQUITY), ("YM", CME_EQUITY), ("GC", CME_METALS), ("CL", CME_ENERGY), ("EURUSD", FX)),
        *(("US30", INDEX_CFD), ("XAUUSD", SPOT_METALS), ("BTCUSD", CRYPTO), ("UNHEARD", CRYPTO)),
    ],
)
def test_each_asset_has_its_own_calendar(asset: str, calendar: Calendar) -> None:
    assert calendar_of(asset) is calendar


@pytest.mark.parametrize("calendar", CALENDARS.values(), ids=list(CALENDARS))
def test_periods_of_a_year_follow_each_other_without_a_hole_or_an_overlap(calendar: Calendar) -> None:
    for timeframe in LONG:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        while at < datetime(2027, 1, 5, tzinfo=UTC):
            period = period_of(timeframe, at, calendar)
            assert period.start <= at < period.end
            if period.is_session and timeframe == "1d":
                assert calendar.trade_date(period.start) == calendar.trade_date(period.end - MINUTE)
            last = period_of(timeframe, period.end - timedelta(microseconds=1), calendar)
            assert last.end == period.end
            at = period.end


def test_the_market_is_shut_only_if_it_is_so_all_the_time() -> None:
    assert is_shut(ny("17:00"), ny("18:00"), CME_EQUITY)
    assert not is_shut(ny("16:59:59"), ny("17:30"), CME_EQUITY)
    assert not is_shut(ny("17:30"), ny("18:00:01"), CME_EQUITY)
