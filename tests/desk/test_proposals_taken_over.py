"""An open proposal when another web takes the desk over: it is the same one, with the same keys, ends and trace."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest
import requests

from services.history.replay import replay_store
from services.ops.config import Config
from services.ops.opening import open_store
from tests.desk.test_standby import role_of, two_webs
from tests.routes.test_proposals_api import SERVICE, Program, body, clicks, opened
from tests.support.desk_process import PATIENCE_SECONDS, QUICK, DeskProcess, OperatorCaller, eventually

pytestmark = pytest.mark.processes

NOTED = {"symbol": "NQ", "side": "long", "qty": 1, "avg_price": 20_000, "account": "X"}
NOTES = "/api/portfolio/positions"


@pytest.fixture(params=["sqlite", "firestore"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Where two webs meet: the settings that name the store."""
    if request.param == "sqlite":
        return {"SQLITE_PATH": str(tmp_path / "shared.sqlite")}
    host = request.getfixturevalue("firestore_host")
    project = f"proposals-{secrets.token_hex(4)}"
    return {"STORE": "firestore", "GOOGLE_CLOUD_PROJECT": project, "FIRESTORE_EMULATOR_HOST": host}


def takes_over(first: DeskProcess, operator: OperatorCaller) -> None:
    """Kill the web that holds the desk, and wait until the operator's own web holds it."""
    first.kill()
    eventually(lambda: role_of(operator) == "writer")


def proposes_again(desk: DeskProcess, row: dict[str, Any], key: str) -> requests.Response:
    """Send again what was proposed, to the letter."""
    same = {**body(), "source": "auto", "valid_until": row["valid_until"]}
    headers = {**SERVICE, "Idempotency-Key": key}
    return requests.post(f"{desk.url}/api/proposals", json=same, headers=headers, timeout=PATIENCE_SECONDS)


def exits_by_service(desk: DeskProcess, trade: str) -> requests.Response:
    asked = {"asset": "ES", "force": True, "trade": trade}
    return requests.post(f"{desk.url}/api/exit", json=asked, headers=SERVICE, timeout=PATIENCE_SECONDS)


