"""MT4 over real processes: both views of the paper account, keys, restarts, and an account at MetaApi."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.advisor.mt4.whole_floor import AGENT_BASE, DATA_BASE, SECRET, Mt4Floor, code_of
from tests.support.fakes.metaapi import ACCOUNT, TOKEN, MetaApiServer, Planned
from wire.keys import SERVICE_HEADER

pytestmark = pytest.mark.processes
CONTRACT = {  # of the platform: what any client of it reads
    "connected": {"success", "connected", "account"},
    "account": {"login", "server", "balance", "currency", "leverage"},
    "status": {
        *("id", "login", "server", "platform", "balance", "equity", "margin", "free_margin", "profit", "currency"),
        "leverage",
    },
    "position": {
        *("id", "symbol", "type", "volume", "open_price", "current_price", "stop_loss", "take_profit", "profit"),
        *("swap", "open_time"),
    },
    "data_connected": {"connected", "account_id", "login", "server", "platform", "balance", "currency"},
    "tick": {"symbol", "bid", "ask", "spread", "timestamp"},
    "candle": {"time", "open", "high", "low", "close", "volume"},
    "trade": {"success", "order_id", "position_id"},
    "close": {"success", "position_id"},
    "disconnected": {"success", "connected"},
}


@pytest.fixture(scope="module")
def meta() -> Iterator[MetaApiServer]:
    with MetaApiServer() as server:
        yield server


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory, meta: MetaApiServer) -> Iterator[Mt4Floor]:
    with Mt4Floor(tmp_path_factory.mktemp("mt4"), meta) as floor:
        yield floor


def trade(volume: float = 0.1, action: str = "BUY", **more: Any) -> dict[str, Any]:
    """Return the contract's example of an order."""
    return {
        "symbol": "EURUSD",
        "action": action,
        "volume": volume,
        "price": None,
        "stop_loss": 1.05,
        "take_profit": 1.2,
        "comment": "Trading Platform AI",
        **more,
    }


def test_the_contracts_calls_answer_what_any_client_of_it_reads(floor: Mt4Floor) -> None:
    floor.prices("1.10000", minutes=90)
    connected = floor.connects_mt4()
    assert set(connected) >= CONTRACT["connected"]
    assert (set(connected["account"]), connected["account"]["balance"]) == (CONTRACT["account"], 10_000)
    data = floor.data_mt4("POST", "/connect", {}).json()
    assert (set(data) >= CONTRACT["data_connected"], data["account_id"], data["platform"]) == (True, "paper", "mt4")

    tick = floor.data_mt4("GET", "/tick/EURUSD").json()
    assert (set(tick) >= CONTRACT["tick"], tick["last"], tick["bid"]) == (True, 1.1, None)
    candles = floor.data_mt4("GET", "/candles/EURUSD", params={"timeframe": "1m", "limit": 5}).json()
    assert [set(one) >= CONTRACT["candle"] for one in candles] == [True] * 5

    opened = floor.data_mt4("POST", "/trade", trade())
    assert (opened.status_code, set(opened.json()) >= CONTRACT["trade"]) == (200, True)
    position_id = opened.json()["position_id"]
    [position] = floor.agent("GET", "/positions").json()["positions"]
    assert set(position) >= CONTRACT["position"]
    assert (position["id"], position["type"], position["volume"]) == (position_id, "BUY", 0.1)
    status = floor.agent("GET", "/status").json()
    assert set(status["account"]) >= CONTRACT["status"]
    assert (status["account"]["equity"], status["account"]["margin"]) == (9_999.9, 110.0)

    part = floor.data_mt4("POST", f"/positions/{position_id}/close", params={"volume": "0.05"}).json()
    assert (set(part) >= CONTRACT["close"], part["remaining_volume"]) == (True, 0.05)
    rest = floor.agent("POST", "/positions/close", {"position_id": position_id, "volume": None}).json()
    assert (rest["position_id"], rest["remaining_volume"]) == (position_id, 0)
    assert floor.agent("GET", "/positions").json()["positions"] == []
    deals = floor.data_mt4("GET", "/deals").json()["deals"]
    assert [(one["entry"], one["profit"]) for one in deals] == [("in", 0), ("out", -0.1), ("out", -0.1)]
    gone = floor.agent("POST", "/disconnect").json()
    assert (set(gone), gone["connected"]) == (CONTRACT["disconnected"], False)
    assert floor.agent("GET", "/status").json() == {
        "connected": False,
        "account": None,
        "route": "paper",
        "unknown": [],
    }
    assert code_of(floor.agent("GET", "/positions"))[:2] == (409, "not_connected")
    assert code_of(floor.data_mt4("POST", "/trade", trade()))[:2] == (409, "not_connected")


