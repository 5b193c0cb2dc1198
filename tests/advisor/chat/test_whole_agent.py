"""The agent of a real advisor beside a real desk: a program with a key asks, and hears the desk's own facts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.advisor_floor import AdvisorProcess
from tests.support.desk_process import PASSWORD, PATIENCE_SECONDS, SERVICE_SECRET, DeskProcess
from tests.support.model_server import MODEL, ModelServer, asks, says
from tests.support.ports import free_port

pytestmark = pytest.mark.processes
BLOCKED = "Why can I not buy ES?"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("desk")) as desk:
        yield desk


@pytest.fixture(scope="module")
def key(desk: DeskProcess) -> str:
    made = desk.operator().post("/api/keys", json={"name": "assistant", "scopes": ["agent:chat"], "password": PASSWORD})
    token: str = made.json()["token"]
    return token


def advisor_of(desk: DeskProcess, folder: Path, **settings: str) -> AdvisorProcess:
    return AdvisorProcess(folder, f"http://127.0.0.1:{free_port()}", desk.url, **settings)


def chats(port: int, key: str, message: str) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}/api/v1/chat"
    answer = requests.post(url, json={"message": message}, headers={"X-API-Key": key}, timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_the_rules_say_why_an_entry_is_blocked(desk: DeskProcess, key: str, tmp_path: Path) -> None:
    with advisor_of(desk, tmp_path) as advisor:
        answer = chats(advisor.agent_port, key, BLOCKED)
        explained = requests.get(
            f"http://127.0.0.1:{advisor.agent_port}/api/v1/explain",
            params={"about": "block", "asset": "ES", "direction": "BUY"},
            headers={"X-Service-Secret": SERVICE_SECRET},
            timeout=PATIENCE_SECONDS,
        ).json()
        health = requests.get(f"http://127.0.0.1:{advisor.agent_port}/api/v1/health", timeout=PATIENCE_SECONDS).json()
        assert "ollama" not in Path(f"/proc/{advisor.spawned.pid}/maps").read_text()
    assert (answer["source"], answer["tool_calls"][0]["tool"]) == ("rules", "explain_blocks")
    assert answer["tool_calls"][0]["result"]["env"] == "DEMO"
    assert explained["statements"][0]["text"] in answer["response"]
    assert (health["status"], health["web"]) == ("healthy", True)
    assert key not in advisor.log()


def test_one_port_serves_the_agent_too(desk: DeskProcess, key: str, tmp_path: Path) -> None:
    port = free_port()
    advisor = advisor_of(desk, tmp_path, ONE_PORT=str(port))
    advisor.ml_port = port
    with advisor:
        assert chats(port, key, BLOCKED)["source"] == "rules"


def test_a_model_of_ollama_words_what_the_desk_says(desk: DeskProcess, key: str, tmp_path: Path) -> None:
    said = "The desk holds nothing."
    with ModelServer(asks("positions"), says(said)) as model:
        settings = {"AGENT_PROVIDER": "ollama", "AGENT_MODEL": MODEL, "OLLAMA_HOST": model.url}
        with advisor_of(desk, tmp_path, **settings) as advisor:
            answer = chats(advisor.agent_port, key, "What do I hold?")
    assert (answer["response"], answer["source"], answer["replaced"]) == (said, "ollama", False)
    assert json.loads(model.asked[1]["messages"][-1]["content"])["env"] == "DEMO"


def test_without_the_desk_the_agent_says_so(tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with AdvisorProcess(tmp_path, nowhere) as advisor:
        url = f"http://127.0.0.1:{advisor.agent_port}/api/v1"
        health = requests.get(f"{url}/health", timeout=30).json()
        asked = {"message": BLOCKED}
        told = requests.post(f"{url}/chat", json=asked, headers={"X-Service-Secret": SERVICE_SECRET}, timeout=60).json()
        stranger = requests.post(f"{url}/chat", json=asked, headers={"X-API-Key": "lk_" + "a" * 40}, timeout=60)
    assert (health["status"], health["web"], health["reason"]) == ("degraded", False, "web_away")
    assert told["tool_calls"][0]["result"]["missing"] == "web_away"
    assert told["response"].startswith("The desk does not answer")
    assert told["source"] == "rules"
    assert (stranger.status_code, stranger.json()["error"]) == (503, "keys_unknown")


def test_a_wrong_secret_is_named(desk: DeskProcess, tmp_path: Path) -> None:
    with advisor_of(desk, tmp_path, SERVICE_SECRET="another-secret-than-the-desk-has") as advisor:
        health = requests.get(f"http://127.0.0.1:{advisor.agent_port}/api/v1/health", timeout=30).json()
    assert (health["status"], health["reason"]) == ("degraded", "web_refuses")
