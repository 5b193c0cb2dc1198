"""Bridges that should not be: a second one, one after a lost ledger, one of the old wire (SPEC 8.1, 8.2)."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk_process import BridgeCaller, DeskProcess, OperatorCaller, eventually
from tests.support.own_time import Stopwatch
from tests.support.processes import PaperBridge

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

RULES = {"COOLDOWN_SECONDS": "1", "CANDLE_SECONDS": "2", "ORDER_FATE_SECONDS": "20"}
TOLD_WITHIN_SECONDS = 15.0
A_BUSY_MACHINE_SECONDS = 10.0  # the desk's clock runs on while processes wait for a turn


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path, **RULES) as desk:
        yield desk


def a_bridge(desk: DeskProcess, name: str) -> PaperBridge:
    """Make a bridge with the default owner name and a ledger of its own."""
    bridge = PaperBridge(desk, BRIDGE_LEDGER_PATH=str(desk.folder / f"{name}.sqlite"))
    bridge.ledger = desk.folder / f"{name}.sqlite"
    bridge.log_path = desk.folder / f"{name}.log"
    return bridge


def filled_in(bridge: PaperBridge) -> list[tuple[str, int]]:
    """Return the fills in the bridge's ledger."""
    with sqlite3.connect(bridge.ledger) as ledger:
        return ledger.execute("SELECT client_tag, signed_qty FROM paper_executions").fetchall()


def alert_codes(operator: OperatorCaller) -> list[str]:
    return [alert["code"] for alert in operator.state()["alerts"]]


def is_heard(operator: OperatorCaller) -> bool:
    return bool(operator.state()["global"]["connected"])


def keeps_the_market_open(desk: DeskProcess) -> None:
    desk.tradingview().opens_the_ladder()


def test_of_two_bridges_of_one_name_one_is_refused_and_nothing_is_executed_twice(desk: DeskProcess) -> None:
    operator, first, second = desk.operator(), a_bridge(desk, "first"), a_bridge(desk, "second")
    keeps_the_market_open(desk)
    first.start()
    try:
        eventually(lambda: is_heard(operator))
        second.start()
        watch = Stopwatch(desk.process, first.process, second.process)
        eventually(lambda: "owner_taken" in alert_codes(operator))
        assert watch.seconds < TOLD_WITHIN_SECONDS + A_BUSY_MACHINE_SECONDS
        entry = operator.enters_when_the_candle_allows()
        desk.tradingview().heartbeat()
        eventually(lambda: operator.asset()["position"] == 5)
        assert filled_in(first) == [(entry["id"], 5)]
        operator.post("/api/exit", json={"asset": "ES", "force": True})
        eventually(lambda: operator.asset()["position"] == 0)
        assert [qty for _, qty in filled_in(first)] == [5, -5]
        assert filled_in(second) == []
        assert alert_codes(operator).count("owner_taken") == 1
    finally:
        first.terminate()
        second.terminate()


def test_the_operator_lets_the_second_bridge_take_over(desk: DeskProcess) -> None:
    operator, first, second = desk.operator(), a_bridge(desk, "first"), a_bridge(desk, "second")
    keeps_the_market_open(desk)
    first.start()
    try:
        eventually(lambda: is_heard(operator))
        second.start()
        eventually(lambda: "owner_taken" in alert_codes(operator))
        first.kill()
        assert operator.post("/api/bridge/takeover", json={"reason": "the first is lost"}).status_code == 200
        confirmed = {"amount": 0, "reason": "the second bridge's own account"}
        eventually(lambda: operator.post("/api/account/transfer", json=confirmed).status_code == 200)
        entry = operator.enters_when_the_candle_allows()
        desk.tradingview().heartbeat()
        eventually(lambda: operator.asset()["position"] == 5)
        assert filled_in(second) == [(entry["id"], 5)]
    finally:
        first.kill()
        second.terminate()


