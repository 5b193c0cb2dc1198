"""Several exits due in one step: the first rule of the table names the exit (SPEC 7.1)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from services.engine.rules.exit_rules import EXIT_RULES
from tests.support.trader import Trader

SPEC_ORDER = (
    "daily_stop",
    "flat_by",
    "level",
    "points_tp",
    "protect",
    "four_pt_invalidation",
    "signal_tp",
    "main_flip",
    "high_next_bar",
    "structure",
)


def test_the_table_equals_the_one_of_the_rules() -> None:
    assert tuple(rule.name for rule in EXIT_RULES) == SPEC_ORDER
    assert all(rule.why and rule.is_due.__doc__ for rule in EXIT_RULES)


def trader_with_everything_armed() -> Trader:
    """Return a trader long 5 ES as RUNNER from 5250, with every protection armed and none due."""
    trader = Trader().broker_says(balance=50_000).is_long(5250, mode="RUNNER").signals(toggle=True, target=1)
    trader.toggles("high_next_bar").toggles("main_flip").toggles("four_pt_invalidation").unlocks_management()
    trader.hears(5251).protects("0.5").targets(2)
    assert trader.order is None
    return trader


def price_makes_both_due(trader: Trader) -> Trader:
    """Make points target and protect due at one price: the target of 0.25 lies below protect's threshold of 0.5."""
    return trader.targets("0.25").hears("5250.50")


STEPS: dict[str, tuple[Callable[[Trader], Trader], tuple[str, ...]]] = {
    "a losing snapshot": (
        lambda trader: trader.broker_says(49_000).later(2).broker_says(49_000, open_pnl=-1000),
        ("daily_stop", "protect"),
    ),
    "a winning snapshot of a lost day": (
        lambda trader: trader.broker_says(49_000).later(2).broker_says(49_000, open_pnl=50),
        ("daily_stop", "points_tp"),
    ),
    "the flat time": (lambda trader: trader.limits(flat_by="09:31", confirm=True).ticks(), ("flat_by",)),
    "a price at both": (price_makes_both_due, ("points_tp", "protect")),
    "a price below": (lambda trader: trader.hears(5240), ("protect",)),
    "a 4pt brick": (lambda trader: trader.bricks(4, "red"), ("four_pt_invalidation",)),
    "a 6pt brick": (lambda trader: trader.bricks(6, "red"), ("signal_tp", "main_flip")),
    "a 6pt brick without signals": (lambda trader: trader.signals(toggle=True).bricks(6, "red"), ("main_flip",)),
    "an 8pt brick": (lambda trader: trader.bricks(8, "red"), ("high_next_bar", "structure")),
    "an 8pt brick, disarmed": (lambda trader: trader.toggles("high_next_bar").bricks(8, "red"), ("structure",)),
}


@pytest.mark.parametrize("step", STEPS)
def test_the_first_due_rule_wins(step: str) -> None:
    trader = trader_with_everything_armed()
    makes_due, due = STEPS[step]
    assert makes_due(trader).exit_source == due[0]
    assert trader.filled_at(5250).trades[-1].reason == due[0]
    assert trader.replays_equal()


def losing_points_unseen(trader: Trader) -> Trader:
    """Make the points target due without an event that checks it: lower the target below the open points."""
    return trader.targets(1)


@pytest.mark.parametrize(
    ("triggers", "source"),
    [
        (lambda trader: trader.touches_level(), "level"),
        (lambda trader: trader.bricks(4, "red"), "points_tp"),
        (lambda trader: trader.bricks(6, "red"), "points_tp"),
        (lambda trader: trader.bricks(8, "red"), "points_tp"),
        (lambda trader: trader.bricks(12, "green"), "points_tp"),
        (lambda trader: trader.broker_says(), "points_tp"),
    ],
)
def test_a_level_comes_before_points_and_points_before_every_brick(triggers: Callable[..., Any], source: str) -> None:
    trader = losing_points_unseen(trader_with_everything_armed())
    assert trader.order is None
    assert triggers(trader).exit_source == source


@pytest.mark.parametrize(
    ("triggers", "source"),
    [
        (lambda trader: trader.touches_level(), "level"),
        (lambda trader: trader.bricks(4, "red"), "protect"),
        (lambda trader: trader.bricks(6, "red"), "protect"),
        (lambda trader: trader.bricks(8, "red"), "protect"),
    ],
)
def test_protect_comes_before_every_brick(triggers: Callable[..., Any], source: str) -> None:
    trader = trader_with_everything_armed().protects(enabled=False).hears("5250.50").protects()
    assert trader.order is None
    assert triggers(trader).exit_source == source


