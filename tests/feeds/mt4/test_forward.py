"""``/api/mt4/…`` of the data service: keys first, then passed on, and never twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import pytest
import requests

from feeds.channels.mt4_forward import MOST_CONNECTIONS
from tests.support.data_floor import DataFloor
from tests.support.desk_process import SERVICE_SECRET, eventually
from tests.support.ports import free_port
from wire.keys import SERVICE_HEADER

pytestmark = pytest.mark.processes
LONGEST_WAIT_SECONDS = 30.0
TRADE = {"symbol": "EURUSD", "action": "BUY", "volume": 0.1}


class Agent:
    """A stand-in for the agent that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, str], bytes]] = []
        self.cuts = False
        self.reads_on = threading.Event()
        self.reads_on.set()
        """Cleared, it lets no reading be answered."""

        self.waiting: list[str] = []
        """Readings that wait for it."""

        self.answer: tuple[int, dict[str, str], Any] = (200, {}, {"success": True})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        agent = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                agent.told.append((f"{self.command} {self.path}", dict(self.headers), body))
                if self.command == "GET":
                    agent.waiting.append(self.path)
                    agent.reads_on.wait(LONGEST_WAIT_SECONDS)
                    agent.waiting.remove(self.path)
                if agent.cuts:
                    self.close_connection = True
                    return
                status, headers, answer = agent.answer
                content = json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                return

        return Handler


@pytest.fixture(scope="module")
def agent() -> Iterator[Agent]:
    with Agent() as agent:
        yield agent


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory, agent: Agent) -> Iterator[DataFloor]:
    with DataFloor(tmp_path_factory.mktemp("forward"), AGENT_URL=agent.url) as floor:
        yield floor


@pytest.fixture(autouse=True)
def _still(agent: Agent) -> None:
    agent.told.clear()
    agent.cuts = False
    agent.reads_on.set()
    agent.answer = (200, {}, {"success": True})


def calls(floor: DataFloor, method: str, path: str, key: str | None, **more: Any) -> requests.Response:
    headers = {"X-API-Key": key} if key is not None else {}
    headers |= more.pop("headers", {})
    return requests.request(method, floor.feeds.url("data") + path, headers=headers, timeout=60, **more)


def test_what_is_passed_on_shows_the_secret_and_no_key(floor: DataFloor, agent: Agent) -> None:
    key = floor.key("mt4:trade")
    named = {"Idempotency-Key": "my order", "Cookie": "session=1", "Authorization": f"Bearer {key}"}
    answer = calls(floor, "POST", "/api/mt4/trade", key, json=TRADE, headers=named)
    assert (answer.status_code, answer.json(), answer.headers["Cache-Control"]) == (200, {"success": True}, "no-store")
    [(what, headers, body)] = agent.told
    assert (what, json.loads(body)) == ("POST /api/mt4/trade", TRADE)
    assert headers[SERVICE_HEADER] == SERVICE_SECRET
    assert key not in str(headers)
    assert not {"Cookie", "Authorization", "X-API-Key"} & set(headers)
    name = headers["Idempotency-Key"]
    assert name != "my order"  # of this caller alone
    other = floor.key("mt4:trade")
    calls(floor, "POST", "/api/mt4/trade", other, json=TRADE, headers={"Idempotency-Key": "my order"})
    calls(floor, "POST", "/api/mt4/trade", key, json=TRADE, headers={"Idempotency-Key": "my order"})
    assert [headers["Idempotency-Key"] == name for _, headers, _ in agent.told] == [True, False, True]


def test_path_and_query_are_passed_on_as_they_are_meant(floor: DataFloor, agent: Agent) -> None:
    key = floor.key("mt4:trade")
    calls(floor, "POST", "/api/mt4/positions/46214692/close?volume=0.05", key)
    calls(floor, "GET", "/api/mt4/candles/OANDA:EURUSD?timeframe=1h&limit=5", key)
    calls(floor, "GET", "/api/mt4/tick/ES1!", key)
    assert [what for what, _, _ in agent.told] == [
        "POST /api/mt4/positions/46214692/close?volume=0.05",
        "GET /api/mt4/candles/OANDA%3AEURUSD?timeframe=1h&limit=5",
        "GET /api/mt4/tick/ES1%21",
    ]


