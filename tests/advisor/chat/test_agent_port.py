"""The agent at its port: who may ask, what a question must be, and answers by rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from advisor.channels import agent_access
from tests.advisor.chat.agent_floor import ANNA, BEN, NOTE, READER, AgentFloor
from tests.support.desk_process import PATIENCE_SECONDS
from tests.support.model_server import ModelServer, says
from wire.agent import LONGEST_MESSAGE

pytestmark = pytest.mark.processes
FAULT = {"error", "detail", "timestamp"}


@pytest.fixture(scope="module")
def floor() -> Iterator[AgentFloor]:
    with AgentFloor() as floor:
        yield floor


def code_of(answer: requests.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == FAULT
    assert answer.headers["Cache-Control"] == "no-store"
    code: str = answer.json()["error"]
    return code


# -- answers by rules ------------------------------------------------------------------------------------------------


def test_the_rules_answer_with_the_facts_of_the_desk(floor: AgentFloor) -> None:
    answer = floor.answers("How was my day?")
    assert answer["response"].startswith("On ")
    assert "+60.00 USD" in answer["response"]
    assert (answer["source"], answer["replaced"]) == ("rules", False)
    [call] = answer["tool_calls"]
    assert (call["tool"], call["result"]["env"], call["result"]["result"]["trades"]) == ("day_review", "DEMO", 1)
    assert answer["conversation_id"]
    assert NOTE not in answer["response"]


def test_what_nobody_can_answer_is_answered_with_what_can_be_asked(floor: AgentFloor) -> None:
    answer = floor.answers("Tell me a joke.")
    assert (answer["tool_calls"], answer["source"]) == ([], "rules")
    assert "why you cannot buy or sell" in answer["response"]


def test_the_rules_are_healthy_without_a_model(floor: AgentFloor) -> None:
    assert floor.health() == {
        "status": "healthy",
        "llm_provider": "rules",
        "model": "none",
        "gpu_available": False,
        "web": True,
        "reason": None,
    }


def test_a_streamed_answer_says_what_happens_and_ends_with_the_whole(floor: AgentFloor) -> None:
    events = floor.streamed("How was my day?", conversation_id="conv456")
    told = [(event["type"], event.get("tool")) for event in events]
    assert told[:2] == [("tool_call", "day_review"), ("tool_result", None)]
    assert [kind for kind, _ in told[-2:]] == ["token", "done"]
    done = events[-1]
    assert done["response"] == "".join(event["text"] for event in events if event["type"] == "token")
    assert events[1]["result"] == done["tool_calls"][0]["result"]
    assert done["conversation_id"] == "conv456"


# -- who may ask -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        (None, 401, "missing_api_key"),
        ("lk_nobody-00000000000000000", 401, "invalid_api_key"),
        (READER, 403, "missing_scope"),
    ],
)
def test_a_key_with_the_scope_is_needed(floor: AgentFloor, key: str | None, status: int, code: str) -> None:
    answer = floor.chats("How was my day?", key)
    assert code_of(answer, status) == code
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_web_shows_the_service_secret(floor: AgentFloor) -> None:
    assert floor.web_asks("How was my day?").status_code == 200
    wrong = floor.web_asks("How was my day?", secret="not-the-secret-of-the-desk")
    assert code_of(wrong, 401) == "invalid_api_key"


def test_web_may_call_the_agent_by_any_name_and_a_foreign_page_by_none(floor: AgentFloor) -> None:
    named = {"Host": "advisor:8003"}
    assert (
        code_of(requests.get(f"{floor.url}/api/v1/health", headers=named, timeout=PATIENCE_SECONDS), 403)
        == "foreign_page"
    )
    page = {"Origin": "https://evil.example", "X-API-Key": ANNA}
    answer = requests.post(f"{floor.url}/api/v1/chat", json={"message": "Hi"}, headers=page, timeout=PATIENCE_SECONDS)
    assert code_of(answer, 403) == "foreign_page"
    secret = {**named, "X-Service-Secret": "service-secret-of-the-test-desk"}
    assert requests.get(f"{floor.url}/api/v1/health", headers=secret, timeout=PATIENCE_SECONDS).status_code == 200


def test_a_listed_page_may_ask(floor: AgentFloor) -> None:
    asks = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "POST"}
    allowed = requests.options(f"{floor.url}/api/v1/chat", headers=asks, timeout=PATIENCE_SECONDS)
    assert allowed.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    assert "POST" in allowed.headers["Access-Control-Allow-Methods"]


def test_a_key_is_used_so_often_in_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_access, "WEB_REQUESTS", 2)
    with AgentFloor() as floor:
        assert [floor.web_asks("Hi").status_code for _ in range(2)] == [200, 200]
        refused = floor.web_asks("Hi")
        assert code_of(refused, 429) == "rate_limit_exceeded"
        assert int(refused.headers["Retry-After"]) > 0


# -- what a question must be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid_body"),
        ({"message": ""}, 400, "invalid_body"),
        ({"message": "  \n "}, 400, "invalid_body"),
        ({"message": "x" * (LONGEST_MESSAGE + 1)}, 400, "invalid_body"),
        ({"message": 5}, 400, "invalid_body"),
        ({"message": None}, 400, "invalid_body"),
        ({"message": "Hi", "mesage": "Hi"}, 400, "invalid_body"),
        ({"message": "Hi", "stream": "yes"}, 400, "invalid_body"),
        ({"message": "Hi", "conversation_id": "../../etc"}, 400, "invalid_body"),
        ({"message": "Hi", "user_id": "x" * 81}, 400, "invalid_body"),
        ({"message": "x" * 20_000}, 413, "body_too_large"),
        ([], 400, "invalid_body"),
    ],
    ids=str,
)
def test_a_wrong_question_is_refused(floor: AgentFloor, body: Any, status: int, code: str) -> None:
    answer = requests.post(f"{floor.url}/api/v1/chat", json=body, headers={"X-API-Key": ANNA}, timeout=PATIENCE_SECONDS)
    assert code_of(answer, status) == code
    assert answer.json()["detail"]


def test_the_longest_question_is_answered(floor: AgentFloor) -> None:
    assert floor.chats("day " * (LONGEST_MESSAGE // 4)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/chat", 405, "method_not_allowed"),
        ("POST", "/api/v1/health", 405, "method_not_allowed"),
        ("GET", "/api/v1/health?full=1", 400, "invalid_parameter"),
        ("POST", "/api/v1/trade", 404, "not_found"),
        ("GET", "/health", 404, "not_found"),
    ],
)
def test_what_is_not_there_says_so(floor: AgentFloor, method: str, path: str, status: int, code: str) -> None:
    assert code_of(requests.request(method, floor.url + path, timeout=PATIENCE_SECONDS), status) == code


# -- conversations ---------------------------------------------------------------------------------------------------


def test_a_conversation_is_that_of_its_key_alone() -> None:
    with ModelServer(says("You made 60 USD.")) as model, AgentFloor(model) as floor:
        named = {"conversation_id": "conv456"}
        floor.answers("How was my day?", **named)
        floor.answers("And my day again?", **named)
        floor.answers("How was my day?", BEN, **named)
        floor.web_asks("How was my day?", **named)
        floor.answers("How was my day?", user_id="carla", **named)
        talks = [body["messages"] for body in model.asked if not body.get("tools")]
    assert [len(talk) for talk in talks] == [2, 4, 2, 2, 2]
    assert [one["content"] for one in talks[1][1:3]] == ["How was my day?", "You made 60 USD."]
