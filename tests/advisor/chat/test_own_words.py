"""The rules' own sentences pass the checks of a model's: of every tool, in the order in which they are said."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from advisor.agent import rules
from advisor.agent.answer import fault_of
from advisor.agent.sentences import SentenceReader
from advisor.agent.tools import TOOLS
from tests.advisor.agent.support import NoModels, run, toolbox
from tests.advisor.agent.test_coach import coached, month
from tests.advisor.agent.test_day import STATE, a_trade, another_day, answers, explain, refused
from tests.advisor.agent.test_tools import Trained, answer
from tests.data.explain_states import FOLDER, STATES
from wire.explain import ToolResult

FOUND_IN = ("explain_blocks", "positions", "consensus")
OF_THE_MARKET = ("range_forecast", "signal", "amd_phase")


def results_of(name: str, tools: tuple[str, ...] = FOUND_IN) -> list[ToolResult]:
    record = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    asset = record["asset"] or "ES"
    asked: dict[str, dict[str, Any]] = {
        "explain_blocks": {"asset": asset} | ({"direction": record["direction"]} if record["direction"] else {}),
        "positions": {},
        "consensus": {"asset": asset},
    }
    tools_of_state = toolbox(state=record["state"])
    return [run(tools_of_state.call(tool, asked[tool])) for tool in tools]


def faults(text: str, results: list[ToolResult]) -> list[tuple[str, str]]:
    """Judge a text sentence by sentence, as an answer does."""
    reader = SentenceReader()
    found: list[tuple[str, str]] = []
    before = ""
    for sentence in [*reader.read(text), reader.rest()]:
        fault = fault_of(sentence, results, before)
        found += [(sentence, fault)] if fault else []
        before += sentence
    return found


@pytest.mark.parametrize("name", STATES)
def test_what_the_rules_say_of_a_recorded_state_may_be_said_by_a_model(name: str) -> None:
    results = results_of(name)
    said = rules.word("", results)
    assert said
    assert faults(said, results) == []


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("made", [["3.25", "-1", "8"], ["-3", "-4"], ["3", "4"], ["0"], []])
@pytest.mark.parametrize("usd", [-412.5, 100.0, -1100.0])
def test_what_the_rules_say_of_a_day_may_be_said_by_a_model(made: list[str], usd: float, stopped: bool) -> None:
    trades = [a_trade(number, points, estimated=number == 2) for number, points in enumerate(made)]
    refusals = [refused(1, "stop", "-375"), refused(2, "target", "375.5"), refused(8, None, None, why="no_price")]
    now = {"daily_pnl_usd": usd, "daily_pnl_pct": usd / 500, "daily_stop_triggered": stopped}
    web = answers(trades, {"cooldown": 3, "two_half_filter": 2, "initial_exit_lock": 4}, overrides=2, tries=1) | {
        "what_if": another_day(refusals, replay_equal=False, unequal_rows=7, truncated=True),
        "state": STATE | {"global": STATE["global"] | now},
    }
    results = list(explain(web).tools)
    assert {result.tool for result in results} == {"day_review", "blocked_attempts", "what_if_day"}
    assert all(result.missing is None for result in results)
    assert faults(rules.word("", results), results) == []


def test_what_the_rules_say_of_many_days_may_be_said_by_a_model() -> None:
    answer = coached(month(0, 400, {10: -4, 14: 3}))
    results = [msgspec.convert(tool, ToolResult) for tool in answer["tools"]]
    said = rules.word("", results)
    assert "95 % interval" in said
    assert faults(said, results) == []


@pytest.mark.parametrize("tool", OF_THE_MARKET)
@pytest.mark.parametrize(
    "engine",
    [Trained(), Trained(lift=Decimal("0.02"), actionable=True), Trained(held=None, lift=Decimal("-0.05")), NoModels()],
)
def test_what_the_rules_say_of_the_market_may_be_said_by_a_model(tool: str, engine: NoModels) -> None:
    said, found = answer(tool, {"asset": "ES"}, engine)
    assert said
    assert faults(said, [found]) == []


def test_every_tool_was_tried() -> None:
    of_days = {"day_review", "blocked_attempts", "what_if_day", "journal_statistics"}
    assert {*FOUND_IN, *of_days, *OF_THE_MARKET} == {tool.name for tool in TOOLS}


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        ("The candle lock gate is closed. ", "It opens in 2 min 4 s, at 09:34:10 New York time."),
        ("", "It opens in 2 min 4 s, at 09:34:10 New York time."),
        ("The desk holds nothing in DEMO. ", "It opens in 2 min 54 s, at 09:35 New York time."),
    ],
)
def test_a_sentence_that_points_back_is_the_desks_only_behind_its_own(before: str, sentence: str) -> None:
    results = results_of("just_left")
    assert fault_of(sentence, results, before) == "claim"
    assert (
        fault_of("It opens in 2 min 4 s, at 09:34:10 New York time.", results, "The cooldown gate is closed. ") is None
    )
