"""LIVE over HTTP: nothing of a simulated market comes along, and a proposal is taken, filled and exited there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.routes.test_proposals_api import SERVICE, Program, clicks, opened
from tests.support.desk_process import PATIENCE_SECONDS, QUICK, BridgeCaller, DeskProcess, OperatorCaller, eventually

pytestmark = pytest.mark.processes

BEAT = {
    "tsConnected": True,
    "mdConnected": True,
    "repoOk": True,
    "account": "LIVE-1",
    "tradeRoute": "RITHMIC",
    "envs": ["DEMO", "LIVE"],
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path, **QUICK).trades_at_any_hour() as running:
        yield running


def beats(desk: DeskProcess) -> BridgeCaller:
    bridge = desk.bridge()
    assert bridge.post("/api/bridge/heartbeat", json=BEAT).status_code == 200
    return bridge


def switches(operator: OperatorCaller, env: str) -> tuple[int, str | None]:
    answer = operator.post("/api/env", json={"env": env})
    return answer.status_code, answer.json().get("code")


def tells_balance(bridge: BridgeCaller) -> None:
    told = {
        "realized": 0,
        "unrealized": 0,
        "symbols": [{"symbol": "MESM4", "position": 0}],
        "accountBalance": 50_000,
        "account": "LIVE-1",
        "env": "LIVE",
        "stops": [],
    }
    assert bridge.post("/api/rithmic/pnl-snapshot", json=told).status_code == 200


def exits(desk: DeskProcess, trade: str | None) -> tuple[int, str | None]:
    asked = {"asset": "ES", "force": True, **({} if trade is None else {"trade": trade})}
    answer = requests.post(f"{desk.url}/api/exit", json=asked, headers=SERVICE, timeout=PATIENCE_SECONDS)
    return answer.status_code, answer.json().get("code")


def takes_in_live(desk: DeskProcess, operator: OperatorCaller) -> dict[str, Any]:
    """Propose and click until the ladder lets it through: the candle before may have been used."""

    def order() -> dict[str, Any] | None:
        beats(desk)
        desk.tradingview().opens_the_ladder()
        answer = clicks(operator, opened(Program(desk, SERVICE).proposes()))
        if answer.status_code != 201:
            return None
        taken: dict[str, Any] = answer.json()["order"]
        return taken

    made: dict[str, Any] = eventually(order)
    return made


def test_a_simulated_price_is_not_taken_along_into_live(desk: DeskProcess) -> None:
    operator, alerts = desk.operator(), desk.tradingview()
    beats(desk)
    assert alerts.heartbeat(5250.25, source="simulated").status_code == 200
    assert alerts.sends("/tv_heartbeat").status_code == 200  # a real one, without a price
    before = operator.asset()
    assert (before["last_price"], before["simulated"]) == (5250.25, True)
    assert switches(operator, "LIVE") == (200, None)
    after = operator.asset()
    assert (after["last_price"], after["simulated"]) == (None, False)
    assert alerts.heartbeat(5310.25).status_code == 200
    assert (operator.asset()["last_price"], operator.asset()["suspect_price"]) == (5310.25, None)


def test_a_proposal_is_taken_and_exited_in_live_and_one_of_demo_is_not(desk: DeskProcess) -> None:
    operator, program = desk.operator(), Program(desk, SERVICE)
    bridge = beats(desk)
    desk.tradingview().opens_the_ladder()
    of_demo = opened(program.proposes())
    assert switches(operator, "LIVE") == (200, None)
    [ended] = program.shows(status="all")
    assert (ended["status"], ended["why"], ended["env"]) == ("WITHDRAWN", "env_switched", "DEMO")
    assert clicks(operator, of_demo).json()["code"] == "proposal_over"
    no_balance = clicks(operator, opened(program.proposes()))
    assert (no_balance.status_code, [one["gate"] for one in program.shows(status="all")]) == (409, ["account", None])
    tells_balance(bridge)
    order = takes_in_live(desk, operator)
    assert (order["env"], order["asset"]) == ("LIVE", "ES")
    assert [one["id"] for one in bridge.claims()] == [order["id"]]
    assert exits(desk, None) == (409, "nothing_to_exit")
    assert bridge.reports(order["id"], "FILLED", fill_price=5250.25, qty=order["qty"]).status_code == 200
    trade = operator.asset()["trade"]["id"]
    assert exits(desk, "another") == (409, "other_trade")
    assert exits(desk, trade) == (200, None)
    assert switches(operator, "DEMO")[0] == 409
    [leaving] = operator.state()["orders"]
    assert bridge.fills(leaving, 5250.25).status_code == 200
    assert exits(desk, trade) == (409, "nothing_to_exit")
    [closed] = operator.get("/api/journal/trades").json()["trades"]
    assert (closed["env"], closed["forced_exit"], closed["exit_by"]) == ("LIVE", True, "service")
    fills = operator.get("/api/portfolio/history").json()["fills"]
    assert {(one["account"], one["env"]) for one in fills} == {("LIVE-1", "LIVE")}
    assert switches(operator, "DEMO") == (200, None)