@pytest.mark.parametrize(
    ("triggers", "source"),
    [
        (lambda trader: trader.bricks(4, "red"), "four_pt_invalidation"),
        (lambda trader: trader.bricks(6, "red"), "signal_tp"),
        (lambda trader: trader.bricks(8, "red"), "signal_tp"),
    ],
)
def test_signals_come_after_the_4pt_brick_and_before_the_8pt_brick(triggers: Callable[..., Any], source: str) -> None:
    trader = trader_with_everything_armed().toggles("main_flip").signals(target=2).bricks(6, "red").signals(target=1)
    assert trader.order is None
    assert triggers(trader).exit_source == source


def test_the_daily_stop_comes_before_everything() -> None:
    trader = losing_points_unseen(trader_with_everything_armed().broker_says(49_000).later(2)).broker_says(49_000)
    assert trader.exit_source == "daily_stop"


def test_the_higher_rule_takes_the_place_of_the_one_that_waits() -> None:
    trader = trader_with_everything_armed().broker_says(49_000).later(2).bricks(8, "red").rejected().hears(5240)
    assert trader.due_exit.source == "protect"
    assert trader.touches_level().due_exit.source == "level"
    assert trader.broker_says(49_000).due_exit.source == "daily_stop"
    assert trader.later(seconds=1).ticks().exit_source == "daily_stop"


def test_the_closed_trade_holds_rule_and_excursion() -> None:
    trader = Trader().is_long(5250, mode="RUNNER").toggles("four_pt_invalidation")
    for price in (5247, 5256, 5251):
        trader.later(seconds=1).hears(price)
    trader.bricks(4, "red").filled_at(5252)
    (trade,) = trader.trades
    assert (trade.reason, trade.mae_points, trade.mfe_points) == ("four_pt_invalidation", Decimal(-3), Decimal(6))


ARMED_INSIDE = ("points_tp", "protect", "four_pt_invalidation", "high_next_bar")  # and taken within the lock (SPEC 5.3)


@pytest.mark.parametrize("rule", SPEC_ORDER)
def test_every_rule_gives_its_name_to_order_and_trade(rule: str) -> None:
    due = {
        "daily_stop": lambda trader: trader.loses(49_000),
        "flat_by": lambda trader: trader.limits(flat_by="09:31", confirm=True).ticks(),
        "level": lambda trader: trader.touches_level(),
        "points_tp": lambda trader: trader.hears(5252),
        "protect": lambda trader: trader.hears(5250),
        "four_pt_invalidation": lambda trader: trader.bricks(4, "red"),
        "signal_tp": lambda trader: trader.bricks(6, "red"),
        "main_flip": lambda trader: trader.signals(toggle=True).bricks(6, "red"),
        "high_next_bar": lambda trader: trader.bricks(8, "green"),
        "structure": lambda trader: trader.toggles("high_next_bar").bricks(8, "red"),
    }
    trader = trader_with_everything_armed()
    assert due[rule](trader).exit_source == rule
    trade = trader.filled_at(5250).trades[-1]
    forced = rule in ARMED_INSIDE
    assert (trade.reason, trade.forced_exit, trade.override, trade.env) == (rule, forced, False, "DEMO")


def test_the_excursion_includes_every_exit_fill() -> None:
    trader = Trader().is_long(5250, mode="RUNNER").bricks(8, "red").partly_filled(3, 5240)
    (trade,) = trader.reports("FILLED", 5249, qty=2, exec_id="rest").trades
    assert trade.pnl_points == Decimal("-6.4")
    assert trade.mae_points == -10


def test_a_forced_exit_is_recorded_on_the_trade_whatever_its_rule() -> None:
    trader = Trader().is_long(5250, mode="RUNNER").exits(force=True).rejected().bricks(8, "red")
    trader.later(seconds=1).ticks().filled_at(5249)
    (trade,) = trader.trades
    assert (trade.reason, trade.forced_exit) == ("structure", True)


def test_a_position_the_broker_closed_holds_rule_and_excursion_too() -> None:
    trader = Trader().is_long(5250, mode="RUNNER").later(seconds=2).hears(5256).hears(5240)
    trader.broker_says(position=0, last_fill_price=5235).later(seconds=2).broker_says(position=0, last_fill_price=5235)
    (trade,) = trader.trades
    assert trade.reason == "BROKER_FLAT"
    assert (trade.mae_points, trade.mfe_points, trade.pnl_points) == (Decimal(-15), Decimal(6), Decimal(-15))
