"""The CME session: which trade date an instant belongs to, when Globex trades, which days are thin."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.market.calendars import NEW_YORK
from services.market.holidays import business_days_before, easter_sunday, holidays_of, is_business_day
from services.market.session import after_session_time, is_open, liquidity, session_of, trade_date


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-11-18T17:59:59", date(2026, 11, 18)),
        ("2026-11-18T18:00:00", date(2026, 11, 19)),
        ("2026-11-20T17:30:00", date(2026, 11, 20)),  # Friday after the close
        ("2026-11-20T18:00:00", date(2026, 11, 23)),
        ("2026-11-21T12:00:00", date(2026, 11, 23)),  # Saturday
        ("2026-11-22T18:00:00", date(2026, 11, 23)),  # Sunday's open
        ("2026-12-31T18:00:00", date(2027, 1, 1)),
    ],
)
def test_the_day_rolls_at_six_in_new_york(instant: str, day: date) -> None:
    assert trade_date(new_york(instant)) == day


@pytest.mark.parametrize(
    ("last_second_utc", "before", "after"),
    [
        ("2026-03-06T22:59:59+00:00", date(2026, 3, 6), date(2026, 3, 9)),  # winter: 18:00 is 23:00 UTC
        ("2026-03-09T21:59:59+00:00", date(2026, 3, 9), date(2026, 3, 10)),  # summer: 22:00 UTC
        ("2026-10-29T21:59:59+00:00", date(2026, 10, 29), date(2026, 10, 30)),
        ("2026-11-02T22:59:59+00:00", date(2026, 11, 2), date(2026, 11, 3)),
    ],
)
def test_the_roll_follows_daylight_saving_time(last_second_utc: str, before: date, after: date) -> None:
    instant = datetime.fromisoformat(last_second_utc)
    assert trade_date(instant) == before
    assert trade_date(instant + timedelta(seconds=1)) == after


@pytest.mark.parametrize(
    "sunday",
    [date(2026, 3, 8), date(2026, 11, 1)],
    ids=["clocks go forward", "clocks go back"],
)
def test_the_whole_sunday_of_a_clock_change_is_mondays(sunday: date) -> None:
    midnight = datetime(sunday.year, sunday.month, sunday.day, tzinfo=NEW_YORK).astimezone(UTC)
    quarters = (midnight + timedelta(minutes=15 * count) for count in range(92))
    assert {trade_date(instant) for instant in quarters} == {sunday + timedelta(days=1)}


@given(st.integers(1_400_000_000, 2_200_000_000))  # 2014 to 2039
def test_a_trade_date_is_a_weekday_and_never_goes_back(epoch_seconds: int) -> None:
    instant = datetime.fromtimestamp(epoch_seconds, UTC)
    day = trade_date(instant)
    assert day.weekday() < 5
    assert trade_date(instant + timedelta(minutes=1)) >= day


@pytest.mark.parametrize(
    ("instant", "opened"),
    [
        ("2026-11-18T09:30:00", True),
        ("2026-11-18T16:59:59", True),
        ("2026-11-18T17:00:00", False),  # the daily break
        ("2026-11-18T18:00:00", True),
        ("2026-11-20T17:00:00", False),
        ("2026-11-20T18:00:00", False),
        ("2026-11-22T17:59:59", False),
        ("2026-11-22T18:00:00", True),
        ("2026-11-25T18:00:00", True),  # Thanksgiving's session, on Wednesday evening
        ("2026-11-26T12:59:59", True),
        ("2026-11-26T13:00:00", False),
        ("2026-11-26T18:00:00", True),
        ("2026-12-24T18:00:00", False),  # Christmas
        ("2026-12-25T10:00:00", False),
        ("2026-12-27T18:00:00", True),
        ("2026-12-31T18:00:00", False),  # New Year
        ("2026-04-03T09:14:59", True),  # Good Friday with the jobs report
        ("2026-04-03T09:15:00", False),
    ],
)
def test_open_hours(instant: str, opened: bool) -> None:
    assert is_open(new_york(instant)) is opened


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-11-17T10:00:00", "2026-11-18T10:00:00"),  # over the daily break
        ("2026-11-17T17:30:00", "2026-11-18T17:00:00"),  # within it
        ("2026-11-20T16:00:00", "2026-11-23T16:00:00"),  # over a weekend
        ("2026-11-21T12:00:00", "2026-11-23T17:00:00"),  # within it
        ("2026-11-25T16:00:00", "2026-11-26T21:00:00"),  # Thanksgiving ends at 13:00
        ("2026-12-24T13:15:00", "2026-12-28T17:00:00"),  # Christmas on a Friday
        ("2026-10-30T16:00:00", "2026-11-02T16:00:00"),  # summer time ends
    ],
)
def test_a_day_of_session_later(since: str, until: str) -> None:
    assert after_session_time(new_york(since), timedelta(hours=23)) == new_york(until)


@given(st.integers(1_400_000_000, 2_200_000_000), st.integers(1, 60 * 60))
def test_session_time_passes_while_the_session_is_open(epoch_seconds: int, minutes: int) -> None:
    since = datetime.fromtimestamp(epoch_seconds // 60 * 60, UTC)
    until = after_session_time(since, timedelta(minutes=minutes))
    assert sum(is_open(since + timedelta(minutes=m)) for m in range((until - since) // timedelta(minutes=1))) == minutes


def test_the_session_of_a_date_and_of_one_without_trading() -> None:
    assert session_of(date(2026, 11, 23)) == (new_york("2026-11-22T18:00:00"), new_york("2026-11-23T17:00:00"))
    assert session_of(date(2026, 11, 27)) == (new_york("2026-11-26T18:00:00"), new_york("2026-11-27T13:15:00"))
    assert session_of(date(2026, 12, 25)) == (new_york("2026-12-24T18:00:00"), new_york("2026-12-24T18:00:00"))
    assert session_of(date(2026, 11, 21)) == (new_york("2026-11-20T18:00:00"), new_york("2026-11-20T18:00:00"))


HOLIDAYS = {
    2024: "01-01 01-15 02-19 03-29 05-27 06-19 07-03 07-04 09-02 11-28 11-29 12-24 12-25",
    2025: "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-03 07-04 09-01 11-27 11-28 12-24 12-25",
    2026: "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 11-27 12-24 12-25",
    2027: "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 11-26 12-24",
}


@pytest.mark.parametrize("year", HOLIDAYS)
def test_the_holidays_are_those_cme_published(year: int) -> None:
    assert " ".join(f"{day:%m-%d}" for day in holidays_of(year)) == HOLIDAYS[year]


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2026, 11, 26), "Thanksgiving — CME early close 13:00 ET"),
        (date(2026, 11, 27), "Day after Thanksgiving — CME early close 13:15 ET"),
        (date(2026, 7, 3), "Independence Day — CME early close 13:00 ET"),  # kept on Friday
        (date(2025, 7, 3), "Independence Day eve — CME early close 13:15 ET"),
        (date(2025, 4, 18), "Good Friday — CME closed"),
        (date(2027, 12, 24), "Christmas Day — CME closed"),
        (date(2023, 1, 2), "New Year's Day — CME closed"),  # a Sunday made up for
        (date(2026, 11, 21), "weekend"),
    ],
)
def test_a_thin_day_says_why(day: date, reason: str) -> None:
    assert liquidity(day) == (True, reason)


@pytest.mark.parametrize(
    "day",
    [date(2026, 11, 20), date(2021, 12, 31), date(2021, 6, 18)],
    ids=["an ordinary Friday", "New Year on a Saturday is not kept", "no Juneteenth before 2022"],
)
def test_an_ordinary_day_has_no_reason(day: date) -> None:
    assert liquidity(day) == (False, None)


def test_the_liquidity_of_an_instant_is_that_of_its_trade_date() -> None:
    assert liquidity(new_york("2026-11-25T17:59:00")) == (False, None)
    assert liquidity(new_york("2026-11-25T18:00:00"))[1] == "Thanksgiving — CME early close 13:00 ET"
    assert liquidity(new_york("2026-11-20T17:00:00")) == (True, "weekend")
    assert liquidity(new_york("2026-11-22T18:00:00")) == (False, None)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        trade_date(datetime(2026, 11, 20, 12, 0))  # noqa: DTZ001


def easter_by_another_formula(year: int) -> date:
    """Meeus, Jones and Butcher."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    month, day = divmod(h + weekday - 7 * ((a + 11 * h + 22 * weekday) // 451) + 114, 31)
    return date(year, month, day + 1)


def test_two_formulas_agree_on_easter() -> None:
    years = range(1900, 2200)
    assert [easter_sunday(year) for year in years] == [easter_by_another_formula(year) for year in years]
    assert easter_sunday(2026) == date(2026, 4, 5)


def test_business_days_skip_weekends_and_holidays_but_not_short_days() -> None:
    assert is_business_day(date(2026, 11, 27))
    assert not is_business_day(date(2026, 11, 26))
    assert business_days_before(date(2026, 11, 30), 2) == date(2026, 11, 25)
