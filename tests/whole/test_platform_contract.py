"""Every endpoint of the platform's contract over real processes: the happy answer, each error of its table.

A row is one call: by whom, with what, and what it is answered. The endpoints stand here as the contract lists them
(docs/reference/contracts/platform-services.md), so a call that goes missing is noticed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest

from tests.support.api_document import documented
from tests.support.contract_page import CONTRACTS, quoted, table
from tests.support.desk_process import BRIDGE_SECRET, PATIENCE_SECONDS, TV_SECRET, OperatorCaller, eventually
from tests.support.local_clients import Listener
from tests.support.platform import Answered, Platform
from tests.support.processes import Child
from wire.keys import Scope
from wire.program import VERSION, ProgramName

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

PAGE = CONTRACTS / "platform-services.md"
HEADINGS = {
    "Data service, port 8001": "data",
    "MetaTrader 4 at the data service": "data",
    "ML engine, port 8002": "ml",
    "LLM agent, port 8003": "agent",
    "Web, port 8000": "web",
}
FAULT = {"error", "detail", "timestamp"}
RUNS_ON = 202
SCOPES: tuple[Scope, ...] = (
    *("state:read", "signals:read", "agent:chat", "agent:trade", "mt4:read", "mt4:trade", "data:sync"),
)
AUTO, MT4 = "/api/v1/auto-trade", "/api/v1/auto-trade/mt4"
CONFIG = {
    "enabled": True,
    "symbols": ["ES"],
    "max_risk_per_trade": 0.02,
    "max_daily_trades": 5,
    "min_confidence": 0.6,
    "paper_trading": True,
    "require_confirmation": False,
}
ORDER = {"symbol": "EURUSD", "action": "BUY", "volume": 0.2, "price": None, "stop_loss": 1.09, "take_profit": 1.12}
OUTSIDE = {"symbol": "NQ", "side": "long", "qty": 2, "avg_price": 18000.5, "account": "elsewhere"}
SIGNAL = {
    *("signal_id", "symbol", "direction", "entry_price", "stop_loss", "take_profit", "risk_reward_ratio"),
    *("prob_tp_first", "confidence_score", "amd_phase", "volatility_regime", "range_prediction", "timestamp"),
    *("valid_until",),
}
ACCOUNT = {"login", "server", "balance", "currency", "leverage"}
ENDPOINTS: dict[str, set[str]] = {  # service, method, path -> what the answer of the contract has
    "data GET /health": {"status", "providers", "uptime"},
    "data GET /api/ohlcv": {"bars", "symbol", "timeframe", "count"},
    "data GET /api/snapshot/{symbol}": {
        *("symbol", "bid", "ask", "last_price", "timestamp", "daily_change", "daily_change_pct")
    },
    "data GET /api/symbols": {"symbols"},
    "data POST /api/sync/{symbol}": {"status", "rows_synced"},
    "data POST /api/mt4/connect": {*("connected", "account_id", "login", "server", "platform", "balance", "currency")},
    "data GET /api/mt4/tick/{symbol}": {"symbol", "bid", "ask", "spread", "timestamp"},
    "data GET /api/mt4/candles/{symbol}": {"time", "open", "high", "low", "close", "volume"},
    "data POST /api/mt4/trade": {"success", "order_id", "position_id"},
    "data POST /api/mt4/positions/{position_id}/close": {"success", "position_id"},
    "ml GET /health": {"status", "version", "models_loaded", "timestamp"},
    "ml GET /api/signals/active": {"signals", "generated_at", "symbols_processed", "errors"},
    "ml POST /generate/signal": SIGNAL,
    "ml POST /api/amd/{symbol}": {
        *("phase", "confidence", "start_time", "characteristics", "signals", "strength", "trading_bias")
    },
    "ml POST /predict/range": {"horizon", "delta_high", "delta_low", "confidence_high", "confidence_low"},
    "agent GET /api/v1/health": {"status", "llm_provider", "model", "gpu_available"},
    "agent POST /api/v1/chat": {"response", "tool_calls", "conversation_id"},
    f"agent POST {AUTO}/config": {"status", "config"},
    f"agent GET {AUTO}/status": {"enabled", "mode", "trades_today", "last_decision"},
    f"agent GET {AUTO}/decisions": {"decisions"},
    f"agent POST {MT4}/connect": {"success", "connected", "account"},
    f"agent GET {MT4}/status": {"connected", "account"},
    f"agent GET {MT4}/positions": {"success", "positions"},
    f"agent POST {MT4}/positions/close": {"success", "position_id"},
    f"agent POST {MT4}/disconnect": {"success", "connected"},
    "web GET /api/ml/signals/active": {"signals", "generated_at", "symbols_processed", "errors"},
    "web POST /api/ml/amd/{symbol}": {"phase", "confidence", "signals", "strength", "trading_bias"},
    "web POST /api/chat": {"response", "tool_calls", "conversation_id"},
    "web GET /api/auto-trade/status": {"enabled", "mode", "trades_today", "last_decision"},
    "web GET /api/portfolio": {"positions"},
    "web POST /api/portfolio/positions": {"position"},
    "web GET /api/portfolio/history": {"points", "fills"},
}


class Row(NamedTuple):
    """One call of an endpoint and its answer. ``scope`` is the key that is shown; "operator", "service", or nobody."""

    endpoint: str
    path: str
    scope: str | None
    status: int
    code: str | None = None
    body: Any = None

    @property
    def service(self) -> str:
        return self.endpoint.split()[0]

    @property
    def method(self) -> str:
        return self.endpoint.split()[1]


def of(endpoint: str, scope: str | None, *rows: tuple[Any, ...]) -> list[Row]:
    """Return the rows of an endpoint: ``(path, status, code, body)``, and the same call without a key as 401."""
    made = [Row(endpoint, path, scope, *more) for path, *more in rows]
    if scope is not None and scope != "operator":
        first = made[0]
        code = "denied" if first.service == "web" else "missing_api_key"
        made.append(first._replace(scope=None, status=401, code=code))
    return made


CLOSED = ("invalid_parameter", "invalid_body")
ROWS: list[Row] = [
    *of("data GET /health", None, ("/health", 200)),
    *of(
        *("data GET /api/ohlcv", None, ("/api/ohlcv?symbol=ES&timeframe=1m", 200)),
        ("/api/ohlcv?symbol=ES&timeframe=2m", 400, "invalid_parameter"),
        ("/api/ohlcv?symbol=ES&timeframe=1m&start=yesterday", 400, "invalid_parameter"),
        ("/api/ohlcv?symbol=AAPL&timeframe=1m", 404, "unknown_symbol"),
    ),
    *of(
        *("data GET /api/snapshot/{symbol}", None, ("/api/snapshot/ES", 200)),
        ("/api/snapshot/AAPL", 404, "unknown_symbol"),
        ("/api/snapshot/NQ", 503, "no_price"),
    ),
    *of("data GET /api/symbols", None, ("/api/symbols", 200), ("/api/symbols?x=1", 400, "invalid_parameter")),
    *of(
        *("data POST /api/sync/{symbol}", "data:sync"),
        ("/api/sync/ES", 200, None, {"start_date": "2024-11-18", "end_date": "2024-11-19", "provider": "folder"}),
        ("/api/sync/ES", 400, "invalid_parameter", {"start_date": "tomorrow"}),
        ("/api/sync/AAPL", 404, "unknown_symbol", {"start_date": "2024-11-18"}),
        ("/api/sync/NQ", 503, "no_provider", {"start_date": "2024-11-18", "provider": "massive"}),
    ),
    *of(
        *("data POST /api/mt4/connect", "mt4:trade", ("/api/mt4/connect", 200, None, {})),
        ("/api/mt4/connect", 400, "invalid_body", {"account_id": 7}),
    ),
    *of(
        *("data GET /api/mt4/tick/{symbol}", "mt4:read", ("/api/mt4/tick/EURUSD", 200)),
        ("/api/mt4/tick/EURUSD?x=1", 400, "invalid_parameter"),
        ("/api/mt4/tick/AAPL", 404, "unknown_symbol"),
        ("/api/mt4/tick/XAUUSD", 503, "no_price"),
    ),
    *of(
        *("data GET /api/mt4/candles/{symbol}", "mt4:read", ("/api/mt4/candles/EURUSD?timeframe=5m&limit=3", 200)),
        ("/api/mt4/candles/EURUSD?timeframe=2m", 400, "invalid_parameter"),
        ("/api/mt4/candles/EURUSD?limit=0", 400, "invalid_parameter"),
        ("/api/mt4/candles/AAPL", 404, "unknown_symbol"),
    ),
    *of(
        *("data POST /api/mt4/trade", "mt4:trade", ("/api/mt4/trade", 200, None, ORDER)),
        ("/api/mt4/trade", 400, "invalid_body", {**ORDER, "action": "HOLD"}),
        ("/api/mt4/trade", 404, "unknown_symbol", {**ORDER, "symbol": "AAPL"}),
        ("/api/mt4/trade", 409, "trade_refused", {**ORDER, "stop_loss": 1.12}),
        ("/api/mt4/trade", 503, "no_price", {**ORDER, "symbol": "XAUUSD", "stop_loss": None, "take_profit": None}),
    ),
    *of(
        *("data POST /api/mt4/positions/{position_id}/close", "mt4:trade"),
        ("/api/mt4/positions/{held}/close?volume=0.1", 200),
        ("/api/mt4/positions/{held}/close?volume=-1", 400, "invalid_parameter"),
        ("/api/mt4/positions/nobody/close", 404, "unknown_position"),
    ),
    *of("ml GET /health", None, ("/health", 200)),
    *of(
        *("ml GET /api/signals/active", None, ("/api/signals/active?symbols=undefined&timeframe=1h", 200)),
        ("/api/signals/active?symbols=ETHUSD&timeframe=1h&rr_config=rr_1_1", 200),
        ("/api/signals/active?timeframe=2m", 400, "invalid_parameter"),
        ("/api/signals/active?rr_config=rr_9_1", 400, "invalid_parameter"),
    ),
    *of(
        *("ml POST /generate/signal", None),
        ("/generate/signal?rr_config=rr_2_1", 200, None, {"symbol": "ETHUSD", "timeframe": "1h"}),
        ("/generate/signal", 400, "invalid_body", {"symbol": "ETHUSD", "timeframe": 7}),
        ("/generate/signal", 404, "unknown_symbol", {"symbol": "AAPL", "timeframe": "1h"}),
        ("/generate/signal", 503, "not_trained", {"symbol": "NQ", "timeframe": "1h"}),
    ),
    *of(
        *("ml POST /api/amd/{symbol}", None, ("/api/amd/ETHUSD?timeframe=1h", 200)),
        ("/api/amd/ETHUSD?lookback_periods=49", 400, "invalid_parameter"),
        ("/api/amd/AAPL", 404, "unknown_symbol"),
        ("/api/amd/NQ", 503, "no_bars"),
    ),
    *of(
        *("ml POST /predict/range", None),
        ("/predict/range", 200, None, {"symbol": "ETHUSD", "timeframe": "1h"}),
        ("/predict/range", 400, "invalid_body", {"timeframe": "1h"}),
        ("/predict/range", 404, "unknown_symbol", {"symbol": "AAPL", "timeframe": "1h"}),
        ("/predict/range", 503, "not_trained", {"symbol": "NQ", "timeframe": "1h"}),
    ),
    *of("agent GET /api/v1/health", None, ("/api/v1/health", 200)),
    *of(
        *("agent POST /api/v1/chat", "agent:chat"),
        ("/api/v1/chat", 200, None, {"message": "Why can I not buy ES?", "user_id": "u", "stream": False}),
        ("/api/v1/chat", 400, "invalid_body", {"message": ""}),
    ),
    *of(
        *(f"agent POST {AUTO}/config", "agent:trade", (f"{AUTO}/config", 200, None, CONFIG)),
        (f"{AUTO}/config", 400, CLOSED, {**CONFIG, "max_risk_per_trade": 0.5}),
        (f"{AUTO}/config", 400, CLOSED, {**CONFIG, "paper_trading": False}),
        (f"{AUTO}/config", 409, "not_live", {**CONFIG, "paper_trading": False, "require_confirmation": True}),
    ),
    *of(f"agent GET {AUTO}/status", "agent:trade", (f"{AUTO}/status", 200)),
    *of(
        *(f"agent GET {AUTO}/decisions", "agent:trade", (f"{AUTO}/decisions?limit=50&symbol=ES", 200)),
        (f"{AUTO}/decisions?limit=501", 400, "invalid_parameter"),
    ),
    *of(
        *(f"agent POST {MT4}/connect", "mt4:trade", (f"{MT4}/connect", 200, None, {})),
        (f"{MT4}/connect", 400, "invalid_body", {"account_id": ""}),
    ),
    *of(f"agent GET {MT4}/status", "mt4:read", (f"{MT4}/status", 200)),
    *of(f"agent GET {MT4}/positions", "mt4:read", (f"{MT4}/positions", 200)),
    *of(
        *(f"agent POST {MT4}/positions/close", "mt4:trade"),
        (f"{MT4}/positions/close", 200, None, {"position_id": "{held}", "volume": None}),
        (f"{MT4}/positions/close", 400, "invalid_body", {"volume": 1}),
        (f"{MT4}/positions/close", 404, "unknown_position", {"position_id": "nobody"}),
    ),
    *of(f"agent POST {MT4}/disconnect", "mt4:trade", (f"{MT4}/disconnect", 200, None, {})),
    *of(
        *("web GET /api/ml/signals/active", "signals:read"),
        ("/api/ml/signals/active?symbols=undefined&timeframe=1h", 200),
        ("/api/ml/signals/active?timeframe=2m", 400, "request_invalid"),
    ),
    *of(
        *("web POST /api/ml/amd/{symbol}", "signals:read", ("/api/ml/amd/ETHUSD?timeframe=1h", 200)),
        ("/api/ml/amd/ETHUSD?lookback_periods=1", 400, "request_invalid"),
        ("/api/ml/amd/AAPL", 404, "unknown_symbol"),
        ("/api/ml/amd/NQ", 503, "no_bars"),
    ),
    *of(
        *("web POST /api/chat", "agent:chat", ("/api/chat", 200, None, {"message": "Why can I not buy ES?"})),
        ("/api/chat", 400, "request_invalid", {"message": ""}),
    ),
    *of("web GET /api/auto-trade/status", "agent:trade", ("/api/auto-trade/status", 200)),
    *of("web GET /api/portfolio", "state:read", ("/api/portfolio", 200)),
    *of(
        *("web POST /api/portfolio/positions", "operator"),
        ("/api/portfolio/positions", 201, None, OUTSIDE),
        ("/api/portfolio/positions", 400, "request_invalid", {**OUTSIDE, "side": "flat"}),
    ),
    Row("web POST /api/portfolio/positions", "/api/portfolio/positions", None, 401, "denied", OUTSIDE),
    *of(
        *("web GET /api/portfolio/history", "state:read", ("/api/portfolio/history", 200)),
        ("/api/portfolio/history?from=yesterday", 400, "request_invalid"),
    ),
]
AWAY = [  # once the advisor is gone
    Row("data GET /api/mt4/tick/{symbol}", "/api/mt4/tick/EURUSD", "mt4:read", 503, "not_available"),
    Row("data POST /api/mt4/connect", "/api/mt4/connect", "mt4:trade", 503, "not_available", {}),
    Row("web GET /api/ml/signals/active", "/api/ml/signals/active", "signals:read", 503, "advisor_away"),
    Row("web POST /api/ml/amd/{symbol}", "/api/ml/amd/ES", "signals:read", 503, "advisor_away"),
    Row("web POST /api/chat", "/api/chat", "agent:chat", 503, "advisor_away", {"message": "why?"}),
    Row("web GET /api/auto-trade/status", "/api/auto-trade/status", "agent:trade", 503, "advisor_away"),
]
UNAUTHORISED = {row.endpoint for row in ROWS if row.status == 401}
OPEN_ON_THIS_MACHINE = {
    endpoint for endpoint in ENDPOINTS if endpoint.split()[0] in ("data", "ml") or endpoint.endswith("/v1/health")
} - {endpoint for endpoint in ENDPOINTS if "/mt4/" in endpoint or "/sync/" in endpoint}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with Platform(tmp_path_factory.mktemp("platform")) as platform:
        platform.learns()
        platform.has_prices()
        yield platform


@pytest.fixture(scope="module")
def tokens(platform: Platform) -> dict[str, str]:
    return {scope: platform.key(scope) for scope in SCOPES}


def test_the_page_of_the_contract_has_every_endpoint_and_what_it_answers() -> None:
    told: dict[str, set[str]] = {}
    for heading, service in HEADINGS.items():
        for row in table(PAGE, "call", heading):
            [call] = quoted(row["call"])
            told[f"{service} {call}"] = {name.removesuffix("[]") for name in quoted(row["answer has"])}
    sockets = {name for name in told if " WS " in name}
    assert set(told) - sockets == set(ENDPOINTS)
    assert {name: fields - told[name] for name, fields in ENDPOINTS.items() if not fields <= told[name]} == {
        "ml POST /generate/signal": SIGNAL,  # "one signal": its fields have a table of their own
        "ml POST /predict/range": ENDPOINTS["ml POST /predict/range"],
    }


def test_every_endpoint_of_the_contract_has_its_rows() -> None:
    assert {row.endpoint for row in ROWS} == set(ENDPOINTS)
    happy = {row.endpoint for row in ROWS if row.status < 300}
    assert happy == set(ENDPOINTS)
    assert set(ENDPOINTS) - OPEN_ON_THIS_MACHINE == UNAUTHORISED


@pytest.fixture
def bridge_and_tape(platform: Platform, tmp_path: Path) -> Iterator[None]:
    """The paper bridge, and a tape that plays a simulated market of RTY: no other row of the tables hears of it."""
    secrets = {"BRIDGE_HEARTBEAT_SECRET": BRIDGE_SECRET, "TV_WEBHOOK_SECRET": TV_SECRET}
    own = {"LOCKSTEP_URL": platform.desk.url, "BRIDGE_LEDGER_PATH": str(tmp_path / "bridge.sqlite"), **secrets}
    played = ["-m", "flask", "desk", "tape", "--asset", "RTY", "--limit", "300", "--speed", "10", "--stay"]
    bridge = Child(["-m", "bridge", "--broker", "paper"], own, tmp_path / "bridge.log")
    tape = Child(played, own, tmp_path / "tape.log")
    try:
        bridge.spawn()
        tape.spawn()
        yield
    finally:
        tape.kill()
        bridge.kill()


@pytest.mark.usefixtures("bridge_and_tape")
def test_the_status_names_the_five_programs_with_their_ports_and_versions(platform: Platform) -> None:
    operator = platform.desk.operator()

    def all_up() -> dict[str, Any] | None:
        rows = {row["name"]: row for row in documented(operator.get("/api/status")).json()["programs"]}
        return rows if {row["state"] for row in rows.values()} == {"up"} else None

    rows = eventually(all_up)
    assert {name: row["version"] for name, row in rows.items()} == dict.fromkeys(get_args(ProgramName), VERSION)
    ports = {port["port"] for row in rows.values() for port in row["ports"] if port["state"] == "listening"}
    feeds, advisor = platform.feeds, platform.advisor
    listening = {feeds.ports["market"], feeds.ports["data"], advisor.ml_port, advisor.agent_port}
    assert ports == {platform.desk.port, *listening}
    assert all(row["age_s"] < PATIENCE_SECONDS for row in rows.values())


class Caller:
    """Makes the calls of the rows, and remembers the position that a trade has opened."""

    def __init__(self, platform: Platform, tokens: dict[str, str]) -> None:
        self._platform = platform
        self._tokens = tokens
        self._operator: OperatorCaller = platform.desk.operator()
        self._held = "none"

    def makes(self, row: Row) -> Answered:
        path = row.path.replace("{held}", self._held)
        body = row.body
        if isinstance(body, dict) and body.get("position_id") == "{held}":
            body = {**body, "position_id": self._held}
        if row.scope == "operator":
            answer = self._operator.request(row.method, path, json=body)
            return Answered(answer.status_code, answer.json().get("code"), answer.json(), answer.text)
        headers = {} if row.scope is None else {"X-API-Key": self._tokens[row.scope]}
        told = self._platform.asks(row.service, row.method, path, body, **headers)
        while told.status == RUNS_ON:  # a busy machine needs longer; who asks again begins no other
            told = self._platform.asks(row.service, row.method, path, body, **headers)
        if told.status == 200 and isinstance(told.body, dict) and row.endpoint.endswith("/mt4/trade"):
            self._held = told.body["position_id"]
        return told


def fault_of(row: Row, told: Answered) -> str | None:
    """Return what is wrong with an answer, None when it is as the row says."""
    said = f"{row.endpoint} {row.path} {row.scope} {row.body}: {told.status} {told.text[:300]}"
    codes = row.code if isinstance(row.code, tuple) else (row.code,)
    if told.status != row.status or told.code not in codes:
        return f"not {row.status} {row.code}: {said}"
    first = told.body[0] if isinstance(told.body, list) and told.body else told.body
    wanted = FAULT if row.status >= 400 else ENDPOINTS[row.endpoint]
    missing = wanted - set(first) if isinstance(first, dict) else wanted
    return f"without {sorted(missing)}: {said}" if missing else None


def faults_of_sockets(platform: Platform) -> list[str]:
    """Return what the two sockets of the contract do not do."""
    stream = Listener(platform.url_of("data").replace("http", "ws") + "/ws/stream")
    stream.socket.send(json.dumps({"action": "subscribe", "channels": ["ticker", "candles"], "symbols": ["ES"]}))
    stream.hears(type="subscribed")
    platform.desk.tradingview().heartbeat(5251.0)
    told = stream.hears(type="ticker")["data"]
    signals = platform.advisor.listens()
    is_open = signals.hears_nothing()
    stream.leaves()
    signals.leaves()
    faults = [] if {"symbol", "price", "timestamp"} <= set(told) else [f"a ticker was {told}"]
    return faults if is_open else [*faults, f"the socket of signals said {signals.heard}"]


def test_every_endpoint_answers_as_the_contract_says(platform: Platform, tokens: dict[str, str]) -> None:
    caller = Caller(platform, tokens)
    platform.has_prices()  # two minutes later they would be too old
    faults = [fault_of(row, caller.makes(row)) for row in ROWS]
    faults += faults_of_sockets(platform)
    platform.advisor.terminate()
    faults += [fault_of(row, caller.makes(row)) for row in AWAY]
    platform.advisor.start()
    assert "\n".join(fault for fault in faults if fault is not None) == ""
