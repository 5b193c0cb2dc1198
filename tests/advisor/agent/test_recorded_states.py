"""Explanations of recorded desk states, judged by the engine itself and by a second reading of SPEC."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from advisor.agent.explanations import explained
from advisor.agent.grounding import invented_numbers
from tests.advisor.agent.second_opinion import Json, closed_gates, faults
from tests.advisor.agent.support import as_json, numbers_without_a_fact, run, toolbox
from tests.data.explain_states import FOLDER, STATES, text_of

GATES = (
    *("daily_stop", "trade_limit", "cooldown", "candle_lock", "pending_order", "position", "heartbeat", "tempo"),
    *("zone", "two_half_filter", "reconcile", "account", "risk", "window", "bridge", "feed"),
)


def recording(name: str) -> Json:
    found: Json = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def explanation_of(record: Json) -> Json:
    tools = toolbox(state=record["state"])
    return as_json(run(explained(tools, "block", record["asset"], record["direction"])))


@pytest.mark.parametrize("name", STATES)
def test_the_stories_still_give_the_recorded_states(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text("utf-8") == text_of(name)


@pytest.mark.parametrize("name", STATES)
def test_an_explanation_is_what_a_second_reading_finds(name: str) -> None:
    record = recording(name)
    assert faults(record, explanation_of(record)) == []


@pytest.mark.parametrize(
    ("name", "gate", "code"),
    [
        ("just_left", "cooldown", "cooldown"),
        ("just_left", "candle_lock", "candle_lock"),
        ("day_stopped", "daily_stop", "daily_stop"),
        ("other_account", "account", "of_a_later_desk"),
    ],
)
def test_a_gate_without_its_clock_or_of_a_later_reason_says_what_ends_it(name: str, gate: str, code: str) -> None:
    record = recording(name)
    rung = next(rung for rung in record["state"]["assets"]["ES"]["ladder"] if rung["gate"] == gate)
    rung.update(reopens_at=None, retry_after_s=None, code=code)
    assert faults(record, explanation_of(record)) == []


@pytest.mark.parametrize(
    ("statement", "told", "wrong"),
    [
        ("gate_closed", "until the next 6pt brick", "until pigs fly"),
        ("waits_for_event", "until the next 6pt brick", "until the next heartbeat"),
        ("exit_waits", "does not reach the broker", "reaches the broker"),
    ],
)
def test_the_second_reading_finds_a_wrong_event(statement: str, told: str, wrong: str) -> None:
    record = recording("live_bridge_silent_while_long" if statement == "exit_waits" else "token_spent")
    answer = explanation_of(record)
    said = next(one for one in answer["statements"] if one["code"] == statement)
    assert told in said["text"]
    said["text"] = said["text"].replace(told, wrong)
    assert faults(record, answer) != []


@pytest.mark.parametrize("name", STATES)
def test_the_gates_that_are_named_are_those_that_refuse_a_real_attempt(name: str) -> None:
    record = recording(name)
    entries = explanation_of(record)["tools"][0]["result"]["entries"]
    for entry, truth in zip(entries, record["truth"], strict=True):
        chooses = entry["direction"] is None  # a FREE zone asks an attempt for its direction and refuses none
        named = [gate["gate"] for gate in entry["closed"]]
        assert named == ([] if chooses and truth["closed"] == ["zone"] else truth["closed"])
        assert entry["allowed"] == truth["sides"]
        assert not entry["unexplained"]
        assert (entry["direction"] is not None and entry["preorder_possible"]) == truth["preorder_accepted"]


@pytest.mark.parametrize("name", STATES)
def test_the_second_reading_agrees_with_the_engine(name: str) -> None:
    record = recording(name)
    for truth in record["truth"]:
        asset = record["state"]["assets"][truth["asset"]]
        closed = [gate.name for gate in closed_gates(record["state"], asset, record["direction"])]
        free_and_undecided = record["direction"] is None and asset["zone_type"] == "FREE"
        assert closed == ([] if free_and_undecided else truth["closed"])


@pytest.mark.parametrize("name", STATES)
def test_no_sentence_has_a_number_that_its_tool_did_not_give(name: str) -> None:
    record = recording(name)
    answer = run(explained(toolbox(state=record["state"]), "block", record["asset"], record["direction"]))
    for statement in answer.statements:
        account = str(statement.facts.get("account", "none"))  # the rules may name it, and its digits prove nothing
        own = replace(statement, text=statement.text.replace(account, "it"))
        assert invented_numbers(own.text, answer.tools) == ()
        assert numbers_without_a_fact(own) == ()


def test_every_gate_is_recorded_and_each_environment_and_several_at_once() -> None:
    closed = [gates for name in STATES for truth in recording(name)["truth"] if (gates := truth["closed"])]
    assert {gate for gates in closed for gate in gates} == set(GATES)
    assert max(len(gates) for gates in closed) >= 7
    assert {recording(name)["state"]["global"]["env"] for name in STATES} == {"DEMO", "LIVE"}
    assert len(STATES) >= 30


def test_no_other_file_is_there() -> None:
    assert {path.name for path in Path(FOLDER).iterdir()} == {f"{name}.json" for name in STATES}


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (lambda answer: answer["statements"].pop(1), "to be said"),
        (lambda answer: answer["statements"][1]["facts"].update(code="other"), "is told as"),
        (lambda answer: answer["statements"][1].update(text="It opens in 2 min 5 s"), "is not named"),
        (lambda answer: answer["statements"][0]["facts"].update(closed=1), "facts"),
        (lambda answer: answer.update(env="LIVE"), "env"),
        (lambda answer: answer["statements"][-1].update(text=answer["statements"][-1]["text"] + " 7"), "no fact"),
    ],
)
def test_the_second_reading_finds_what_is_wrong(broken: object, fault: str) -> None:
    record = recording("just_left")
    answer = explanation_of(record)
    assert callable(broken)
    broken(answer)
    assert any(fault in found for found in faults(record, answer))