def test_an_order_rests_and_is_taken_out_in_either_view(floor: Mt4Floor) -> None:
    floor.prices("1.10000")
    floor.connects_mt4()
    placed = floor.data_mt4("POST", "/trade", trade(action="BUY_LIMIT", price=1.09, stop_loss=None)).json()
    assert (placed["success"], placed["position_id"]) == (True, None)
    [order] = floor.agent("GET", "/orders").json()["orders"]
    assert (order["id"], order["action"], order["price"]) == (placed["order_id"], "BUY_LIMIT", 1.09)
    assert floor.agent("POST", "/orders/cancel", {"order_id": order["id"]}).json()["success"] is True
    assert code_of(floor.data_mt4("POST", f"/orders/{order['id']}/cancel"))[:2] == (404, "unknown_order")
    assert floor.data_mt4("GET", "/orders").json()["orders"] == []


def test_the_same_name_of_an_order_is_one_at_both_ports(floor: Mt4Floor) -> None:
    floor.prices("1.10000")
    floor.connects_mt4()
    named = {"X-API-Key": floor.trader_key, "Idempotency-Key": "my order"}
    first = floor.data_mt4("POST", "/trade", trade(), headers=named).json()
    url = f"{floor.agent_url}{DATA_BASE}/trade"
    second = requests.post(url, json=trade(), headers=named, timeout=30).json()
    assert first == second
    assert len(floor.agent("GET", "/positions").json()["positions"]) == 1
    odd = floor.data_mt4("POST", "/trade", trade(), headers={**named, "Idempotency-Key": "x" * 201})
    assert code_of(odd)[:2] == (400, "invalid_parameter")
    floor.agent("POST", "/positions/close", {"position_id": first["position_id"]})


def test_the_same_name_of_a_closing_closes_once_at_both_ports(floor: Mt4Floor) -> None:
    floor.prices("1.10000")
    floor.connects_mt4()
    opened = floor.data_mt4("POST", "/trade", trade()).json()["position_id"]
    named = {"X-API-Key": floor.trader_key, "Idempotency-Key": "a part of it"}
    part = {"position_id": opened, "volume": 0.04}
    first = floor.agent("POST", "/positions/close", part, headers=named).json()
    assert first["remaining_volume"] == 0.06
    assert floor.agent("POST", "/positions/close", part, headers=named).json() == first
    path = f"/positions/{opened}/close"
    assert floor.data_mt4("POST", path, params={"volume": "0.04"}, headers=named).json() == first
    other = floor.data_mt4("POST", path, headers=named)
    assert code_of(other) == (409, "trade_refused", "key_reused")
    [position] = floor.agent("GET", "/positions").json()["positions"]
    assert position["volume"] == 0.06
    floor.agent("POST", "/positions/close", {"position_id": opened})


def test_who_has_read_too_often_can_close_all_the_same(floor: Mt4Floor) -> None:
    floor.connects_mt4()
    key = floor.key("mt4:trade")
    while floor.agent("GET", "/orders?page=1", key=key).status_code != 429:
        pass
    assert code_of(floor.agent("POST", "/connect", {}, key=key))[:2] == (429, "rate_limit_exceeded")
    close = {"position_id": "5"}
    assert code_of(floor.agent("POST", "/positions/close", close, key=key))[:2] == (404, "unknown_position")
    assert code_of(floor.agent("POST", "/orders/cancel", {"order_id": "5"}, key=key))[:2] == (404, "unknown_order")
    while floor.data_mt4("GET", "/orders?page=1", key=key).status_code != 429:
        pass
    assert code_of(floor.data_mt4("POST", "/positions/5/close", key=key))[:2] == (404, "unknown_position")


