"""The calls of auto-trade over real sockets: a real advisor beside a real desk, keys and all."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from advisor.agent.desk_reader import DeskReader
from advisor.auto.book import BAR_SECONDS, Decision, id_of
from advisor.auto.proposing import Proposer
from advisor.auto.store import AutoStore
from advisor.auto.trader import AutoTrader, day_of
from advisor.channels.agent_openapi import openapi_document
from advisor.models.history import History
from sidecar.web import WebClient
from tests.advisor.auto.floor import QUARTER, USUAL, Floor, Json, Market
from tests.advisor.auto.recording_proxy import Recorder, recorded_calls
from tests.advisor.auto.test_shadow_book import OPENS, planted
from tests.support.advisor_floor import AdvisorProcess
from tests.support.desk_process import (
    PASSWORD,
    QUICK,
    SERVICE_SECRET,
    DeskProcess,
    OperatorCaller,
    eventually,
)
from tests.support.floor import Floor as TradingFloor
from tests.support.ports import free_port
from tests.support.service_document import ServiceDocument
from wire.auto_trade import AutoMode
from wire.encoding import encode
from wire.ml_engine import SignalResponse

pytestmark = pytest.mark.processes
SERVED = ServiceDocument(openapi_document())
BASE = "/api/v1/auto-trade"
CALLS = (
    ("POST", "/config"),
    ("GET", "/status"),
    ("GET", "/decisions"),
    ("POST", "/decisions/dec-nothing/confirm"),
    ("POST", "/decisions/dec-nothing/reject"),
)


class Asking:
    """A program that asks an advisor's auto-trade with a key, or as web with the secret."""

    def __init__(self, advisor: AdvisorProcess, **headers: str) -> None:
        self.advisor = advisor
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def asks(self, method: str, path: str, **more: Any) -> requests.Response:
        """Ask; the document must name all of the answer."""
        url = f"http://127.0.0.1:{self.advisor.agent_port}{BASE}{path}"
        return SERVED.documented(
            requests.request(method, url, headers={**self.headers, **more.pop("headers", {})}, timeout=30, **more)
        )

    def configures(self, **changes: Any) -> requests.Response:
        return self.asks("POST", "/config", json={**USUAL, **changes})

    def status(self) -> Json:
        answer = self.asks("GET", "/status")
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("desk"), **QUICK) as desk:
        yield desk


@pytest.fixture(scope="module")
def advisor(desk: DeskProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdvisorProcess]:
    folder = tmp_path_factory.mktemp("advisor")
    with AdvisorProcess(folder, f"http://127.0.0.1:{free_port()}", desk.url) as advisor:
        yield advisor


def key_of(operator: OperatorCaller, *scopes: str) -> str:
    made = operator.post("/api/keys", json={"name": "auto", "scopes": list(scopes), "password": PASSWORD})
    token: str = made.json()["token"]
    return token


@pytest.fixture(scope="module")
def program(desk: DeskProcess, advisor: AdvisorProcess) -> Asking:
    return Asking(advisor, X_API_Key=key_of(desk.operator(), "agent:trade"))


def code_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


# -- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_call_needs_a_key_that_may_trade(
    desk: DeskProcess, advisor: AdvisorProcess, program: Asking, method: str, path: str
) -> None:
    others = ("agent:chat", "signals:read", "mt4:trade", "state:read")
    stranger, other = Asking(advisor), Asking(advisor, X_API_Key=key_of(desk.operator(), *others))
    assert code_of(stranger.asks(method, path)) == (401, "missing_api_key")
    assert code_of(Asking(advisor, X_API_Key="lk_" + "a" * 40).asks(method, path)) == (401, "invalid_api_key")
    assert code_of(Asking(advisor, X_Service_Secret="no secret").asks(method, path)) == (401, "invalid_api_key")
    assert code_of(other.asks(method, path)) == (403, "missing_scope")
    for allowed in (program, Asking(advisor, X_Service_Secret=SERVICE_SECRET)):
        assert allowed.asks(method, path).status_code in (200, 400, 404)


# -- configuration ---------------------------------------------------------------------------------------------------


