"""``GET /api/v1/explain`` of a real advisor beside a real desk: who may ask, and that it says what the state says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.advisor.agent.second_opinion import Json, closed_gates, faults
from tests.support.advisor_floor import AdvisorProcess
from tests.support.desk_process import PASSWORD, PATIENCE_SECONDS, SERVICE_SECRET, DeskProcess
from tests.support.ports import free_port
from wire.keys import SERVICE_HEADER

pytestmark = pytest.mark.processes
AS_WEB = {SERVICE_HEADER: SERVICE_SECRET}


class Floor:
    """A desk, an advisor, and who asks."""

    def __init__(self, desk: DeskProcess, advisor: AdvisorProcess) -> None:
        self.desk = desk
        self.advisor = advisor
        self.operator = desk.operator()
        self.tradingview = desk.tradingview()

    def explain(self, headers: dict[str, str] | None = None, **asked: str) -> requests.Response:
        url = f"http://127.0.0.1:{self.advisor.agent_port}/api/v1/explain"
        return requests.get(url, params=asked, headers=AS_WEB if headers is None else headers, timeout=PATIENCE_SECONDS)

    def key(self, *scopes: str) -> dict[str, str]:
        asked = {"name": "a reader", "scopes": list(scopes), "password": PASSWORD}
        answer = self.operator.post("/api/keys", json=asked)
        assert answer.ok, answer.text
        return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    folder = tmp_path_factory.mktemp("explain")
    nobody = f"http://127.0.0.1:{free_port()}"
    with (
        DeskProcess(folder / "desk", ENTRY_TTL_SECONDS="600") as desk,
        AdvisorProcess(folder / "advisor", nobody, desk.url) as advisor,
    ):
        yield Floor(desk, advisor)


def test_a_desk_that_has_heard_nothing_says_what_it_waits_for(floor: Floor) -> None:
    answer = floor.explain(about="block", asset="ES", direction="BUY")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    state = floor.operator.state()
    closed = [gate.name for gate in closed_gates(state, state["assets"]["ES"], "BUY")]
    assert [s["facts"]["gate"] for s in answer.json()["statements"] if s["code"] == "gate_closed"] == closed
    assert {"heartbeat", "tempo", "zone"} <= set(closed)


def test_an_order_that_waits_is_explained_as_the_state_has_it(floor: Floor) -> None:
    floor.tradingview.opens_the_ladder("ES", "green")
    assert floor.explain(about="block", asset="ES", direction="BUY").json()["statements"][0]["code"] == "open"
    enters_once(floor)
    explained: Json = floor.explain(about="block", asset="CME_MINI:ES1!", direction="BUY").json()
    record: Json = {"asset": "ES", "direction": "BUY", "state": state_at(floor, explained)}
    assert faults(record, explained) == []


def enters_once(floor: Floor) -> None:
    """Have an entry that waits for a bridge, the one of another story of this desk where there is one."""
    if floor.operator.state()["assets"]["ES"]["pending_order_id"] is None:
        floor.tradingview.opens_the_ladder("ES", "green")
        assert floor.operator.enters("ES", direction="BUY").status_code == 201


def state_at(floor: Floor, explained: Json) -> Json:
    """Return the desk's state, with the countdowns of the moment that was explained: time alone went on since."""
    state = floor.operator.state()
    told = {gate["gate"]: gate for gate in explained["tools"][0]["result"]["entries"][0]["closed"]}
    state["now"] = explained["as_of"]
    for rung in state["assets"]["ES"]["ladder"]:
        if rung["retry_after_s"] is not None:
            assert 0 <= told[rung["gate"]]["retry_after_s"] - rung["retry_after_s"] <= PATIENCE_SECONDS
            rung["retry_after_s"] = told[rung["gate"]]["retry_after_s"]
    return state