# -- who may ---------------------------------------------------------------------------------------------------------


CALLS: list[tuple[str, str]] = [
    *(("GET", path) for path in ("/status", "/positions", "/orders", "/deals")),
    *(("POST", path) for path in ("/connect", "/disconnect")),
]
OF_AGENT = [*CALLS, ("POST", "/positions/close"), ("POST", "/orders/cancel")]
OF_DATA = [
    *CALLS,
    *(("GET", path) for path in ("/tick/EURUSD", "/candles/EURUSD")),
    *(("POST", path) for path in ("/trade", "/positions/5/close", "/orders/5/cancel")),
]
PORTS = [("agent", AGENT_BASE, OF_AGENT), ("agent", DATA_BASE, OF_DATA), ("data", DATA_BASE, OF_DATA)]


@pytest.mark.parametrize(("port", "base", "calls"), PORTS)
def test_no_call_is_open_without_its_key(floor: Mt4Floor, port: str, base: str, calls: list[tuple[str, str]]) -> None:
    host = floor.agent_url if port == "agent" else floor.feeds.url("data")
    floor.connects_mt4()

    def status(method: str, path: str, **headers: str) -> tuple[int, Any]:
        answer = requests.request(method, host + base + path, json={}, headers=headers, timeout=30)
        told = answer.json()
        return answer.status_code, told.get("error") if isinstance(told, dict) else None

    for method, path in calls:
        assert status(method, path) == (401, "missing_api_key"), path
        assert status(method, path, **{SERVICE_HEADER: "not-the-secret-of-it"}) == (401, "invalid_api_key"), path
        assert status(method, path, **{"X-API-Key": floor.stranger_key}) == (403, "missing_scope"), path
        as_reader = status(method, path, **{"X-API-Key": floor.reader_key})
        assert (as_reader == (403, "missing_scope")) == (method == "POST"), path
    assert requests.get(host + base + "/status", headers=SECRET, timeout=30).status_code == 200


def test_what_is_passed_on_with_the_secret_leads_to_mt4_alone(floor: Mt4Floor) -> None:
    url = floor.feeds.url("data") + DATA_BASE
    for path in ("/../v1/auto-trade/config", "/%2e%2e/v1/health", "/tick/..%2f..%2fv1%2fhealth", "/tick/%2e%2e", "/x"):
        request = requests.Request("GET", url, headers={"X-API-Key": floor.trader_key}).prepare()
        request.url = url + path  # as it is written, nothing tidied up
        with requests.Session() as session:
            answer = session.send(request, timeout=30)
        assert answer.status_code in (404, 405), path