def test_a_refusal_is_passed_back_as_it_is(floor: DataFloor, agent: Agent) -> None:
    told = {"error": "rate_limit_exceeded", "detail": "slow down", "timestamp": "2026-11-20T10:00:00Z"}
    agent.answer = (429, {"Retry-After": "7", "Set-Cookie": "x=1"}, told)
    answer = calls(floor, "GET", "/api/mt4/status", floor.key("mt4:read"))
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (429, told, "7")
    assert "Set-Cookie" not in answer.headers


def test_without_the_right_key_nothing_is_passed_on(floor: DataFloor, agent: Agent) -> None:
    reader, chats = floor.key("mt4:read"), floor.key("agent:chat", "data:sync")
    for key, code in (
        (None, "missing_api_key"),
        ("lk_nobody-000000000000000", "invalid_api_key"),
        (chats, "missing_scope"),
    ):
        assert calls(floor, "GET", "/api/mt4/positions", key).json()["error"] == code
        assert calls(floor, "POST", "/api/mt4/connect", key, json={}).json()["error"] == code
    for path in ("/connect", "/disconnect", "/trade", "/positions/5/close", "/orders/5/cancel"):
        assert calls(floor, "POST", f"/api/mt4{path}", reader, json={}).json()["error"] == "missing_scope"
    assert agent.told == []
    assert calls(floor, "GET", "/api/mt4/positions", reader).status_code == 200


def test_an_act_that_was_not_answered_may_have_been_done(floor: DataFloor, agent: Agent) -> None:
    agent.cuts = True
    key = floor.key("mt4:trade")
    read = calls(floor, "GET", "/api/mt4/positions", key)
    assert (read.status_code, read.json()["error"]) == (503, "not_available")
    agent.told.clear()
    act = calls(floor, "POST", "/api/mt4/trade", key, json=TRADE)
    assert (act.status_code, act.json()["error"], act.json()["reason"]) == (503, "unknown_outcome", "agent_silent")
    assert len(agent.told) == 1


def test_no_number_of_slow_readings_holds_back_an_act(floor: DataFloor, agent: Agent) -> None:
    key = floor.key("mt4:trade")
    agent.reads_on.clear()
    readings = [
        threading.Thread(target=calls, args=(floor, "GET", "/api/mt4/candles/EURUSD", key))
        for _ in range(MOST_CONNECTIONS + 4)
    ]
    for reading in readings:
        reading.start()
    eventually(lambda: len(agent.waiting) == MOST_CONNECTIONS)
    for path in ("/positions/5/close", "/orders/5/cancel", "/trade"):
        assert calls(floor, "POST", f"/api/mt4{path}", key, json=TRADE).status_code == 200
    assert len(agent.waiting) == MOST_CONNECTIONS
    agent.reads_on.set()
    for reading in readings:
        reading.join()


def test_a_content_type_of_any_letters_is_not_passed_on(floor: DataFloor, agent: Agent) -> None:
    odd = {"Content-Type": "text/pl\xe4in"}
    answer = calls(floor, "POST", "/api/mt4/trade", floor.key("mt4:trade"), data=json.dumps(TRADE), headers=odd)
    assert answer.status_code == 200
    [(_, headers, body)] = agent.told
    assert (headers["Content-Type"], json.loads(body)) == ("application/json", TRADE)


def test_a_long_body_is_not_passed_on(floor: DataFloor, agent: Agent) -> None:
    answer = calls(floor, "POST", "/api/mt4/trade", floor.key("mt4:trade"), data="x" * 20_000)
    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")
    assert agent.told == []


def test_without_an_agent_the_calls_say_so(floor: DataFloor) -> None:
    key = floor.key("mt4:trade")
    for where in ("off", f"http://127.0.0.1:{free_port()}"):
        floor.runs_with(AGENT_URL=where)
        assert calls(floor, "GET", "/api/mt4/status", None).status_code == 401
        for method, path in (("GET", "/status"), ("POST", "/trade")):
            answer = calls(floor, method, f"/api/mt4{path}", key, json=TRADE)
            assert (answer.status_code, answer.json()["error"]) == (503, "not_available")
    floor.runs_with()
