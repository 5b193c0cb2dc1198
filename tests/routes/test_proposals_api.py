"""A program proposes over real HTTP, the operator clicks; a program beside the desk may close by force (SPEC 4)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from services.projections.followed_proposals import FOLLOWED_OF_A_SOURCE
from tests.support.desk_process import (
    PASSWORD,
    PATIENCE_SECONDS,
    QUICK,
    SERVICE_SECRET,
    DeskProcess,
    OperatorCaller,
    error_of,
    eventually,
)
from tests.support.url_map import app_routes, methods_of
from wire.keys import SERVICE_HEADER

pytestmark = pytest.mark.processes

SERVICE = {SERVICE_HEADER: SERVICE_SECRET}
SIZE = ("quantity", "stop_points", "risk_usd", "desk_stop_points", "desk_risk_usd")


class Program:
    """A program that proposes: beside the desk with the service secret, or elsewhere with a key."""

    def __init__(self, desk: DeskProcess, headers: dict[str, str], source: str = "auto") -> None:
        self._desk = desk
        self._headers = headers
        self.source = source

    def asks(self, method: str, path: str, key: str | None = None, **more: Any) -> requests.Response:
        headers = {**self._headers, **({} if key is None else {"Idempotency-Key": key})}
        return requests.request(method, self._desk.url + path, headers=headers, timeout=PATIENCE_SECONDS, **more)

    def proposes(self, asset: str = "ES", key: str | None = None, **more: Any) -> requests.Response:
        return self.asks("POST", "/api/proposals", key, json=body(asset, source=self.source, **more))

    def withdraws(self, proposal: dict[str, Any], source: str | None = None) -> requests.Response:
        return self.asks("DELETE", f"/api/proposals/{proposal['id']}", params={"source": source or self.source})

    def shows(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.asks("GET", "/api/proposals", params=query)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["proposals"]
        return rows


def body(asset: str = "ES", valid_for: float = 600, **more: Any) -> dict[str, Any]:
    until = datetime.now(UTC) + timedelta(seconds=valid_for)
    return {
        "asset": asset,
        "direction": "BUY",
        "entry": 5250.25,
        "stop": 5240.25,
        "target": 5270.25,
        "valid_until": until.isoformat(),
        "reason": "range break",
        **more,
    }


def clicks(operator: OperatorCaller, proposal: dict[str, Any], **more: Any) -> requests.Response:
    """Click as the page does."""
    terms = {"direction": proposal["direction"], "trade_mode": "SCALP", **more}
    return operator.enters(proposal["asset"], key=f"proposal-{proposal['id']}", **terms)


def opened(answer: requests.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    row: dict[str, Any] = answer.json()["proposal"]
    return row


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("proposals"), **QUICK) as desk:
        desk.tradingview().opens_the_ladder()
        yield desk


@pytest.fixture
def operator(desk: DeskProcess) -> OperatorCaller:
    return desk.operator()


@pytest.fixture
def program(desk: DeskProcess) -> Iterator[Program]:
    """A program whose proposals do not outlive the test."""
    program = Program(desk, SERVICE)
    yield program
    for row in program.shows():
        desk.operator().post(f"/api/proposals/{row['id']}/dismiss")


def keyed(operator: OperatorCaller, desk: DeskProcess, *scopes: str) -> Program:
    made = operator.post("/api/keys", json={"name": "a program", "scopes": list(scopes), "password": PASSWORD})
    assert made.status_code == 201, made.text
    return Program(desk, {"Authorization": f"Bearer {made.json()['token']}"})


# -- opening and showing --------------------------------------------------------------------------------------


def test_a_proposal_is_shown_with_both_risks(operator: OperatorCaller, program: Program) -> None:
    row = opened(program.proposes())
    assert [row[name] for name in SIZE] == [5, 10, 250, 15, 375]  # 5 MES, 5 USD a point; at the broker rests the desk's
    assert (row["contract"], row["status"], row["source"], row["proposer"]) == ("MESM4", "OPEN", "auto", "service")
    assert operator.asset()["proposal"] == row
    assert program.shows() == [row]
    assert operator.get("/api/proposals").json()["proposals"] == [row]


def test_stream_and_events_tell_of_it(operator: OperatorCaller, program: Program) -> None:
    row = opened(program.proposes())
    assert program.withdraws(row).status_code == 200
    told = operator.get("/api/events", params={"types": "ProposalOpened,ProposalEnded"}).json()["events"]
    of_this = [event for event in told if event["data"]["proposal"] == row["id"]]
    assert [(event["type"], event["asset"]) for event in of_this] == [("ProposalOpened", "ES"), ("ProposalEnded", "ES")]
    assert (of_this[0]["data"]["stop"], of_this[1]["data"]["why"]) == (5240.25, "proposer")


def test_a_reason_that_hides_or_overlaps_what_stands_beside_it_is_refused(program: Program) -> None:
    for reason in ("a" + "\u0323" * 4, "\u3164", "x\u115f", "x\ufe0f", "ok\u034f", "\u0958" * 200):
        answer = program.proposes(reason=reason)
        assert (answer.status_code, answer.json()["code"]) == (400, "request_invalid"), reason
        assert answer.json()["error"].startswith("reason")
    assert program.shows() == []
    row = opened(program.proposes(reason="re\u0301sume\u0301 हिन्दी ไม่"))
    assert row["reason"] == "r\u00e9sum\u00e9 हिन्दी ไม่"


def test_the_same_key_answers_the_first_result_again(program: Program) -> None:
    asked = body(source="auto")
    first = program.asks("POST", "/api/proposals", "k1", json=asked)
    again = program.asks("POST", "/api/proposals", "k1", json=asked)
    assert opened(again) == opened(first)
    assert len(program.shows()) == 1
    assert program.asks("POST", "/api/proposals", "k1", json={**asked, "stop": 5245}).status_code == 422


def test_one_is_open_for_an_asset(program: Program) -> None:
    row = opened(program.proposes())
    refused = program.proposes()
    assert refused.status_code == 409
    assert refused.json()["code"] == "proposal_open"
    assert refused.json()["facts"]["proposal"] == row["id"]
    assert refused.json()["facts"]["valid_until"]


@pytest.mark.parametrize(
    ("more", "status", "code", "field"),
    [
        ({"entry": 5250.1}, 400, "proposal_invalid", "entry"),
        ({"stop": 5260.25}, 400, "proposal_invalid", "stop"),
        ({"target": 5250.25}, 400, "proposal_invalid", "target"),
        ({"valid_for": -1}, 400, "proposal_invalid", "valid_until"),
        ({"valid_for": 15_000}, 400, "proposal_invalid", "valid_until"),
        ({"valid_until": "2030-01-01T00:00:00"}, 400, "request_invalid", "valid_until"),
        ({"valid_until": None}, 400, "request_invalid", "valid_until"),
        ({"source": "Auto Trader"}, 400, "request_invalid", "source"),
        ({"source": "x" * 41}, 400, "request_invalid", "source"),
        ({"reason": ""}, 400, "request_invalid", "reason"),
        ({"reason": "x" * 301}, 400, "request_invalid", "reason"),
        ({"reason": "two\nlines"}, 400, "request_invalid", "reason"),
        ({"reason": "\u202etxet"}, 400, "request_invalid", "reason"),
        ({"direction": "LONG"}, 400, "request_invalid", "direction"),
        ({"entry": "5250.25x"}, 400, "request_invalid", "entry"),
        ({"quantity": 500}, 400, "request_invalid", "quantity"),
        ({"asset": "CL"}, 400, "unknown_asset", None),
        ({"stop": 5235}, 409, "stop_too_wide", None),
    ],
)
def test_what_cannot_be_proposed_is_told_by_its_field(
    program: Program, more: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    refused = program.asks("POST", "/api/proposals", json=body(**{"source": "auto", **more}))
    assert (refused.status_code, refused.json()["code"], refused.json().get("field")) == (status, code, field)
    assert program.shows() == []


# -- who may --------------------------------------------------------------------------------------------------


def test_the_operator_does_not_propose_and_a_stranger_sees_nothing(desk: DeskProcess, operator: OperatorCaller) -> None:
    assert operator.post("/api/proposals", json=body(source="auto")).status_code == 401
    for path in ("/api/proposals", "/api/journal/proposals"):
        assert desk.stranger().get(path).status_code == 401
    assert desk.stranger().post("/api/proposals", json=body(source="auto")).status_code == 401


def test_a_key_proposes_and_withdraws_what_keys_have_proposed(
    desk: DeskProcess, operator: OperatorCaller, program: Program
) -> None:
    keys = keyed(operator, desk, "agent:trade")
    row = opened(keys.proposes())
    assert row["proposer"] == "key"
    assert keys.shows() == [row]
    assert program.withdraws(row).json()["code"] == "proposal_other"  # the same source, another kind of caller
    assert keys.withdraws(row, "other").json()["code"] == "proposal_other"
    assert keys.withdraws(row).status_code == 200
    assert keys.withdraws(row).json()["code"] == "proposal_over"


def test_a_key_that_renames_itself_is_followed_as_one_source(
    operator: OperatorCaller, desk: DeskProcess, program: Program
) -> None:
    desk.tradingview().heartbeat()
    keys = keyed(operator, desk, "agent:trade")
    for number in range(FOLLOWED_OF_A_SOURCE + 1):
        keys.source = f"a{number}"
        assert keys.withdraws(opened(keys.proposes())).status_code == 200
    newest = operator.get("/api/journal/proposals").json()["proposals"][0]
    assert (newest["proposal"]["source"], newest["unfollowed"]) == (f"a{FOLLOWED_OF_A_SOURCE}", "not_followed")


def test_a_key_takes_no_proposal_and_dismisses_none(
    desk: DeskProcess, operator: OperatorCaller, program: Program
) -> None:
    keys = keyed(operator, desk, "agent:trade", "state:read")
    row = opened(program.proposes())
    order = {"asset": "ES", "direction": "BUY", "trade_mode": "SCALP"}
    assert keys.asks("POST", "/api/orders", f"proposal-{row['id']}", json=order).status_code == 403
    assert keys.asks("POST", f"/api/proposals/{row['id']}/dismiss").status_code == 403
    assert program.asks("POST", "/api/orders", f"proposal-{row['id']}", json=order).status_code == 401
    assert program.asks("POST", f"/api/proposals/{row['id']}/dismiss").status_code == 401
    assert program.shows() == [row]


@pytest.mark.parametrize("scope", ["state:read", "signals:read", "mt4:trade", "agent:chat"])
def test_no_other_key_proposes(desk: DeskProcess, operator: OperatorCaller, scope: str) -> None:
    assert keyed(operator, desk, scope).proposes().status_code == 403


# -- the click ------------------------------------------------------------------------------------------------


def test_the_click_is_an_ordinary_order_that_names_the_proposal(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        desk.tradingview().opens_the_ladder()
        operator, program = desk.operator(), Program(desk, SERVICE)
        row = opened(program.proposes())
        taken = clicks(operator, row)
        assert taken.status_code == 201, taken.text
        order = taken.json()["order"]
        assert clicks(operator, row).json()["order"]["id"] == order["id"]  # a second click is the same click
        assert operator.asset()["proposal"] is None
        [ended] = program.shows(status="all")
        assert (ended["id"], ended["status"], ended["order_id"]) == (row["id"], "TAKEN", order["id"])
        assert desk.bridge().fills(order, 5250.25).status_code == 200
        assert operator.asset()["trade"]["stop_points"] == 15  # the desk's own stop rests
        assert clicks(operator, {**row, "id": "none"}).json()["code"] == "proposal_over"


def test_a_refused_click_ends_it_and_is_answered_the_same_again(
    operator: OperatorCaller, desk: DeskProcess, program: Program
) -> None:
    row = opened(program.proposes("NQ", entry=20_000, stop=19_960, target=20_080))
    refused = clicks(operator, row)
    assert (refused.status_code, refused.json()["gate"]) == (409, "heartbeat")
    desk.tradingview().opens_the_ladder("NQ")
    again = clicks(operator, row)
    assert (again.status_code, again.json()["gate"]) == (409, "heartbeat")
    newest = program.shows(status="all", limit=1)[0]
    assert (newest["id"], newest["status"], newest["gate"]) == (row["id"], "REFUSED", "heartbeat")
    [trace] = [
        one for one in operator.get("/api/journal/proposals").json()["proposals"] if one["proposal"]["id"] == row["id"]
    ]
    assert (trace["proposal"]["gate"], trace["outcome"], trace["usd"]) == ("heartbeat", None, None)
    assert trace["unfollowed"] == "no_price"


def test_a_click_on_another_side_or_as_a_pre_order_takes_nothing(operator: OperatorCaller, program: Program) -> None:
    row = opened(program.proposes())
    assert clicks(operator, row, direction="SELL").json()["code"] == "proposal_other"
    preorder = clicks(operator, row, order_type="preorder")
    assert (preorder.status_code, preorder.json()["field"]) == (400, "order_type")
    assert program.shows() == [row]


def test_no_program_uses_up_the_key_of_the_click(operator: OperatorCaller, program: Program) -> None:
    row = opened(program.proposes("NQ", entry=20_000, stop=19_960, target=None))
    assert program.proposes("NQ", key=f"proposal-{row['id']}").json()["code"] == "proposal_open"
    assert program.withdraws(row).status_code == 200
    row = opened(program.proposes("NQ", key=f"proposal-{row['id']}", entry=20_000, stop=19_960, target=None))
    assert clicks(operator, row, direction="SELL").json()["code"] == "proposal_other"


# -- the end --------------------------------------------------------------------------------------------------


def test_it_ends_by_time_although_nobody_asks(operator: OperatorCaller, program: Program) -> None:
    row = opened(program.proposes(valid_for=1))
    eventually(lambda: operator.asset()["proposal"] is None)
    [ended] = [one for one in program.shows(status="all") if one["id"] == row["id"]]
    assert ended["status"] == "EXPIRED"
    assert ended["ended_at"] >= row["valid_until"]


def test_the_operator_puts_it_aside(operator: OperatorCaller, program: Program) -> None:
    row = opened(program.proposes())
    assert operator.post(f"/api/proposals/{row['id']}/dismiss").status_code == 200
    assert operator.post(f"/api/proposals/{row['id']}/dismiss").json()["code"] == "proposal_over"
    assert clicks(operator, row).json()["code"] == "proposal_over"
    assert program.withdraws(row).json()["code"] == "proposal_over"


def test_the_journal_is_asked_by_trading_days(operator: OperatorCaller, program: Program) -> None:
    assert program.withdraws(opened(program.proposes())).status_code == 200
    today = operator.state()["global"]["trading_day"]
    traces = operator.get("/api/journal/proposals", params={"from": today, "to": today, "limit": 1}).json()
    assert traces["proposals"][0]["proposal"]["status"] == "WITHDRAWN"
    assert traces["proposals"][0]["proposal"]["why"] == "proposer"
    before = operator.get("/api/journal/proposals", params={"to": "2020-01-01"}).json()
    assert before["proposals"] == []
    for wrong in ({"from": "yesterday"}, {"since": today}, {"limit": 501}):
        assert operator.get("/api/journal/proposals", params=wrong).status_code == 400


def test_no_other_call_of_the_operator_opens_to_a_program(desk: DeskProcess, program: Program) -> None:
    app = app_routes()
    guards = {
        rule.rule: getattr(app.view_functions[rule.endpoint], "__guard__", "public")
        for rule in app.url_map.iter_rules()
        if "POST" in methods_of(rule)
    }
    assert [path for path, guard in guards.items() if guard == "exit_door"] == ["/api/exit"]
    posted = [path for path, guard in guards.items() if guard == "operator"]
    assert len(posted) > 25
    for path in posted:
        asked = program.asks("POST", re.sub("<.*?>", "nobody", path), json={"asset": "ES", "force": True})
        assert asked.status_code == 401, path


# -- a forced exit of a program ---------------------------------------------------------------------------------


def test_a_program_closes_by_force_and_by_nothing_else(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        desk.tradingview().opens_the_ladder()
        operator, program = desk.operator(), Program(desk, SERVICE)
        order = operator.enters_when_the_candle_allows()
        desk.bridge().claims()
        assert desk.bridge().reports(order["id"], "FILLED", fill_price=5250.25, qty=5).status_code == 200
        held = operator.asset()["trade"]["id"]
        for other in ({"asset": "ES"}, {"asset": "ES", "force": False}, {"asset": "ES", "force": True, "x": 1}):
            assert program.asks("POST", "/api/exit", json=other).status_code == 403
        for wrong in (None, "", "x" * 65, 1, [held]):
            asked = {"asset": "ES", "force": True, "trade": wrong}
            assert program.asks("POST", "/api/exit", json=asked).status_code == 400, wrong
        late = program.asks("POST", "/api/exit", json={"asset": "ES", "force": True, "trade": "the one before"})
        assert (late.status_code, late.json()["code"]) == (409, "other_trade")
        assert operator.state()["orders"] == []
        assert "INITIAL_EXIT_LOCK_ACTIVE" in error_of(operator.post("/api/exit", json={"asset": "ES"}), 409)
        left = program.asks("POST", "/api/exit", json={"asset": "ES", "force": True, "trade": held})
        assert left.status_code == 200, left.text
        assert operator.state()["orders"][0]["by"] == "service"
        queued = operator.get("/api/events", params={"types": "OrderQueued"}).json()["events"][-1]["data"]
        assert (queued["kind"], queued["forced"], queued["by"]) == ("EXIT", True, "service")
        assert desk.bridge().fills(left.json()["order"], 5250).status_code == 200
        closed = operator.state()["history"][0]
        assert (closed["forced_exit"], closed["exit_by"]) == (True, "service")
        day = operator.get("/api/journal/day", params={"day": operator.state()["global"]["trading_day"]}).json()
        assert (day["figures"]["trades"], day["forced_exits"]) == (1, [])
        flat = program.asks("POST", "/api/exit", json={"asset": "ES", "force": True})
        assert (flat.status_code, flat.json()["code"]) == (409, "nothing_to_exit")