def test_it_is_configured_and_remembers_it_over_a_kill(program: Asking) -> None:
    answer = program.configures(symbols=["CME_MINI:ES1!", "NQ"], max_risk_per_trade=0.015)
    assert answer.json() == {
        "status": "configured",
        "config": {**USUAL, "symbols": ["ES", "NQ"], "max_risk_per_trade": 0.015},
    }
    before = program.status()
    assert (before["enabled"], before["mode"], before["trades_today"]) == (True, "paper", 0)
    program.advisor.kill()
    program.advisor.start()
    assert program.status() == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"on"',
        b"{",
        b"\xff\xfe",
        b"[" * 10_000,
        json.dumps({name: value for name, value in USUAL.items() if name != "min_confidence"}).encode(),
        json.dumps({**USUAL, "leverage": 10}).encode(),
        json.dumps({**USUAL, "enabled": "true"}).encode(),
        json.dumps({**USUAL, "enabled": 1}).encode(),
        json.dumps({**USUAL, "symbols": "ES"}).encode(),
        json.dumps({**USUAL, "symbols": [7]}).encode(),
        json.dumps({**USUAL, "symbols": [""]}).encode(),
        json.dumps({**USUAL, "max_risk_per_trade": None}).encode(),
        json.dumps({**USUAL, "max_risk_per_trade": "Infinity"}).encode(),
        json.dumps({**USUAL, "max_risk_per_trade": "NaN"}).encode(),
        json.dumps({**USUAL, "min_confidence": "0.5"}).encode(),
        json.dumps({**USUAL, "min_confidence": float("nan")}).encode(),
        json.dumps(USUAL).replace("0.02", "1e999").encode(),
        json.dumps(USUAL).replace("0.02", "-0.0").encode(),
        json.dumps({**USUAL, "max_risk_per_trade": 0.5}).encode(),
        json.dumps({**USUAL, "max_daily_trades": 1.5}).encode(),
        json.dumps({**USUAL, "max_daily_trades": 10**30}).encode(),
        json.dumps({**USUAL, "symbols": ["BTCUSD"]}).encode(),
        json.dumps({**USUAL, "paper_trading": False}).encode(),
    ],
    ids=lambda body: body[:60].decode("ascii", "replace"),
)
def test_a_hostile_configuration_is_refused_and_changes_nothing(program: Asking, body: bytes) -> None:
    before = program.status()
    answer = program.asks("POST", "/config", data=body, headers={"Content-Type": "application/json"})
    assert code_of(answer) == (400, "invalid_body")
    assert program.status() == before


def test_what_else_is_refused(program: Asking) -> None:
    assert code_of(program.asks("POST", "/config", data=b" " * 20_000)) == (413, "body_too_large")
    assert code_of(program.asks("POST", "/config", json=USUAL, params={"dry": 1})) == (400, "invalid_parameter")
    assert code_of(program.configures(paper_trading=False, require_confirmation=True)) == (409, "not_live")
    assert "DEMO" in program.configures(paper_trading=False, require_confirmation=True).json()["detail"]
    for query in ({"limit": 0}, {"limit": 501}, {"limit": "x"}, {"symbol": ""}, {"since": 1}):
        assert code_of(program.asks("GET", "/decisions", params=query)) == (400, "invalid_parameter")
    assert code_of(program.asks("GET", "/decisions", params={"symbol": "AAPL"})) == (404, "unknown_symbol")
    for word in ("confirm", "reject"):
        assert code_of(program.asks("POST", f"/decisions/dec-nothing/{word}")) == (404, "unknown_decision")
        odd = program.asks("POST", f"/decisions/{'%27%20OR%201=1'}/{word}")
        assert code_of(odd) == (404, "unknown_decision")


# -- yes and no ------------------------------------------------------------------------------------------------------


def waiting_decision(
    advisor: AdvisorProcess, number: int = 0, mode: AutoMode = "paper", signal: SignalResponse | None = None
) -> str:
    """Store a decision that waits now, of a bar in the middle of a session: the tests run at any hour."""
    now = int(time.time())
    bar = OPENS + BAR_SECONDS * number
    decision = Decision(
        id=id_of("ES", bar),
        symbol="ES",
        bar=bar,
        decided_at=now,
        action="BUY",
        confidence="0.7",
        reason="signal",
        reasoning="It was planted.",
        signal=None if signal is None else encode(signal).decode(),
        blocked_by=None,
        mode=mode,
        env="DEMO" if mode == "paper" else "LIVE",
        day=day_of("ES", bar),
        result="awaiting",
        confirm_until=now + 600,
        risk=8,
        quantity=1,
    )
    with closing(AutoStore(advisor.database)) as store:
        assert store.add(decision, None)
    return decision.id


