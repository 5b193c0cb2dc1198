"""An override needs a reason and has a budget of the day (SPEC 5.10)."""

from __future__ import annotations

from typing import Any

import pytest

from services.engine.model.events import EntryAccepted, EntryBlocked
from services.engine.model.override_events import OverrideTaken
from tests.support.trader import Trader

WHY = "the open was rejected twice"


def against_structure(**settings: Any) -> Trader:
    """Return a trader whose structure says SELL, at a desk where nothing but overrides is limited."""
    return Trader(candle_seconds=1, cooldown_seconds=0, max_trades_per_day=20, **settings).with_structure("red")


def overrides(trader: Trader, times: int, reason: str | None = WHY) -> Trader:
    """Enter against the structure that often, and leave again each time."""
    for _ in range(times):
        trader.later(1).bricks(6, "red").enters("BUY", override=True, reason=reason)
        if trader.refused_by is None:
            trader.filled_at(5250).exits(force=True).filled_at(5250)
    return trader


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_the_day_has_a_budget_of_overrides(limit: int) -> None:
    trader = overrides(against_structure(overrides_per_day=limit), limit)
    assert [event.taken for event in trader.told(OverrideTaken)] == list(range(1, limit + 1))
    trader.later(1).bricks(6, "red").enters("BUY", override=True, reason=WHY)
    assert (trader.refused_by, trader.refusal.facts["taken"]) == ("override_budget", limit)
    assert trader.order is None
    assert trader.replays_equal()


def test_it_is_two_unless_set() -> None:
    trader = overrides(against_structure(), 2)
    assert overrides(trader, 1).trades[-1].override
    assert len(trader.trades) == 2


def test_one_that_the_budget_refuses_takes_nothing_and_is_journaled() -> None:
    trader = overrides(against_structure(overrides_per_day=0), 1)
    blocked = trader.told(EntryBlocked)[-1]
    assert (blocked.gate, blocked.override, blocked.override_reason) == ("override_budget", True, WHY)
    assert (trader.asset.tempo.ready, trader.desk.locks.candle_until) == (True, None)
    assert trader.enters("SELL").refused_by is None


def test_a_gate_that_is_closed_is_the_reason_and_takes_none() -> None:
    trader = overrides(against_structure(overrides_per_day=1), 1).later(1).enters("BUY", override=True, reason=WHY)
    assert trader.refused_by == "tempo"
    assert trader.desk.day.overrides_taken == 1


def test_one_that_ends_unfilled_is_not_given_back() -> None:
    trader = against_structure(overrides_per_day=1).enters("BUY", override=True, reason=WHY).rejected()
    assert trader.later(1).enters("BUY", override=True, reason=WHY).refused_by == "override_budget"


def test_the_next_trading_day_has_its_own() -> None:
    trader = overrides(against_structure(overrides_per_day=1), 1).at("17:59:58")
    assert overrides(trader, 1).refused_by == "override_budget"
    assert overrides(trader.at("18:00:00"), 1).refused_by is None


def test_a_restart_does_not_renew_it_and_a_larger_one_waits() -> None:
    trader = overrides(against_structure(overrides_per_day=1), 1).restarts(overrides_per_day=5)
    assert overrides(trader, 1).refused_by == "override_budget"


@pytest.mark.parametrize("reason", [None, "", "   "])
def test_one_a_day_may_come_without_a_reason(reason: str | None) -> None:
    trader = against_structure().enters("BUY", override=True, reason=reason)
    assert trader.told(EntryAccepted)[-1].override_reason == "no reason given"
    assert trader.last_alert.code == "override_unexplained"
    trader.filled_at(5250).exits(force=True).filled_at(5250)
    assert overrides(trader, 1, reason).refused_by == "override_unexplained"
    assert trader.told(EntryBlocked)[-1].gate == "override_unexplained"
    assert overrides(trader, 1).refused_by is None
    assert trader.replays_equal()


def test_one_with_a_reason_raises_no_alert() -> None:
    trader = overrides(against_structure(), 1)
    assert trader.told(EntryAccepted)[-1].override_reason == WHY
    assert "override_unexplained" not in trader.alerts


def test_a_pre_order_takes_one_when_it_is_placed_and_none_when_it_fires() -> None:
    trader = against_structure(overrides_per_day=1).preorders("BUY", override=True, reason=WHY)
    assert trader.desk.day.overrides_taken == 1
    assert trader.later(1).bricks(6, "green").open_order.kind == "ENTRY"
    assert trader.desk.day.overrides_taken == 1
    assert trader.told(EntryAccepted)[-1].override_reason == WHY
    assert trader.replays_equal()


def test_a_pre_order_that_is_taken_back_gives_none_back() -> None:
    trader = against_structure(overrides_per_day=1).preorders("BUY", override=True, reason=WHY).cancels_preorder()
    assert trader.preorders("BUY", override=True, reason=WHY).refused_by == "override_budget"
    assert trader.preorders("SELL").refused_by is None


def test_a_pre_order_without_a_reason_counts_as_the_one_of_the_day() -> None:
    trader = against_structure().preorders("BUY", override=True).cancels_preorder()
    assert trader.preorders("BUY", override=True).refused_by == "override_unexplained"
    assert trader.preorders("BUY", override=True, reason=WHY).refused_by is None


def test_the_budget_is_of_all_assets() -> None:
    trader = Trader(assets=("ES", "NQ"), overrides_per_day=1, candle_seconds=1).with_structure("red", "NQ")
    trader.with_structure("red", "ES").enters("BUY", override=True, reason=WHY).later(1)
    assert trader.enters("BUY", "NQ", override=True, reason=WHY).refused_by == "override_budget"


def test_before_generation_5_there_was_no_budget_and_no_need_of_a_reason() -> None:
    trader = overrides(against_structure(generation=4), 4, None)
    assert (len(trader.trades), trader.told(OverrideTaken), trader.alerts) == (4, [], [])
    assert trader.told(EntryAccepted)[-1].override_reason is None
    assert trader.replays_equal()
