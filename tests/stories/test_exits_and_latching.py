"""Exit rules, one exit at a time, and the latched exit, which waits for an open order to end (SPEC 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from services.engine.model.events import ExitLatched
from services.engine.model.replies import OrderTaken
from tests.support.trader import Trader
from wire.types import Color, OrderStatus

# -- structure ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opens", "color", "source"),
    [
        ("is_long", "red", "structure"),
        ("is_long", "green", None),
        ("is_long", "neutral", None),
        ("is_short", "green", "structure"),
        ("is_short", "red", None),
    ],
)
def test_an_8pt_brick_against_the_trade_ends_it(opens: str, color: Color, source: str | None) -> None:
    trader = getattr(Trader(), opens)().bricks(8, color)
    assert trader.exit_source == source


def test_a_12pt_brick_ends_nothing() -> None:
    assert Trader().is_long().bricks(12, "red").order is None


def test_every_8pt_brick_against_the_trade_counts_not_only_a_flip() -> None:
    trader = Trader().bricks(6, "green").with_zone("red", "green").enters("BUY", override=True).filled_at(5250)
    assert trader.bricks(8, "red").exit_source == "structure"


def test_the_answer_to_the_brick_names_the_exit() -> None:
    trader = Trader().is_long().bricks(8, "red")
    assert trader.brick_answer.orders == (trader.order,)
    assert "OrderQueued" in trader.brick_answer.effects


def test_the_answer_to_the_brick_leaves_out_what_time_did() -> None:
    trader = Trader(assets=("ES", "NQ")).goes_silent().with_structure("green", "ES").hears().enters("BUY")
    trader.later(seconds=30).brick(2.5, "green", asset="NQ")
    assert trader.brick_answer.orders == ()
    assert set(trader.brick_answer.effects) == {"BrickApplied"}


def test_a_late_or_repeated_brick_ends_nothing() -> None:
    trader = Trader()
    trader.brick(8, "red", bar_id="early", bar_at=Trader(at="09:00:00").now)
    trader.brick(8, "green", bar_at=Trader(at="09:30:00").now).brick(12, "green").bricks(6, "green")
    trader.enters("BUY").filled_at(5250)
    assert trader.brick(8, "red", bar_id="early", bar_at=Trader(at="09:00:00").now).is_duplicate
    trader.brick(8, "red", bar_at=Trader(at="09:29:59").now)
    assert trader.brick_answer.stale
    assert trader.order is None


# -- the 6pt flip ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("macro", "color", "source"),
    [("red", "red", "main_flip"), ("red", "green", None), ("green", "red", None), ("green", "green", None)],
)
def test_the_6pt_flip_exit_works_for_free_zone_entries_alone(
    macro: Color, color: Color, source: Literal["high_next_bar", "main_flip", "four_pt_invalidation"]
) -> None:
    trader = Trader().bricks(6, "green").with_zone("green", macro).enters("BUY").filled_at(5250).bricks(6, color)
    assert trader.exit_source == source


# -- levels ---------------------------------------------------------------------------------------------------


def test_a_level_touched_before_the_entry_is_claimed_cancels_it() -> None:
    trader = Trader().with_structure("green").enters("BUY")
    entry = trader.order
    trader.touches_level()
    assert trader.ended(entry).status is OrderStatus.CANCELLED
    assert (trader.order, trader.position) == (None, 0)
    assert trader.replays_equal()


def test_a_level_touched_while_the_entry_is_on_its_way_is_latched() -> None:
    trader = Trader().with_structure("green").enters("BUY").claims().touches_level()
    assert trader.answered(OrderTaken).latched
    assert trader.due_exit.source == "level"
    trader.filled_at(5250)
    assert (trader.exit_source, trader.open_order.qty) == ("level", 5)
    assert trader.replays_equal()


def test_a_level_touched_before_an_entry_that_the_broker_refuses_is_forgotten() -> None:
    trader = Trader().with_structure("green").enters("BUY").claims().touches_level().rejected()
    assert trader.asset.due_exit is None
    assert trader.touches_level().answered(OrderTaken).ignored == "no_position"


def test_a_touched_level_ends_the_trade() -> None:
    trader = Trader().is_long().touches_level()
    assert isinstance(trader.answer, OrderTaken)
    assert (trader.answer.order, trader.exit_source) == (trader.order, "level")


def test_a_level_is_ignored_without_a_position() -> None:
    trader = Trader().touches_level()
    assert trader.answer == OrderTaken(ignored="no_position")


# -- precedence -----------------------------------------------------------------------------------------------


def test_the_first_rule_that_is_due_gives_its_name() -> None:
    trader = Trader().in_free_zone().enters("BUY").filled_at(5250)
    assert trader.bricks(6, "red").exit_source == "main_flip"
    target = Trader().is_long(5250).hears(5264)
    target.broker_says(open_pnl="374.75")
    assert target.order is None
    assert target.hears(5265).exit_source == "points_tp"


def test_a_level_comes_before_the_points_target() -> None:
    trader = Trader().is_long(5250).hears(5265).rejected().touches_level()
    assert trader.due_exit.source == "level"


@pytest.mark.parametrize(
    ("first", "comes_due"),
    [
        ("level", lambda trader: trader.touches_level()),
        ("points_tp", lambda trader: trader.hears(5265)),
        ("main_flip", lambda trader: trader.bricks(6, "red")),
        ("exit_all", lambda trader: trader.exits_all(force=True)),
    ],
)
def test_a_rule_further_down_does_not_take_the_place_of_the_one_that_waits(
    first: str, comes_due: Callable[..., Any]
) -> None:
    trader = Trader().in_free_zone().enters("BUY").filled_at(5250)
    comes_due(trader)
    trader.rejected().bricks(8, "red")
    assert trader.due_exit.source == first
    assert trader.later(seconds=1).ticks().exit_source == first


def test_one_exit_at_a_time() -> None:
    trader = Trader().is_long().bricks(8, "red").bricks(8, "red").touches_level().bricks(6, "red").exits()
    assert [order.source for order in trader.desk.orders.values()] == ["structure"]
    assert trader.filled_at(5250).position == 0
    assert (trader.order, trader.asset.due_exit) == (None, None)
    assert trader.replays_equal()


# -- latching -------------------------------------------------------------------------------------------------


def test_a_structure_break_cancels_the_entry_nobody_has_claimed() -> None:
    trader = Trader().with_structure("green").enters("BUY")
    order = trader.order
    trader.bricks(8, "red")
    assert trader.order is None
    assert trader.ended(order).status is OrderStatus.CANCELLED
    assert trader.asset.tempo.ready


@pytest.mark.parametrize("status", ["claimed", "working"])
def test_a_structure_break_waits_for_the_claimed_entry_and_exits_in_the_step_of_its_fill(status: str) -> None:
    trader = Trader().with_structure("green").enters("BUY").claims()
    if status == "working":
        trader.reports("WORKING")
    trader.bricks(8, "red").filled_at(5250)
    assert (trader.position, trader.exit_source) == (5, "structure")


def test_a_6pt_flip_waits_for_the_claimed_free_zone_entry() -> None:
    trader = Trader().in_free_zone().enters("BUY").claims().bricks(6, "red").filled_at(5250)
    assert trader.exit_source == "main_flip"


def test_a_brick_in_the_trades_direction_cancels_no_pending_entry() -> None:
    trader = Trader().with_structure("green").enters("BUY").bricks(8, "green")
    assert trader.order is not None
    assert trader.filled_at(5250).order is None


def test_an_exit_due_while_the_entry_is_partly_filled_follows_in_the_step_of_its_last_report() -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(2, 5250).bricks(8, "red")
    assert trader.open_order.kind == "ENTRY"
    assert len(trader.told(ExitLatched)) == 1
    trader.reports("FILLED", 5250, qty=3, exec_id="rest")
    assert (trader.exit_source, trader.open_order.qty) == ("structure", 5)
    assert trader.replays_equal()


@pytest.mark.parametrize("status", ["CANCELLED", "REJECTED"])
def test_the_latched_exit_closes_the_filled_part_of_an_entry_that_ended_short(status: str) -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(2, 5250).bricks(8, "red").reports(status)
    assert (trader.exit_source, trader.open_order.qty, trader.open_order.side) == ("structure", 2, "SELL")


def test_a_restart_keeps_a_latched_exit() -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(2, 5250).bricks(8, "red").restarts()
    trader.reports("FILLED", 5250, qty=3, exec_id="rest")
    assert trader.exit_source == "structure"


def test_a_rule_that_comes_due_behind_a_refused_manual_exit_follows_at_once() -> None:
    trader = Trader().is_long().bricks(6, "green").exits().claims().bricks(8, "red")
    assert (trader.exit_source, trader.due_exit.source) == ("manual", "structure")
    trader.rejected()
    assert (trader.exit_source, trader.open_order.qty) == ("structure", 5)


def test_a_rule_that_comes_due_behind_an_exit_is_done_when_that_exit_fills() -> None:
    trader = Trader().is_long().bricks(6, "green").exits().claims().bricks(8, "red").filled_at(5250)
    assert (trader.position, trader.order, trader.asset.due_exit) == (0, None, None)
    assert trader.trades[-1].reason == "manual"


def test_the_operators_exit_latches_behind_a_partly_filled_entry() -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(2, 5250).bricks(6, "green").exits()
    assert trader.answered(OrderTaken).latched
    assert trader.reports("FILLED", 5250, qty=3, exec_id="rest").exit_source == "manual"


@pytest.mark.parametrize("status", ["REJECTED", "CANCELLED"])
def test_an_exit_that_the_broker_ended_short_leaves_the_rest_open_with_an_alert(status: str) -> None:
    trader = Trader().is_long().bricks(6, "green").exits().partly_filled(3, 5251).reports(status, reason="halted")
    assert (trader.position, trader.order) == (2, None)
    assert trader.alerts == ["exit_refused"]
    assert "halted" in trader.last_alert.sentence
    assert trader.exits().open_order.qty == 2


def test_a_rejected_exit_of_the_operator_is_retried() -> None:
    trader = Trader().is_long().bricks(6, "green").exits().rejected().later(seconds=1).ticks()
    assert (trader.exit_source, trader.open_order.attempt, trader.alerts) == ("manual", 1, ["exit_refused"])
    assert trader.rejected().later(seconds=1).ticks().order is None
    assert trader.later(seconds=1).ticks().exit_source == "manual"
    assert trader.replays_equal()


def test_one_that_the_broker_cancelled_is_not() -> None:
    trader = Trader().is_long().bricks(6, "green").exits().cancelled().later(seconds=60).ticks()
    assert (trader.order, trader.position) == (None, 5)


def test_an_earlier_program_did_not_retry_it() -> None:
    trader = Trader(generation=1).is_long().bricks(6, "green").exits().rejected().later(seconds=60).ticks()
    assert (trader.order, trader.position) == (None, 5)


def test_a_rejected_exit_of_a_rule_is_retried() -> None:
    trader = Trader().is_long().bricks(8, "red").rejected().later(seconds=1).ticks()
    assert (trader.exit_source, trader.open_order.attempt) == ("structure", 1)


def test_the_operators_exit_does_not_wait_for_the_next_retry() -> None:
    trader = Trader().is_long().bricks(8, "red").rejected().bricks(6, "green").exits()
    assert trader.order is not None
    assert trader.refused_by is None


def test_a_price_that_overtakes_a_waiting_retry_is_journaled() -> None:
    trader = Trader().is_long(5250).bricks(8, "red").rejected().hears(5265).later(seconds=1).ticks()
    assert trader.exit_source == "points_tp"
    assert trader.replays_equal()


def test_no_price_changes_more_than_prices_without_being_journaled() -> None:
    trader = Trader().is_long(5250).bricks(8, "red").rejected()
    due = trader.asset.due_exit
    trader.hears(5251)
    assert trader.events == ()
    assert trader.asset.due_exit == due