def test_no_is_recorded_and_said_again(program: Asking) -> None:
    name = waiting_decision(program.advisor, number=3)
    rejected = program.asks("POST", f"/decisions/{name}/reject").json()
    assert (rejected["result"], rejected["executed"]) == ("rejected", False)
    assert program.asks("POST", f"/decisions/{name}/reject").json() == rejected
    assert code_of(program.asks("POST", f"/decisions/{name}/confirm")) == (409, "already_decided")
    [row] = [one for one in program.asks("GET", "/decisions?limit=500").json()["decisions"] if one["id"] == name]
    assert row == rejected


def test_a_yes_asks_the_real_ladder(program: Asking, desk: DeskProcess) -> None:
    """No structure is known and no heartbeat came: the desk's first closed gate is told."""
    program.configures(require_confirmation=True)
    name = waiting_decision(program.advisor, number=5)
    refused = program.asks("POST", f"/decisions/{name}/confirm")
    [row] = [one for one in program.asks("GET", "/decisions?symbol=ES").json()["decisions"] if one["id"] == name]
    assert code_of(refused) == (409, "blocked")
    ladder = desk.operator().asset()["ladder"]
    assert row["blocked_by"] == next(rung["gate"] for rung in ladder if rung["state"] == "closed")


# -- in LIVE ---------------------------------------------------------------------------------------------------------


def goes_live(desk: DeskProcess) -> OperatorCaller:
    """Trade for real, with every gate open for a buy of ES."""
    operator, bridge = desk.operator(), desk.bridge()
    beats(desk)
    assert operator.post("/api/env", json={"env": "LIVE"}).status_code == 200
    assert bridge.snapshots(50_000).status_code == 200
    desk.tradingview().opens_the_ladder()
    eventually(lambda: "BUY" in operator.asset()["may_enter"])
    return operator


def beats(desk: DeskProcess) -> None:
    """Let the bridge be heard."""
    beat = {"tsConnected": True, "envs": ["DEMO", "LIVE"]}
    assert desk.bridge().post("/api/bridge/heartbeat", json=beat).status_code == 200


def a_signal() -> SignalResponse:
    return SignalResponse(
        signal_id="SIG-PLANTED",
        symbol="ES",
        direction="long",
        entry_price=Decimal("5250.25"),
        stop_loss=Decimal("5248.25"),
        take_profit=Decimal("5254.25"),
        risk_reward_ratio=Decimal(2),
        prob_tp_first=Decimal("0.62"),
        confidence_score=Decimal("0.62"),
        amd_phase="unknown",
        volatility_regime="unknown",
        range_prediction=None,
        timestamp=datetime.now(UTC),
        valid_until=datetime.now(UTC) + timedelta(minutes=15),
        actionable=True,
        prob_source="model",
        base_rate=Decimal("0.33"),
        n=5_000,
        model="planted",
    )


def loses_an_answer(desk: DeskProcess, web: Asking, recorder: Recorder) -> None:
    """The desk has opened the proposal and the operator takes it before the advisor hears of it."""
    operator = desk.operator()
    name = waiting_decision(web.advisor, number=2, mode="proposals", signal=a_signal())
    recorder.loses.add(("POST", "/api/proposals"))
    beats(desk)
    assert code_of(web.asks("POST", f"/decisions/{name}/confirm")) == (503, "web_away")
    recorder.loses.clear()
    assert code_of(web.asks("POST", f"/decisions/{name}/reject")) == (409, "already_decided")
    [open_one] = operator.get("/api/proposals").json()["proposals"]
    beats(desk)
    assert operator.enters(direction="BUY", key=f"proposal-{open_one['id']}").status_code == 201
    assert operator.asset()["may_enter"] == []
    confirmed = web.asks("POST", f"/decisions/{name}/confirm").json()
    assert (confirmed["result"], confirmed["proposal_id"]) == ("proposed", open_one["id"])


