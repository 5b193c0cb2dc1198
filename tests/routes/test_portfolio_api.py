"""The portfolio over real HTTP: what is held, what was noted, how it went, and what MT4 says or does not say."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from services.portfolio.mt4 import DEALS_PATH, POSITIONS_PATH, STATUS_PATH
from services.projections.equity import PnlDay, PnlSample
from services.stores.records import text_of
from tests.support.advisor_stand_in import AdvisorStandIn, advisor, refusal
from tests.support.api_document import documented
from tests.support.desk_process import (
    PASSWORD,
    QUICK,
    SERVICE_SECRET,
    DeskProcess,
    OperatorCaller,
    closing_connection,
    error_of,
    eventually,
)
from tests.support.feeds_stand_in import http

pytestmark = pytest.mark.processes

PORTFOLIO = "/api/portfolio"
NOTES = "/api/portfolio/positions"
HISTORY = "/api/portfolio/history"
ELSEWHERE = {"symbol": "MESM4", "side": "long", "qty": 2, "avg_price": 5240.5, "account": "elsewhere"}
MES_POINT = 5
ACCOUNT = {"id": "paper-1", "equity": None, "currency": "USD", "real": False, "kind": "paper"}  # nothing to sample
HELD = {
    "id": "pos123",
    "symbol": "EURUSD",
    "type": "BUY",
    "volume": 0.1,
    "open_price": 1.1,
    "current_price": 1.105,
    "stop_loss": 1.095,
    "profit": 50.0,
    "open_time": "2026-11-17T10:00:00Z",
}


def says(program: AdvisorStandIn, *positions: dict[str, Any], connected: bool = True) -> None:
    """Let MT4 answer in the contract's form."""
    status = {"connected": connected, "account": ACCOUNT if connected else None, "route": "paper"}
    held = {"success": True, "positions": positions, "account": "paper-1", "kind": "paper"}
    program.says[DEALS_PATH.partition("?")[0]] = refusal("not_available", "nothing is connected", "503 Unavailable")
    program.says[STATUS_PATH] = http(msgspec.json.encode(status))
    program.says[POSITIONS_PATH] = http(msgspec.json.encode(held))


@pytest.fixture(scope="module")
def program() -> Iterator[AdvisorStandIn]:
    with advisor() as running:
        says(running, connected=False)
        yield running


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, program: AdvisorStandIn) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("portfolio"), **QUICK, AGENT_URL=program.url) as desk:
        yield desk


@pytest.fixture(scope="module")
def operator(desk: DeskProcess) -> OperatorCaller:
    return desk.operator()


@pytest.fixture(autouse=True)
def mt4_is_not_connected(program: AdvisorStandIn) -> None:
    says(program, connected=False)


def held(operator: OperatorCaller) -> dict[str, Any]:
    answer = documented(operator.get(PORTFOLIO))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    body: dict[str, Any] = answer.json()
    return body


def notes(operator: OperatorCaller, key: str | None = None, **body: Any) -> dict[str, Any]:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = documented(operator.post(NOTES, json={**ELSEWHERE, **body}, headers=headers))
    assert answer.status_code == 201, answer.text
    position: dict[str, Any] = answer.json()["position"]
    return position


def source(operator: OperatorCaller, name: str) -> list[dict[str, Any]]:
    return [one for one in held(operator)["positions"] if one["source"] == name]


@pytest.fixture
def no_notes(operator: OperatorCaller) -> Iterator[None]:
    """Leave no external position behind."""
    yield
    for one in source(operator, "manual"):
        assert operator.delete(f"{NOTES}/{one['id']}").status_code == 200


# -- external positions ---------------------------------------------------------------------------------------------


def test_an_external_position_is_noted_valued_and_taken_out(
    desk: DeskProcess, operator: OperatorCaller, no_notes: None
) -> None:
    desk.tradingview().heartbeat(5250.25)
    position = notes(operator, note="swing")
    assert (position["symbol"], position["contract"], position["point_value"]) == ("ES", "MESM4", MES_POINT)
    assert (position["value_usd"], position["open_pnl_usd"]) == (2 * 5250.25 * MES_POINT, 97.5)
    assert (position["account"], position["env"], position["note"]) == ("elsewhere", None, "swing")
    whole = held(operator)
    assert whole["positions"] == [{**position, "price_ts": whole["positions"][0]["price_ts"]}]
    assert (whole["totals"]["positions"], whole["totals"]["open_pnl_usd"]) == (1, 97.5)
    gone = documented(operator.delete(f"{NOTES}/{position['id']}"))
    assert (gone.status_code, held(operator)["positions"]) == (200, [])
    assert documented(operator.delete(f"{NOTES}/{position['id']}")).status_code == 404
    changes = documented(operator.get(HISTORY)).json()["external"]
    assert [change["change"] for change in changes if change["id"] == position["id"]] == ["added", "removed"]


