"""The operator may exit a trade only after its first 6pt brick (SPEC 5.3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from services.engine.model.events import ExitBlocked, InitialExitLockReleased, OrderQueued
from services.engine.model.replies import ExitsTaken, OrderTaken
from services.views.asset_view import asset_view
from tests.support.trader import Trader
from wire.types import Color, OrderStatus


def test_an_exit_before_the_first_6pt_brick_is_refused() -> None:
    trader = Trader().is_long()
    before = trader.desk
    trader.exits()
    assert trader.refused_by == "exit_locked"
    assert trader.refusal.sentence.startswith("INITIAL_EXIT_LOCK_ACTIVE")
    assert replace(trader.desk, sequence=before.sequence) == before
    assert len(trader.told(ExitBlocked)) == 1
    assert trader.order is None


@pytest.mark.parametrize("color", ["green", "red"])
def test_the_first_6pt_brick_after_the_fill_releases_it(color: Color) -> None:
    trader = Trader().is_long().bricks(6, color).exits()
    assert (trader.refused_by, trader.open_order.side, trader.open_order.qty) == (None, "SELL", 5)
    assert len(trader.told(InitialExitLockReleased)) == 1


@pytest.mark.parametrize("points", [1, 2.5, 4, 8, 12])
def test_no_other_size_releases_it(points: float) -> None:
    assert Trader().is_long().bricks(points, "green").exits().refused_by == "exit_locked"


def test_a_neutral_late_or_repeated_6pt_brick_does_not_release_it() -> None:
    trader = Trader()
    trader.brick(6, "green", bar_id="first", bar_at=trader.now).is_long()
    trader.brick(6, "neutral")
    trader.brick(6, "green", bar_id="first", bar_at=trader.now)
    trader.brick(6, "red", bar_at=Trader(at="09:20:00").now)
    assert trader.exits().refused_by == "exit_locked"


def test_a_brick_between_order_and_fill_is_not_newer_than_the_entry() -> None:
    trader = Trader().with_structure("green").enters("BUY").claims().bricks(6, "green").filled_at(5250)
    assert trader.exits().refused_by == "exit_locked"


def test_a_brick_after_the_first_partial_fill_is_newer_than_the_entry() -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(1, 5250).bricks(6, "green")
    trader.reports("FILLED", 5250, qty=4, exec_id="rest")
    assert trader.exits().refused_by is None


def test_force_overrides_it_and_is_journaled_with_order_and_trade() -> None:
    trader = Trader().is_long().exits(force=True)
    (queued,) = [event for event in trader.told(OrderQueued) if event.kind == "EXIT"]
    assert queued.forced
    trader.filled_at(5249)
    assert trader.trades[-1].forced_exit
    assert trader.replays_equal()


def test_force_without_a_lock_is_an_ordinary_exit() -> None:
    trader = Trader().is_long().bricks(6, "green").exits(force=True).filled_at(5251)
    assert not trader.trades[-1].forced_exit


@pytest.mark.parametrize(
    ("rule", "comes_due"),
    [
        ("structure", lambda trader: trader.bricks(8, "red")),
        ("level", lambda trader: trader.touches_level()),
        ("points_tp", lambda trader: trader.hears(5265.25)),
        ("daily_stop", lambda trader: trader.broker_says(balance=50_000).loses(48_000)),
    ],
)
def test_automatic_exits_ignore_it(rule: str, comes_due: Callable[..., Any]) -> None:
    trader = Trader().is_long(5250.25)
    comes_due(trader)
    assert trader.exit_source == rule


def test_it_holds_again_for_the_next_trade() -> None:
    trader = Trader(cooldown_seconds=0).trades_once().at("09:35:00").is_long()
    assert trader.exits().refused_by == "exit_locked"


def test_it_belongs_to_the_asset() -> None:
    trader = Trader(assets=("ES", "NQ")).is_long(asset="ES").brick(6, "green", asset="NQ")
    assert trader.exits("ES").refused_by == "exit_locked"


def test_a_restart_keeps_it() -> None:
    trader = Trader().is_long().restarts()
    assert trader.exits().refused_by == "exit_locked"
    assert trader.bricks(6, "green").restarts().exits().refused_by is None


@pytest.mark.parametrize(("seconds", "is_locked"), [(0, True), (599.999, True), (600, False), (3600, False)])
def test_it_ends_ten_minutes_after_the_entry_without_a_brick(seconds: float, is_locked: bool) -> None:
    trader = Trader(cooldown_seconds=0).is_long(5250).later(seconds).exits()
    assert trader.refused_by == ("exit_locked" if is_locked else None)
    assert len(trader.told(InitialExitLockReleased)) == (not is_locked)
    assert trader.replays_equal()


def test_the_refusal_says_how_long_it_still_holds() -> None:
    refusal = Trader().is_long(5250).later(590).exits().refusal
    assert (refusal.retry_after_s, refusal.facts["remaining_s"]) == (10, 10)
    assert refusal.detail == "until the next 6pt brick, or 10 min after the entry; force breaks it"


def test_before_generation_5_nothing_but_a_brick_ended_it() -> None:
    trader = Trader(generation=4).is_long(5250).later(86_000 / 24).exits()
    assert (trader.refused_by, trader.refusal.retry_after_s) == ("exit_locked", None)
    assert trader.bricks(6, "green").exits().refused_by is None


def test_its_length_is_a_limit_and_a_longer_one_holds_at_once() -> None:
    trader = Trader().is_long(5250).limits(initial_lock_seconds=900).later(600).exits()
    assert trader.refused_by == "exit_locked"
    assert trader.later(300).exits().refused_by is None
    trader = Trader(initial_lock_seconds=60).is_long(5250).later(59).exits()
    assert trader.refused_by == "exit_locked"
    assert trader.later(1).exits().refused_by is None


def test_a_restart_does_not_begin_the_ten_minutes_again() -> None:
    trader = Trader().is_long(5250).later(500).restarts().later(99).exits()
    assert trader.refused_by == "exit_locked"
    assert trader.later(1).exits().refused_by is None


def test_a_further_fill_of_the_entry_does_not_lengthen_it() -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(1, 5250).later(300)
    trader.reports("FILLED", 5250, qty=4, exec_id="rest").later(300).exits()
    assert trader.refused_by is None


def test_the_state_says_when_it_ends() -> None:
    trader = Trader().is_long(5250)
    opened_at = trader.trade.opened_at
    shown = asset_view(trader.desk, trader.asset, trader.now)
    assert shown.initial_exit_lock_active
    assert shown.initial_exit_lock_expires_ts == opened_at + timedelta(seconds=600)
    between_two_ticks = asset_view(trader.desk, trader.asset, opened_at + timedelta(seconds=600))
    assert not between_two_ticks.initial_exit_lock_active
    assert between_two_ticks.initial_exit_lock_expires_ts is None


def test_exit_all_skips_locked_assets_and_lists_them() -> None:
    trader = Trader(assets=("ES", "NQ")).is_long(asset="ES").bricks(6, "green")
    trader.at("09:35:00").is_long(18_000, asset="NQ").exits_all()
    assert isinstance(trader.answer, ExitsTaken)
    assert [order.asset for order in trader.answer.orders] == ["ES"]
    assert [(skip.asset, skip.reason) for skip in trader.answer.skipped] == [("NQ", "INITIAL_EXIT_LOCK_ACTIVE")]
    assert [order.asset for order in trader.exits_all(force=True).answered(ExitsTaken).orders] == ["ES", "NQ"]


def test_an_entry_the_bridge_has_not_taken_is_cancelled_by_the_operators_exit() -> None:
    trader = Trader().with_structure("green").enters("BUY")
    order = trader.order
    trader.exits()
    assert isinstance(trader.answer, OrderTaken)
    assert trader.ended(order).status is OrderStatus.CANCELLED
    assert (trader.order, trader.asset.due_exit) == (None, None)
    assert trader.may_enter


def test_an_entry_the_bridge_has_taken_will_be_locked_too() -> None:
    """The lock starts with the fill: without this an exit clicked just before would end the trade at once."""
    trader = Trader().with_structure("green").enters("BUY").claims().exits()
    assert trader.refused_by == "exit_locked"
    trader.exits(force=True)
    assert trader.answered(OrderTaken).latched
    assert trader.filled_at(5250).exit_source == "manual"
    assert trader.filled_at(5250).trades[-1].forced_exit


def test_a_flat_asset_has_nothing_to_exit() -> None:
    assert Trader().exits().refused_by == "nothing_to_exit"
    assert Trader().exits(asset="CL").refused_by == "unknown_asset"


def test_a_second_click_shows_the_pending_exit() -> None:
    trader = Trader().is_long().bricks(6, "green").exits()
    first = trader.order
    trader.exits()
    assert trader.answered(OrderTaken).already_pending
    assert trader.answered(OrderTaken).order == first
    assert len(trader.desk.orders) == 1


def test_an_adopted_position_may_be_exited_at_once() -> None:
    trader = Trader().hears(5250).broker_says(position=5).later(2).broker_says(position=5)
    assert trader.exits().refused_by is None
