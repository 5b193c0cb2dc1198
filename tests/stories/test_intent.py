"""The operator's intent to enter after the next 6pt brick (SPEC 4)."""

from __future__ import annotations

import pytest

from services.engine.model.events import EntryBlocked, IntentChanged
from tests.stories.test_gates import LADDER, trader_with_gates_closed_from
from tests.support.trader import Trader
from wire.types import Color

PLACING_ASKS = ("daily_stop", "trade_limit", "cooldown", "pending_order", "position", "heartbeat")
GREEN: Color = "green"


def statuses(trader: Trader) -> list[str]:
    return [event.status for event in trader.told(IntentChanged)]


def first_asked_from(gate: str) -> str | None:
    return next((name for name in LADDER[LADDER.index(gate) :] if name in PLACING_ASKS), None)


@pytest.mark.parametrize("gate", LADDER)
def test_placing_checks_its_own_gates_and_no_other(gate: str) -> None:
    trader = trader_with_gates_closed_from(gate).intends()
    assert trader.refused_by == first_asked_from(gate)
    assert trader.replays_equal()


def test_a_used_candle_does_not_refuse_it() -> None:
    trader = Trader(assets=("ES", "NQ")).is_long(asset="NQ").intends("ES")
    assert trader.gate_for("BUY") == "candle_lock"
    assert trader.refused_by is None


def test_a_refused_intent_is_journaled_and_changes_nothing() -> None:
    trader = trader_with_gates_closed_from("heartbeat").intends()
    assert trader.told(EntryBlocked)[-1].gate == "heartbeat"
    assert trader.asset.intent is None


def test_the_next_6pt_brick_makes_it_ready_and_the_one_after_expires_it() -> None:
    trader = Trader().intends()
    assert trader.intent.status == "WAITING"
    assert trader.bricks(6, "red").intent.status == "READY"
    assert trader.bricks(6, "green").intent.status == "EXPIRED"
    assert statuses(trader.bricks(6, "green")) == ["WAITING", "READY", "EXPIRED"]
    assert trader.desk.orders == {}
    assert trader.replays_equal()


@pytest.mark.parametrize("points", [1, 2.5, 4, 8, 12])
def test_bricks_of_other_sizes_do_not_change_it(points: float) -> None:
    assert Trader().intends().bricks(points, "green").intent.status == "WAITING"


def test_neutral_late_and_repeated_bricks_do_not_change_it() -> None:
    trader = Trader()
    trader.brick(6, "green", bar_id="one", bar_at=trader.now).intends()
    trader.brick(6, "neutral").brick(6, "green", bar_id="one", bar_at=trader.now)
    trader.brick(6, "red", bar_at=Trader(at="09:20:00").now)
    assert trader.intent.status == "WAITING"


@pytest.mark.parametrize("bricks", [0, 1])
def test_an_accepted_entry_uses_it(bricks: int) -> None:
    trader = Trader().with_structure("green").intends().bricks(6, *[GREEN] * bricks).enters("BUY")
    assert trader.intent.status == "USED"
    assert trader.bricks(6, "green").intent.status == "USED"


def test_a_refused_entry_does_not_use_it() -> None:
    trader = Trader().with_zone("green", "green").intends().enters("BUY")
    assert (trader.refused_by, trader.intent.status) == ("tempo", "WAITING")


def test_an_entry_does_not_use_an_expired_one() -> None:
    trader = Trader().with_structure("green").intends().bricks(6, "green", "green").enters("BUY")
    assert trader.intent.status == "EXPIRED"


def test_an_entry_of_another_asset_does_not_use_it() -> None:
    trader = Trader(assets=("ES", "NQ")).intends("NQ").with_structure("green", "ES").enters("BUY").turns_to("NQ")
    assert trader.intent.status == "WAITING"


@pytest.mark.parametrize("bricks", [0, 1])
def test_the_operator_can_cancel_it_once(bricks: int) -> None:
    trader = Trader().intends().bricks(6, *[GREEN] * bricks).cancels_intent()
    assert trader.intent.status == "CANCELLED"
    assert trader.cancels_intent().refused_by == "nothing_waiting"
    assert trader.bricks(6, "green").intent.status == "CANCELLED"
    assert trader.intends().refused_by is None


def test_there_is_nothing_to_cancel_before_and_after() -> None:
    assert Trader().cancels_intent().refused_by == "nothing_waiting"
    assert Trader().intends().bricks(6, "green", "green").cancels_intent().refused_by == "nothing_waiting"
    assert Trader().cancels_intent("CL").refused_by == "unknown_asset"
    assert Trader().intends("CL").refused_by == "unknown_asset"


@pytest.mark.parametrize(("bricks", "refused_by"), [(0, "already_waiting"), (1, "already_waiting"), (2, None)])
def test_one_at_a_time(bricks: int, refused_by: str | None) -> None:
    trader = Trader().intends().bricks(6, *[GREEN] * bricks)
    assert trader.intends().refused_by == refused_by


def test_no_intent_beside_a_pre_order() -> None:
    trader = Trader().preorders("BUY").intends()
    assert trader.refused_by == "already_waiting"
    assert trader.cancels_preorder().intends().refused_by is None


def test_a_restart_keeps_it_waiting() -> None:
    assert Trader().intends().restarts().bricks(6, "green").intent.status == "READY"
