"""Fills always count: after the end of their order, beyond what it ordered, beside what was seen (SPEC 8.1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.engine.model.bridge_commands import ResolveOrder
from services.engine.model.events import FillBooked
from services.engine.model.order import Order
from services.engine.model.replies import LateFillTaken
from tests.support.narrow import known
from tests.support.trader import Trader


def ended_entry(end: str, **settings: Any) -> tuple[Trader, Order]:
    """Return a trader whose entry of 5 ended unfilled, and the entry."""
    trader = Trader(**settings).hears(5250).with_structure("green").enters("BUY")
    order = trader.open_order
    if end == "EXPIRED":
        return trader.later(seconds=30).ticks(), order
    return trader.claims().reports("WORKING").reports(end, order=order), order


def snapshots(trader: Trader, count: int, **broker: Any) -> Trader:
    """Take snapshots 2 s apart in which the broker says the same of the current asset."""
    for _ in range(count):
        trader.later(2).broker_says(**broker)
    return trader


# -- after the end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["FILLED", "PARTIALLY_FILLED"])
@pytest.mark.parametrize("end", ["REJECTED", "CANCELLED", "EXPIRED"])
def test_a_fill_after_the_end_opens_the_trade_and_takes_its_slot(end: str, status: str) -> None:
    trader, order = ended_entry(end)
    trader.reports(status, Decimal("5250.25"), order, qty=5, exec_id="late")
    assert isinstance(trader.answer, LateFillTaken)
    assert (trader.position, trader.trade.entry_price) == (5, Decimal("5250.25"))
    assert trader.protections.points_tp_enabled
    assert trader.desk.day.trades_taken == 1
    assert trader.alerts[-1] == "late_fill"
    assert known(trader.asset.doubt).code == "late_fill"
    assert (trader.ended(order).status, trader.ended(order).filled_qty) == (end, 5)
    assert trader.replays_equal()


@pytest.mark.parametrize(
    "again", [{"qty": 5, "exec_id": "late"}, {"qty": 5}, {"cum_qty": 5}, {"cum_qty": 5, "exec_id": "other"}, {}]
)
def test_a_late_fill_counts_once(again: dict[str, Any]) -> None:
    trader, order = ended_entry("CANCELLED")
    trader.reports("FILLED", 5250, order, qty=5, exec_id="late").reports("FILLED", 5250, order, **again)
    assert trader.is_duplicate
    assert (trader.position, trader.alerts) == (5, ["late_fill"])


def test_a_late_fill_is_remembered_over_a_restart() -> None:
    trader, order = ended_entry("CANCELLED")
    trader.reports("PARTIALLY_FILLED", 5250, order, qty=2, exec_id="late").restarts()
    trader.reports("PARTIALLY_FILLED", 5250, order, qty=2, exec_id="late")
    assert (trader.is_duplicate, trader.position) == (True, 2)


def test_a_late_fill_spends_the_token_and_the_candle_again() -> None:
    trader, order = ended_entry("CANCELLED")
    assert trader.gate_for("BUY") is None
    trader.reports("FILLED", 5250, order, qty=5, exec_id="late")
    assert not trader.asset.tempo.ready
    assert trader.desk.locks.candle_used is not None
    assert trader.gate_for("BUY") == "candle_lock"


def test_a_second_entry_after_a_late_fill_is_refused() -> None:
    trader, order = ended_entry("CANCELLED")
    trader.reports("FILLED", 5250, order, qty=5, exec_id="late").at("09:35:00").bricks(6, "green").enters("BUY")
    assert (trader.refused_by, trader.order) == ("position", None)


def test_reconcile_stays_closed_until_a_snapshot_agrees() -> None:
    trader, order = ended_entry("CANCELLED")
    trader.reports("FILLED", 5250, order, qty=5, exec_id="late")
    trader.bricks(6, "green").scales_in()
    assert trader.refused_by == "reconcile"
    trader.later(3).broker_says(position=5).hears(5250).scales_in()
    assert trader.refused_by is None


def test_a_late_fill_beside_a_second_entry_grows_the_trade_and_takes_a_slot() -> None:
    trader, order = ended_entry("CANCELLED")
    trader.enters("BUY").filled_at(5250).reports("FILLED", 5252, order, qty=5, exec_id="late")
    assert (trader.position, trader.trade.entry_price) == (10, Decimal(5251))
    assert trader.desk.day.trades_taken == 2


def test_the_rest_of_a_cancelled_entry_grows_its_trade_without_a_second_slot() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").partly_filled(2, 5250)
    order = trader.order
    trader.cancelled().reports("FILLED", 5250, order, cum_qty=5, exec_id="late")
    assert (trader.position, trader.desk.day.trades_taken) == (5, 1)


def test_a_late_exit_fill_closes_the_trade_and_starts_the_cooldown() -> None:
    trader = Trader().hears(5250).is_long(5250).bricks(6, "green").exits().claims()
    exit_order = trader.order
    trader.cancelled().reports("FILLED", 5251, exit_order, qty=5, exec_id="late")
    (closed,) = trader.trades
    assert (trader.position, closed.exit_price, closed.reason) == (0, Decimal(5251), "manual")
    assert trader.gate_for("BUY") == "cooldown"


def test_a_late_scale_in_fill_uses_the_scale_in_again() -> None:
    trader = Trader().is_long(5250).bricks(6, "green").hears(5250).scales_in().claims()
    order = known(trader.order)
    trader.cancelled().reports("FILLED", 5250, order, qty=order.qty, exec_id="late")
    assert trader.position == 5 + order.qty
    assert (trader.trade.scale_in_available, trader.trade.scale_in_used) == (False, True)


def test_a_late_fill_of_the_other_environment_moves_no_position() -> None:
    trader, order = ended_entry("CANCELLED")
    trader.hears_bridge().switches_to("LIVE")
    assert trader.desk.env == "LIVE"
    trader.reports("FILLED", 5250, order, qty=5, exec_id="late")
    assert (trader.position, trader.asset.doubt, trader.alerts) == (0, None, ["late_fill"])
    assert [fill.trade_id for fill in trader.told(FillBooked)] == [None]
    assert trader.reports("FILLED", 5250, order, qty=5, exec_id="late").is_duplicate


def test_a_late_fill_moves_the_asset_of_its_order() -> None:
    trader = Trader(assets=("ES", "NQ")).hears(5250).with_structure("green").enters("BUY").claims()
    order = trader.order
    trader.cancelled().turns_to("NQ").reports("FILLED", 5250, order, qty=5, exec_id="late")
    assert (trader.position, trader.turns_to("ES").position) == (0, 5)


# -- more than was ordered ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fill", [{"qty": 6}, {"cum_qty": 6}, {"qty": 6, "cum_qty": 6}])
@pytest.mark.parametrize("status", ["PARTIALLY_FILLED", "FILLED"])
def test_more_than_was_ordered_is_booked_with_an_alert(status: str, fill: dict[str, Any]) -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").claims()
    order = trader.order
    trader.reports(status, 5250, exec_id="e1", **fill)
    assert isinstance(trader.answer, LateFillTaken)
    assert (trader.position, trader.order, trader.alerts) == (6, None, ["overfill"])
    assert (trader.ended(order).status, trader.ended(order).filled_qty) == ("FILLED", 6)
    assert known(trader.asset.doubt).code == "late_fill"
    assert trader.replays_equal()


def test_more_than_what_remained_is_booked() -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(3, 5250)
    trader.reports("PARTIALLY_FILLED", 5250, qty=3, exec_id="too much")
    assert (trader.position, trader.order) == (6, None)


def test_a_filled_order_that_fills_more_by_cum_qty_is_booked() -> None:
    trader = Trader().with_structure("green").enters("BUY").claims()
    order = trader.order
    trader.reports("FILLED", 5250, qty=5, exec_id="e1").reports("FILLED", 5250, order, cum_qty=10, exec_id="e2")
    assert (trader.position, trader.alerts) == (10, ["late_fill"])


def test_an_exit_that_sells_more_than_was_held_opens_the_other_side() -> None:
    trader = Trader().hears(5250).is_long(5250).bricks(6, "green").exits().claims()
    trader.reports("FILLED", 5251, qty=10, cum_qty=10, exec_id="e1")
    assert (trader.position, len(trader.trades)) == (-5, 1)
    assert (trader.trades[0].size, trader.trades[0].exit_price) == (5, Decimal(5251))
    assert trader.protections.points_tp_enabled
    assert trader.order is None
    assert trader.replays_equal()


# -- what the desk had booked by other ways -------------------------------------------------------------------


@pytest.mark.parametrize("report", [{"qty": 5, "exec_id": "e1"}, {"cum_qty": 5, "exec_id": "e1"}, {}])
def test_what_the_brokers_positions_have_filled_is_not_booked_again_by_its_report(report: dict[str, Any]) -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").claims()
    order = trader.order
    snapshots(trader.later(60).ticks(), 3, position=5, avg_price=5250)
    assert trader.position == 5
    trader.reports("FILLED", 5250, order, **report)
    assert (trader.is_duplicate, trader.position) == (True, 5)


def test_a_part_that_the_brokers_positions_have_filled_is_not_booked_again() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").claims()
    order = trader.order
    snapshots(trader.later(60).ticks(), 3, position=2, avg_price=5250)
    trader.reports("PARTIALLY_FILLED", 5250, order, qty=2, exec_id="e1")
    assert (trader.is_duplicate, trader.position) == (True, 2)
    trader.reports("PARTIALLY_FILLED", 5250, order, qty=1, exec_id="e2")
    assert (trader.position, trader.alerts[-1]) == (3, "late_fill")


def test_what_the_operator_has_resolved_is_not_booked_again_by_its_report() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").claims().later(60).ticks()
    order = trader.open_order
    trader.asks(ResolveOrder(order.id, "filled", "seen at the broker", qty=2))
    trader.reports("PARTIALLY_FILLED", 5250, order, qty=2, exec_id="e1")
    assert (trader.is_duplicate, trader.position) == (True, 2)


def test_a_position_that_the_desk_adopted_explains_the_fill_that_comes_after_it() -> None:
    trader, order = ended_entry("CANCELLED")
    snapshots(trader, 2, position=5, avg_price=5250)
    assert (trader.position, trader.alerts) == (5, ["reconcile"])
    trader.reports("FILLED", 5250, order, qty=5, exec_id="late")
    assert (trader.position, trader.alerts[-1]) == (5, "late_fill")
    assert trader.desk.day.trades_taken == 1
    assert trader.replays_equal()


def test_a_fill_of_more_than_the_desk_adopted_adds_the_difference() -> None:
    trader, order = ended_entry("CANCELLED")
    snapshots(trader, 2, position=3, avg_price=5250).reports("FILLED", 5250, order, qty=5, exec_id="late")
    assert trader.position == 5
