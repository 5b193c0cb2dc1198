"""What becomes of a position that appears at the broker: it takes a slot, it is kept or taken out (SPEC 8.4)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from services.engine.model.bridge_commands import BookFills, Execution
from services.engine.model.trade_events import TradeOpened
from tests.support.narrow import of_type
from tests.support.trader import Trader
from wire.types import FillOfBroker, Side


def in_cooldown(**settings: Any) -> Trader:
    return Trader(**settings).trades_once().later(5)


def with_every_slot_used(**settings: Any) -> Trader:
    return Trader(max_trades_per_day=1, **settings).trades_once().at("09:40:00").hears(5250)


def with_the_day_stopped(**settings: Any) -> Trader:
    return Trader(**settings).broker_says(50_000).loses(48_900)


CLOSES: dict[str, Callable[..., Trader]] = {
    "daily_stop": with_the_day_stopped,
    "trade_limit": with_every_slot_used,
    "cooldown": in_cooldown,
}


def filled_by_hand(trader: Trader, side: Side, qty: int, kind: FillOfBroker = "MANUAL") -> Trader:
    fill = Execution("hand", trader.now, "MESZ6", side, qty, Decimal(5250), kind, asset="ES")
    return trader.asks(BookFills(trader.desk.env, "A1", "ledger of bridge", (fill,)))


def test_an_adopted_position_takes_a_slot() -> None:
    trader = Trader(max_trades_per_day=1).adopts(3)
    assert trader.desk.day.trades_taken == 1
    assert trader.gate_for("BUY") == "trade_limit"


@pytest.mark.parametrize("gate", ["trade_limit", "cooldown"])
def test_in_live_it_is_taken_out_while_the_day_forbids_entries(gate: str) -> None:
    trader = CLOSES[gate](env="LIVE").adopts(-3)
    assert (trader.exit_source, trader.open_order.side, trader.open_order.qty) == ("adopted", "BUY", 3)
    assert "adopted_taken_out" in trader.alerts
    assert of_type(dict, trader.last_alert.facts)["gate"] == gate
    trader.filled_at(5251)
    assert (trader.position, trader.trades[-1].reason) == (0, "adopted")
    assert trader.replays_equal()


@pytest.mark.parametrize("gate", ["trade_limit", "cooldown"])
@pytest.mark.parametrize("settings", [{}, {"env": "LIVE", "adopt": "keep"}, {"adopt": "keep"}])
def test_it_is_kept_in_demo_and_by_setting(gate: str, settings: dict[str, Any]) -> None:
    trader = CLOSES[gate](**settings).adopts(3)
    assert (trader.position, trader.order) == (3, None)
    assert "adopted_taken_out" not in trader.alerts


@pytest.mark.parametrize("gate", list(CLOSES))
def test_demo_takes_it_out_by_setting(gate: str) -> None:
    trader = CLOSES[gate](adopt="flatten").adopts(3)
    assert trader.exit_source is not None
    assert "adopted_taken_out" in trader.alerts


def test_after_the_daily_stop_it_is_flattened_whatever_the_setting() -> None:
    assert with_the_day_stopped(adopt="keep").adopts(3).exit_source == "daily_stop"


def test_it_is_kept_while_entries_are_allowed_and_after_it_has_used_the_last_slot() -> None:
    trader = Trader(env="LIVE", max_trades_per_day=1).adopts(3)
    for _ in range(3):
        trader.later(2).broker_says(50_000)
    assert (trader.position, trader.order) == (3, None)


def test_the_cooldown_that_the_other_side_of_its_own_trade_starts_takes_nothing_out() -> None:
    trader = Trader(env="LIVE").is_long(5250).later(3)
    for _ in range(2):
        trader.later(2).broker_says(50_000, position=-2, avg_price=5250)
    assert (trader.position, trader.order) == (-2, None)


def test_an_exit_of_it_that_the_broker_refuses_is_tried_again() -> None:
    trader = in_cooldown(env="LIVE").adopts(3).rejected()
    assert trader.due_exit.source == "adopted"
    assert trader.later(1).ticks().exit_source == "adopted"


# -- what an order of the desk explains -----------------------------------------------------------------------


def lost_entry(**settings: Any) -> Trader:
    """Return a trader whose entry of 5 was claimed and cancelled by the broker, and whose last slot is used since."""
    trader = Trader(env="LIVE", **settings).hears(5250).with_structure("green").enters("BUY").claims().cancelled()
    return trader.consumes_trade()


@pytest.mark.parametrize("position", [5, 2])
def test_a_late_fill_of_an_order_of_the_desk_is_never_taken_out(position: int) -> None:
    trader = lost_entry(max_trades_per_day=1).adopts(position)
    assert (trader.position, trader.order) == (position, None)


@pytest.mark.parametrize("position", [6, -5])
def test_more_than_the_order_or_its_other_side_is_taken_out(position: int) -> None:
    assert lost_entry(max_trades_per_day=1).adopts(position).exit_source == "adopted"


def test_an_order_that_a_bridge_holds_explains_a_fill_that_does_not_name_it() -> None:
    trader = Trader(env="LIVE", max_trades_per_day=1).with_structure("green").enters("BUY").claims().consumes_trade()
    filled_by_hand(trader, "BUY", 5).reports("CANCELLED").later(2).broker_says(50_000, position=5)
    assert (trader.position, trader.order) == (5, None)


def test_ten_minutes_later_the_order_explains_nothing_more() -> None:
    assert lost_entry(max_trades_per_day=1).later(595).adopts(5).order is None
    assert lost_entry(max_trades_per_day=1).later(600).adopts(5).exit_source == "adopted"


def test_an_order_that_no_bridge_has_claimed_explains_nothing() -> None:
    trader = Trader(env="LIVE", max_trades_per_day=1).with_structure("green").enters("BUY").later(30).ticks()
    assert trader.consumes_trade().adopts(5).exit_source == "adopted"


def test_the_order_is_remembered_over_a_restart() -> None:
    assert lost_entry(max_trades_per_day=1).restarts().adopts(5).order is None


# -- what a fill alone opens ----------------------------------------------------------------------------------


def test_a_fill_that_opens_a_position_is_taken_out_once_a_snapshot_shows_it() -> None:
    trader = filled_by_hand(in_cooldown(env="LIVE"), "BUY", 3)
    assert (trader.position, trader.order) == (3, None)
    trader.later(2).broker_says(50_000, position=3)
    assert (trader.exit_source, trader.open_order.qty) == ("adopted", 3)
    assert trader.told(TradeOpened)[-1].adopted
    assert trader.replays_equal()


def test_a_fill_that_closes_or_grows_a_trade_of_the_desk_takes_nothing_out() -> None:
    trader = filled_by_hand(Trader(env="LIVE", max_trades_per_day=1).is_long(5250), "BUY", 2)
    trader.later(2).broker_says(50_000)
    assert (trader.position, trader.order) == (7, None)
