"""The data service over TCP, beside a real desk: who may use it, and what its stream says."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from tests.support.data_document import documented, message_faults
from tests.support.data_floor import DataFloor, minutes
from tests.support.desk_process import PATIENCE_SECONDS, eventually
from tests.support.local_clients import Listener, refused_with

pytestmark = pytest.mark.processes

PAGE = "http://localhost:5173"
ASKERS = 48
QUESTIONS = 96


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFloor]:
    with DataFloor(tmp_path_factory.mktemp("data"), CORS_ORIGINS=PAGE) as floor:
        yield floor


@pytest.fixture
def floor(running: DataFloor) -> DataFloor:
    """The desk with feeds as they usually run."""
    return running.runs_with()


@pytest.fixture
def stream(floor: DataFloor) -> Iterator[Listener]:
    with floor.streams() as stream:
        yield stream


def asks(stream: Listener, action: str, *channels: str, symbols: tuple[str, ...] = ("ES",), **more: Any) -> None:
    stream.socket.send(json.dumps({"action": action, "channels": channels, "symbols": symbols, **more}))


def subscribes(stream: Listener, *channels: str, symbols: tuple[str, ...] = ("ES",), **more: Any) -> dict[str, Any]:
    """Subscribe and return what is heard then."""
    asks(stream, "subscribe", *channels, symbols=symbols, **more)
    heard: dict[str, Any] = stream.hears(type="subscribed")["data"]
    return heard


# -- who may use it ------------------------------------------------------------------------------------------------


def test_it_listens_on_both_loopbacks_and_nowhere_else(floor: DataFloor) -> None:
    port = floor.feeds.ports["data"]
    for host in ("127.0.0.1", "::1"):
        with socket.create_connection((host, port), timeout=5):
            pass
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port), timeout=5):
        pass


def test_foreign_pages_and_rebound_names_are_refused_in_its_own_dialect(floor: DataFloor) -> None:
    url, port = floor.feeds.url("data"), floor.feeds.ports["data"]
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": f"evil.example:{port}"},
        {"Host": "localhost"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        for answer in (
            requests.get(f"{url}/api/symbols", headers=headers, timeout=PATIENCE_SECONDS),
            requests.post(
                f"{url}/api/sync/ES", headers=headers, json={"start_date": "2024-01-01"}, timeout=PATIENCE_SECONDS
            ),
        ):
            assert (answer.status_code, answer.json()["error"]) == (403, "foreign_page"), headers
            assert "Access-Control-Allow-Origin" not in answer.headers
    stream = floor.feeds.url("data", "ws") + "/ws/stream"
    assert refused_with(stream, origin="https://evil.example") == 403
    assert refused_with(stream, host=f"evil.example:{port}") == 403
    assert refused_with(stream + "?token=1") == 400
    floor.streams(origin=PAGE).leaves()


def test_a_page_that_cors_origins_names_may_read_and_sync(floor: DataFloor) -> None:
    url = floor.feeds.url("data")
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key,content-type"}
    preflight = requests.options(f"{url}/api/sync/ES", headers={"Origin": PAGE, **asked}, timeout=PATIENCE_SECONDS)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (204, PAGE)
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert {"X-API-Key", "Content-Type"} <= set(preflight.headers["Access-Control-Allow-Headers"].split(", "))
    answer = requests.get(f"{url}/api/symbols", headers={"Origin": PAGE}, timeout=PATIENCE_SECONDS)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, PAGE)


def test_a_sync_needs_a_key_with_its_scope(floor: DataFloor) -> None:
    tries = ((None, 401), ("lk_wrong", 401), (floor.key("candles:read"), 403))
    for token, status in tries:
        assert documented(floor.syncs("ES", token, start_date="2024-01-01")).status_code == status
    headers = {"X-API-Key": floor.key("candles:read")}
    asked = f"{floor.feeds.url('data')}/api/sync/jobs/0123456789abcdef"
    assert documented(requests.get(asked, headers=headers, timeout=PATIENCE_SECONDS)).status_code == 403
    assert documented(floor.data("/api/sync/jobs/0123456789abcdef")).status_code == 401


@pytest.mark.parametrize(
    ("symbol", "body", "status", "code"),
    [
        ("AAPL", {"start_date": "2024-01-01"}, 404, "unknown_symbol"),
        ("ES", {}, 400, "invalid_body"),
        ("ES", {"start_date": "2026-01-01T00:00:00"}, 400, "invalid_parameter"),
        ("ES", {"start_date": "2024-02-01", "end_date": "2024-01-01"}, 400, "invalid_parameter"),
        ("ES", {"start_date": "2099-01-01"}, 400, "invalid_parameter"),
        ("ES", {"start_date": "1995-01-01"}, 400, "invalid_parameter"),
        ("ES", {"start_date": "2024-01-01", "provider": "yahoo"}, 400, "invalid_parameter"),
    ],
    ids=str,
)
def test_an_order_to_sync_that_is_wrong_begins_nothing(
    floor: DataFloor, symbol: str, body: dict[str, str], status: int, code: str
) -> None:
    answer = documented(floor.syncs(symbol, floor.key("data:sync"), **body))
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert floor.data("/health").json()["jobs"] == 0


def test_a_job_that_nobody_began_is_unknown(floor: DataFloor) -> None:
    headers = {"X-API-Key": floor.key("data:sync")}
    asked = f"{floor.feeds.url('data')}/api/sync/jobs/0123456789abcdef"
    answer = documented(requests.get(asked, headers=headers, timeout=PATIENCE_SECONDS))
    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_job")


# -- prices --------------------------------------------------------------------------------------------------------


def test_a_price_is_told_with_its_market_and_at_once_to_who_comes_later(floor: DataFloor, stream: Listener) -> None:
    subscribes(stream, "ticker")
    price = floor.heartbeat()
    told = stream.hears(type="ticker", where=lambda message: message["data"]["price"] == price)
    assert message_faults(told) == []
    assert (told["data"]["source"], told["data"]["simulated"], told["data"]["bid"]) == ("heartbeat", False, None)
    with floor.streams() as later:
        subscribes(later, "ticker")
        assert later.hears(type="ticker")["data"]["price"] == price


def test_of_many_prices_ten_a_second_are_told_and_the_newest_is_the_last(floor: DataFloor, stream: Listener) -> None:
    subscribes(stream, "ticker")
    began = time.monotonic()
    for n in range(20):
        floor.ticks(*(5200 + n + step / 4 for step in range(4)))
    told = [stream.hears(type="ticker")["data"]["price"]]
    while told[-1] != 5219.75:
        told.append(stream.hears(type="ticker")["data"]["price"])
    assert len(told) <= (time.monotonic() - began) * 10 + 2  # one at once, and the price of before
    assert stream.hears_nothing()


def test_an_order_book_is_told_only_where_bid_and_ask_are(floor: DataFloor, stream: Listener) -> None:
    subscribes(stream, "orderbook", symbols=("NQ", "ES"))
    floor.heartbeat("NQ")
    floor.ticks(5230.00, bid=5229.75, ask=5230.25)
    told = stream.hears(type="orderbook", where=lambda message: message["data"]["bids"][0]["price"] == 5229.75)
    assert message_faults(told) == []
    assert told["data"]["symbol"] == "ES"
    assert told["data"]["asks"] == [{"price": 5230.25, "size": None}]
    assert [message["data"]["symbol"] for message in stream.heard if message["type"] == "orderbook"].count("NQ") == 0


def test_a_snapshot_has_the_bid_and_ask_of_the_price_it_tells(floor: DataFloor) -> None:
    floor.ticks(5240.00, bid=5239.75, ask=5240.25)
    snapshot = eventually(lambda: (one := documented(floor.data("/api/snapshot/ES")).json())["bid"] == 5239.75 and one)
    assert (snapshot["last_price"], snapshot["ask"], snapshot["source"]) == (5240.0, 5240.25, "ticks")
    assert documented(floor.data("/api/snapshot/ES", simulated="0")).json()["source"] == "ticks"
    other = documented(floor.data("/api/snapshot/ES", simulated="1"))
    assert (other.status_code, other.json()["error"]) == (503, "no_price")


def test_after_unsubscribe_nothing_comes_any_more(floor: DataFloor, stream: Listener) -> None:
    subscribes(stream, "ticker", symbols=("ES", "NQ"))
    asks(stream, "unsubscribe", "ticker", symbols=("ES",))
    heard = stream.hears(type="subscribed")["data"]
    assert (heard["channels"], heard["symbols"]) == (["ticker"], ["NQ"])
    floor.heartbeat("ES")
    price = floor.heartbeat("NQ")
    told = stream.hears(type="ticker", where=lambda message: message["data"]["price"] == price)
    assert told["data"]["symbol"] == "NQ"
    assert stream.hears_nothing()


def test_a_wrong_request_is_answered_and_changes_nothing(floor: DataFloor, stream: Listener) -> None:
    subscribes(stream, "ticker", symbols=("NQ",))
    asks(stream, "subscribe", "ticker", "trades", symbols=("ES",))
    told = stream.hears(type="error")
    assert message_faults(told) == []
    assert told["data"]["code"] == "unknown_channel"
    stream.socket.send_binary(b"{}")
    assert stream.hears(type="error")["data"]["code"] == "binary_frame"
    assert subscribes(stream, "ticker", symbols=("NQ",))["symbols"] == ["NQ"]


def test_who_asks_without_end_is_closed(floor: DataFloor) -> None:
    for text in ("{", '{"action": "unsubscribe"}'):
        stream = floor.streams()
        for _ in range(70):
            stream.socket.send(text)
        assert stream.close_code() == 1008
    assert floor.data("/health").json()["status"] == "healthy"


@pytest.mark.soak
def test_a_minute_that_was_heard_is_told_as_a_candle_after_its_end(floor: DataFloor, stream: Listener) -> None:
    subscribes(stream, "candles")
    eventually(lambda: 5 < datetime.now(UTC).second < 50, 70)
    low, high = floor.heartbeat(), floor.heartbeat()
    told = stream.hears(90, type="candle")
    assert message_faults(told) == []
    assert told["data"]["timeframe"] == "1m"
    assert (told["data"]["ohlcv"]["low"], told["data"]["ohlcv"]["high"]) == (low, high)


# -- many at once --------------------------------------------------------------------------------------------------


def test_a_flood_of_questions_is_answered_or_told_to_come_back(floor: DataFloor) -> None:
    floor.stores(minutes("YM", (40_000 + n % 100 for n in range(1_000))))

    def ask(_: int) -> str:
        answer = floor.data("/api/ohlcv", symbol="YM", timeframe="1m")
        if answer.status_code == 200:
            assert answer.json()["count"] == 1_000
            return "answered"
        assert documented(answer).headers["Retry-After"] == "5"
        return str(answer.json()["error"])

    with ThreadPoolExecutor(ASKERS) as askers:
        asked = askers.map(ask, range(QUESTIONS))
        health = requests.get(floor.feeds.url("market") + "/health", timeout=20).json()
        outcomes = Counter(asked)
    assert health["ok"] is True
    assert outcomes["answered"] > 0
    assert set(outcomes) <= {"answered", "busy"}
    assert floor.data("/health").json()["status"] == "healthy"


def test_who_does_not_read_hears_the_newest_price_later_and_delays_nobody(floor: DataFloor) -> None:
    request = json.dumps({"action": "subscribe", "channels": ["ticker", "orderbook"], "symbols": ["ES"]})
    with floor.streams() as slow, floor.streams() as quick:
        for program in (slow, quick):
            program.socket.send(request)
        for n in range(40):
            floor.ticks(5000 + n, bid=4999.75 + n, ask=5000.25 + n)
            if n == 39:
                quick.hears(type="ticker", where=lambda message: message["data"]["price"] == 5039)
        slow.hears(type="ticker", where=lambda message: message["data"]["price"] == 5039)
    eventually(lambda: all(port["clients"] == 0 for port in floor.feeds.health()["ports"]))


# -- failures, and a stricter setting --------------------------------------------------------------------------------


def test_while_web_is_away_stored_bars_are_read_and_health_says_so(running: DataFloor) -> None:
    floor = running.runs_with()
    floor.stores(minutes("GC", (4000, 4001)))
    token = floor.key("data:sync")
    floor.runs_with(LOCKSTEP_URL="http://127.0.0.1:9")
    assert documented(floor.data("/health")).json()["status"] == "degraded"
    assert floor.data("/api/ohlcv", symbol="GC", timeframe="1m").json()["count"] == 2
    assert floor.data("/api/snapshot/GC").json()["last_price"] == 4001
    answer = documented(floor.syncs("ES", token, start_date="2024-01-01"))
    assert (answer.status_code, answer.json()["error"]) == (503, "keys_unknown")


def test_bars_that_cannot_be_read_are_no_empty_answer(running: DataFloor) -> None:
    elsewhere = running.bars_path.with_name("elsewhere.sqlite")
    elsewhere.write_bytes(b"this is no database, and long enough to be looked at as one" * 100)
    floor = running.runs_with(BARS_PATH=str(elsewhere))
    for path, query in (("/api/ohlcv", {"symbol": "ES", "timeframe": "1m"}), ("/api/symbols", {})):
        answer = documented(floor.data(path, **query))
        assert (answer.status_code, answer.json()["error"]) == (503, "not_available")
    health = documented(floor.data("/health")).json()
    assert (health["status"], health["bars"]) == ("degraded", False)


def test_with_keys_required_reading_needs_one_too(running: DataFloor) -> None:
    floor = running.runs_with(LOCAL_FEEDS_REQUIRE_KEY="1")
    floor.feeds.hears_web()
    url = floor.feeds.url("data")
    for path, scope in (("/api/symbols", "candles:read"), ("/api/snapshot/ES", "prices:read")):
        tries = ((None, 401), ("lk_wrong", 401), (floor.key("data:sync"), 403), (floor.key(scope), (200, 503)))  # type: ignore[arg-type]
        for token, status in tries:
            answer = requests.get(
                url + path, headers={} if token is None else {"X-API-Key": token}, timeout=PATIENCE_SECONDS
            )
            assert answer.status_code in (status if isinstance(status, tuple) else (status,)), (path, token)
    assert floor.data("/health").status_code == 200
    assert floor.streams().close_code() == 4401
    assert floor.streams(f"X-API-Key: {floor.key('candles:read')}").close_code() == 4403
    with floor.streams(f"X-API-Key: {floor.key('prices:read')}") as stream:
        assert subscribes(stream, "ticker")["channels"] == ["ticker"]