def test_the_same_key_notes_it_once(operator: OperatorCaller, no_notes: None) -> None:
    key = uuid.uuid4().hex
    assert notes(operator, key)["id"] == notes(operator, key)["id"]
    assert len(source(operator, "manual")) == 1
    again = operator.post(NOTES, json={**ELSEWHERE, "qty": 3}, headers={"Idempotency-Key": key})
    assert documented(again).json()["code"] == "key_reused"
    assert source(operator, "manual")[0]["qty"] == 2


def test_the_key_of_a_position_that_was_taken_out_notes_none(operator: OperatorCaller, no_notes: None) -> None:
    key = uuid.uuid4().hex
    assert operator.delete(f"{NOTES}/{notes(operator, key)['id']}").status_code == 200
    again = operator.post(NOTES, json=ELSEWHERE, headers={"Idempotency-Key": key})
    assert (documented(again).status_code, again.json()["code"]) == (409, "taken_out")
    other = operator.post(NOTES, json={**ELSEWHERE, "qty": 3}, headers={"Idempotency-Key": key})
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert source(operator, "manual") == []


def test_of_several_bodies_that_come_at_once_with_one_key_one_is_noted(
    desk: DeskProcess, operator: OperatorCaller, no_notes: None
) -> None:
    callers = [desk.operator() for _ in range(6)]
    together = threading.Barrier(len(callers))

    def note(number: int, key: str) -> requests.Response:
        together.wait()
        body = {**ELSEWHERE, "account": f"A{number}"}
        return callers[number].post(NOTES, json=body, headers={"Idempotency-Key": key})

    for _ in range(3):
        keys = [uuid.uuid4().hex] * len(callers)
        with ThreadPoolExecutor(len(callers)) as pool:
            answers = list(pool.map(note, range(len(callers)), keys))
        assert sorted(answer.status_code for answer in answers) == [201] + [422] * (len(callers) - 1)
        [noted] = [answer.json()["position"] for answer in answers if answer.status_code == 201]
        assert [one["account"] for one in source(operator, "manual")] == [noted["account"]]
        assert operator.delete(f"{NOTES}/{noted['id']}").status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("symbol", "AAPL"),
        ("symbol", ""),
        ("symbol", 7),
        ("symbol", None),
        ("side", "BUY"),
        ("side", None),
        ("qty", 0),
        ("qty", -1),
        ("qty", 1.5),
        ("qty", 1_000_001),
        ("qty", "many"),
        ("qty", None),
        ("avg_price", 0),
        ("avg_price", -5),
        ("avg_price", 1e12),
        ("avg_price", None),
        ("account", ""),
        ("account", " "),
        ("account", "a" * 65),
        ("account", "a\nb"),
        ("note", "n" * 301),
        ("stop", 5200),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(operator: OperatorCaller, field: str, value: Any) -> None:
    answer = documented(operator.post(NOTES, json={**ELSEWHERE, field: value}))
    assert error_of(answer, 400)
    assert answer.json()["field"] == field
    assert source(operator, "manual") == []


def test_a_part_of_a_lot_can_be_held_of_a_pair(operator: OperatorCaller, no_notes: None) -> None:
    position = notes(operator, symbol="EURUSD", qty=0.5, avg_price=1.1)
    assert (position["qty"], position["value_usd"], position["price_code"]) == (0.5, None, "not_on_desk")
    totals = held(operator)["totals"]
    assert (totals["value_usd"], totals["open_pnl_usd"], totals["unpriced"]) == (None, None, 1)