def test_in_live_a_yes_shows_the_operator_a_proposal_and_orders_nothing(tmp_path: Path) -> None:
    """From the advisor over its own door of web to the row of the page; the click stays the operator's."""
    with DeskProcess(tmp_path / "desk", **QUICK) as desk, recorded_calls(desk.url) as recorder:
        operator = goes_live(desk)
        with AdvisorProcess(tmp_path / "advisor", "off", recorder.url) as advisor:
            web = Asking(advisor, X_Service_Secret=SERVICE_SECRET)
            assert web.configures(paper_trading=False).status_code == 400
            configured = web.configures(paper_trading=False, require_confirmation=True)
            assert (configured.status_code, web.status()["mode"]) == (200, "proposals")
            name = waiting_decision(advisor, mode="proposals", signal=a_signal())
            slots = operator.state()["global"]["trades_remaining_today"]
            beats(desk)
            confirmed = web.asks("POST", f"/decisions/{name}/confirm")
            assert (confirmed.status_code, confirmed.json()["result"]) == (200, "proposed"), confirmed.text
            [shown] = operator.get("/api/proposals").json()["proposals"]
            assert shown["id"] == confirmed.json()["proposal_id"]
            assert (shown["source"], shown["asset"], shown["direction"]) == ("auto-trade", "ES", "BUY")
            assert (shown["entry"], shown["stop"], shown["target"]) == (5250.25, 5248.25, 5254.25)
            assert web.asks("POST", f"/decisions/{name}/confirm").json() == confirmed.json()
            state = operator.state()
            assert (state["orders"], state["global"]["trades_remaining_today"]) == ([], slots)
            second_one = waiting_decision(advisor, number=1, mode="proposals", signal=a_signal())
            beats(desk)
            refused = web.asks("POST", f"/decisions/{second_one}/confirm")
            assert code_of(refused) == (409, "proposal_refused")
            [row] = [one for one in web.asks("GET", "/decisions").json()["decisions"] if one["id"] == second_one]
            assert (row["result"], row["blocked_by"]) == ("blocked", "proposal_open")
            assert operator.post(f"/api/proposals/{shown['id']}/dismiss").status_code == 200
            loses_an_answer(desk, web, recorder)
        changing = {call for call in recorder.calls if call[0] != "GET"}
        assert changing <= {("POST", "/api/proposals"), ("POST", "/api/keys/checks")}
        assert recorder.calls.count(("POST", "/api/proposals")) == 3  # the lost one was found, not asked for again


# -- a desk that is away ---------------------------------------------------------------------------------------------


def test_without_the_desk_it_can_be_switched_off_and_not_on(tmp_path: Path) -> None:
    with AdvisorProcess(tmp_path, f"http://127.0.0.1:{free_port()}") as advisor:
        web = Asking(advisor, X_Service_Secret=SERVICE_SECRET)
        assert code_of(web.configures()) == (503, "web_away")
        assert web.configures(enabled=False).status_code == 200
        assert web.status()["enabled"] is False
        assert code_of(Asking(advisor, X_API_Key="lk_" + "a" * 40).asks("GET", "/status")) == (503, "keys_unknown")


# -- what reaches the desk -------------------------------------------------------------------------------------------


class OverSockets(Floor):
    """Auto-trade that reads a real desk over HTTP; its clock alone is the test's."""

    def __init__(self, folder: Path, market: Market, url: str) -> None:
        self.client = WebClient(url, SERVICE_SECRET)
        super().__init__(folder, market)

    def start(self) -> None:
        super().start()
        history = History(self.market, self.market.clock)
        desk, proposer = DeskReader(self.client), Proposer(self.client)
        self.trader = AutoTrader(self.store, history, self.rule, desk, proposer, self.market.clock)

    def close(self) -> None:
        self._loop.run_until_complete(self.client.close())
        super().close()


def of_the_trader(desk: DeskProcess, operator: OperatorCaller) -> tuple[Any, ...]:
    """Return the trader's slots, locks, day and statistics, the last as they are sent."""
    state = operator.state()
    names = ("trades_taken_today", "trades_remaining_today", "daily_stop_triggered", "post_exit_lock_expires_ts")
    slots = {name: state["global"][name] for name in (*names, "five_min_trade_lock_expires_ts")}
    sent = [operator.get(path).content for path in ("/api/journal/statistics", "/api/journal/trades")]
    commands = desk.rows("SELECT count(*) FROM journal WHERE kind NOT IN ('TickClock')")
    return slots, sent, state["assets"]["ES"]["tempo_ready"], commands


def test_a_session_of_decisions_only_reads_the_desk(desk: DeskProcess, tmp_path: Path) -> None:
    """What passes between auto-trade and a real web is written down."""
    trading = TradingFloor(desk).in_a_trade()
    trading.flat()
    operator = desk.operator()
    minutes = planted()[:900]
    with recorded_calls(desk.url) as recorder:
        floor = OverSockets(tmp_path, Market(minutes, minutes[0].t + 20 * QUARTER), recorder.url)
        floor.configures()
        operator.settled_state()  # the candle of that trade is over
        before = of_the_trader(desk, operator)
        floor.runs(minutes[-1].t)
        assert of_the_trader(desk, operator) == before
        decisions = floor.decisions()
        floor.close()
    assert len(decisions) > 30
    assert {one["env"] for one in decisions} == {"DEMO"}
    assert recorder.calls == [("GET", "/api/state")] * len(decisions)
    assert before[0]["trades_taken_today"] >= 1