def test_a_bridge_killed_between_claim_and_report_and_replaced_by_one_with_an_empty_ledger(desk: DeskProcess) -> None:
    """The dead one claims with its instance and never reports. Its successor has the same name and another ledger."""
    operator, dead, successor = desk.operator(), desk.bridge(), a_bridge(desk, "successor")
    keeps_the_market_open(desk)
    entry = operator.enters_when_the_candle_allows()
    [claimed] = dead.claims(instance="the dead one")
    assert claimed["id"] == entry["id"]
    successor.start()
    watch = Stopwatch(desk.process, successor.process)
    try:
        eventually(lambda: "order_unreported" in alert_codes(operator))
        assert watch.seconds < TOLD_WITHIN_SECONDS + A_BUSY_MACHINE_SECONDS
        assert operator.post("/api/bridge/takeover", json={}).status_code == 200
        eventually(lambda: operator.state()["orders"] == [])
        assert filled_in(successor) == []
        assert operator.asset()["position"] == 0
    finally:
        successor.terminate()


class OldBridge:
    """A bridge that plays only the contract's operator-api: no instance, env or account, no waiting poll."""

    def __init__(self, caller: BridgeCaller) -> None:
        self.caller = caller
        self.executed: list[str] = []

    def asks(self) -> list[dict[str, Any]]:
        answer = self.caller.get("/api/orders/pending", params={"limit": "20", "owner": self.caller.owner})
        assert answer.status_code == 200, answer.text
        orders: list[dict[str, Any]] = answer.json()["orders"]
        return orders

    def executes(self, order: dict[str, Any]) -> None:
        self.executed.append(order["id"])

    def tells_fill(self, order: dict[str, Any], price: float = 5250.25) -> None:
        extra = {"fill_price": price, "qty": order["qty"], "exec_id": f"exec-{order['id']}"}
        answer = self.caller.reports(order["id"], "FILLED", **extra)
        assert answer.status_code == 200, answer.text


def test_a_bridge_of_the_old_wire_gets_nothing_twice_and_everything_ends(desk: DeskProcess) -> None:
    operator, old = desk.operator(), OldBridge(desk.bridge("old"))
    contract = operator.asset()["contract"]
    keeps_the_market_open(desk)
    entry = operator.enters_when_the_candle_allows()
    [handed] = old.asks()
    watch = Stopwatch(desk.process)
    old.executes(handed)
    assert [old.asks() for _ in range(3)] == [[], [], []]

    def tells_until(code: str) -> bool:
        old.caller.post("/api/bridge/heartbeat", json={"tsConnected": True})
        return code in alert_codes(operator)

    eventually(lambda: tells_until("order_unreported"))
    assert watch.seconds < TOLD_WITHIN_SECONDS + A_BUSY_MACHINE_SECONDS

    def snapshots_settle() -> bool:
        assert old.caller.snapshots(50_000, **{contract: 5}).status_code == 200
        time.sleep(1)
        assert old.asks() == []
        return not operator.state()["orders"]

    eventually(snapshots_settle)
    assert operator.asset()["position"] == 5
    operator.post("/api/exit", json={"asset": "ES", "force": True})
    [leaving] = old.asks()
    old.executes(leaving)
    old.tells_fill(leaving)
    assert old.asks() == []
    assert operator.asset()["position"] == 0
    assert old.executed == [entry["id"], leaving["id"]]


def test_two_bridges_of_the_old_wire_get_each_order_once_and_the_operator_is_told(desk: DeskProcess) -> None:
    operator, one, two = desk.operator(), OldBridge(desk.bridge("one")), OldBridge(desk.bridge("two"))
    keeps_the_market_open(desk)
    operator.enters_when_the_candle_allows()
    handed = [order["id"] for bridge in (one, two) * 3 for order in bridge.asks()]
    assert len(handed) == 1
    assert "two_bridges" in alert_codes(operator)
