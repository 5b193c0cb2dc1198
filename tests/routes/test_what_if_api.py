"""A day decided again, asked over the wire: by the operator and by programs beside web, by nobody else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.support.api_document import documented
from tests.support.clock_ends import a_candle_lasts
from tests.support.desk_process import QUICK, SERVICE_SECRET, DeskProcess, OperatorCaller, error_of, eventually

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("what-if"), **{**QUICK, "CANDLE_SECONDS": "3600"}) as desk:
        yield desk


@pytest.fixture(scope="module")
def operator(desk: DeskProcess) -> OperatorCaller:
    return desk.operator()


def today(operator: OperatorCaller) -> str:
    day: str = operator.state()["global"]["trading_day"]
    return day


def decided(operator: OperatorCaller, day: str) -> dict[str, Any]:
    answer = documented(operator.get(f"/api/what-if/day?day={day}"))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_the_day_says_what_would_have_become_of_a_refused_entry(desk: DeskProcess, operator: OperatorCaller) -> None:
    alerts = desk.tradingview()
    a_candle_lasts(60, 3_600)
    alerts.opens_the_ladder()
    alerts.heartbeat(5250)
    order = operator.enters(entry_override=True, direction="BUY").json()["order"]
    desk.bridge().fills(order, 5250)
    assert operator.post("/api/exit-all", json={"force": True}).status_code == 200
    for wanted in desk.bridge().claims():
        desk.bridge().reports(wanted["id"], "FILLED", fill_price=5250, qty=wanted["qty"])
    refused = operator.enters(entry_override=True, direction="BUY")
    assert refused.json()["gate"] == "candle_lock", refused.text
    alerts.heartbeat(5280)
    alerts.brick(2.5, "green")
    body = decided(operator, today(operator))
    [entry] = body["refused"]
    assert (entry["gate"], entry["direction"], entry["mode"]) == ("candle_lock", "BUY", "RUNNER")
    assert (entry["outcome"], entry["points"], entry["contracts"]) == ("day_end", 30, 5)
    assert (body["replay_equal"], body["sums"]["judged"], body["taken"]["trades"]) == (True, 1, 1)


def test_a_program_beside_web_may_ask_and_nobody_else(desk: DeskProcess, operator: OperatorCaller) -> None:
    path = f"/api/what-if/day?day={today(operator)}"
    service = {"X-Service-Secret": SERVICE_SECRET}
    assert documented(desk.stranger().get(path, headers=service)).status_code == 200
    assert "wrong" in error_of(desk.operator().get(path, headers={"X-Service-Secret": "another-secret"}), 401)
    for caller in (desk.stranger(), desk.bridge()):
        error_of(documented(caller.get(path)), 401)


@pytest.mark.parametrize("day", ["2025-01-02", "2099-12-31"])
def test_a_day_without_journal_is_not_found(operator: OperatorCaller, day: str) -> None:
    answer = documented(operator.get(f"/api/what-if/day?day={day}"))
    assert day in error_of(answer, 404)
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("query", ["", "?day=", "?day=yesterday", "?day=2026-02-30", "?day=2026-11-20&set=X"])
def test_what_is_no_day_is_refused(operator: OperatorCaller, query: str) -> None:
    error_of(documented(operator.get(f"/api/what-if/day{query}")), 400)


def test_who_hangs_up_ends_the_child(desk: DeskProcess, operator: OperatorCaller) -> None:
    """The child needs a moment to start: the asker is gone before it has an answer."""
    desk.tradingview().brick(2.5, "red")  # a new head: what was decided before does not answer
    assert desk.process is not None
    [worker] = psutil.Process(desk.process.pid).children()
    day = today(operator)
    head = f"GET /api/what-if/day?day={day} HTTP/1.1\r\nHost: 127.0.0.1:{desk.port}\r\n"
    with socket.create_connection(("127.0.0.1", desk.port)) as asker:
        asker.sendall(f"{head}Cookie: {operator.session_cookie}\r\n\r\n".encode())
        eventually(worker.children)
    eventually(lambda: not worker.children())
    eventually(lambda: operator.get(f"/api/what-if/day?day={day}").status_code == 200)
