"""``FLAT_BY``: from then until the session's end nothing is held and nothing enters (SPEC 5.8, 5.9)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.desk.clock import DeskClock
from services.engine.decide import pass_time
from services.engine.rules.flat_time import flat_time_of
from services.engine.rules.gates import ladder
from services.engine.rules.verdicts import EntryRequest
from tests.support.builders import NEW_YORK
from tests.support.narrow import known
from tests.support.trader import Trader


def why(trader: Trader) -> str | None:
    desk = pass_time(trader.desk, trader.now).desk
    rungs = ladder(desk, EntryRequest(desk.assets[trader.asset_in_hand], "BUY"), trader.now)
    return next(rung.code for rung in rungs if rung.gate == "window")


def begins(trader: Trader) -> str:
    flat_time = known(flat_time_of(trader.desk, trader.asset_in_hand, trader.now))
    return flat_time.begins.astimezone(NEW_YORK).strftime("%d %H:%M")


def holds_at(clock: str) -> Trader:
    return Trader(at="15:30", flat_by="15:55").learns_hours().is_long(5250).bricks(6, "green").at(clock)


@pytest.mark.parametrize(
    ("clock", "code"),
    [
        ("15:54:59.999999", None),
        ("15:55:00", "flat_time"),
        ("16:59:59.999999", "flat_time"),
        ("17:00:00", None),
        ("18:00:00", None),
    ],
)
def test_entries_are_closed_from_then_until_the_session_ends(clock: str, code: str | None) -> None:
    assert why(Trader(flat_by="15:55").learns_hours().at(clock)) == code


def test_without_known_hours_it_lasts_to_the_end_of_the_trading_day() -> None:
    trader = Trader(flat_by="15:55")
    assert why(trader.at("17:59:59")) == "flat_time"
    assert why(trader.at("18:00:00")) is None


def test_a_position_is_flattened_then_and_not_before() -> None:
    trader = holds_at("15:54:59.999999").ticks()
    assert trader.order is None
    trader.at("15:55:00").ticks()
    assert trader.exit_source == "flat_by"
    assert trader.filled_at(5251).trades[-1].reason == "flat_by"
    assert trader.replays_equal()


def test_the_initial_exit_lock_does_not_hold_it() -> None:
    trader = Trader(at="15:54:00", flat_by="15:55").learns_hours().is_long(5250).at("15:55").ticks()
    assert trader.exit_source == "flat_by"


def test_an_exit_that_is_refused_is_tried_again_until_flat() -> None:
    trader = holds_at("15:55:00").ticks().rejected("no route")
    for seconds in (1, 2, 5, 10, 10):
        assert trader.later(seconds).ticks().exit_source == "flat_by"
        trader.rejected("no route")
    assert trader.later(10).ticks().filled_at(5250).position == 0


def test_an_exit_that_the_broker_cancels_is_tried_again() -> None:
    trader = holds_at("15:55:00").ticks().cancelled().later(1).ticks()
    assert trader.exit_source == "flat_by"


def test_an_entry_that_waits_for_a_bridge_is_taken_back() -> None:
    trader = Trader(at="15:54:50", flat_by="15:55").learns_hours().with_structure("green").enters("BUY")
    trader.at("15:55:00").ticks()
    assert (trader.order, trader.position) == (None, 0)


def test_an_entry_that_fills_late_is_taken_out() -> None:
    trader = Trader(at="15:54:58", flat_by="15:55").learns_hours().with_structure("green").enters("BUY").claims()
    trader.at("15:55:00").ticks().filled_at(5250)
    assert trader.exit_source == "flat_by"


def test_the_operator_is_warned_five_minutes_before_once() -> None:
    trader = Trader(at="15:45:00", flat_by="15:55").learns_hours().at("15:49:59").ticks()
    assert trader.alerts == []
    trader.at("15:50:00").ticks()
    assert trader.alerts == ["flat_time"]
    assert trader.last_alert.sentence.startswith("FLAT BY 15:55 — in 05:00 everything is flattened")
    assert trader.at("15:52").ticks().restarts().alerts == ["flat_time"]


def test_a_session_that_closes_earlier_is_left_five_minutes_before_its_close() -> None:
    trader = Trader(at="09:31:10", on="2026-11-26", flat_by="15:55").learns_hours()
    assert begins(trader) == "26 12:55"
    assert why(trader.at("12:54:59")) is None
    assert why(trader.at("12:55:00")) == "flat_time"


def test_a_time_in_the_break_leaves_before_the_close() -> None:
    assert begins(Trader(flat_by="17:30").learns_hours()) == "17 16:55"


def test_a_time_of_the_evening_is_that_of_the_day_before() -> None:
    assert begins(Trader(flat_by="20:00").learns_hours()) == "16 20:00"


def test_currencies_go_on_after_their_own_close() -> None:
    trader = Trader(assets=("EURUSD",), flat_by="16:30").learns_hours()
    assert why(trader.at("16:30")) == "flat_time"
    assert why(trader.at("17:00")) is None


def test_a_weekend_is_no_flat_time() -> None:
    trader = Trader(on="2026-11-20", flat_by="15:55").learns_hours()
    assert why(trader.at("16:59:59")) == "flat_time"
    assert why(trader.at("12:00", on="2026-11-21")) is None


def test_a_change_that_flattens_within_a_minute_needs_the_held_button() -> None:
    trader = Trader(at="15:30").learns_hours().is_long(5250).bricks(6, "green").at("15:54:00")
    assert trader.limits(flat_by="15:55").refused_by == "confirm_needed"
    assert trader.desk.rules.flat_by is None
    trader.limits(flat_by="15:55", confirm=True).at("15:55").ticks()
    assert trader.exit_source == "flat_by"


def test_a_change_that_flattens_later_needs_none() -> None:
    trader = Trader(at="15:30").learns_hours().is_long(5250).at("15:53:59").limits(flat_by="15:55")
    assert trader.desk.rules.flat_by == "15:55"


def test_a_flat_desk_needs_no_button() -> None:
    assert Trader(at="15:54:30").learns_hours().limits(flat_by="15:55").desk.rules.flat_by == "15:55"


def test_a_flat_time_moved_later_holds_tomorrow_only() -> None:
    trader = Trader(at="09:31:10", flat_by="15:55").learns_hours().limits(flat_by="16:30").at("16:00")
    assert why(trader) == "flat_time"
    assert trader.at("18:00").ticks().desk.rules.flat_by == "16:30"


class Machine:
    """A machine whose wall clock is set while its time since boot goes on."""

    def __init__(self, trader: Trader) -> None:
        self.wall, self.since_boot = trader.now, 0.0
        self.clock = DeskClock(lambda: self.wall, lambda: self.since_boot)

    def passes(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.since_boot += seconds


def test_a_clock_that_jumps_flattens_nothing_until_another_clock_agrees() -> None:
    trader = Trader(at="14:00", flat_by="15:55").learns_hours().is_long(5250).bricks(6, "green")
    machine = Machine(trader)
    machine.clock()
    machine.wall += timedelta(hours=2)  # the machine says 16:00
    for _ in range(5):
        machine.passes(1)
        trader.now = machine.clock()
        assert trader.ticks().order is None
    for _ in range(2):
        machine.passes(2)
        machine.clock.hear(machine.wall)  # a bridge's time
    trader.now = machine.clock()
    assert trader.ticks().exit_source == "flat_by"
