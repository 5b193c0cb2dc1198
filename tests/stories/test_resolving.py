"""The operator's word on an order of unknown fate: its price, its second time, what it may change (SPEC 8.1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.engine.model.bridge_commands import ResolveOrder
from services.engine.model.commands import NotePrice
from services.engine.model.order import Order
from services.engine.rules.beliefs import day_result
from tests.support.narrow import known
from tests.support.trader import Trader


def trader_with_lost_entry(**settings: Any) -> Trader:
    """Return a trader whose claimed entry of 5 has an unknown fate; the day traded at 5250 only."""
    trader = Trader(**settings).hears(5250).with_structure("green").enters("BUY").claims()
    return trader.later(60).ticks()


def trader_with_lost_exit(last: object = 5250) -> Trader:
    trader = Trader().is_long(5250).hears(last).bricks(6, "green").exits().claims()
    return trader.later(60).ticks()


def resolve(trader: Trader, outcome: Any, order: Order | None = None, **more: Any) -> Trader:
    return trader.asks(ResolveOrder((order or trader.open_order).id, outcome, "the platform shows it", **more))


# -- the price ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "refused_by"),
    [
        (5210, None),
        (5290, None),
        ("5209.75", "report_invalid"),
        ("5290.25", "report_invalid"),
        (0, "report_invalid"),
        (52_500, "report_invalid"),
    ],
)
def test_a_price_by_hand_lies_within_the_days_range_and_40_units(price: object, refused_by: str | None) -> None:
    trader = resolve(trader_with_lost_entry(), "filled", price=Decimal(str(price)))
    assert trader.refused_by == refused_by
    assert trader.position == (0 if refused_by else 5)


def test_the_range_is_that_of_the_whole_day() -> None:
    trader = trader_with_lost_entry()
    for price in (5220, 5190):
        trader.hears(price)
    assert resolve(trader, "filled", price=Decimal(5150)).refused_by is None


def test_the_units_are_the_assets_own() -> None:
    trader = Trader(assets=("NQ",)).hears(20_000).with_structure("green").enters("BUY").claims().later(60).ticks()
    assert resolve(trader, "filled", price=Decimal("20160.25")).refused_by == "report_invalid"
    assert resolve(trader, "filled", price=Decimal(20_160)).refused_by is None


def test_without_any_price_of_the_market_a_price_by_hand_is_taken() -> None:
    trader = Trader().with_structure("green").enters("BUY").claims().later(60).ticks()
    assert resolve(trader, "filled").refused_by == "report_invalid"
    assert resolve(trader, "filled", price=Decimal(0)).refused_by == "report_invalid"
    assert resolve(trader, "filled", price=Decimal(5250)).position == 5


# -- the same word again --------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["filled", "not_filled"])
def test_in_demo_without_snapshots_the_same_again_after_60_s_opens_reconcile(outcome: str) -> None:
    trader = trader_with_lost_entry()
    order = trader.order
    resolve(trader, outcome)
    assert resolve(trader.later(59), outcome, order).refused_by == "fate_known"
    assert trader.refusal.facts["remaining_s"] == 1
    assert trader.asset.doubt is not None
    assert resolve(trader.later(1), outcome, order).asset.doubt is None
    assert trader.gate_for("BUY") != "reconcile"
    assert trader.replays_equal()


def test_another_word_than_the_first_opens_nothing() -> None:
    trader = trader_with_lost_entry()
    order = trader.order
    resolve(trader, "not_filled").later(60)
    assert resolve(trader, "filled", order, price=Decimal(5250)).refused_by == "fate_known"
    assert trader.position == 0
    assert trader.asset.doubt is not None


def test_where_snapshots_are_heard_they_decide_and_not_the_operator() -> None:
    trader = trader_with_lost_entry()
    order = trader.order
    resolve(trader, "not_filled").later(58).broker_says(position=5)
    assert resolve(trader.later(2), "not_filled", order).refused_by == "fate_known"
    assert resolve(trader.later(60), "not_filled", order).asset.doubt is None
    assert trader.asset.disagreement is not None  # what the snapshot said still closes the gate


def test_in_live_only_a_snapshot_opens_it() -> None:
    trader = trader_with_lost_entry(env="LIVE")
    order = trader.order
    resolve(trader, "not_filled")
    assert resolve(trader.later(60), "not_filled", order).refused_by == "fate_known"
    assert trader.broker_says(50_000, position=0).asset.doubt is None


def test_every_order_that_was_resolved_needs_its_own_second_word() -> None:
    trader = trader_with_lost_entry()
    entry = trader.order
    resolve(trader, "filled", price=Decimal(5250)).bricks(6, "green").exits().claims().later(60).ticks()
    leaving = trader.order
    resolve(trader, "filled", price=Decimal(5250))
    assert resolve(trader.later(60), "filled", leaving, price=Decimal(5250)).asset.doubt is not None
    assert resolve(trader, "filled", entry, price=Decimal(5250)).asset.doubt is None
    assert trader.replays_equal()


def test_an_order_that_nobody_resolved_is_unknown() -> None:
    trader = Trader().is_long(5250)
    assert trader.asks(ResolveOrder("f" * 32, "not_filled", "why not")).refused_by == "unknown_order"


# -- what is left of the day ----------------------------------------------------------------------------------


def test_a_resolved_order_does_not_raise_what_is_left_of_the_day_until_a_snapshot_agrees() -> None:
    trader = trader_with_lost_exit(last=5230)  # 5 MES, 20 points down: -500 USD
    assert day_result(trader.desk).books == -500
    resolve(trader, "filled", price=Decimal(5250))
    assert trader.position == 0
    assert day_result(trader.desk).books == -500
    assert trader.later(2).broker_says(position=0).asset.doubt is None
    assert day_result(trader.desk).books == 0
    assert trader.replays_equal()


def test_it_may_lower_it() -> None:
    trader = resolve(trader_with_lost_exit(last=5230), "filled", price=Decimal(5220))
    assert day_result(trader.desk).books == -750


def test_an_entry_that_is_resolved_below_the_market_raises_nothing_either() -> None:
    trader = resolve(trader_with_lost_entry(), "filled", price=Decimal(5230))
    trader.later(1).asks(NotePrice("ES", Decimal(5250)))
    assert day_result(trader.desk).books == 0
    trader.later(1).asks(NotePrice("ES", Decimal(5248)))
    assert day_result(trader.desk).books == -50


def test_a_loss_at_the_limit_stops_the_day_although_the_operator_says_it_was_less() -> None:
    trader = trader_with_lost_exit(last=5210)  # 5 MES, 40 points down: the limit of 2 % of 50,000
    resolve(trader, "filled", price=Decimal(5250)).later(2).ticks()
    assert trader.desk.day.is_stopped
    assert trader.gate_for("BUY") == "daily_stop"


def test_the_second_word_proves_the_price_too() -> None:
    trader = trader_with_lost_exit(last=5230)
    order = trader.order
    resolve(trader, "filled", price=Decimal(5250))
    resolve(trader.later(60), "filled", order, price=Decimal(5250))
    assert day_result(trader.desk).books == 0


def test_the_next_day_begins_without_what_was_withheld() -> None:
    trader = resolve(trader_with_lost_exit(last=5230), "filled", price=Decimal(5250))
    trader.at("18:00:00").ticks()
    assert day_result(trader.desk).books == 0
    assert known(trader.asset.doubt).code == "resolved"


# -- an exit that was not filled ------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "creates"), [("exit_all", True), ("structure", True), ("manual", False)])
def test_the_rule_of_an_exit_that_was_not_filled_creates_the_next(source: str, creates: bool) -> None:
    trader = Trader().hears(5250).is_long(5250).bricks(6, "green")
    if source == "structure":
        trader.brick_against(8)
    else:
        trader.exits() if source == "manual" else trader.exits_all()
    first = trader.claims().open_order
    trader.later(60).ticks()
    resolve(trader, "not_filled")
    assert (trader.exit_source, trader.position) == (source if creates else None, 5)
    assert trader.order is None or trader.order.id != first.id
    assert trader.replays_equal()
