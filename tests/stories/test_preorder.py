"""A pre-order waits for the next 6pt brick, which sends it through the whole ladder (SPEC 4)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.engine.model.events import (
    EntryAccepted,
    EntryBlocked,
    IntentChanged,
    OrderQueued,
    PreOrderEnded,
    PreOrderPlaced,
    TempoArmed,
)
from services.engine.model.trade_events import ScaleInUnlocked
from services.views.asset_view import asset_view
from tests.stories.test_gates import LADDER, trader_with_gates_closed_from
from tests.support.builders import AGAINST, WITH
from tests.support.narrow import known
from tests.support.trader import Trader
from wire.types import Color, Side

PLACING_ASKS = LADDER[:7]


def waiting_trader(direction: Side = "BUY", **settings: Any) -> Trader:
    """Return a trader with a pre-order; structure agrees, and the next 6pt brick will arm the token."""
    color = WITH[direction]
    return Trader(**settings).with_zone(color, color).preorders(direction)


def ending_of(trader: Trader) -> PreOrderEnded:
    (ended,) = trader.told(PreOrderEnded)
    return ended


# -- placing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gate", LADDER)
def test_placing_checks_the_first_seven_gates_and_the_window(gate: str) -> None:
    trader = trader_with_gates_closed_from(gate).preorders("BUY")
    later = "window" if LADDER.index(gate) <= LADDER.index("window") else None
    assert trader.refused_by == (gate if gate in PLACING_ASKS else later)
    assert trader.replays_equal()


def test_a_refused_pre_order_shows_the_ladder_and_is_journaled() -> None:
    trader = trader_with_gates_closed_from("cooldown").preorders("BUY")
    assert known(trader.refusal.retry_after_s) > 0
    assert [rung.gate for rung in trader.refusal.ladder] == list(LADDER)
    assert trader.told(EntryBlocked)[-1].gate == "cooldown"
    assert trader.asset.preorder is None


def test_placing_uses_no_token_and_no_candle() -> None:
    trader = Trader().with_structure("green")
    before = trader.desk
    trader.preorders("BUY")
    assert trader.refused_by is None
    assert (trader.desk.locks, trader.asset.tempo) == (before.locks, before.assets["ES"].tempo)
    assert trader.desk.orders == {}
    assert trader.preorder.status == "WAITING"
    assert [event.direction for event in trader.told(PreOrderPlaced)] == ["BUY"]


@pytest.mark.parametrize(("color", "direction"), [("green", "BUY"), ("red", "SELL")])
def test_a_normal_zone_gives_the_direction(color: Color, direction: Side) -> None:
    assert Trader().with_zone(color, color).preorders().preorder.direction == direction


@pytest.mark.parametrize(("high", "macro"), [("green", "red"), ("neutral", "green"), ("neutral", "neutral")])
def test_without_structure_the_direction_must_be_named(high: Color, macro: Color) -> None:
    trader = Trader().with_zone(high, macro)
    assert trader.preorders().refused_by == "direction_required"
    assert trader.preorders("SELL").refused_by is None


def test_an_override_must_name_the_direction_too() -> None:
    trader = Trader().with_zone("green", "green")
    assert trader.preorders(override=True).refused_by == "direction_required"
    assert trader.preorders("SELL", override=True).refused_by is None


def test_one_intent_or_pre_order_per_asset() -> None:
    trader = waiting_trader(assets=("ES", "NQ"))
    assert trader.preorders("BUY").refused_by == "already_waiting"
    assert trader.intends().refused_by == "already_waiting"
    assert trader.preorders("BUY", asset="NQ").refused_by is None
    assert Trader().intends().preorders("BUY").refused_by == "already_waiting"


def test_an_asset_that_is_not_traded_has_no_pre_order() -> None:
    assert Trader().preorders("BUY", asset="CL").refused_by == "unknown_asset"
    assert Trader().cancels_preorder("CL").refused_by == "unknown_asset"


# -- firing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["BUY", "SELL"])
def test_the_next_6pt_brick_in_its_colour_makes_it_a_market_order(direction: Side) -> None:
    trader = waiting_trader(direction).bricks(6, WITH[direction])
    order = trader.open_order
    assert (order.kind, order.side, order.qty, order.stop_points) == ("ENTRY", direction, 5, Decimal(15))
    assert trader.brick_answer.orders == (order,)
    assert trader.preorder.status == "FIRED"
    assert ending_of(trader).fired
    assert not trader.asset.tempo.ready
    assert trader.gate_for(direction, override=True) == "candle_lock"
    assert trader.filled_at(5250).trade.side == direction
    assert trader.replays_equal()


def test_the_order_has_mode_size_and_override_of_the_pre_order() -> None:
    trader = Trader().with_zone("red", "red").preorders("BUY", mode="RUNNER", size="9pt", override=True)
    trader.bricks(6, "green")
    assert (trader.open_order.qty, known(trader.open_order.entry).override) == (3, True)
    assert trader.filled_at(5250).trade.mode == "RUNNER"
    assert trader.told(EntryAccepted)[-1].override


@pytest.mark.parametrize("direction", ["BUY", "SELL"])
def test_a_brick_of_the_other_colour_cancels_it(direction: Side) -> None:
    color = AGAINST[direction]
    trader = waiting_trader(direction).bricks(6, color)
    assert trader.desk.orders == {}
    assert trader.preorder.status == "CANCELLED"
    assert trader.preorder.reason == ending_of(trader).reason == f"the 6pt brick came {color}"
    assert trader.bricks(6, WITH[direction]).desk.orders == {}


@pytest.mark.parametrize("points", [1, 2.5, 4, 8, 12])
def test_bricks_of_other_sizes_do_not_change_it(points: float) -> None:
    trader = waiting_trader().bricks(points, "green")
    assert trader.preorder.status == "WAITING"
    assert trader.order is None


def test_neutral_late_and_repeated_bricks_do_not_change_it() -> None:
    trader = Trader().with_zone("green", "green")
    trader.brick(6, "green", bar_id="one", bar_at=trader.now).preorders("BUY")
    trader.brick(6, "neutral").brick(6, "green", bar_id="one", bar_at=trader.now)
    trader.brick(6, "green", bar_at=Trader(at="09:20:00").now)
    assert trader.preorder.status == "WAITING"


CLOSES_A_GATE = {
    "daily_stop": lambda trader: trader.broker_says(balance=50_000).loses(49_000),
    "trade_limit": lambda trader: trader.consumes_trade().consumes_trade(),
    "cooldown": lambda trader: trader.adopts(5).exits().filled_at(5250),
    "candle_lock": lambda trader: trader.brick(6, "green", "NQ").enters("BUY", "NQ", override=True).turns_to("ES"),
    "position": lambda trader: trader.adopts(5),
    "heartbeat": lambda trader: trader.goes_silent().at("09:41:10"),
    "zone": lambda trader: trader.bricks(8, "red").bricks(12, "red"),
    "two_half_filter": lambda trader: trader.bricks(2.5, "red"),
    "reconcile": lambda trader: trader.broker_says(position=3),
    "bridge": lambda trader: trader.hears_bridge(connected=False),
}


@pytest.mark.parametrize("gate", CLOSES_A_GATE)
def test_every_gate_that_closed_meanwhile_cancels_it_with_its_sentence(gate: str) -> None:
    trader = waiting_trader(assets=("ES", "NQ"), env="LIVE", two_half_filter=True, max_trades_per_day=2)
    CLOSES_A_GATE[gate](trader)
    trader.brick(6, "green", asset="ES")
    assert trader.order is None
    assert trader.told(EntryBlocked)[-1].gate == gate
    assert trader.preorder.status == "CANCELLED"
    assert ending_of(trader).reason == trader.preorder.reason == trader.told(EntryBlocked)[-1].sentence
    assert trader.replays_equal()


def test_without_a_zone_a_gate_refuses_it_at_its_brick() -> None:
    trader = Trader().preorders("BUY").bricks(6, "green")
    assert "NO ZONE" in known(ending_of(trader).reason)


def test_a_gate_that_reopened_meanwhile_does_not_count() -> None:
    trader = waiting_trader().goes_silent().at("09:45:00").ticks().hears().bricks(6, "green")
    assert trader.preorder.status == "FIRED"


def test_its_brick_brings_the_token_it_needs() -> None:
    trader = Trader(cooldown_seconds=0).with_structure("green").enters("BUY").filled_at(5250)
    trader.exits(force=True).filled_at(5250).at("09:35:00")
    assert trader.gate_for("BUY") == "tempo"
    assert trader.preorders("BUY").bricks(6, "green").order is not None


def test_a_fired_pre_order_that_is_rejected_returns_token_and_candle() -> None:
    trader = waiting_trader().bricks(6, "green").rejected()
    assert trader.gate_for("BUY") is None
    assert trader.preorder.status == "FIRED"


# -- cancelling -----------------------------------------------------------------------------------------------


def test_another_accepted_entry_cancels_it() -> None:
    trader = Trader().with_structure("green").preorders("BUY").enters("BUY")
    assert trader.order is not None
    assert trader.preorder.status == "CANCELLED"
    assert ending_of(trader).reason == "another entry was accepted"
    assert len(trader.bricks(6, "green").desk.orders) == 1


def test_a_refused_entry_leaves_it_waiting() -> None:
    trader = waiting_trader().enters("BUY")
    assert trader.refused_by == "tempo"
    assert trader.preorder.status == "WAITING"


def test_the_operator_can_cancel_it_once() -> None:
    trader = waiting_trader().cancels_preorder()
    assert trader.refused_by is None
    assert (trader.preorder.status, ending_of(trader).fired) == ("CANCELLED", False)
    assert trader.cancels_preorder().refused_by == "nothing_waiting"
    assert trader.bricks(6, "green").order is None
    assert trader.preorders("BUY").refused_by is None


def test_there_is_nothing_to_cancel_before_and_after() -> None:
    assert Trader().cancels_preorder().refused_by == "nothing_waiting"
    assert waiting_trader().bricks(6, "green").cancels_preorder().refused_by == "nothing_waiting"


def test_a_restart_keeps_it_waiting() -> None:
    trader = waiting_trader().restarts().bricks(6, "green")
    assert trader.open_order.kind == "ENTRY"
    assert trader.replays_equal()


# -- how long it waits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "status"), [(1799, "WAITING"), (1800, "CANCELLED"), (86_400, "CANCELLED")])
def test_it_waits_for_half_an_hour(seconds: float, status: str) -> None:
    trader = waiting_trader().later(seconds).ticks()
    assert trader.preorder.status == status
    if status == "CANCELLED":
        assert ending_of(trader).reason == "no 6pt brick came within 30 min"
    assert (trader.bricks(6, "green").order is None) is (status == "CANCELLED")
    assert trader.replays_equal()


def test_the_brick_that_comes_too_late_fires_nothing_though_no_clock_ticked() -> None:
    trader = waiting_trader(candle_seconds=1).later(1800).bricks(6, "green")
    assert (trader.order, trader.preorder.status) == (None, "CANCELLED")
    assert trader.preorders("BUY").refused_by is None


def test_how_long_it_waits_is_a_limit_that_tightens_at_once() -> None:
    trader = waiting_trader().limits(preorder_seconds=60).later(59).ticks()
    assert trader.preorder.status == "WAITING"
    assert trader.later(1).ticks().preorder.reason == "no 6pt brick came within 1 min"


def test_before_generation_5_it_waited_until_a_brick_came() -> None:
    trader = waiting_trader(generation=4).later(7200).bricks(6, "green")
    assert trader.open_order.kind == "ENTRY"


def test_a_restart_does_not_begin_its_time_again() -> None:
    assert waiting_trader().later(1700).restarts().later(100).ticks().preorder.status == "CANCELLED"


def test_the_state_says_when_it_ends() -> None:
    trader = waiting_trader()
    placed_at = trader.preorder.placed_at
    shown = asset_view(trader.desk, trader.asset, trader.now)
    assert shown.preorder_ends_ts == placed_at + timedelta(seconds=1800)
    trader.cancels_preorder()
    assert asset_view(trader.desk, trader.asset, trader.now).preorder_ends_ts is None


def test_an_intent_ends_by_bricks_alone() -> None:
    assert Trader().intends().later(3600).ticks().intent.status == "WAITING"


# -- the order of a brick's effects ---------------------------------------------------------------------------


def kinds(trader: Trader, *wanted: type[Any]) -> list[type[Any]]:
    return [type(event) for event in trader.events if isinstance(event, wanted)]


def test_a_6pt_brick_changes_token_intent_scale_in_and_exits_in_this_order() -> None:
    trader = Trader().intends().adopts(5, 5250).bricks(2.5, "red").targets(20).hears(5259).targets(9)
    trader.bricks(6, "green")
    wanted = (TempoArmed, IntentChanged, ScaleInUnlocked, OrderQueued)
    assert kinds(trader, *wanted) == list(wanted)
    assert trader.exit_source == "points_tp"


def test_exits_come_before_the_pre_order() -> None:
    trader = Trader().with_zone("red", "red").preorders("SELL").adopts(5).toggles("main_flip").bricks(6, "red")
    assert kinds(trader, OrderQueued, PreOrderEnded) == [OrderQueued, PreOrderEnded]
    assert trader.exit_source == "main_flip"
    assert trader.told(EntryBlocked)[-1].gate == "pending_order"
