"""The contract of the agent: its page, its own OpenAPI document and what it answers over TCP are the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import msgspec
import pytest
import requests
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from advisor.agent import answer, chat, conversations
from advisor.channels import agent_access, agent_rest
from advisor.channels.agent_openapi import CALLS, EVENTS, openapi_document
from sidecar import queries
from sidecar.key_calls import REQUESTS
from sidecar.mt4_openapi import AGENT_CALLS, DATA_CALLS
from sidecar.problems import STATUS
from tests.advisor.chat.agent_floor import ANNA, AgentFloor
from tests.support.api_document import closed
from tests.support.contract_page import quoted, table
from tests.support.desk_process import PATIENCE_SECONDS
from tests.support.model_server import ModelServer, asks, says
from tests.support.paths import REPOSITORY
from wire.agent import LONGEST_MESSAGE, AgentHealth, ChatAnswer, ChatBody, ToolCall
from wire.auto_trade import AutoResults, AutoStatus, AutoTradeConfig, DecisionRow, ShadowTrade
from wire.explain import Answerer, ToolName, ToolResult
from wire.service_problem import ServiceFault

PAGE = REPOSITORY / "docs" / "reference" / "agent.md"
CONTRACT = {  # of the platform: what any client of it reads
    "health": {"status", "llm_provider", "model", "gpu_available"},
    "chat": {"response", "tool_calls", "conversation_id"},
}


@cache
def document() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(openapi_document())
    return whole


def faults_of(name: str, body: Any) -> list[str]:
    """Return what is wrong with a body, fields that the document does not name included."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    whole = {**schema, "components": {"schemas": closed(document()["components"]["schemas"])}}
    validator = Draft202012Validator(whole, format_checker=FormatChecker())
    return [f"{fault.json_path}: {fault.message[:200]}" for fault in validator.iter_errors(body)]


# -- the page and the program ----------------------------------------------------------------------------------------


def test_the_page_has_every_call_with_all_that_it_reads_and_answers() -> None:
    rows = {quoted(row["call"])[0]: row for row in table(PAGE, "call", "Calls")}
    told = {f"{call.method.upper()} {call.path}": call for call in CALLS}
    assert set(rows) == set(told)
    for name, call in told.items():
        [answered] = set(call.answers.values())
        body = call.body.__struct_fields__ if call.body is not None else ()
        assert quoted(rows[name]["answer has"]) == answered.__struct_fields__, name
        assert quoted(rows[name]["query or body"]) == (*(parameter for parameter, _, _ in call.query), *body), name


@pytest.mark.parametrize(
    ("heading", "struct"),
    [
        ("field of health", AgentHealth),
        ("field of an answer", ChatAnswer),
        ("field of a tool call", ToolCall),
        ("field of a result", ToolResult),
        ("field of a configuration", AutoTradeConfig),
        ("field of the status", AutoStatus),
        ("field of results", AutoResults),
        ("field of a decision", DecisionRow),
        ("field of a shadow trade", ShadowTrade),
    ],
)
def test_the_page_has_every_field_and_says_which_may_be_null(heading: str, struct: type[msgspec.Struct]) -> None:
    rows = table(PAGE, heading)
    told = {quoted(row[heading])[0]: "null" in row["type"] for row in rows}
    fields = document()["components"]["schemas"][struct.__name__]["properties"]
    assert told == {name: {"type": "null"} in field.get("anyOf", ()) for name, field in fields.items()}


def test_the_page_has_every_field_of_a_question_every_tool_and_every_provider() -> None:
    rows = table(PAGE, "field of a question")
    assert tuple(quoted(row["field of a question"])[0] for row in rows) == ChatBody.__struct_fields__
    meaning = {quoted(row["field of a result"])[0]: row["meaning"] for row in table(PAGE, "field of a result")}
    assert quoted(meaning["tool"]) == get_args(ToolName)
    said = {quoted(row["field of an answer"])[0]: row["meaning"] for row in table(PAGE, "field of an answer")}
    assert quoted(said["source"]) == get_args(Answerer)


def test_the_page_has_every_event_and_what_is_in_it() -> None:
    rows = {quoted(row["event `type`"])[0]: quoted(row["has"]) for row in table(PAGE, "event `type`")}
    assert rows == {str(event.__struct_config__.tag): event.__struct_fields__ for event in EVENTS}


def test_the_page_has_every_error_at_its_status() -> None:
    rows = {int(row["status"]): set(quoted(row["`error`"])) for row in table(PAGE, "status", "Errors")}
    codes: set[ServiceFault] = {"not_found", "method_not_allowed"}
    codes.update(code for call in CALLS for code in call.errors)
    assert rows == {STATUS[code]: {other for other in codes if STATUS[other] == STATUS[code]} for code in codes}


def test_the_page_says_the_numbers_of_the_program() -> None:
    text = " ".join(PAGE.read_text("utf-8").split())
    for said in (
        f"1 to {LONGEST_MESSAGE} characters",
        f"{conversations.MOST_TURNS} turns, {conversations.MOST_OF_AN_OWNER} conversations of a key",
        f"{conversations.MOST_CONVERSATIONS} in all",
        f"tools in {chat.MOST_ROUNDS} rounds; {answer.MOST_TOOL_CALLS} tools answer one question",
        f"After {chat.MODEL_SECONDS:.0f} s of a model",
        f"longer than {chat.ANSWER_SECONDS:.0f} s",
        f"{agent_access.MOST_AT_ONCE} questions are answered at one time, {agent_access.MOST_OF_ONE} of one key",
        f"used {REQUESTS} times a minute",
        f"at most once in {agent_rest.HEALTH_HOLDS_SECONDS:.0f} s",
        f"may have {queries.LONGEST_BODY} bytes",
    ):
        assert said in text, said


def test_the_document_is_one() -> None:
    validate(document())
    assert {f"{call.method} {call.path}" for call in (*CALLS, *AGENT_CALLS, *DATA_CALLS)} == {
        f"{method} {path}" for path, methods in document()["paths"].items() for method in methods
    }


# -- over TCP --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def floor() -> Iterator[AgentFloor]:
    with ModelServer(asks("day_review"), says("It won 60 dollars.")) as model, AgentFloor(model) as floor:
        yield floor


@pytest.mark.processes
def test_the_calls_of_the_contract_answer_what_any_client_of_it_reads(floor: AgentFloor) -> None:
    health = floor.health()
    assert faults_of("AgentHealth", health) == []
    assert set(health) >= CONTRACT["health"]
    body = {"message": "What's the outlook for my day?", "user_id": "user123", "conversation_id": "conv456"}
    answered = floor.answers(**body)
    assert faults_of("ChatAnswer", answered) == []
    assert set(answered) >= CONTRACT["chat"]
    assert answered["conversation_id"] == "conv456"


@pytest.mark.processes
def test_every_event_is_one_of_the_document(floor: AgentFloor) -> None:
    names = {str(event.__struct_config__.tag): event.__name__ for event in EVENTS}
    for event in floor.streamed("How was my day?"):
        assert faults_of(names[event["type"]], event) == []


@pytest.mark.processes
def test_it_serves_its_own_document(floor: AgentFloor) -> None:
    served = requests.get(f"{floor.url}/openapi.json", timeout=PATIENCE_SECONDS)
    assert served.json() == document()


@pytest.mark.processes
def test_an_error_is_in_the_dialect_of_the_contract(floor: AgentFloor) -> None:
    refused = requests.post(f"{floor.url}/api/v1/chat", json={}, headers={"X-API-Key": ANNA}, timeout=PATIENCE_SECONDS)
    assert faults_of("ServiceProblem", refused.json()) == []
