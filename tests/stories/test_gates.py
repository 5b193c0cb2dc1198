"""The ladder of gates: which gate refuses, in which order, and with which sentence (SPEC 4)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.engine.model.events import EntryAccepted, EntryBlocked
from services.engine.rules.gates import ENTRY_GATES
from tests.support.trader import Trader
from wire.types import Color, OrderStatus, Side, SizeMode

LADDER = (
    "daily_stop",
    "trade_limit",
    "cooldown",
    "candle_lock",
    "pending_order",
    "position",
    "heartbeat",
    "tempo",
    "zone",
    "two_half_filter",
    "reconcile",
    "account",
    "risk",
    "window",
    "bridge",
    "feed",
)


def trader_with_gates_closed_from(first: str) -> Trader:
    """Return a trader at a LIVE desk; the NQ ladder is closed from ``gate`` on and open before it.

    NQ holds a position and has no fresh heartbeat; ES is traded and closed in the candle in which the story ends.
    """
    rank = LADDER.index(first)

    def is_closed(gate: str) -> bool:
        return LADDER.index(gate) >= rank

    trader = Trader(
        at="09:30:00",
        assets=("NQ", "ES"),
        env="LIVE",
        heartbeat_max_age_seconds=60,
        max_trades_per_day=(2 if is_closed("position") else 1) if is_closed("trade_limit") else 6,
        cooldown_seconds=180 if is_closed("cooldown") else 0,
        candle_seconds=300 if is_closed("candle_lock") else 1,
        two_half_filter=is_closed("two_half_filter"),
    )
    trader.broker_says(balance=50_000)
    trader.with_zone("green", "green").brick(2.5, "green" if is_closed("zone") else "red")
    if is_closed("position"):
        trader.bricks(6, "green").brick(2.5, "green").enters("BUY").filled_at(18_000)
    trader.at("09:34:00").goes_silent().at("09:35:00").turns_to("ES").hears().hears_bridge()
    trader.with_structure("green").enters("BUY").filled_at(5250).bricks(6, "green").exits().filled_at(5250)
    trader.later(seconds=1).turns_to("NQ")
    if not is_closed("heartbeat"):
        trader.hears()
    if not is_closed("tempo"):
        trader.bricks(6, "green")
    if is_closed("reconcile"):
        trader.broker_says(position=trader.position - 2)
    if is_closed("pending_order"):
        trader.exits(force=True)
    if is_closed("daily_stop"):
        trader.loses(48_000, position=trader.position - 2)
    if is_closed("risk"):
        trader.limits(max_risk_per_order_pct="0.5")
    if is_closed("account"):
        trader.broker_says(60_000, position=trader.position - 2 * is_closed("reconcile"), realized=0)
    if is_closed("window"):
        trader.locks_out("day")
    color = trader.asset.stack.two_half.color
    trader.brick(2.5, color, close=18_000).brick(2.5, color, close=18_100)  # others between them are missing
    return trader.hears_bridge(connected=not is_closed("bridge"))


@pytest.mark.parametrize("gate", LADDER)
def test_the_first_closed_gate_is_the_reason_with_all_later_ones_closed_too(gate: str) -> None:
    trader = trader_with_gates_closed_from(gate)
    trader.enters("SELL" if LADDER.index(gate) <= LADDER.index("zone") else "BUY")
    assert trader.refused_by == gate
    assert [name for name, rung in trader.rungs.items() if not rung.is_open] == list(LADDER[LADDER.index(gate) :])
    assert trader.replays_equal()


def test_the_ladder_lists_every_gate_in_order_with_sentence_and_what_reopens_it() -> None:
    trader = trader_with_gates_closed_from("daily_stop").enters("SELL")
    assert [rung.gate for rung in trader.refusal.ladder] == list(LADDER)
    assert all(rung.sentence and rung.reopens for rung in trader.refusal.ladder)
    assert trader.refusal.sentence == trader.refusal.ladder[0].sentence


def test_an_open_ladder_lets_the_entry_through_and_spends_what_it_takes() -> None:
    trader = Trader().with_structure("green").enters("BUY")
    assert trader.refused_by is None
    order = trader.open_order
    assert (order.kind, order.side, order.qty, order.env, order.mode) == ("ENTRY", "BUY", 5, "DEMO", "A")
    assert (order.contract.symbol, order.status, order.stop_points) == ("MESZ6", OrderStatus.PENDING, Decimal(15))
    assert not trader.asset.tempo.ready
    assert trader.desk.locks.candle_used is not None


@pytest.mark.parametrize(("size", "contracts"), [("6pt", 5), ("9pt", 3)])
def test_the_size_mode_chooses_the_quantity(size: SizeMode, contracts: int) -> None:
    assert Trader().with_structure("green").enters("BUY", size=size).open_order.qty == contracts


def test_a_repeated_click_makes_no_second_order() -> None:
    trader = Trader(candle_seconds=1).with_structure("green").enters("BUY")
    trader.later(seconds=1).bricks(6, "green").enters("BUY")
    assert trader.refused_by == "pending_order"
    assert len(trader.desk.orders) == 1


def test_no_pyramiding() -> None:
    trader = Trader().is_long()
    trader.at("09:35:00").bricks(6, "green").enters("BUY")
    assert trader.refused_by == "position"
    trader.enters("BUY", override=True)
    assert trader.refused_by == "position"


def test_a_refused_entry_changes_nothing_but_the_journal() -> None:
    trader = Trader().with_structure("green").goes_silent().at("09:50:00").ticks()
    before = trader.desk
    trader.enters("BUY")
    assert trader.refused_by == "heartbeat"
    assert trader.decision.desk == before


def test_every_attempt_is_journaled_with_price_gate_and_stack() -> None:
    trader = Trader().with_zone("green", "green").hears(5250.25).enters("SELL")
    (blocked,) = trader.told(EntryBlocked)
    assert (blocked.asset, blocked.direction, blocked.gate) == ("ES", "SELL", "tempo")
    assert str(blocked.price) == "5250.25"
    assert blocked.stack == {
        "two_half": "neutral",
        "four": "neutral",
        "main": "neutral",
        "high": "green",
        "macro": "green",
    }
    trader.bricks(6, "green").enters("BUY")
    (accepted,) = trader.told(EntryAccepted)
    assert (accepted.order_id, accepted.direction, accepted.stack["main"]) == (trader.open_order.id, "BUY", "green")
    assert trader.replays_equal()


@pytest.mark.parametrize(
    ("gate", "reopens_at"),
    [("cooldown", "09:38:00"), ("candle_lock", "09:40:00")],
)
def test_a_lock_shows_when_it_reopens(gate: str, reopens_at: str) -> None:
    trader = trader_with_gates_closed_from("cooldown").enters("SELL")
    rung = trader.rungs[gate]
    assert rung.reopens_at == Trader(at=reopens_at).now


@pytest.mark.parametrize(
    "gate", ["pending_order", "position", "heartbeat", "tempo", "zone", "reconcile", "account", "bridge", "feed"]
)
def test_a_gate_that_waits_for_an_event_names_no_instant(gate: str) -> None:
    trader = trader_with_gates_closed_from("daily_stop").enters("SELL")
    assert trader.rungs[gate].reopens_at is None


def test_an_asset_that_is_not_traded_is_no_gate() -> None:
    assert Trader().enters("BUY", asset="CL").refused_by == "unknown_asset"


@pytest.mark.parametrize(
    ("color", "direction", "gate"),
    [("red", "BUY", "two_half_filter"), ("green", "BUY", None), ("neutral", "BUY", None)],
)
def test_the_two_half_filter_refuses_a_brick_against_the_entry(color: Color, direction: Side, gate: str | None) -> None:
    trader = Trader(two_half_filter=True).with_structure("green").bricks(2.5, color)
    assert trader.gate_for(direction) == gate


def test_the_two_half_filter_is_off_by_default() -> None:
    assert Trader().with_structure("green").bricks(2.5, "red").gate_for("BUY") is None


def test_the_two_half_filter_uses_the_direction_of_a_normal_zone() -> None:
    trader = Trader(two_half_filter=True).with_structure("red").bricks(2.5, "green")
    assert trader.gate_for() == "two_half_filter"


@pytest.mark.parametrize(
    ("age", "gate"),
    [({"seconds": 29, "microseconds": 999_999}, None), ({"seconds": 30}, "bridge"), ({"seconds": 31}, "bridge")],
)
def test_live_needs_a_bridge_heartbeat_within_thirty_seconds(age: dict[str, int], gate: str | None) -> None:
    trader = Trader(env="LIVE").with_structure("green").hears_bridge().loses_bridge()
    assert trader.later(**age).gate_for("BUY") == gate


def test_live_needs_a_bridge_that_is_connected() -> None:
    trader = Trader(env="LIVE").with_structure("green").hears_bridge(connected=False)
    assert trader.gate_for("BUY") == "bridge"
    assert trader.hears_bridge().gate_for("BUY") is None


def test_live_is_closed_before_the_first_bridge_heartbeat() -> None:
    trader = Trader(env="LIVE", is_heard=False).hears().with_structure("green").broker_says(balance=50_000)
    assert trader.gate_for("BUY") == "bridge"
    assert trader.hears_bridge().gate_for("BUY") is None


def test_a_snapshot_is_no_bridge_heartbeat() -> None:
    trader = Trader(env="LIVE").with_structure("green").loses_bridge().later(seconds=30)
    assert trader.broker_says(balance=50_000).gate_for("BUY") == "bridge"


def test_demo_needs_no_bridge_heartbeat() -> None:
    assert Trader().with_structure("green").later(seconds=3600).gate_for("BUY") is None


@pytest.mark.parametrize(
    ("act", "gates"),
    [
        ("market", LADDER),
        ("preorder", [*LADDER[:7], "window"]),
        ("intent", [gate for gate in LADDER[:7] if gate != "candle_lock"]),
        ("scale_in", [LADDER[0], "pending_order", "heartbeat", *LADDER[10:]]),
    ],
)
def test_each_act_passes_the_gates_that_the_rules_name_for_it(act: str, gates: tuple[str, ...] | list[str]) -> None:
    assert [gate.name for gate in ENTRY_GATES if act in gate.binds] == list(gates)
