"""The trading day rolls at 18:00 in New York, also when the clocks change (SPEC 2, 5.6)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.engine.model.events import DayRolled
from services.engine.model.trading_day import day_end, trading_day_of
from tests.support.builders import new_york
from tests.support.trader import Trader

MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("on", "clock", "day"),
    [
        ("2026-11-17", "17:59:59.999999", date(2026, 11, 17)),
        ("2026-11-17", "18:00:00", date(2026, 11, 18)),
        ("2026-11-20", "17:59:59.999999", date(2026, 11, 20)),
        ("2026-11-20", "18:00:00", date(2026, 11, 23)),
        ("2026-11-21", "12:00:00", date(2026, 11, 23)),
        ("2026-11-22", "18:00:00", date(2026, 11, 23)),
        ("2026-12-31", "18:00:00", date(2027, 1, 1)),
        ("2026-03-06", "17:59:59.999999", date(2026, 3, 6)),  # the Friday before the clocks go forward
        ("2026-03-06", "18:00:00", date(2026, 3, 9)),
        ("2026-03-08", "01:59:59.999999", date(2026, 3, 9)),
        ("2026-03-08", "03:00:00", date(2026, 3, 9)),
        ("2026-03-09", "17:59:59.999999", date(2026, 3, 9)),
        ("2026-03-09", "18:00:00", date(2026, 3, 10)),
        ("2026-10-30", "18:00:00", date(2026, 11, 2)),  # the Friday before the clocks go back
        ("2026-11-01", "01:30:00", date(2026, 11, 2)),
        ("2026-11-02", "17:59:59.999999", date(2026, 11, 2)),
        ("2026-11-02", "18:00:00", date(2026, 11, 3)),
    ],
)
def test_every_instant_belongs_to_one_day(on: str, clock: str, day: date) -> None:
    assert trading_day_of(new_york(on, clock), "18:00") == day


@pytest.mark.parametrize(
    ("day", "ends_at_utc"),
    [
        (date(2026, 3, 6), "2026-03-06T23:00:00"),
        (date(2026, 3, 9), "2026-03-09T22:00:00"),
        (date(2026, 10, 30), "2026-10-30T22:00:00"),
        (date(2026, 11, 2), "2026-11-02T23:00:00"),
    ],
)
def test_the_days_end_follows_new_yorks_clock(day: date, ends_at_utc: str) -> None:
    end = day_end(day, "18:00")
    assert end.replace(tzinfo=None).isoformat() == ends_at_utc
    assert trading_day_of(end - MICROSECOND, "18:00") == day
    assert trading_day_of(end, "18:00") > day


@pytest.mark.parametrize("roll", ["18:00", "17:00", "12:00", "00:00", "09:30", "23:59"])
@pytest.mark.parametrize("start", ["2026-03-04", "2026-10-29", "2026-11-17"])
def test_for_every_roll_the_next_day_begins_exactly_where_the_last_one_ends(roll: str, start: str) -> None:
    moment = new_york(start, "12:34:56")
    for _ in range(6):
        day = trading_day_of(moment, roll)
        end = day_end(day, roll)
        assert moment < end
        assert trading_day_of(end, roll) > day
        moment = end


@pytest.mark.parametrize("friday", ["2026-03-06", "2026-10-30"])
def test_the_weekend_of_a_clock_change_rolls_once(friday: str) -> None:
    trader = Trader(on=friday, at="17:00:00", max_trades_per_day=1).trades_once().bricks(6, "green")
    assert trader.at("17:59:59").gate_for("BUY") == "trade_limit"
    assert trader.at("18:00:00").ticks().gate_for("BUY") is None
    for _ in range(48):
        trader.later(seconds=3600).ticks()
    assert len(trader.told(DayRolled)) == 1
    assert trader.replays_equal()


@pytest.mark.parametrize("monday", ["2026-03-09", "2026-11-02"])
def test_the_monday_after_a_clock_change_ends_at_six_by_the_new_time(monday: str) -> None:
    trader = Trader(on=monday, at="17:00:00").broker_says(balance=50_000).loses(49_000)
    trader.with_structure("green")
    assert trader.at("17:59:59.999999").gate_for("BUY") == "daily_stop"
    assert trader.at("18:00:00").gate_for("BUY") is None


def test_a_new_day_starts_counters_and_equity_but_keeps_positions() -> None:
    trader = Trader(at="17:59:00").broker_says(balance=50_000).is_long(mode="RUNNER").at("18:00:00").ticks()
    day = trader.desk.day
    assert (day.trading_day, day.start_equity, day.trades_taken) == (date(2026, 11, 18), None, 0)
    assert trader.position == 5
    (rolled,) = trader.told(DayRolled)
    assert rolled.trading_day == date(2026, 11, 18)


def test_the_day_rolls_with_whatever_command_comes_first() -> None:
    trader = Trader(at="17:59:00", max_trades_per_day=1).goes_silent().trades_once().bricks(6, "green")
    trader.at("18:03:00").enters("BUY")
    assert trader.refused_by is None
    assert trader.told(DayRolled)


def test_a_clock_that_goes_back_does_not_bring_yesterday_back() -> None:
    trader = Trader(at="18:00:00").goes_silent().broker_says(balance=50_000).at("17:59:59").ticks()
    assert trader.desk.day.trading_day == date(2026, 11, 18)
    assert trader.desk.day.start_equity == 50_000


def test_the_roll_is_a_setting() -> None:
    trader = Trader(at="16:59:59", day_roll="17:00", max_trades_per_day=1)
    assert trader.desk.day.trading_day == date(2026, 11, 17)
    assert trader.at("17:00:00").ticks().desk.day.trading_day == date(2026, 11, 18)