# -- wrong input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"symbol": "EURUSD", "action": "BUY", "volume": 0}',
        '{"symbol": "EURUSD", "action": "BUY", "volume": NaN}',
        '{"symbol": "EURUSD", "action": "BUY", "volume": "NaN"}',
        '{"symbol": "EURUSD", "action": "BUY", "volume": 1e999}',
        '{"symbol": "EURUSD", "action": "BUY", "volume": 0.005}',
        '{"symbol": "EURUSD", "action": "BUY", "volume": true}',
        '{"symbol": "EURUSD", "action": "buy", "volume": 0.1}',
        '{"symbol": "EURUSD", "action": "BUY", "volume": 0.1, "price": 1.1}',
        '{"symbol": "EURUSD", "action": "BUY_LIMIT", "volume": 0.1}',
        '{"symbol": "EURUSD", "action": "BUY", "volume": 0.1, "stoploss": 1.1}',
        '{"symbol": "EURUSD", "action": "BUY"}',
        '{"symbol": "EURUSD", "action": "BUY", "volume": 0.1, "comment": "' + "x" * 32 + '"}',
        "[]",
        "",
        "{",
    ],
)
def test_an_odd_order_is_refused_and_changes_nothing(floor: Mt4Floor, text: str) -> None:
    floor.prices("1.10000")
    floor.connects_mt4()
    before = floor.agent("GET", "/deals").json()
    for base in (floor.feeds.url("data"), floor.agent_url):
        headers = {"X-API-Key": floor.trader_key, "Content-Type": "application/json"}
        answer = requests.post(f"{base}{DATA_BASE}/trade", data=text, headers=headers, timeout=30)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"] in ("invalid_body", "invalid_parameter")
    assert floor.agent("GET", "/deals").json() == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/connect", {"account_id": 12345}, 400, "invalid_body"),
        ("POST", "/connect", {"account_id": "../../x"}, 400, "invalid_body"),
        ("POST", "/connect", {"account_id": ""}, 400, "invalid_body"),
        ("POST", "/connect", {"acount_id": "x"}, 400, "invalid_body"),
        ("POST", "/connect", {"account_id": ACCOUNT, "token": "two words"}, 400, "invalid_body"),
        ("POST", "/connect", {"account_id": ACCOUNT, "token": "a\nb"}, 400, "invalid_body"),
        ("POST", "/connect", {"account_id": "desk"}, 404, "unknown_account"),
        ("POST", "/connect", {"account_id": ACCOUNT}, 401, "token_refused"),
        ("POST", "/connect", {"account_id": ACCOUNT, "token": "x" * 9_000}, 400, "invalid_body"),
        ("POST", "/positions/close", {"position_id": "5"}, 404, "unknown_position"),
        ("POST", "/positions/close", {"position_id": "5", "volume": 0}, 400, "invalid_parameter"),
        ("POST", "/positions/close", {"position_id": 5}, 400, "invalid_body"),
        ("POST", "/positions/close", {}, 400, "invalid_body"),
        ("POST", "/orders/cancel", {"order_id": "5"}, 404, "unknown_order"),
        ("GET", "/status?full=1", None, 400, "invalid_parameter"),
        ("GET", "/deals?limit=0", None, 400, "invalid_parameter"),
    ],
)
def test_an_odd_call_is_refused(floor: Mt4Floor, method: str, path: str, body: Any, status: int, code: str) -> None:
    floor.connects_mt4()
    assert code_of(floor.agent(method, path, body))[:2] == (status, code)
    assert floor.agent("GET", "/status").json()["account"]["id"] == "paper"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/tick/NOSUCH", 404, "unknown_symbol"),
        ("/tick/XAUUSD", 503, "no_price"),
        ("/candles/EURUSD?timeframe=2h", 400, "invalid_parameter"),
        ("/candles/EURUSD?limit=1001", 400, "invalid_parameter"),
        ("/candles/NOSUCH", 404, "unknown_symbol"),
    ],
)
def test_an_odd_question_for_a_price_is_refused(floor: Mt4Floor, path: str, status: int, code: str) -> None:
    floor.connects_mt4()
    assert code_of(floor.data_mt4("GET", path))[:2] == (status, code)


@pytest.mark.parametrize("volume", ["0", "-0.1", "nan", "1e1", "0.005", "", "0,05"])
def test_an_odd_volume_of_a_query_closes_nothing(floor: Mt4Floor, volume: str) -> None:
    floor.prices("1.10000")
    floor.connects_mt4()
    opened = floor.data_mt4("POST", "/trade", trade()).json()["position_id"]
    answer = floor.data_mt4("POST", f"/positions/{opened}/close", params={"volume": volume})
    assert code_of(answer)[:2] == (400, "invalid_parameter")
    assert len(floor.agent("GET", "/positions").json()["positions"]) == 1
    floor.agent("POST", "/positions/close", {"position_id": opened})


# -- an account at MetaApi -------------------------------------------------------------------------------------------