def test_only_the_operator_notes_and_others_may_read(desk: DeskProcess, operator: OperatorCaller) -> None:
    made = operator.post("/api/keys", json={"name": "wall", "scopes": ["state:read"], "password": PASSWORD}).json()
    stranger = desk.stranger()
    by_key, by_secret = {"X-API-Key": made["token"]}, {"X-Service-Secret": SERVICE_SECRET}
    assert stranger.get(PORTFOLIO).status_code == stranger.get(HISTORY).status_code == 401
    for headers in (by_key, by_secret):
        assert stranger.get(PORTFOLIO, headers=headers).status_code == 200
        assert stranger.get(HISTORY, headers=headers).status_code == 200
        assert stranger.post(NOTES, json=ELSEWHERE, headers=headers).status_code in (401, 403)
        assert stranger.delete(f"{NOTES}/ext-1", headers=headers).status_code in (401, 403)
    foreign = operator.post(NOTES, json=ELSEWHERE, headers={"Origin": "http://evil.test"})
    assert foreign.status_code == 403
    assert source(operator, "manual") == []


# -- the desk and its journal ---------------------------------------------------------------------------------------


def test_what_the_bridge_reports_cannot_be_noted_or_taken_out(desk: DeskProcess, operator: OperatorCaller) -> None:
    """And the whole is the sum of its accounts and the journal, while a trade is open and after it."""
    alerts, bridge = desk.tradingview(), desk.bridge()
    bridge.snapshots(50_000)
    before = notes(operator, account=None)
    alerts.opens_the_ladder()
    bridge.fills(operator.enters_when_the_candle_allows(), 5250)
    alerts.heartbeat(5251.25)
    (trade,) = source(operator, "desk")
    assert (trade["open_pnl_usd"], trade["value_usd"]) == (31.25, 5 * 5251.25 * MES_POINT)
    for answer in (
        operator.post(NOTES, json={**ELSEWHERE, "account": None}),
        operator.delete(f"{NOTES}/{before['id']}"),
        operator.delete(f"{NOTES}/{trade['id']}"),
    ):
        assert (documented(answer).status_code, answer.json()["code"]) == (409, "held_at_broker")
    whole = held(operator)
    assert [one["uncounted"] for one in whole["positions"]] == [None, "held_at_broker"]
    assert (whole["totals"]["positions"], whole["totals"]["open_pnl_usd"]) == (1, 31.25)
    alerts.brick(6, "green")
    left = operator.post("/api/exit", json={"asset": "ES"}).json()
    bridge.fills(left["order"], 5253)
    assert operator.delete(f"{NOTES}/{before['id']}").status_code == 200
    bridge.snapshots(50_075)
    whole = held(operator)
    day = operator.get("/api/journal/day").json()
    assert whole["totals"]["realized_today_usd"] == day["figures"]["usd"] == 75
    assert [account["realized_today_usd"] for account in whole["totals"]["accounts"]] == [75]
    went = documented(operator.get(HISTORY)).json()
    of_the_trade = [fill["amount_usd"] for fill in went["fills"] if fill["trade_id"] == trade["id"]]
    assert sum(map(Decimal, map(str, of_the_trade))) == 75
    assert went["points"][0]["equity_usd"] == 50_000


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"from": "2026-02-30"},
        {"from": "1999-12-31"},
        {"from": "2026-11-20T10:00:00"},
        {"from": "2026-11-20", "to": "2026-11-19"},
        {"from": "2020-01-01", "to": "2026-11-20"},
        {"account": ""},
        {"acount": "DEMO"},
        {"limit": "5"},
    ],
)
def test_a_span_that_cannot_be_read_is_named(operator: OperatorCaller, query: dict[str, str]) -> None:
    error_of(documented(operator.get(HISTORY, params=query)), 400)


def test_a_span_is_of_trading_days_or_instants(operator: OperatorCaller) -> None:
    days = operator.get(HISTORY, params={"from": "2026-11-17", "to": "2026-11-17"}).json()
    assert (days["first_ts"], days["last_ts"]) == ("2026-11-16T23:00:00Z", "2026-11-17T23:00:00Z")
    first = datetime.now(UTC) - timedelta(hours=2)
    span = operator.get(HISTORY, params={"from": first.isoformat(), "account": "nobody"}).json()
    assert (span["points"], span["fills"], span["missing"]) == ([], [], [])


# -- MT4 ------------------------------------------------------------------------------------------------------------