def code_of(answer: requests.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code")


def replays_equal(desk: DeskProcess) -> bool:
    store = open_store(Config.from_env(desk.settings))
    try:
        replay = replay_store(store)
    finally:
        store.close()
    assert replay.is_equal, replay.sentences
    return replay.rows > 0


def test_an_open_proposal_is_the_same_one_under_the_next_web(tmp_path: Path, place: dict[str, str]) -> None:
    with two_webs(tmp_path, place) as (first, second):
        first.tradingview().opens_the_ladder()
        key = secrets.token_hex()
        row = opened(proposes_again(first, {"valid_until": body()["valid_until"]}, key))
        operator, program = second.operator(), Program(second, SERVICE)
        assert first.operator().post(NOTES, json=NOTED, headers={"Idempotency-Key": key}).status_code == 201
        eventually(lambda: operator.asset()["proposal"] == row)
        dismiss = f"/api/proposals/{row['id']}/dismiss"
        on_standby = (program.proposes(), clicks(operator, row), program.withdraws(row), operator.post(dismiss))
        assert {code_of(answer) for answer in on_standby} == {(503, "standby")}
        takes_over(first, operator)
        assert program.shows() == [row]
        again = proposes_again(second, row, key)
        assert (again.status_code, again.json()["proposal"]["id"]) == (201, row["id"])
        assert code_of(program.proposes()) == (409, "proposal_open")
        taken = clicks(operator, row)
        assert taken.status_code == 201, taken.text
        assert clicks(operator, row).json()["order"]["id"] == taken.json()["order"]["id"]
        assert [one["id"] for one in operator.state()["orders"]] == [taken.json()["order"]["id"]]
        [ended] = program.shows(status="all")
        assert (ended["status"], ended["order_id"]) == ("TAKEN", taken.json()["order"]["id"])
        noted = operator.post(NOTES, json=NOTED, headers={"Idempotency-Key": key})
        assert noted.status_code == 201
        held = operator.get("/api/portfolio").json()["positions"]
        assert [one["id"] for one in held if one["source"] == "manual"] == [noted.json()["position"]["id"]]
        second.terminate()
        assert replays_equal(second)


def test_a_programs_exit_that_is_pending_stays_its_own_under_the_next_web(tmp_path: Path) -> None:
    with two_webs(tmp_path, {"SQLITE_PATH": str(tmp_path / "shared.sqlite")}) as (first, second):
        first.tradingview().opens_the_ladder()
        order = first.operator().enters_when_the_candle_allows("ES", direction="BUY")
        first.bridge().fills(order, 5250.25)
        trade = first.operator().asset()["trade"]["id"]
        assert exits_by_service(first, trade).status_code == 200
        operator = second.operator()
        takes_over(first, operator)
        assert exits_by_service(second, trade).json()["already_pending"] is True
        [leaving] = operator.state()["orders"]
        assert (leaving["kind"], leaving["by"]) == ("EXIT", "service")
        assert second.bridge().fills(leaving, 5250.25).status_code == 200
        [closed] = operator.get("/api/journal/trades").json()["trades"]
        assert (closed["forced_exit"], closed["exit_by"]) == (True, "service")
        assert code_of(exits_by_service(second, trade)) == (409, "nothing_to_exit")
        second.terminate()
        assert replays_equal(second)


def test_the_trace_of_a_proposal_goes_on_under_the_next_web(tmp_path: Path) -> None:
    with two_webs(tmp_path, {"SQLITE_PATH": str(tmp_path / "shared.sqlite")}) as (first, second):
        first.tradingview().opens_the_ladder()
        row = opened(Program(first, SERVICE).proposes())
        operator, alerts = second.operator(), second.tradingview()
        eventually(lambda: operator.asset()["proposal"] == row)
        takes_over(first, operator)
        for price in (5245, 5240):
            assert alerts.heartbeat(price).status_code == 200
        assert alerts.brick(6, "red").status_code == 200  # prices are kept with the next decision
        assert operator.post(f"/api/proposals/{row['id']}/dismiss").status_code == 200
        [told] = operator.get("/api/journal/proposals").json()["proposals"]
        assert (told["proposal"]["status"], told["price"]) == ("DISMISSED", 5250.25)
        assert (told["outcome"], told["points"], told["unfollowed"]) == ("stop", -10, None)


def test_a_next_web_of_other_settings_withdraws_what_it_does_not_trade(tmp_path: Path) -> None:
    place = {**QUICK, "SQLITE_PATH": str(tmp_path / "shared.sqlite")}
    other = {"ASSETS": "ES", "CONTRACTS": "ES=MESU4", "STOP_POINTS": "8"}
    with DeskProcess(tmp_path / "one", **place) as first, DeskProcess(tmp_path / "two", **place, **other) as second:
        for asset in ("ES", "NQ"):
            first.tradingview().opens_the_ladder(asset)
        es = opened(Program(first, SERVICE).proposes())
        opened(Program(first, SERVICE).proposes("NQ", entry=20_000, stop=19_960, target=None))
        operator, program = second.operator(), Program(second, SERVICE)
        eventually(lambda: operator.asset()["proposal"] == es)
        takes_over(first, operator)
        assert sorted((one["asset"], one["status"], one["why"]) for one in program.shows(status="all")) == [
            ("ES", "WITHDRAWN", "contract_changed"),
            ("NQ", "WITHDRAWN", "asset_gone"),
        ]
        assert code_of(clicks(operator, es)) == (409, "proposal_over")
        assert code_of(program.proposes(stop=5240.25)) == (409, "stop_too_wide")
        assert opened(program.proposes(stop=5242.25))["contract"] == "MESU4"
