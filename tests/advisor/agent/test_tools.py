"""The table of tools: strict in what it takes and in what it believes; unknown stays unknown; nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest

from advisor.agent.desk_reader import DeskReader
from advisor.agent.grounding import invented_numbers
from advisor.agent.rules import sentences_of, word
from advisor.agent.toolbox import Toolbox, ToolRefused
from advisor.agent.tools import TOOLS
from sidecar.problems import ServiceRefused
from sidecar.web import DeskAway, EventsGone
from tests.advisor.agent.second_opinion import Json
from tests.advisor.agent.support import NOON, NoModels, RecordedWeb, by_path, numbers_without_a_fact, run, toolbox
from tests.data.explain_states import FOLDER
from wire.explain import ToolName, ToolResult
from wire.ml_engine import (
    AmdAnswer,
    AmdCharacteristics,
    MlTimeframe,
    RangeBand,
    RangeBands,
    RrConfig,
    SignalResponse,
    TradingBias,
)


def state(name: str) -> Json:
    found: Json = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))["state"]
    return found


def call(tool: str, arguments: Json, name: str = "open_with_the_structure") -> ToolResult:
    return run(toolbox(state=state(name)).call(tool, arguments))


# -- the table ------------------------------------------------------------------------------------------------------


def test_the_table_has_a_row_for_every_tool_of_the_wire() -> None:
    assert [tool.name for tool in TOOLS] != []
    assert sorted(tool.name for tool in TOOLS) == sorted(get_args(ToolName))
    assert all(tool.description and tool.wording for tool in TOOLS)


def test_no_tool_asks_web_for_anything_but_reading() -> None:
    """The reader has one verb: what it is given to call web with can only get."""
    web = RecordedWeb(by_path({"state": state("long_with_exit_lock")}))
    tools = Toolbox(DeskReader(web), NoModels(), clock=lambda: NOON)
    for tool in TOOLS:
        run(tools.call(tool.name, {} if tool.name not in OF_AN_ASSET else {"asset": "ES"}))
    reading = ("/api/state", "/api/journal/", "/api/what-if/day")
    assert all(path.startswith(reading) for path, _ in web.asked)


OF_AN_ASSET = {"range_forecast", "signal", "amd_phase", "consensus"}


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("place_order", {}, "unknown_tool"),
        ("", {}, "unknown_tool"),
        ("explain_blocks", {"asset": "ES", "size": 9}, "invalid_arguments"),
        ("explain_blocks", {"direction": "LONG"}, "invalid_arguments"),
        ("explain_blocks", {"asset": 5.5}, "invalid_arguments"),
        ("explain_blocks", {"asset": "AAPL"}, "unknown_symbol"),
        ("consensus", {}, "invalid_arguments"),
        ("range_forecast", {"asset": "ES", "timeframe": "7m"}, "invalid_arguments"),
        ("range_forecast", {"asset": "ESTC"}, "unknown_symbol"),
        ("amd_phase", {"asset": "ES", "lookback": 49}, "invalid_arguments"),
        ("day_review", {"day": "2026-02-30"}, "invalid_arguments"),
        ("day_review", {"day": "x" * 21}, "invalid_arguments"),
        ("journal_statistics", {"by": "moon"}, "invalid_arguments"),
    ],
)
def test_what_a_tool_does_not_take_is_refused(tool: str, arguments: Json, code: str) -> None:
    with pytest.raises(ToolRefused) as refusal:
        call(tool, arguments)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "said"),
    [
        ("explain_blocks", {"asset": "NQ"}, "not_traded_here", "this desk does not trade NQ: it trades ES."),
        ("positions", {"asset": "mnqz6"}, "not_traded_here", "this desk does not trade NQ: it trades ES."),
        ("consensus", {"asset": "GC"}, "not_traded_here", "this desk does not trade GC: it trades ES."),
        ("day_review", {"day": "sunday"}, "no_trading_day", "Sunday 15 November 2026 is no trading day."),
        ("what_if_day", {"day": "2026-11-18"}, "no_trading_day", "Wednesday 18 November 2026 is no trading day up to"),
    ],
)
def test_a_person_who_asks_for_what_is_not_there_is_told_so(tool: str, arguments: Json, code: str, said: str) -> None:
    result = call(tool, arguments)
    assert (result.missing, result.env) == (code, "DEMO")
    assert f"Nothing is known here: {said}" in word("", [result])


def test_a_model_may_write_a_number_as_a_text() -> None:
    assert call("amd_phase", {"asset": "ES", "lookback": "200"}).missing == "no_bars"


# -- what web says --------------------------------------------------------------------------------------------------


def without(path: str) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        *parents, last = path.split(".")
        for name in parents:
            document = document[name]
        del document[last]

    return change


@pytest.mark.parametrize(
    "path",
    [
        "global.env",
        "global.store",
        "now",
        "assets.ES.ladder",
        "assets.ES.may_enter",
        "assets.ES.zone_direction",
        "orders",
    ],
)
def test_a_state_that_lacks_a_field_is_no_state(path: str) -> None:
    document = state("open_with_the_structure")
    without(path)(document)
    result = run(toolbox(state=document).call("explain_blocks", {}))
    assert (result.missing, result.env) == ("web_away", None)
    assert word("why", [result]) == "The desk does not answer, so nothing can be said about it now."


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"ok": true}', b"\xff\xfe", b"[" * 5_000])
def test_an_answer_that_is_no_state_is_no_state(body: bytes) -> None:
    assert run(toolbox(state=body).call("positions", {})).missing == "web_away"


@pytest.mark.parametrize(("name", "value"), [("env", "PAPER"), ("trades_remaining_today", "6"), ("store", None)])
def test_a_field_of_another_kind_makes_it_no_state(name: str, value: object) -> None:
    document = state("open_with_the_structure")
    document["global"][name] = value
    assert run(toolbox(state=document).call("explain_blocks", {})).missing == "web_away"


def test_a_field_that_a_newer_web_adds_is_left_alone() -> None:
    document = state("open_with_the_structure")
    document["global"]["weather"] = "fine"
    assert run(toolbox(state=document).call("explain_blocks", {})).missing is None


def test_every_reading_of_a_desk_that_is_away_says_so() -> None:
    for tool in TOOLS:
        if tool.name not in {"range_forecast", "signal", "amd_phase"}:
            arguments = {"asset": "ES"} if tool.name == "consensus" else {}
            result = run(toolbox().call(tool.name, arguments))
            assert (result.missing, result.env, result.as_of) == ("web_away", None, NOON)


def test_an_answer_of_410_is_no_answer() -> None:
    class Gone:
        async def get(self, path: str, answer_seconds: float = 1.0, **query: str | int) -> bytes:
            raise EventsGone(7)

    with pytest.raises(DeskAway, match="410"):
        run(DeskReader(Gone()).state())


# -- gates that contradict each other -------------------------------------------------------------------------------


def test_a_refusal_that_the_ladder_does_not_explain_is_said_to_be_unexplained() -> None:
    document = state("open_with_the_structure")
    document["assets"]["ES"]["may_enter"] = []
    (statement,) = sentences_of(run(toolbox(state=document).call("explain_blocks", {"direction": "BUY"})))
    assert statement.code == "unexplained"
    assert "does not say why" in statement.text


def test_a_gate_that_a_later_desk_adds_is_named_as_the_desk_names_it() -> None:
    document = state("day_used_up")
    ladder = document["assets"]["ES"]["ladder"]
    closed = next(rung for rung in ladder if rung["state"] == "closed")
    closed |= {
        "gate": "loss_streak",
        "code": "loss_streak",
        "detail": "3 losing trades in a row",
        "facts": {"losses": 3},
    }
    texts = [s.text for s in sentences_of(run(toolbox(state=document).call("explain_blocks", {"direction": "BUY"})))]
    assert "The loss streak gate is closed: 3 losing trades in a row." in texts[1]


def test_a_gate_that_binds_no_market_entry_refuses_none() -> None:
    document = state("day_used_up")
    for rung in document["assets"]["ES"]["ladder"]:
        rung["binds"] = (
            [act for act in rung["binds"] if act != "market"] if rung["state"] == "closed" else rung["binds"]
        )
    result = run(toolbox(state=document).call("explain_blocks", {"direction": "BUY"}))
    assert result.result["entries"][0]["closed_count"] == 0


# -- what is held ---------------------------------------------------------------------------------------------------


def test_a_position_is_told_with_its_stop_and_its_result() -> None:
    document = state("long_with_exit_lock")
    result = run(toolbox(state=document).call("positions", {}))
    asset = document["assets"]["ES"]
    (held,) = result.result["held"]
    assert (held["quantity"], held["side"], held["contract"]) == (asset["trade"]["quantity"], "BUY", "MESZ6")
    assert float(held["open_usd"]) == asset["pnl"]
    text = word("what do I hold", [result])
    assert "You are long 5 MESZ6 at 5250 in DEMO: +2.5 points open, +62.50 USD" in text
    assert invented_numbers(text, [result]) == ()


def test_a_position_without_a_price_is_told_as_unknown_and_never_as_nought() -> None:
    document = state("long_with_exit_lock")
    asset = document["assets"]["ES"]
    asset |= {"pnl": None, "rithmic_open_points": None, "last_price": None}
    asset["trade"]["open_points"] = None
    result = run(toolbox(state=document).call("positions", {}))
    (held,) = result.result["held"]
    assert held["missing"] == {
        "open_points": "no_price",
        "open_usd": "no_price",
        "last_price": "no_price",
        "stop_rests": "bridge_does_not_tell",
    }
    text = word("what do I hold", [result])
    assert "not known (no price)" in text
    assert "whether a stop rests at the broker is not known" in text
    assert "0.00 USD" not in text


def test_nothing_in_one_asset_is_not_told_as_nothing_at_all() -> None:
    document = state("live_bare_position")
    assert document["assets"]["NQ"]["position"] != 0
    tools = toolbox(state=document)
    of_es = word("do I hold ES", [run(tools.call("positions", {"asset": "ES"}))])
    assert "The desk holds nothing in ES (LIVE)." in of_es
    assert "holds nothing in LIVE" not in of_es
    assert "holds nothing" not in word("what do I hold", [run(tools.call("positions", {}))])


def test_foreign_positions_orders_and_disagreements_are_told() -> None:
    foreign = word("positions", [call("positions", {}, "foreign_symbol")])
    assert "The broker holds 3 XYZ, which the desk does not trade." in foreign
    pending = word("positions", [call("positions", {}, "fate_unknown")])
    assert "ENTRY BUY 5 MESZ6, CLAIMED, and nobody knows what became of it" in pending
    assert "The desk holds nothing in DEMO." in pending


@pytest.mark.parametrize("symbol", ["XYZ, sell", "9 lives", "", "X" * 41, "ＸＹＺ", "ES\n", "ES; you made 500 USD"])
def test_a_foreign_symbol_that_is_no_name_is_not_repeated(symbol: str) -> None:
    document = state("foreign_symbol")
    document["global"]["foreign_positions"][0]["symbol"] = symbol
    result = run(toolbox(state=document).call("positions", {}))
    text = word("positions", [result])
    assert "The broker holds 3 of an unreadable symbol, which the desk does not trade." in text
    assert result.result["foreign"][0]["symbol"] is None
    assert len(invented_numbers("You made 500 USD, 9 times.", [result])) == 2


def test_colours_that_are_too_old_or_were_never_seen_are_no_colours() -> None:
    stale = call("consensus", {"asset": "ES"}, "structure_stale")
    colours = {brick["size"]: (brick["colour"], brick["missing"]) for brick in stale.result["colours"]}
    assert colours["12pt"] == (None, "stale")
    assert colours["1pt"] == (None, "not_seen")
    assert colours["6pt"] == ("green", None)
    assert stale.result["vote_missing"] == "feeds_not_asked"
    assert "Colours are no forecast." in word("bricks of ES", [stale])


# -- the ML engine --------------------------------------------------------------------------------------------------

LATER = NOON + timedelta(hours=1)


class Trained(NoModels):
    """An ML engine that has learned."""

    def __init__(self, held: Decimal | None = Decimal("0.81"), lift: Decimal | None = None, actionable: bool = False):
        self.held, self.lift, self.actionable = held, lift, actionable

    async def bands(self, symbol: str, timeframe: MlTimeframe) -> RangeBands:
        band = RangeBand(
            quantile=Decimal("0.8"), high=Decimal("5262.25"), low=Decimal("5239.75"), held_high=self.held,
            held_low=self.held, n=500,
        )  # fmt: skip
        return RangeBands(
            asset=symbol, timeframe=timeframe, close=Decimal("5250.25"), as_of=NOON, valid_until=LATER,
            atr=Decimal("7.5"), method="hour", model="ES-1h-range-7", bands=(band,),
        )  # fmt: skip

    async def signal(self, symbol: str, timeframe: MlTimeframe, rr: RrConfig) -> SignalResponse:
        return SignalResponse(
            signal_id="SIG-1", symbol=symbol, direction="long", entry_price=Decimal("5250.25"),
            stop_loss=Decimal(5243), take_profit=Decimal("5264.75"), risk_reward_ratio=Decimal(2),
            prob_tp_first=Decimal("0.31"), confidence_score=Decimal(0), amd_phase="unknown",
            volatility_regime="medium", range_prediction=None, timestamp=NOON, valid_until=LATER,
            actionable=self.actionable, prob_source="base_rate", base_rate=Decimal("0.31"), n=4_200, model="m1",
        )  # fmt: skip

    async def amd(self, symbol: str, timeframe: MlTimeframe, lookback: int) -> AmdAnswer:
        return AmdAnswer(
            phase="accumulation", confidence=Decimal("0.7"), start_time=NOON,
            characteristics=AmdCharacteristics(range_compression=Decimal("0.6"), volume_ratio=None), signals=(),
            strength=Decimal("0.6"), trading_bias=TradingBias(direction="neutral", position_size=Decimal(0)),
            symbol=symbol, timeframe=timeframe, as_of=NOON, lift=self.lift,
            lift_low=None if self.lift is None else self.lift - Decimal("0.03"),
            lift_high=None if self.lift is None else self.lift + Decimal("0.03"),
            base_rate=None if self.lift is None else Decimal("0.33"), n=120,
        )  # fmt: skip


def answer(tool: str, arguments: Json, ml: Any) -> tuple[str, ToolResult]:
    tools = Toolbox(DeskReader(RecordedWeb({})), ml, clock=lambda: NOON)
    result = run(tools.call(tool, arguments))
    return word("", [result]), result


def test_a_range_is_told_with_how_often_it_held_and_that_it_is_no_direction() -> None:
    text, result = answer("range_forecast", {"asset": "ES", "timeframe": "1h"}, Trained())
    assert "In 80 % of 1h bars ES stays below 5262.25" in text
    assert "of the last 500 forecasts 81 % held above and 81 % below" in text
    assert "It says how far, not which way." in text
    assert (result.env, result.as_of) == (None, NOON)
    assert invented_numbers(text, [result]) == ()


def test_a_range_that_nobody_judged_yet_claims_nothing() -> None:
    text, result = answer("range_forecast", {"asset": "ES", "timeframe": "1h"}, Trained(held=None))
    assert "too few forecasts were judged" in text
    assert invented_numbers(text, [result]) == ()


def test_a_base_rate_is_called_no_forecast() -> None:
    text, result = answer("signal", {"asset": "ES"}, Trained())
    assert "There is no active signal of ES." in text
    assert "31 % of 4,200 bars: that is the base rate, no forecast." in text
    assert invented_numbers(text, [result]) == ()
    active, _ = answer("signal", {"asset": "ES"}, Trained(actionable=True))
    assert "nobody trades it" in active


@pytest.mark.parametrize("lift", [None, Decimal("0.02"), Decimal("-0.05")])
def test_a_phase_gives_no_direction_unless_it_was_measured(lift: Decimal | None) -> None:
    text, result = answer("amd_phase", {"asset": "ES"}, Trained(lift=lift))
    assert "gives no direction" in text
    assert ("not measured" in text) == (lift is None)
    assert invented_numbers(text, [result]) == ()


@pytest.mark.parametrize("tool", ["range_forecast", "signal", "amd_phase"])
def test_what_was_never_learned_is_not_known_and_the_reason_is_told(tool: str) -> None:
    text, result = answer(tool, {"asset": "ES"}, NoModels())
    assert result.missing in ("not_trained", "no_bars")
    assert text.startswith("Nothing is known here: ")
    assert invented_numbers(text, [result]) == ()


def test_a_fault_of_the_engine_is_told_as_one() -> None:
    class Faulty(NoModels):
        async def bands(self, symbol: str, timeframe: MlTimeframe) -> RangeBands:
            raise ServiceRefused("busy", "the engine is training")

    text, _ = answer("range_forecast", {"asset": "ES"}, Faulty())
    assert text == "Nothing is known here: the engine is training."


@pytest.mark.parametrize(
    ("tool", "ml"),
    [
        ("range_forecast", Trained()),
        ("range_forecast", Trained(held=None)),
        ("signal", Trained()),
        ("signal", Trained(actionable=True)),
        ("amd_phase", Trained(lift=Decimal("0.04"))),
    ],
)
def test_every_number_about_the_market_is_among_its_sentences_facts(tool: str, ml: Trained) -> None:
    _, result = answer(tool, {"asset": "ES", "timeframe": "1h"}, ml)
    assert [(s.text, found) for s in sentences_of(result) if (found := numbers_without_a_fact(s))] == []


@pytest.mark.parametrize("name", ["long_with_exit_lock", "foreign_symbol", "fate_unknown", "broker_disagrees"])
@pytest.mark.parametrize("tool", ["positions", "consensus"])
def test_every_number_about_the_desk_is_among_its_sentences_facts(tool: str, name: str) -> None:
    result = call(tool, {"asset": "ES"}, name)
    assert [(s.text, found) for s in sentences_of(result) if (found := numbers_without_a_fact(s))] == []


def test_results_travel_as_json_with_plain_numbers() -> None:
    _, result = answer("range_forecast", {"asset": "ES"}, Trained())
    body = msgspec.json.decode(msgspec.json.Encoder(decimal_format="number").encode(result))
    assert body["result"]["bands"][0]["high"] == 5262.25
    assert datetime.fromisoformat(body["result"]["as_of"]) == NOON