def test_mt4_positions_are_in_the_portfolio(program: AdvisorStandIn, operator: OperatorCaller) -> None:
    says(program, HELD)
    whole = held(operator)
    (position,) = [one for one in whole["positions"] if one["source"] == "mt4"]
    assert (position["value_usd"], position["open_pnl_usd"], position["risk_usd"]) == (11_050, 50, 50)
    account = next(one for one in whole["totals"]["accounts"] if one["account"] == "paper-1")
    assert (account["env"], account["equity_usd"], account["sources"]) == ("DEMO", None, ["mt4"])
    assert whole["missing"] == []
    shown = {heard.headers.get("x-service-secret") for heard in program.asked}
    assert shown == {SERVICE_SECRET}


def test_mt4_fills_are_in_the_past(program: AdvisorStandIn, operator: OperatorCaller) -> None:
    says(program, HELD)
    closed = {"id": "2", "position_id": "p", "symbol": "EURUSD", "side": "SELL", "entry": "out", "volume": 0.1}
    told = {**closed, "price": 1.105, "profit": 50.0, "time": (datetime.now(UTC) - timedelta(minutes=5)).isoformat()}
    deals = {"success": True, "deals": [told], "account": "paper-1", "kind": "paper"}
    program.says[DEALS_PATH.partition("?")[0]] = http(msgspec.json.encode(deals))
    went = documented(operator.get(HISTORY, params={"account": "paper-1"})).json()
    assert [(fill["source"], fill["realized_usd"], fill["qty"]) for fill in went["fills"]] == [("mt4", 50, 0.1)]
    program.says[DEALS_PATH.partition("?")[0]] = http(b"{}")
    assert documented(operator.get(HISTORY)).json()["missing"] == ["mt4"]


def test_nothing_connected_is_nothing_missing(operator: OperatorCaller) -> None:
    whole = held(operator)
    assert (whole["missing"], source(operator, "mt4")) == ([], [])


@pytest.mark.parametrize("path", [STATUS_PATH, POSITIONS_PATH])
@pytest.mark.parametrize(
    "answer",
    [
        http(b"<html>"),
        http(b"{}"),
        http(b'{"connected": true, "account": {"id": 7}}'),
        refusal("web_away", "the desk cannot be read", "503 Service Unavailable"),
        refusal("keys_unknown", "no", "401 Unauthorized"),
    ],
)
def test_an_answer_that_cannot_be_used_makes_mt4_missing(
    program: AdvisorStandIn, operator: OperatorCaller, path: str, answer: bytes
) -> None:
    says(program, HELD)
    program.says[path] = answer
    whole = held(operator)
    assert (whole["missing"], source(operator, "mt4")) == (["mt4"], [])
    assert whole["missing_because"][0]["reason"]


def test_an_advisor_that_hangs_holds_the_portfolio_up_for_two_seconds_only(
    program: AdvisorStandIn, desk: DeskProcess, operator: OperatorCaller
) -> None:
    del program.says[POSITIONS_PATH]
    whole = held(operator)
    assert (whole["missing"], whole["missing_because"][0]["reason"][:20]) == (["mt4"], "the advisor is away:")
    eventually(lambda: program.open == 0)


def test_a_note_outlives_a_kill_and_what_is_missing_follows_the_setting(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK, AGENT_URL="off") as desk:
        position = notes(desk.operator())
        assert held(desk.operator())["missing"] == [], "there is no MT4"
        desk.kill()
        desk.settings["AGENT_URL"] = "http://127.0.0.1:9"
        desk.start()
        whole = held(desk.operator())
        assert [one["id"] for one in whole["positions"]] == [position["id"]]
        assert whole["missing"] == ["mt4"], "nobody listens there"


def test_an_account_that_was_let_go_is_missing_and_not_empty(desk: DeskProcess, operator: OperatorCaller) -> None:
    """A sample of an hour ago is what the desk knows of it."""
    at = datetime.now(UTC) - timedelta(hours=1)
    sample = PnlSample(at, "DEMO", Decimal(7), None, None, "A-1")
    body = msgspec.json.encode(PnlDay(at.date().isoformat(), (sample,)))
    record = ("mt4_days", "an hour ago", text_of(at), body)
    with closing_connection(desk.database) as connection:
        connection.execute("INSERT INTO records (kind, id, at, body) VALUES (?, ?, ?, ?)", record)
        try:
            whole = held(operator)
        finally:
            connection.execute("DELETE FROM records WHERE kind = 'mt4_days'")
    assert whole["missing"] == ["mt4"]
    assert "A-1" in whole["missing_because"][0]["reason"]
