"""Scale-in: adding to the open trade once, after a brick unlocked it (SPEC 4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.engine.model.replies import OrderTaken
from services.engine.model.trade_events import ScaleInReturned, ScaleInUnlocked
from tests.stories.test_gates import LADDER
from tests.support.trader import Trader
from wire.types import OrderStatus, Side


def unlocked_trader(**settings: Any) -> Trader:
    """Return a trader long from 5250, at that price, after a continuation brick."""
    return Trader(**settings).is_long(5250, mode="RUNNER").bricks(6, "green").hears(5250)


# -- the two bricks that unlock it ----------------------------------------------------------------------------


@pytest.mark.parametrize("opens", ["is_long", "is_short"])
@pytest.mark.parametrize(
    ("points", "is_with", "unlocks"),
    [(6, True, True), (6, False, False), (4, True, False), (8, True, False), (2.5, False, False), (12, True, False)],
)
def test_only_a_6pt_continuation_unlocks_it(opens: str, points: float, is_with: bool, unlocks: bool) -> None:
    trader = getattr(Trader(), opens)()
    trader.brick_with(points) if is_with else trader.brick_against(points)
    assert trader.trade.scale_in_available is unlocks
    assert [event.by for event in trader.told(ScaleInUnlocked)] == (["6pt continuation"] if unlocks else [])


@pytest.mark.parametrize("opens", ["is_long", "is_short"])
def test_a_4pt_flip_against_the_trade_unlocks_it(opens: str) -> None:
    trader = getattr(Trader(), opens)()
    trader.brick_with(4)
    assert not trader.trade.scale_in_available
    trader.brick_against(4)
    assert [event.by for event in trader.told(ScaleInUnlocked)] == ["4pt pullback"]
    trader.hears("5250.25")
    assert trader.scales_in().refused_by is None


def test_a_4pt_brick_that_was_against_before_is_no_flip() -> None:
    trader = Trader().bricks(4, "red").is_long().bricks(4, "red")
    assert not trader.trade.scale_in_available
    assert trader.bricks(4, "green", "red").trade.scale_in_available


def test_the_very_first_4pt_brick_is_no_flip() -> None:
    assert not Trader().is_long().bricks(4, "red").trade.scale_in_available


def test_bricks_from_before_the_fill_do_not_count() -> None:
    trader = Trader().bricks(4, "green").with_structure("green").enters("BUY").claims()
    trader.bricks(6, "green").bricks(4, "red").filled_at(5250)
    assert not trader.trade.scale_in_available
    assert trader.scales_in().refused_by == "scale_in_unavailable"


def test_neutral_late_and_repeated_bricks_unlock_nothing() -> None:
    trader = Trader()
    trader.brick(6, "green", bar_id="one", bar_at=trader.now).is_long()
    trader.brick(6, "neutral").brick(6, "green", bar_id="one", bar_at=trader.now)
    trader.brick(6, "green", bar_at=Trader(at="09:20:00").now)
    assert not trader.trade.scale_in_available


# -- the order ------------------------------------------------------------------------------------------------


def test_it_adds_five_in_the_trades_direction_on_its_contract_with_its_stop() -> None:
    trader = unlocked_trader(stop_points=Decimal(8)).scales_in()
    order = trader.open_order
    assert (order.kind, order.side, order.qty, order.source) == ("SCALE_IN", "BUY", 5, "scale_in")
    assert order.stop_points == 8
    assert (order.contract, order.env) == (trader.trade.contract, trader.trade.env)
    assert trader.answered(OrderTaken).order == order
    trader.filled_at(5260)
    assert trader.position == 10
    assert trader.replays_equal()


def test_a_short_is_added_to_by_selling() -> None:
    trader = Trader().is_short(5250, mode="RUNNER").bricks(6, "red").hears(5250).scales_in()
    assert trader.open_order.side == "SELL"
    assert trader.filled_at(5240).position == -10


def test_the_quantity_is_a_setting() -> None:
    assert unlocked_trader(scale_in_qty=2).scales_in().open_order.qty == 2


def test_the_average_is_weighted_and_the_stop_follows_it() -> None:
    trader = unlocked_trader(scale_in_qty=2).scales_in().filled_at(5257)
    assert trader.trade.entry_price == Decimal(5252)
    assert trader.trade.stop_price == Decimal(5237)
    trader.hears(5262)
    assert trader.asset.live.open_points == 10
    trader.exits().filled_at("5252.25")
    assert (trader.trades[-1].size, trader.trades[-1].pnl_usd) == (7, Decimal("8.75"))


@pytest.mark.parametrize(
    ("opens", "price", "stop"), [("is_long", 5240, 5235), ("is_short", 5260, 5265)], ids=["a long down", "a short up"]
)
def test_averaging_against_the_trade_moves_its_stop_nowhere(opens: str, price: int, stop: int) -> None:
    trader: Trader = getattr(Trader(), opens)(5250, mode="RUNNER").brick_with(6)
    trader.hears(5250).scales_in().filled_at(price)
    assert trader.trade.stop_price == stop
    assert trader.restarts().trade.stop_price == stop
    assert trader.replays_equal()


def test_a_stop_that_was_kept_moves_again_in_the_trades_favour() -> None:
    trader = (
        Trader().is_long(5250).hears(5250).bricks(6, "green").scales_in().partly_filled(2, 5240).partly_filled(3, 5280)
    )
    assert trader.trade.entry_price == Decimal("5257")
    assert trader.trade.stop_price == 5242


def test_the_parts_of_one_entry_never_move_its_stop_away() -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(2, 5250).partly_filled(3, 5245)
    assert (trader.trade.entry_price, trader.trade.stop_price) == (Decimal(5247), Decimal(5235))


@pytest.mark.parametrize(("opens", "wrong"), [("BUY", 52500), ("SELL", 525)])
def test_a_stop_beyond_the_average_is_not_kept(opens: Side, wrong: int) -> None:
    trader = Trader().with_structure("green" if opens == "BUY" else "red").enters(opens)
    trader.partly_filled(2, wrong).partly_filled(3, 5250)
    planned = trader.trade.entry_price - 15 * trader.trade.sign
    assert trader.trade.stop_price == planned


def test_the_first_rules_moved_the_stop_with_the_average() -> None:
    trader = Trader(generation=1).is_long(5250).bricks(6, "green").scales_in().filled_at(5240)
    assert trader.trade.stop_price == 5230
    assert trader.replays_equal()


def test_open_points_count_from_the_new_average_at_once() -> None:
    trader = Trader(points_tp_target=Decimal(9)).is_long(5250).bricks(6, "green").hears(5258)
    trader.scales_in().filled_at(5258)
    assert trader.asset.live.open_points == 4


def test_partial_fills_add_what_filled() -> None:
    trader = unlocked_trader().scales_in().partly_filled(2, 5260)
    assert (trader.position, trader.open_order.kind) == (7, "SCALE_IN")
    assert trader.reports("CANCELLED").position == 7
    assert trader.trade.scale_in_used
    assert trader.scales_in().refused_by == "scale_in_unavailable"


def test_once_per_trade() -> None:
    trader = unlocked_trader().scales_in().filled_at(5260).bricks(6, "green").bricks(4, "green", "red")
    assert trader.scales_in().refused_by == "scale_in_unavailable"
    assert "USED" in trader.refusal.sentence
    assert trader.position == 10


def test_the_next_trade_has_its_own_scale_in() -> None:
    trader = unlocked_trader(cooldown_seconds=0).scales_in().filled_at(5260).exits().filled_at(5260)
    trader.at("09:36:00").is_long()
    assert trader.scales_in().refused_by == "scale_in_unavailable"
    assert trader.bricks(6, "green").hears("5250.25").scales_in().refused_by is None


def test_it_takes_no_slot_no_candle_and_no_token() -> None:
    trader = unlocked_trader(max_trades_per_day=1).at("09:36:00").bricks(6, "green").scales_in().filled_at(5260)
    assert trader.desk.day.trades_taken == 1
    assert trader.asset.tempo.ready
    assert trader.desk.locks.candle_used == Trader(at="09:30:00").now


def test_the_initial_exit_lock_stays_as_it_is() -> None:
    trader = Trader().bricks(4, "green").is_long(5250).bricks(4, "red").hears(5250).scales_in().filled_at(5250)
    assert trader.exits().refused_by == "exit_locked"
    assert unlocked_trader().scales_in().filled_at(5250).exits().refused_by is None


# -- when it is refused ---------------------------------------------------------------------------------------

CLOSES_A_GATE = {
    "trade_limit": lambda trader: trader.consumes_trade(),
    "candle_lock": lambda trader: trader,
    "position": lambda trader: trader,
    "two_half_filter": lambda trader: trader.bricks(2.5, "red"),
    "pending_order": lambda trader: trader.exits(),
    "heartbeat": lambda trader: trader.goes_silent().at("09:45:00"),
    "reconcile": lambda trader: trader.broker_says(position=3),
    "bridge": lambda trader: trader.hears_bridge(connected=False),
    "feed": lambda trader: trader.brick(8, "green", close=5250).brick(8, "green", close=5290),
}


@pytest.mark.parametrize("gate", CLOSES_A_GATE)
def test_only_its_own_gates_refuse_it(gate: str) -> None:
    trader = unlocked_trader(env="LIVE", two_half_filter=True, max_trades_per_day=2)
    CLOSES_A_GATE[gate](trader)
    assert gate in [rung.gate for rung in trader.enters("BUY").refusal.ladder if not rung.is_open]
    trader.scales_in()
    asked = gate in ("pending_order", "heartbeat", "reconcile", "bridge", "feed")
    assert trader.refused_by == (gate if asked else None)


def test_the_daily_stop_refuses_it() -> None:
    trader = unlocked_trader().broker_says(balance=50_000).loses(49_000).rejected()
    assert trader.order is None
    assert trader.scales_in().refused_by == "daily_stop"


def test_the_first_closed_gate_is_the_reason() -> None:
    trader = unlocked_trader(env="LIVE").goes_silent().at("09:45:00").broker_says(position=3)
    trader.hears_bridge(connected=False)
    assert trader.scales_in().refused_by == "heartbeat"
    closed = [gate for gate in LADDER if not trader.rungs[gate].is_open]
    assert {"heartbeat", "reconcile", "bridge"} <= set(closed)


def test_an_asset_without_a_trade_has_nothing_to_add_to() -> None:
    assert Trader().with_structure("green").scales_in().refused_by == "nothing_to_manage"
    assert Trader().scales_in("CL").refused_by == "unknown_asset"


def test_before_it_is_unlocked_the_refusal_names_the_condition() -> None:
    trader = Trader().is_long().scales_in()
    assert trader.refused_by == "scale_in_unavailable"
    assert "LOCKED" in trader.refusal.sentence


# -- when it is available again -------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["rejected", "cancelled"])
def test_unfilled_it_is_available_again(ends: str) -> None:
    trader = unlocked_trader().scales_in()
    assert not trader.trade.scale_in_available
    getattr(trader, ends)()
    assert len(trader.told(ScaleInReturned)) == 1
    assert (trader.trade.scale_in_available, trader.trade.scale_in_used) == (True, False)
    assert trader.scales_in().refused_by is None
    assert trader.filled_at(5250).position == 10


def test_unclaimed_it_expires_after_thirty_seconds_and_is_available_again() -> None:
    trader = unlocked_trader().scales_in()
    order = trader.order
    assert trader.later(seconds=29, microseconds=999_999).ticks().order is not None
    assert trader.later(microseconds=1).ticks().order is None
    assert trader.ended(order).status is OrderStatus.EXPIRED
    assert trader.scales_in().refused_by is None
    assert trader.replays_equal()


def test_a_claimed_scale_in_does_not_expire() -> None:
    assert unlocked_trader().scales_in().claims().later(seconds=3600).ticks().order is not None


def test_an_exit_cancels_an_unclaimed_one_and_closes_the_position() -> None:
    trader = unlocked_trader().scales_in().bricks(8, "red")
    assert (trader.exit_source, trader.open_order.qty) == ("structure", 5)
    assert trader.filled_at(5249).position == 0
    assert trader.replays_equal()


def test_an_exit_waits_for_a_claimed_one_and_closes_the_whole_position() -> None:
    trader = unlocked_trader().scales_in().claims().bricks(8, "red")
    assert (trader.open_order.kind, trader.due_exit.source) == ("SCALE_IN", "structure")
    trader.filled_at(5250)
    assert (trader.exit_source, trader.open_order.qty) == ("structure", 10)


def test_a_rejected_one_releases_the_latched_exit_in_the_same_step() -> None:
    trader = unlocked_trader().scales_in().claims().bricks(8, "red").rejected()
    assert (trader.exit_source, trader.open_order.qty) == ("structure", 5)


@pytest.mark.parametrize("is_claimed", [False, True])
def test_the_daily_stop_flattens_with_a_pending_scale_in(is_claimed: bool) -> None:
    trader = unlocked_trader().broker_says(balance=50_000).scales_in()
    if is_claimed:
        trader.claims()
    trader.loses(49_000)
    if is_claimed:
        assert trader.open_order.kind == "SCALE_IN"
        trader.partly_filled(3, 5240).reports("CANCELLED")
    assert (trader.exit_source, trader.open_order.qty) == ("daily_stop", 8 if is_claimed else 5)
    trader.rejected().later(seconds=1).ticks().filled_at(5240)
    assert (trader.position, trader.trades[-1].reason) == (0, "daily_stop")
    assert trader.replays_equal()


def test_an_adopted_trade_may_be_added_to() -> None:
    trader = Trader().adopts(-3, 5250).hears(5250).brick_with(6).scales_in()
    assert (trader.open_order.kind, trader.open_order.side) == ("SCALE_IN", "SELL")


def test_it_survives_a_restart() -> None:
    trader = unlocked_trader().restarts().scales_in().restarts().filled_at(5260)
    assert trader.position == 10
    assert trader.scales_in().refused_by == "scale_in_unavailable"


# -- the average of what is held ------------------------------------------------------------------------------------


def cut_and_grown(opens: str, *prices: float) -> Trader:
    """Return a trader of 5 at the first price, who took 2 out and added 5 at the second."""
    trader: Trader = getattr(Trader(), opens)(prices[0], mode="RUNNER").brick_with(6)
    trader.exits().partly_filled(2, prices[0] + 3).cancelled()
    return trader.brick_with(6).hears(prices[0]).scales_in().filled_at(prices[1])


@pytest.mark.parametrize("opens", ["is_long", "is_short"])
def test_after_a_partial_exit_the_average_is_that_of_what_is_held(opens: str) -> None:
    trader = cut_and_grown(opens, 100, 120)
    assert abs(trader.position) == 8
    assert trader.trade.entry_price == Decimal("112.5")
    assert trader.replays_equal()


def test_a_partial_exit_does_not_move_the_average() -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(2, 5250).partly_filled(3, "5252.50")
    trader.bricks(6, "green").exits().partly_filled(1, 5260)
    assert trader.trade.entry_price == Decimal("5251.5")
    assert trader.partly_filled(3, 5260).trade.entry_price == Decimal("5251.5")


def test_open_points_and_stop_refer_to_what_is_held() -> None:
    trader = cut_and_grown("is_long", 5250, 5258).hears(5260)
    assert trader.trade.entry_price == 5255
    assert trader.asset.live.open_points == 5
    assert trader.trade.stop_price == 5240


def test_the_closed_trade_books_every_contract_at_its_own_price() -> None:
    trader = cut_and_grown("is_long", 100, 120).exits(force=True).filled_at(130)
    (closed,) = trader.trades
    assert closed.size == 10
    assert closed.entry_price == 110
    assert closed.pnl_usd == 5 * (2 * 3 + 3 * 30 + 5 * 10)
    assert trader.replays_equal()


def test_a_second_partial_exit_leaves_the_new_average() -> None:
    trader = cut_and_grown("is_long", 100, 120).exits(force=True).partly_filled(4, 121)
    assert (trader.position, trader.trade.entry_price) == (4, Decimal("112.5"))


def test_the_average_survives_a_restart() -> None:
    assert cut_and_grown("is_long", 100, 120).restarts().trade.entry_price == Decimal("112.5")
