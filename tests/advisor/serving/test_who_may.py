"""Who may call the ML engine: this machine, listed pages, and elsewhere who shows a key or the service secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from tests.support.advisor_floor import AdvisorProcess
from tests.support.desk_process import PATIENCE_SECONDS, SERVICE_SECRET
from tests.support.ports import free_port
from wire.keys import SERVICE_HEADER

LISTED = "http://localhost:5173"
SHOWN = {SERVICE_HEADER: SERVICE_SECRET}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdvisorProcess]:
    """An advisor as it is by itself, without web and feeds; one page is listed."""
    with AdvisorProcess(tmp_path_factory.mktemp("local"), "off", CORS_ORIGINS=LISTED) as advisor:
        yield advisor


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdvisorProcess]:
    """An advisor on a host that gives one port, on every address."""
    folder = tmp_path_factory.mktemp("outside")
    port = free_port()
    advisor = AdvisorProcess(folder, "off", ADVISOR_HOST="0.0.0.0", ONE_PORT=str(port))  # noqa: S104 - as in a container
    advisor.ml_port = advisor.agent_port = port
    with advisor:
        yield advisor


def asks(advisor: AdvisorProcess, path: str = "/models", **headers: str) -> requests.Response:
    return requests.get(advisor.url() + path, headers=headers, timeout=PATIENCE_SECONDS)


def code_of(answer: requests.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json().get("error")


@pytest.mark.processes
def test_a_program_on_this_machine_needs_no_key_and_a_foreign_page_gets_nothing(local: AdvisorProcess) -> None:
    assert asks(local).json() == {"ok": True, "models": []}
    assert code_of(asks(local, Origin="https://evil.example")) == (403, "foreign_page")
    assert code_of(asks(local, Host="evil.example:8002")) == (403, "foreign_page")
    assert asks(local, Origin=LISTED).headers["Access-Control-Allow-Origin"] == LISTED
    asked = requests.options(
        local.url() + "/predict/range",
        headers={"Origin": LISTED, "Access-Control-Request-Method": "POST"},
        timeout=PATIENCE_SECONDS,
    )
    assert (asked.status_code, "POST" in asked.headers["Access-Control-Allow-Methods"]) == (204, True)


@pytest.mark.processes
def test_without_feeds_it_says_so_and_lives(local: AdvisorProcess) -> None:
    health = local.health()
    assert (health["status"], health["feeds"], health["models_loaded"]) == ("degraded", False, False)
    answer = asks(local, "/api/range/ES")
    assert code_of(answer) == (503, "not_trained")
    assert "feeds is off" in answer.json()["detail"]


@pytest.mark.processes
def test_on_an_address_beyond_this_machine_every_call_needs_a_key_or_the_secret(outside: AdvisorProcess) -> None:
    assert asks(outside, "/health", Host="advisor:8002").status_code == 200
    assert code_of(asks(outside, Host="advisor:8002")) == (401, "missing_api_key")
    assert code_of(asks(outside, **{"X-API-Key": "lk_nobody-knows-this-one"})) == (503, "keys_unknown")  # web is away
    assert code_of(asks(outside, **{SERVICE_HEADER: "another-secret"})) == (401, "missing_api_key")
    assert asks(outside, Host="advisor:8002", **SHOWN).status_code == 200
    assert code_of(asks(outside, Origin="https://evil.example", **SHOWN)) == (403, "foreign_page")


@pytest.mark.processes
def test_one_port_serves_the_agent_too(outside: AdvisorProcess) -> None:
    assert asks(outside, "/api/v1/health", Host="advisor:8002").json()["llm_provider"] == "rules"
    refused = requests.post(outside.url() + "/api/v1/chat", json={"message": "why?"}, timeout=PATIENCE_SECONDS)
    assert code_of(refused) == (401, "missing_api_key")


@pytest.mark.processes
def test_a_socket_without_a_key_is_closed_where_keys_are_needed(outside: AdvisorProcess, local: AdvisorProcess) -> None:
    socket = websocket.create_connection(
        outside.url("ws") + "/ws/signals", timeout=PATIENCE_SECONDS, suppress_origin=True
    )
    opcode, content = socket.recv_data()
    assert (opcode, int.from_bytes(content[:2], "big")) == (websocket.ABNF.OPCODE_CLOSE, 4401)
    with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
        websocket.create_connection(
            local.url("ws") + "/ws/signals?symbols=ES", timeout=PATIENCE_SECONDS, suppress_origin=True
        )
    websocket.create_connection(local.url("ws") + "/ws/signals", timeout=PATIENCE_SECONDS, suppress_origin=True).close()


def test_two_ports_that_are_one_are_refused_at_the_start(tmp_path: Path) -> None:
    advisor = AdvisorProcess(tmp_path, "off", AGENT_PORT="18002", ML_PORT="18002")
    assert advisor.spawn().wait(60) == 1
    assert "ML_PORT and AGENT_PORT are both 18002" in advisor.log()


@pytest.mark.processes
def test_it_ends_soon_when_it_is_told_to_though_programs_are_connected(tmp_path: Path) -> None:
    with AdvisorProcess(tmp_path, "off") as advisor:
        socket = websocket.create_connection(
            advisor.url("ws") + "/ws/signals", timeout=PATIENCE_SECONDS, suppress_origin=True
        )
        assert advisor.terminate() < 5
        assert "the advisor stopped" in advisor.log()
        socket.close()
