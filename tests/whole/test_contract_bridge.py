"""A bridge that knows nothing but the operator API's contract trades DEMO, and LIVE where it is let (SPEC 8.5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.contract_page import CONTRACTS, quoted, table
from tests.support.desk_process import BRIDGE_SECRET, QUICK, Caller, DeskProcess

pytestmark = pytest.mark.processes

PAGE = CONTRACTS / "operator-api.md"
PRICE = 5250.25
POINT = 5  # USD per point of one Micro E-mini
HEARTBEAT = "POST /api/bridge/heartbeat"
SNAPSHOT = "POST /api/rithmic/pnl-snapshot"
REPORT = "POST /api/orders/<order_id>/execution-report"


def fields_of(call: str) -> set[str]:
    """Return the fields that the contract's page lists for a call."""
    rows = [row for row in table(PAGE, "call", "Fields") if quoted(row["call"]) == (call,)]
    return {name for row in rows for name in quoted(row["field"])}


def names_in(value: Any, prefix: str = "") -> set[str]:
    """Return the names of the fields in a body as the contract's page writes them."""
    if isinstance(value, list):
        return {name for item in value for name in names_in(item, f"{prefix}[]")}
    if not isinstance(value, dict):
        return {prefix}
    return {name for key, held in value.items() for name in names_in(held, f"{prefix}.{key}".lstrip("."))}


class ContractBridge(Caller):
    """Sends the contract's fields, and the secret in the body or in the query; any other field is a fault of the test.

    It reports each fill once, without an ``exec_id``, and names neither instance, environment nor account of a message.
    """

    def tells(self, call: str, body: dict[str, Any], order_id: str = "") -> requests.Response:
        assert names_in(body) <= fields_of(call), names_in(body) - fields_of(call)
        path = call.split()[1].replace("<order_id>", order_id)
        answer = self.post(path, json={"secret": BRIDGE_SECRET, **body})
        assert answer.status_code == 200, answer.text
        return answer

    def is_connected(self) -> None:
        body = {"tsConnected": True, "mdConnected": True, "repoOk": True, "account": "U12345", "tradeRoute": "RITHMIC"}
        self.tells(HEARTBEAT, {**body, "lastRapiEventUtc": "2024-01-15T14:32:00Z"})

    def shows(self, contract: str, position: int, result: float = 0.0) -> None:
        row = {"symbol": contract, "position": position, "openPnl": 0.0}
        amounts = {"realized": result, "unrealized": 0.0, "accountBalance": 50_000 + result}
        self.tells(SNAPSHOT, {**amounts, "symbols": [row]})

    def takes(self) -> dict[str, Any]:
        """Ask for orders and return the only one."""
        asked = {"secret": BRIDGE_SECRET, "limit": "20", "owner": "bridge"}
        answer = self.get("/api/orders/pending", params=asked)
        [order] = answer.json()["orders"]
        return dict(order)

    def fills(self, order: dict[str, Any], price: float) -> None:
        extra = {"fill_price": price, "symbol": order["asset"], "side": order["side"], "qty": order["qty"]}
        self.tells(REPORT, {"status": "WORKING", "extra": {}}, order["id"])
        self.tells(REPORT, {"status": "FILLED", "extra": extra}, order["id"])


def trades_in_and_out(desk: DeskProcess, bridge: ContractBridge) -> dict[str, Any]:
    """Enter, hold, exit at two points more, and return the closed trade."""
    operator = desk.operator()
    contract = operator.asset()["contract"]
    operator.enters_when_the_candle_allows()
    bridge.fills(bridge.takes(), PRICE)
    bridge.shows(contract, 5)
    assert (operator.asset()["position"], operator.asset()["contract"]) == (5, contract)
    assert operator.post("/api/exit", json={"asset": "ES", "force": True}).status_code == 200
    bridge.fills(bridge.takes(), PRICE + 2)
    bridge.shows(contract, 0, 2 * 5 * POINT)
    document = operator.state()
    assert (document["assets"]["ES"]["position"], document["orders"]) == (0, [])
    assert document["assets"]["ES"]["doubt"] is None
    closed: dict[str, Any] = document["history"][0]
    return closed


def test_it_trades_demo(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        bridge = ContractBridge(desk)
        bridge.is_connected()
        bridge.shows(desk.operator().asset()["contract"], 0)
        desk.tradingview().opens_the_ladder()
        closed = trades_in_and_out(desk, bridge)
        assert (closed["env"], closed["pnl_points"], closed["pnl_usd"]) == ("DEMO", 2, 50)


def test_it_trades_demo_without_a_heartbeat_and_without_snapshots(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        operator, bridge = desk.operator(), ContractBridge(desk)
        desk.tradingview().opens_the_ladder()
        operator.enters_when_the_candle_allows()
        bridge.fills(bridge.takes(), PRICE)
        assert operator.post("/api/exit", json={"asset": "ES", "force": True}).status_code == 200
        bridge.fills(bridge.takes(), PRICE)
        assert operator.state()["history"][0]["pnl_points"] == 0


def test_live_stays_shut_for_it_and_says_which_setting_opens_it(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK).trades_at_any_hour() as desk:
        operator, bridge = desk.operator(), ContractBridge(desk)
        bridge.is_connected()
        desk.tradingview().opens_the_ladder()
        assert operator.post("/api/env", json={"env": "LIVE"}).status_code == 200
        bridge.shows(operator.asset()["contract"], 0)
        refused = operator.enters()
        assert (refused.status_code, refused.json()["gate"]) == (409, "bridge")
        assert "OLD_BRIDGE_LIVE=yes" in refused.json()["error"]


def test_it_trades_live_once_the_setting_lets_it(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK, OLD_BRIDGE_LIVE="yes").trades_at_any_hour() as desk:
        operator, bridge = desk.operator(), ContractBridge(desk)
        bridge.is_connected()
        desk.tradingview().opens_the_ladder()
        assert operator.post("/api/env", json={"env": "LIVE"}).status_code == 200
        assert operator.enters().json()["gate"] == "account"  # LIVE asks for the account's own balance
        bridge.shows(operator.asset()["contract"], 0)
        closed = trades_in_and_out(desk, bridge)
        assert (closed["env"], closed["pnl_points"], closed["pnl_usd"]) == ("LIVE", 2, 50)
