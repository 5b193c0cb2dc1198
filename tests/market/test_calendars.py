"""When each market trades: the holidays by hand, the hours of a week, opens and closes, clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.market.calendars import (
    CALENDARS,
    CME_ENERGY,
    CME_EQUITY,
    CME_METALS,
    CRYPTO,
    FX,
    INDEX_CFD,
    NEW_YORK,
    SPOT_METALS,
    Calendar,
    Session,
)
from services.market.instruments import INSTRUMENTS
from tests.market.holidays_by_hand import CLOSED, SOURCES, USUAL, rows

BY_HAND = {row.on: row for row in rows()}
QUARTER = timedelta(minutes=15)
EVERY_DAY = tuple(date(2024, 1, 1) + timedelta(days=count) for count in range(5 * 365 + 2))
epochs = st.integers(1_400_000_000, 2_200_000_000)  # 2014 to 2039
calendars = st.sampled_from(tuple(CALENDARS.values()))


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def closing(session: Session | None) -> time:
    return CLOSED if session is None else session.closes.astimezone(NEW_YORK).time()


def test_every_row_names_where_it_comes_from() -> None:
    assert list(BY_HAND) == sorted(BY_HAND)
    assert {source for row in BY_HAND.values() for source in row.sources} == set(SOURCES)
    assert all(row.sources for row in BY_HAND.values())


@pytest.mark.parametrize("calendar", [CME_EQUITY, INDEX_CFD], ids=lambda calendar: calendar.name)
def test_equity_indices_close_as_the_table_by_hand_says(calendar: Calendar) -> None:
    weekdays = [day for day in EVERY_DAY if day.weekday() < 5]
    expected = {day: BY_HAND[day].equity if day in BY_HAND else USUAL for day in weekdays}
    assert {day: closing(calendar.session_of(day)) for day in weekdays} == expected


@pytest.mark.parametrize("calendar", [CME_ENERGY, CME_METALS, SPOT_METALS], ids=lambda calendar: calendar.name)
def test_energy_and_metals_close_as_the_table_by_hand_says(calendar: Calendar) -> None:
    weekdays = [day for day in EVERY_DAY if day.weekday() < 5]
    expected = {day: BY_HAND[day].commodity if day in BY_HAND else USUAL for day in weekdays}
    assert {day: closing(calendar.session_of(day)) for day in weekdays} == expected


def test_the_names_of_the_holidays_are_those_of_the_table() -> None:
    for year in range(2024, 2029):
        named = {day: row.name for day, row in BY_HAND.items() if day.year == year}
        assert {day: holiday.name for day, holiday in CME_EQUITY.holidays(year).items()} == named


def test_currencies_rest_on_christmas_day_and_new_years_day() -> None:
    closed = {day for day in EVERY_DAY if day.weekday() < 5 and FX.session_of(day) is None}
    assert closed == {
        *(date(2024, 1, 1), date(2024, 12, 25), date(2025, 1, 1), date(2025, 12, 25)),
        *(date(2026, 1, 1), date(2026, 12, 25), date(2027, 1, 1), date(2028, 12, 25)),
    }


def test_only_cryptocurrencies_trade_on_weekends() -> None:
    weekends = [day for day in EVERY_DAY if day.weekday() >= 5]
    for calendar in CALENDARS.values():
        sessions = [calendar.session_of(day) for day in weekends]
        assert all(sessions) if calendar is CRYPTO else not any(sessions)


@pytest.mark.parametrize(
    ("asset", "calendar"),
    [
        *(("ES", CME_EQUITY), ("NQ", CME_EQUITY), ("YM", CME_EQUITY), ("RTY", CME_EQUITY)),
        *(("CL", CME_ENERGY), ("GC", CME_METALS), ("US30", INDEX_CFD), ("XAUUSD", SPOT_METALS)),
        *(("EURUSD", FX), ("GBPUSD", FX), ("BTCUSD", CRYPTO), ("ETHUSD", CRYPTO)),
    ],
)
def test_each_instrument_has_its_calendar(asset: str, calendar: Calendar) -> None:
    assert INSTRUMENTS[asset].calendar is calendar


def test_no_instrument_is_without_a_calendar() -> None:
    assert {row.calendar for row in INSTRUMENTS.values()} == set(CALENDARS.values())


@pytest.mark.parametrize(
    ("calendar", "opens", "closes"),
    [
        (CME_EQUITY, "2026-11-16T18:00", "2026-11-17T17:00"),
        (CME_ENERGY, "2026-11-16T18:00", "2026-11-17T17:00"),
        (CME_METALS, "2026-11-16T18:00", "2026-11-17T17:00"),
        (INDEX_CFD, "2026-11-16T18:00", "2026-11-17T17:00"),
        (SPOT_METALS, "2026-11-16T18:00", "2026-11-17T17:00"),
        (FX, "2026-11-16T17:00", "2026-11-17T17:00"),
        (CRYPTO, "2026-11-16T19:00", "2026-11-17T19:00"),  # midnight in UTC
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_the_session_of_an_ordinary_tuesday(calendar: Calendar, opens: str, closes: str) -> None:
    tuesday = date(2026, 11, 17)
    assert calendar.session_of(tuesday) == Session(tuesday, new_york(opens), new_york(closes))


@pytest.mark.parametrize(
    ("calendar", "instant", "day"),
    [
        (FX, "2026-11-18T16:59:59", date(2026, 11, 18)),
        (FX, "2026-11-18T17:00:00", date(2026, 11, 19)),
        (FX, "2026-11-20T17:00:00", date(2026, 11, 23)),  # Friday's close is Monday's
        (FX, "2026-11-22T16:59:59", date(2026, 11, 23)),
        (INDEX_CFD, "2026-11-18T17:30:00", date(2026, 11, 19)),  # brokers roll at 17:00, in the break
        (SPOT_METALS, "2026-11-18T17:30:00", date(2026, 11, 19)),
        (CME_METALS, "2026-11-18T17:30:00", date(2026, 11, 18)),
        (CRYPTO, "2026-11-21T18:59:59", date(2026, 11, 21)),  # a Saturday in UTC
        (CRYPTO, "2026-11-21T19:00:00", date(2026, 11, 22)),
        (CRYPTO, "2026-07-04T19:59:59", date(2026, 7, 4)),  # midnight in UTC is 20:00 in summer
        (CRYPTO, "2026-07-04T20:00:00", date(2026, 7, 5)),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_where_the_trade_date_rolls(calendar: Calendar, instant: str, day: date) -> None:
    assert calendar.trade_date(new_york(instant)) == day


@pytest.mark.parametrize(
    ("calendar", "instant", "opened"),
    [
        (FX, "2026-11-18T17:30", True),  # no break in the week
        (FX, "2026-11-20T16:59", True),
        (FX, "2026-11-20T17:00", False),
        (FX, "2026-11-22T17:00", True),
        (FX, "2026-11-26T12:00", True),  # Thanksgiving
        (FX, "2026-12-24T16:59", True),
        (FX, "2026-12-24T17:00", False),
        (SPOT_METALS, "2026-11-18T17:30", False),
        (SPOT_METALS, "2026-11-26T14:29", True),  # Thanksgiving
        (SPOT_METALS, "2026-11-26T14:30", False),
        (CME_ENERGY, "2026-11-26T14:29", True),
        (INDEX_CFD, "2026-11-26T13:00", False),
        (CME_METALS, "2026-04-03T09:00", False),  # Good Friday with the jobs report
        (CME_EQUITY, "2026-04-03T09:00", True),
        (CME_EQUITY, "2025-01-09T09:30", False),  # the day of mourning for President Carter
        (CME_ENERGY, "2025-01-09T12:00", True),
        (CRYPTO, "2026-12-25T03:00", True),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_open_hours(calendar: Calendar, instant: str, opened: bool) -> None:
    assert calendar.is_open(new_york(instant)) is opened


@pytest.mark.parametrize(
    ("calendar", "instant", "opens", "closes"),
    [
        (CME_EQUITY, "2026-11-18T12:00", "2026-11-18T18:00", "2026-11-18T17:00"),
        (CME_EQUITY, "2026-11-18T17:00", "2026-11-18T18:00", "2026-11-19T17:00"),
        (CME_EQUITY, "2026-11-18T18:00", "2026-11-19T18:00", "2026-11-19T17:00"),
        (CME_EQUITY, "2026-11-20T17:00", "2026-11-22T18:00", "2026-11-23T17:00"),
        (CME_EQUITY, "2026-11-26T10:00", "2026-11-26T18:00", "2026-11-26T13:00"),
        (CME_ENERGY, "2026-11-26T10:00", "2026-11-26T18:00", "2026-11-26T14:30"),
        (CME_EQUITY, "2026-12-24T12:00", "2026-12-27T18:00", "2026-12-24T13:15"),
        (FX, "2026-11-17T12:00", "2026-11-22T17:00", "2026-11-20T17:00"),  # Friday's close is the next one
        (FX, "2026-11-21T12:00", "2026-11-22T17:00", "2026-11-27T17:00"),
        (FX, "2025-12-24T12:00", "2025-12-25T17:00", "2025-12-24T17:00"),
        (FX, "2026-12-24T12:00", "2026-12-27T17:00", "2026-12-24T17:00"),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_the_next_open_and_the_next_close(calendar: Calendar, instant: str, opens: str, closes: str) -> None:
    assert calendar.next_open(new_york(instant)) == new_york(opens)
    assert calendar.next_close(new_york(instant)) == new_york(closes)


def test_a_market_that_never_stops_has_no_next_open_and_no_next_close() -> None:
    now = new_york("2026-11-18T12:00")
    assert CRYPTO.next_open(now) is None
    assert CRYPTO.next_close(now) is None


@pytest.mark.parametrize(
    ("calendar", "since", "until"),
    [
        (FX, "2026-11-20T16:00", "2026-11-23T16:00"),  # over a weekend
        (FX, "2026-10-30T16:00", "2026-11-02T16:00"),  # summer time ends
        (FX, "2026-03-06T16:00", "2026-03-09T16:00"),  # summer time begins
        (CRYPTO, "2026-11-20T16:00", "2026-11-21T16:00"),
        (CME_ENERGY, "2026-11-25T16:00", "2026-11-26T19:30"),  # Thanksgiving ends at 14:30
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_day_of_trading_later(calendar: Calendar, since: str, until: str) -> None:
    hours = 24 if calendar in (FX, CRYPTO) else 23
    assert calendar.after_session_time(new_york(since), timedelta(hours=hours)) == new_york(until)


@pytest.mark.parametrize(
    ("calendar", "sunday"),
    [(calendar, sunday) for calendar in CALENDARS.values() for sunday in (date(2026, 3, 8), date(2026, 11, 1))],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_no_session_is_longer_or_shorter_when_the_clocks_change(calendar: Calendar, sunday: date) -> None:
    days = [sunday + timedelta(days=count) for count in range(-2, 4)]
    lengths = {session.closes - session.opens for day in days if (session := calendar.session_of(day))}
    assert lengths == {timedelta(hours=24 if calendar in (FX, CRYPTO) else 23)}


@pytest.mark.parametrize(
    ("day", "opens_utc", "closes_utc"),
    [
        (date(2026, 3, 6), "2026-03-05T23:00", "2026-03-06T22:00"),  # winter
        (date(2026, 3, 9), "2026-03-08T22:00", "2026-03-09T21:00"),  # summer
        (date(2026, 10, 30), "2026-10-29T22:00", "2026-10-30T21:00"),
        (date(2026, 11, 2), "2026-11-01T23:00", "2026-11-02T22:00"),
    ],
)
def test_the_session_follows_new_yorks_clock(day: date, opens_utc: str, closes_utc: str) -> None:
    session = CME_EQUITY.session_of(day)
    assert session is not None
    assert session.opens == datetime.fromisoformat(opens_utc).replace(tzinfo=UTC)
    assert session.closes == datetime.fromisoformat(closes_utc).replace(tzinfo=UTC)


@given(calendars, epochs)
def test_every_instant_lies_in_the_day_of_its_trade_date(calendar: Calendar, epoch_seconds: int) -> None:
    instant = datetime.fromtimestamp(epoch_seconds, UTC)
    begins, ends = calendar.day_of(calendar.trade_date(instant))
    assert begins <= instant < ends
    assert calendar.trade_date(ends) > calendar.trade_date(begins) == calendar.trade_date(instant)
    session = calendar.session_of(calendar.trade_date(instant))
    assert session is None or begins <= session.opens < session.closes <= ends


@given(calendars, epochs)
def test_a_market_opens_and_closes_when_it_said(calendar: Calendar, epoch_seconds: int) -> None:
    instant = datetime.fromtimestamp(epoch_seconds, UTC)
    opens, closes = calendar.next_open(instant), calendar.next_close(instant)
    if opens is None or closes is None:
        assert calendar is CRYPTO
        return
    moment = timedelta(microseconds=1)
    assert calendar.is_open(opens)
    assert not calendar.is_open(opens - moment)
    assert calendar.is_open(closes - moment)
    assert not calendar.is_open(closes)
    assert calendar.is_open(instant) is (closes < opens)
    quarters = (min(opens, closes) - instant) // QUARTER
    assert {calendar.is_open(instant + QUARTER * count) for count in range(quarters)} <= {closes < opens}


@given(calendars, epochs, st.integers(1, 200))
def test_session_time_passes_while_the_market_is_open(calendar: Calendar, epoch_seconds: int, quarters: int) -> None:
    since = datetime.fromtimestamp(epoch_seconds // 900 * 900, UTC)
    until = calendar.after_session_time(since, QUARTER * quarters)
    assert sum(calendar.is_open(since + QUARTER * count) for count in range((until - since) // QUARTER)) == quarters


@pytest.mark.parametrize("calendar", CALENDARS.values(), ids=lambda calendar: calendar.name)
def test_a_naive_time_is_refused(calendar: Calendar) -> None:
    with pytest.raises(ValueError, match="aware"):
        calendar.is_open(datetime(2026, 11, 20, 12, 0))  # noqa: DTZ001


def test_a_saturday_is_no_trade_date_of_currencies() -> None:
    with pytest.raises(ValueError, match="weekend"):
        FX.day_of(date(2026, 11, 21))
    assert CRYPTO.day_of(date(2026, 11, 21))[0] == datetime(2026, 11, 21, tzinfo=UTC)