def test_an_account_at_metaapi_is_read_and_closed_and_gets_no_order(floor: Mt4Floor, meta: MetaApiServer) -> None:
    ticket = meta.holds(0.2)
    told = floor.connects_mt4(account_id=ACCOUNT, token=TOKEN)
    assert told["account"] == {
        "login": "15194881",
        "server": "ICMarketsSC-Demo",
        "balance": 7319.9,
        "currency": "USD",
        "leverage": 100,
    }
    assert floor.agent("GET", "/status").json()["account"]["kind"] == "metaapi"
    assert [one["id"] for one in floor.agent("GET", "/positions").json()["positions"]] == [ticket]
    assert floor.data_mt4("GET", "/tick/EURUSD").json()["bid"] == 1.10239
    assert len(floor.data_mt4("GET", "/candles/EURUSD", params={"timeframe": "1h"}).json()) == 2
    sent = len(meta.trades)
    assert code_of(floor.data_mt4("POST", "/trade", trade())) == (409, "trade_refused", "route_paper")
    assert len(meta.trades) == sent
    meta.plans(Planned(-7, executes=True))
    closed = floor.data_mt4("POST", f"/positions/{ticket}/close", params={"volume": "0.1"}).json()
    assert closed["remaining_volume"] == 0.1
    meta.plans(Planned(-1, executes=False))
    unknown = floor.agent("POST", "/positions/close", {"position_id": ticket})
    assert code_of(unknown) == (503, "unknown_outcome", "TRADE_RETCODE_UNKNOWN")
    assert len(meta.trades) == sent + 2
    floor.agent("POST", "/positions/close", {"position_id": ticket})
    assert meta.positions == []
    assert TOKEN not in floor.advisor.log() + floor.feeds.log() + floor.desk.log()


def test_a_failed_connection_leaves_the_one_before(floor: Mt4Floor) -> None:
    floor.connects_mt4()
    wrong = "a-token-that-opens-nothing-0000"
    refused = floor.data_mt4("POST", "/connect", {"account_id": ACCOUNT, "token": wrong})
    assert code_of(refused)[:2] == (401, "token_refused")
    assert "WWW-Authenticate" not in refused.headers  # it is not our key that was refused
    other = floor.agent("POST", "/connect", {"account_id": "another-account", "token": TOKEN})
    assert code_of(other)[:2] == (404, "unknown_account")
    assert floor.agent("GET", "/status").json()["account"]["id"] == "paper"
    shown = [refused.text, other.text, floor.advisor.log(), floor.feeds.log()]
    assert not [text for text in shown if wrong in text or TOKEN in text]


def test_real_money_needs_its_setting(floor: Mt4Floor, meta: MetaApiServer) -> None:
    demo = dict(meta.account)
    meta.account["type"] = "ACCOUNT_TRADE_MODE_REAL"
    floor.connects_mt4()
    refused = floor.agent("POST", "/connect", {"account_id": ACCOUNT, "token": TOKEN})
    assert code_of(refused) == (409, "real_account", "not_allowed")
    meta.account.update(demo)


# -- restarts --------------------------------------------------------------------------------------------------------


def test_paper_stays_connected_over_a_restart_and_metaapi_does_not(floor: Mt4Floor) -> None:
    floor.prices("1.10000")
    floor.connects_mt4()
    opened = floor.data_mt4("POST", "/trade", trade()).json()["position_id"]
    floor.advisor.kill()
    away = floor.data_mt4("GET", "/positions")
    assert code_of(away)[:2] == (503, "not_available")
    floor.starts_the_advisor()
    assert [one["id"] for one in floor.agent("GET", "/positions").json()["positions"]] == [opened]
    floor.connects_mt4(account_id=ACCOUNT, token=TOKEN)
    floor.advisor.kill()
    floor.starts_the_advisor()
    assert floor.agent("GET", "/status").json()["connected"] is False
    assert not [
        one for one in floor.advisor.database.parent.rglob("*") if one.is_file() and TOKEN.encode() in one.read_bytes()
    ]
    floor.connects_mt4()
    floor.agent("POST", "/positions/close", {"position_id": opened})


def test_a_listed_page_may_name_its_order(floor: Mt4Floor) -> None:
    page = "http://localhost:5173"
    asks = {
        "Origin": page,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "idempotency-key",
    }
    answer = requests.options(f"{floor.feeds.url('data')}{DATA_BASE}/trade", headers=asks, timeout=30)
    assert answer.status_code == 403  # no page is listed here
    floor.runs_with(CORS_ORIGINS=page)
    answer = requests.options(f"{floor.feeds.url('data')}{DATA_BASE}/trade", headers=asks, timeout=30)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, page)
    assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]
