"""The contract of the data service: its page, its own OpenAPI document and what it answers over TCP are the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args

import msgspec
import pytest
import requests
import websocket

from feeds.channels import data_requests, data_rest, data_stream, data_sync
from feeds.channels.data_openapi import CALLS, openapi_document
from feeds.jobs.registry import KEPT, MOST_WAITING
from sidecar import queries
from sidecar.key_calls import REQUESTS
from sidecar.local_sockets import MOST_CLIENTS
from sidecar.mailbox import ROOM
from sidecar.problems import STATUS
from tests.support.contract_page import quoted, table
from tests.support.data_document import document, documented, message_faults
from tests.support.data_floor import BEGINS, DataFloor, minutes
from tests.support.desk_process import PATIENCE_SECONDS
from tests.support.paths import REPOSITORY
from wire.data_service import (
    CandleData,
    DataProvider,
    DataTimeframe,
    OhlcvBar,
    OrderbookData,
    StreamFault,
    StreamProblem,
    StreamSubscription,
    TickerData,
)
from wire.service_problem import ServiceFault

PAGE = REPOSITORY / "docs" / "reference" / "data-service.md"
CALLS_OF_THE_PAGE = {quoted(row["call"])[0]: row for row in table(PAGE, "call", "Calls")}
EVENTS: dict[str, type[msgspec.Struct]] = {
    "ticker": TickerData,
    "candle": CandleData,
    "orderbook": OrderbookData,
    "subscribed": StreamSubscription,
    "error": StreamProblem,
}
CONTRACT = {  # of the platform: what any client of it reads
    "ohlcv": {"bars", "symbol", "timeframe", "count"},
    "bar": {"timestamp", "open", "high", "low", "close", "volume"},
    "snapshot": {"symbol", "bid", "ask", "last_price", "timestamp", "daily_change", "daily_change_pct"},
    "health": {"status", "providers", "uptime"},
    "sync": {"status", "rows_synced"},
    "fault": {"error", "detail", "timestamp"},
    "ticker": {"symbol", "price", "timestamp"},
    "candle": {"symbol", "ohlcv", "timeframe"},
    "orderbook": {"symbol", "bids", "asks"},
}


# -- the page and the program ----------------------------------------------------------------------------------------


def test_the_page_has_every_call_with_all_that_it_reads_and_answers() -> None:
    told = {f"{call.method.upper()} {call.path}": call for call in CALLS}
    assert set(CALLS_OF_THE_PAGE) == set(told)
    for name, call in told.items():
        row = CALLS_OF_THE_PAGE[name]
        [answer] = set(call.answers.values())
        body = call.body.__struct_fields__ if call.body is not None else ()
        assert quoted(row["answer has"]) == answer.__struct_fields__, name
        assert quoted(row["query or body"]) == (*(parameter for parameter, _, _ in call.query), *body), name


@pytest.mark.parametrize(("heading", "struct"), [("field of a bar", OhlcvBar), ("field of a provider", DataProvider)])
def test_the_page_has_every_field_and_says_which_may_be_null(heading: str, struct: type[msgspec.Struct]) -> None:
    rows = table(PAGE, heading)
    told = {name: "null" in row["type"] for row in rows for name in quoted(row[heading])}
    fields = document()["components"]["schemas"][struct.__name__]["properties"]
    assert told == {name: {"type": "null"} in field.get("anyOf", ()) for name, field in fields.items()}


def test_the_page_has_every_event_and_what_is_in_it() -> None:
    rows = {quoted(row["event `type`"])[0]: quoted(row["`data` has"]) for row in table(PAGE, "event `type`")}
    assert rows == {name: struct.__struct_fields__ for name, struct in EVENTS.items()}
    requests_ = {
        quoted(row["field of a request"])[0]: quoted(row["values"]) for row in table(PAGE, "field of a request")
    }
    assert set(requests_) == data_requests.FIELDS
    assert requests_["action"] == data_requests.ACTIONS
    assert requests_["channels"] == data_requests.CHANNELS


def test_the_page_has_every_error_at_its_status() -> None:
    rows = {int(row["status"]): set(quoted(row["`error`"])) for row in table(PAGE, "status", "Errors")}
    codes: set[ServiceFault] = {"not_found", "method_not_allowed"}
    codes.update(code for call in CALLS for code in call.errors)
    assert rows == {STATUS[code]: {other for other in codes if STATUS[other] == STATUS[code]} for code in codes}
    [line] = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("- `error`:")]
    assert set(quoted(line)[1:]) == set(get_args(StreamFault))


def test_the_page_says_the_numbers_of_the_program() -> None:
    text = " ".join(PAGE.read_text("utf-8").split())
    parameters = {quoted(row["parameter"])[0]: row for row in table(PAGE, "parameter")}
    assert parameters["limit"][""] == str(data_rest.USUAL_BARS)
    assert f"1 to {data_rest.MOST_BARS}" in parameters["limit"]["meaning"]
    assert quoted(parameters["timeframe"]["meaning"])[:-2] == get_args(DataTimeframe)
    for said in (
        f"At most {data_sync.LONGEST_DAYS} days",
        f"not done within {data_sync.ANSWERS_WITHIN_SECONDS:.0f} s",
        f"{MOST_WAITING} may wait",
        f"the last {KEPT} jobs",
        f"| {data_requests.MOST_NAMES} at most |",
        f"by itself `{data_requests.USUAL_TIMEFRAMES[0]}`",
        f"at most {1 / data_stream.TICKER_PAUSE_SECONDS:.0f} a second",
        f"when {ROOM} messages wait",
        f"More than {data_stream.REQUESTS} requests in {data_stream.REQUESTS_SECONDS:.0f} s",
        f"or {data_stream.WRONG_IN_A_ROW} wrong ones in a row: {data_stream.TOO_MANY_REQUESTS}",
        f"{MOST_CLIENTS} programs may be connected",
        f"used {REQUESTS} times a minute",
        f"may have {queries.LONGEST_BODY} bytes",
    ):
        assert said in text, said


def test_the_document_names_nothing_that_is_not_in_it() -> None:
    text = openapi_document().decode()
    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert named <= set(document()["components"]["schemas"])
    assert document()["openapi"] == "3.1.0"
    assert all(call.name in text for call in CALLS)


# -- over TCP --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFloor]:
    with DataFloor(tmp_path_factory.mktemp("data"), CORS_ORIGINS="http://localhost:5173") as floor:
        floor.stores(minutes("XAUUSD", (2350 + n / 4 for n in range(60))))
        yield floor


@pytest.mark.processes
def test_the_calls_of_the_contract_answer_what_any_client_of_it_reads(floor: DataFloor) -> None:
    health = documented(floor.data("/health")).json()
    assert (health["status"], set(health) >= CONTRACT["health"]) == ("healthy", True)
    bars = documented(floor.data("/api/ohlcv", symbol="XAUUSD", timeframe="15m")).json()
    assert set(bars) >= CONTRACT["ohlcv"]
    assert (bars["symbol"], bars["timeframe"], bars["count"]) == ("XAUUSD", "15m", 4)
    assert all(set(bar) >= CONTRACT["bar"] for bar in bars["bars"])
    assert bars["bars"][0]["timestamp"] == BEGINS.isoformat().replace("+00:00", "Z")
    snapshot = documented(floor.data("/api/snapshot/XAUUSD")).json()
    assert set(snapshot) >= CONTRACT["snapshot"]
    assert (snapshot["last_price"], snapshot["bid"]) == (2350 + 59 / 4, None)
    assert documented(floor.data("/api/symbols")).json() == {"symbols": ["ES", "NQ", "XAUUSD"]}


@pytest.mark.processes
@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/api/ohlcv", {"symbol": "XAUUSD"}, 400, "invalid_parameter"),
        ("/api/ohlcv", {"symbol": "XAUUSD", "timeframe": "2m"}, 400, "invalid_parameter"),
        ("/api/ohlcv", {"symbol": "XAUUSD", "timeframe": "1m", "limit": "10001"}, 400, "invalid_parameter"),
        ("/api/ohlcv", {"symbol": "XAUUSD", "timeframe": "1m", "bars": "5"}, 400, "invalid_parameter"),
        (
            "/api/ohlcv",
            {"symbol": "XAUUSD", "timeframe": "1m", "start": "2024-02-01", "end": "2024-01-01"},
            400,
            "invalid_parameter",
        ),
        ("/api/ohlcv", {"symbol": "undefined", "timeframe": "1m"}, 404, "unknown_symbol"),
        ("/api/snapshot/AAPL", {}, 404, "unknown_symbol"),
        ("/api/snapshot/GC", {}, 503, "no_price"),
        ("/api/symbols", {"symbol": "ES"}, 400, "invalid_parameter"),
        ("/health", {"verbose": "1"}, 400, "invalid_parameter"),
    ],
    ids=str,
)
def test_an_error_is_in_the_dialect_of_the_contract(
    floor: DataFloor, path: str, query: dict[str, str], status: int, code: str
) -> None:
    answer = documented(floor.data(path, **query))
    assert (answer.status_code, set(answer.json()), answer.json()["error"]) == (status, CONTRACT["fault"], code)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/api/sync/ES", 405, "method_not_allowed"),
        ("DELETE", "/api/symbols", 405, "method_not_allowed"),
        ("POST", "/api/mt4/connect", 401, "missing_api_key"),
        ("GET", "/api/mt4/tick/EURUSD", 401, "missing_api_key"),
        ("POST", "/api/mt4/trade", 401, "missing_api_key"),
        ("GET", "/api/mt4/trade", 405, "method_not_allowed"),
        ("POST", "/api/mt4/positions/5/close", 401, "missing_api_key"),
        ("GET", "/api/mt4/nothing", 404, "not_found"),
    ],
)
def test_what_is_not_there_says_so_in_the_same_dialect(
    floor: DataFloor, method: str, path: str, status: int, code: str
) -> None:
    answer = requests.request(method, floor.feeds.url("data") + path, timeout=PATIENCE_SECONDS)
    assert (answer.status_code, set(answer.json()), answer.json()["error"]) == (status, CONTRACT["fault"], code)


@pytest.mark.processes
def test_it_serves_its_own_document(floor: DataFloor) -> None:
    assert floor.data("/openapi.json").json() == document()


@pytest.mark.processes
def test_the_contracts_own_request_to_the_stream_is_understood(floor: DataFloor) -> None:
    stream = websocket.create_connection(floor.feeds.url("data", "ws") + "/ws/stream", suppress_origin=True, timeout=20)
    stream.send('{"action": "subscribe", "channels": ["ticker", "candles"], "symbols": ["XAUUSD", "BTCUSD"]}')
    told: dict[str, Any] = json.loads(stream.recv())
    stream.close()
    assert message_faults(told) == []
    assert told == {
        "type": "subscribed",
        "data": {"channels": ["ticker", "candles"], "symbols": ["BTCUSD", "XAUUSD"], "timeframes": ["1m"]},
    }


@pytest.mark.processes
def test_pages_of_history_are_read_by_next(floor: DataFloor) -> None:
    start: str | None = (BEGINS - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    seen: list[str] = []
    while start is not None:
        page = documented(floor.data("/api/ohlcv", symbol="XAUUSD", timeframe="5m", limit=5, start=start)).json()
        seen += [bar["timestamp"] for bar in page["bars"]]
        start = page["next"]
    assert len(seen) == len(set(seen)) == 12