def test_a_trade_that_was_forced_out_is_told_as_the_bridge_reported_it(floor: Floor) -> None:
    bridge = floor.desk.bridge()
    enters_once(floor)
    (entry,) = bridge.claims()
    bridge.fills(entry, 5250.00)
    locked = floor.explain(about="block", asset="ES", direction="BUY").json()
    assert "must be forced" in next(s["text"] for s in locked["statements"] if s["code"] == "exits_pass")
    assert floor.operator.post("/api/exit", json={"asset": "ES"}).status_code == 409
    assert floor.operator.post("/api/exit", json={"asset": "ES", "force": True}).ok
    (way_out,) = bridge.claims()
    bridge.fills(way_out, 5256.25)
    said = {s["code"]: s for s in floor.explain(about="day").json()["statements"]}
    made = 6.25 * entry["qty"] * 5
    assert said["day_result"]["facts"]["result_usd"] == made
    assert (said["day_result"]["facts"]["result_points"], said["day_result"]["n"]) == (6.25, 1)
    assert said["forced_exits"]["facts"] == {"forced_exits": 1}
    assert said["exits_locked"]["facts"] == {"locked_exits": 1}
    assert said["trades_left"]["facts"]["trades_left"] == 5


def test_a_day_and_the_coach_answer_too(floor: Floor) -> None:
    floor.operator.enters("ES", direction="SELL")
    floor.operator.enters("NQ")
    day: Json = floor.explain(about="day").json()
    refused = next(s for s in day["statements"] if s["code"] == "refused")
    journal = floor.operator.get("/api/journal/day").json()["blocked_by_gate"]
    entries = {gate: count for gate, count in journal.items() if gate != "initial_exit_lock"}
    assert {f"by_{gate}": count for gate, count in entries.items()}.items() <= refused["facts"].items()
    assert refused["n"] == sum(entries.values()) == 2
    assert [result["tool"] for result in day["tools"]] == ["day_review", "blocked_attempts", "what_if_day"]
    coach: Json = floor.explain(about="coach").json()
    assert coach["statements"][0]["code"] == "too_few_trades"
    assert "all" in coach["silent"]


def test_a_key_with_the_scope_opens_it_and_nothing_else_does(floor: Floor) -> None:
    assert floor.explain(floor.key("agent:chat"), about="block").status_code == 200
    assert floor.explain(floor.key("state:read"), about="block").status_code == 403
    assert floor.explain({"Authorization": "Bearer lk_nobody"}, about="block").status_code == 401
    assert floor.explain({}, about="block").status_code == 401
    assert floor.explain({SERVICE_HEADER: "another secret"}, about="block").status_code == 401


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({}, 400, "invalid_parameter"),
        ({"about": "news"}, 400, "invalid_parameter"),
        ({"about": "block", "direction": "LONG"}, 400, "invalid_parameter"),
        ({"about": "block", "direction": ""}, 400, "invalid_parameter"),
        ({"about": "block", "assets": "ES"}, 400, "invalid_parameter"),
        ({"about": "block", "asset": "DOGE"}, 404, "unknown_symbol"),
        ({"about": "day", "day": "yesterday"}, 400, "invalid_parameter"),
        ({"about": "day", "day": "2026-02-30"}, 400, "invalid_parameter"),
        ({"about": "day", "day": "2099-01-01"}, 400, "invalid_parameter"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_reason(
    floor: Floor, asked: dict[str, str], status: int, code: str
) -> None:
    answer = floor.explain(AS_WEB, **asked)
    assert (answer.status_code, answer.json()["error"]) == (status, code), answer.text
    assert set(answer.json()) == {"error", "detail", "timestamp"}


def test_without_the_desk_it_says_web_away(tmp_path: Any) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with AdvisorProcess(tmp_path, nobody, nobody) as advisor:
        url = f"http://127.0.0.1:{advisor.agent_port}/api/v1/explain?about=block"
        answer = requests.get(url, headers=AS_WEB, timeout=PATIENCE_SECONDS)
    assert (answer.status_code, answer.json()["error"]) == (503, "web_away")
