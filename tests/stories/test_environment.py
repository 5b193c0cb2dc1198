"""DEMO and LIVE: switched only while everything is flat and nothing is pending (SPEC 8.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.engine.model.events import EnvSwitched
from tests.support.trader import Trader


def connected_trader(**settings: Any) -> Trader:
    return Trader(**settings).hears_bridge()


def test_a_flat_desk_with_a_connected_bridge_goes_live_and_back() -> None:
    trader = connected_trader().switches_to("LIVE")
    assert (trader.refused_by, trader.desk.env) == (None, "LIVE")
    assert trader.broker_says(50_000).with_structure("green").enters("BUY").open_order.env == "LIVE"
    trader.rejected().switches_to("DEMO")
    assert (trader.refused_by, trader.desk.env) == (None, "DEMO")
    assert [event.env for event in trader.told(EnvSwitched)] == ["LIVE", "DEMO"]
    assert trader.replays_equal()


def test_demo_needs_no_bridge() -> None:
    assert Trader(env="LIVE").loses_bridge().later(seconds=3600).switches_to("DEMO").desk.env == "DEMO"


def test_switching_to_the_current_environment_changes_nothing() -> None:
    trader = Trader().is_long().switches_to("DEMO")
    assert (trader.refused_by, trader.events) == (None, ())


def test_live_needs_a_bridge_that_has_sent_a_heartbeat() -> None:
    assert Trader().switches_to("LIVE").refused_by == "bridge_down"


def test_live_needs_a_bridge_that_is_connected() -> None:
    trader = Trader().hears_bridge(connected=False).switches_to("LIVE")
    assert (trader.refused_by, trader.desk.env) == ("bridge_down", "DEMO")


@pytest.mark.parametrize(
    ("age", "refused_by"),
    [({"seconds": 29, "microseconds": 999_999}, None), ({"seconds": 30}, "bridge_down")],
)
def test_live_needs_a_fresh_heartbeat_of_the_bridge(age: dict[str, int], refused_by: str | None) -> None:
    assert connected_trader().later(**age).switches_to("LIVE").refused_by == refused_by


def test_a_snapshot_is_no_bridge_heartbeat() -> None:
    assert connected_trader().later(seconds=30).broker_says(balance=50_000).switches_to("LIVE").refused_by is not None


BUSY = {
    "a position": lambda trader: trader.is_long(),
    "an entry": lambda trader: trader.with_structure("green").enters("BUY"),
    "a claimed entry": lambda trader: trader.with_structure("green").enters("BUY").claims(),
    "an exit": lambda trader: trader.is_long().exits(force=True),
    "a pre-order": lambda trader: trader.preorders("BUY"),
    "an intent": lambda trader: trader.intends(),
    "a ready intent": lambda trader: trader.intends().bricks(6, "green"),
    "a disagreement": lambda trader: trader.broker_says(position=5),
}


@pytest.mark.parametrize("busy", BUSY)
def test_no_asset_may_hold_a_position_or_a_pending_order(busy: str) -> None:
    trader = connected_trader(assets=("ES", "NQ")).turns_to("NQ")
    BUSY[busy](trader)
    assert trader.hears_bridge().switches_to("LIVE").refused_by == "not_flat"
    assert "NQ" in trader.refusal.sentence
    assert trader.desk.env == "DEMO"


@pytest.mark.parametrize(
    "done",
    [
        lambda trader: trader.preorders("BUY").cancels_preorder(),
        lambda trader: trader.intends().cancels_intent(),
        lambda trader: trader.intends().bricks(6, "green", "green"),
        lambda trader: trader.with_structure("green").enters("BUY").rejected(),
        lambda trader: trader.trades_once(),
        lambda trader: trader.broker_says(position=5).broker_says(position=0),
    ],
)
def test_an_ended_intent_or_pre_order_does_not_prevent_the_switch(done: Callable[..., Any]) -> None:
    trader = connected_trader()
    done(trader)
    assert trader.hears_bridge().switches_to("LIVE").refused_by is None


def test_switching_lifts_no_lock() -> None:
    trader = connected_trader(max_trades_per_day=1).broker_says(balance=50_000).trades_once()
    day, locks = trader.desk.day, trader.desk.locks
    trader.hears_bridge().switches_to("LIVE").switches_to("DEMO")
    assert (trader.desk.day, trader.desk.locks) == (day, locks)
    trader.loses(49_000).hears_bridge().switches_to("LIVE")
    assert trader.desk.day.is_stopped


def test_it_survives_a_restart() -> None:
    assert connected_trader().switches_to("LIVE").restarts().desk.env == "LIVE"
