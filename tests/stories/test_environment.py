"""DEMO and LIVE: switched only while everything is flat and nothing is pending (SPEC 8.5)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from services.engine.model.bridge_commands import BrokerPosition, TakeSnapshot
from services.engine.model.events import EnvSwitched
from services.engine.model.evidence import RestingStop
from services.engine.rules.gates import ladder
from services.engine.rules.verdicts import EntryRequest
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


# -- what the bridge executes ----------------------------------------------------------------------------------------


def live_trader(**told: Any) -> Trader:
    """Return a trader in LIVE with every gate open but what the bridge says of itself."""
    trader = Trader(env="LIVE").with_structure("green").broker_says(50_000).loses_bridge()
    return trader.hears_bridge(**told)


@pytest.mark.parametrize("envs", [("DEMO",), ()])
def test_a_bridge_that_does_not_execute_live_refuses_the_switch(envs: tuple[str, ...]) -> None:
    trader = Trader().hears_bridge(envs=envs).switches_to("LIVE")
    assert (trader.refused_by, trader.desk.env) == ("bridge_down", "DEMO")
    assert trader.refusal.sentence.startswith("BRIDGE WITHOUT LIVE")
    assert trader.with_structure("green").gate_for("BUY") is None


def test_a_paper_bridge_opens_no_gate_in_live() -> None:
    trader = live_trader()
    assert trader.gate_for("BUY") is None
    assert trader.hears_bridge(envs=("DEMO",)).gate_for("BUY") == "bridge"


def test_a_bridge_of_the_contract_alone_may_be_switched_to_but_opens_the_gate_only_by_setting() -> None:
    trader = Trader().hears_bridge(envs=None).switches_to("LIVE")
    assert (trader.refused_by, trader.desk.env) == (None, "LIVE")
    assert live_trader(envs=None).gate_for("BUY") == "bridge"
    assert "OLD_BRIDGE_LIVE" in live_trader(envs=None).enters("BUY").refusal.sentence
    assert live_trader(envs=None).restarts(old_bridge_live=True).gate_for("BUY") is None


def test_a_kill_switch_closes_the_gate_and_its_end_opens_it() -> None:
    trader = live_trader(kill_switch=True)
    assert trader.gate_for("BUY") == "bridge"
    assert trader.hears_bridge(kill_switch=False).gate_for("BUY") is None


def resting(trader: Trader, *stops: RestingStop) -> Trader:
    held = tuple(BrokerPosition(asset.contract.symbol, asset.position) for asset in trader.desk.assets.values())
    return trader.asks(TakeSnapshot(balance=Decimal(50_000), positions=held, stops=stops, as_of=trader.now))


def test_a_position_without_a_stop_closes_the_gate_after_five_seconds() -> None:
    trader = live_trader().enters("BUY").filled_at(5250)
    own = RestingStop("MESZ6", "SELL", 5, Decimal(5235))
    assert rung_of(resting(trader.later(4.9), own), "bridge") is None
    assert rung_of(resting(trader), "bridge") is None
    assert rung_of(trader.later(0.1), "bridge") == "stop_missing"
    assert rung_of(resting(trader, replace(own, side="BUY")), "bridge") == "stop_missing"
    assert rung_of(resting(trader, replace(own, symbol="MNQZ6")), "bridge") == "stop_missing"
    assert rung_of(resting(trader, own), "bridge") is None


def test_a_bridge_that_tells_no_stops_closes_nothing() -> None:
    trader = live_trader().enters("BUY").filled_at(5250).later(20).hears_bridge()
    assert rung_of(trader.asks(TakeSnapshot(balance=Decimal(50_000), tells_positions=False)), "bridge") is None


def rung_of(trader: Trader, gate: str) -> str | None:
    """Return the code by which the gate is closed now, None when it is open."""
    rungs = ladder(trader.desk, EntryRequest(trader.asset), trader.now)
    return next(rung.code for rung in rungs if rung.gate == gate)


def test_an_order_of_unknown_fate_is_pending_for_the_switch() -> None:
    trader = connected_trader().hears(5250).with_structure("green").enters("BUY").claims().later(60).ticks()
    assert trader.open_order.fate_unknown_at is not None
    assert trader.hears_bridge().switches_to("LIVE").refused_by == "not_flat"


def test_demo_trades_with_a_bridge_that_tells_none_of_it() -> None:
    trader = Trader().hears_bridge(envs=None).is_long().bricks(6, "green").exits().filled_at(5251)
    assert (trader.position, len(trader.trades), trader.alerts) == (0, 1, [])
