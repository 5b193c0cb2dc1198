"""A way out that is armed inside the initial exit lock and taken within it is a forced exit (SPEC 5.3)."""

from __future__ import annotations

from typing import Any

import pytest

from services.engine.model.events import OrderQueued
from services.engine.model.trade_events import TradeClosed
from tests.support.trader import Trader


def trader_in_the_lock() -> Trader:
    """Return a trader long 5 ES as RUNNER from 5250, under the initial exit lock, with management open."""
    trader = Trader().hears(5250).with_structure("green").enters("BUY", mode="RUNNER").filled_at(5250)
    return trader.bricks(2.5, "red").hears(5249)


def is_forced(trader: Trader) -> tuple[bool, bool]:
    """Return whether the exit, and then the closed trade, count as forced."""
    order = [event for event in trader.told(OrderQueued) if event.kind == "EXIT"][-1]
    trader.filled_at(5248)
    return order.forced, trader.told(TradeClosed)[-1].forced_exit


@pytest.mark.parametrize(
    ("arms", "takes"),
    [
        (lambda trader: trader.protects("0.5"), lambda trader: trader.hears(5249)),
        (lambda trader: trader.protects("-2"), lambda trader: trader.hears(5248)),
        (lambda trader: trader.protects("-2").protects("0.5"), lambda trader: trader.hears(5249)),
        (lambda trader: trader.targets(1), lambda trader: trader.hears(5251)),
        (lambda trader: trader.toggles("four_pt_invalidation"), lambda trader: trader.bricks(4, "red")),
        (lambda trader: trader.toggles("high_next_bar"), lambda trader: trader.bricks(8, "green")),
    ],
)
def test_a_rule_armed_and_taken_inside_the_lock_is_a_forced_exit(arms: Any, takes: Any) -> None:
    trader = takes(arms(trader_in_the_lock()))
    assert is_forced(trader) == (True, True)
    assert trader.replays_equal()


def test_a_rule_that_was_on_before_is_none() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").filled_at(5250).hears(5265)
    assert is_forced(trader) == (False, False)


def test_the_same_rule_tightened_inside_the_lock_is_one() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").filled_at(5250).bricks(2.5, "red")
    trader.targets(2).hears(5252)
    assert is_forced(trader) == (True, True)


def test_a_rule_loosened_inside_the_lock_is_none() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").filled_at(5250).bricks(2.5, "red")
    trader.targets(20).hears(5270)
    assert is_forced(trader) == (False, False)


def test_a_rule_armed_inside_the_lock_that_fires_after_it_is_none() -> None:
    trader = trader_in_the_lock().protects("-2").bricks(6, "green").hears(5248)
    assert is_forced(trader) == (False, False)


def test_another_rule_than_the_armed_one_is_none() -> None:
    trader = trader_in_the_lock().protects("-2").bricks(8, "red")
    assert is_forced(trader) == (False, False)


def test_a_rule_switched_off_again_is_none() -> None:
    trader = trader_in_the_lock().toggles("four_pt_invalidation").toggles("four_pt_invalidation")
    assert trader.trade.armed_inside == ()


def test_a_rule_armed_inside_the_lock_that_fires_when_its_time_is_over_is_none() -> None:
    assert is_forced(trader_in_the_lock().protects("-2").later(599).hears(5248)) == (True, True)
    assert is_forced(trader_in_the_lock().protects("-2").later(600).hears(5248)) == (False, False)
