"""The contract of the ML engine: its page, its own OpenAPI document and the shapes of the wire are the same."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, get_args

import pytest
from msgspec import Struct

from advisor.channels import ml_requests
from advisor.channels.ml_openapi import CALLS, ml_document
from advisor.coverage import COUNTED, KEPT
from advisor.ml.amd import BOX_BARS
from advisor.ml.forecast import FEWEST_HELD
from advisor.ml.signals import REGIME_BARS
from advisor.models import engine
from advisor.models.files import Reason
from advisor.models.history import LATE_SECONDS, RECENT_BARS, SETTLES_SECONDS
from sidecar.key_calls import REQUESTS
from sidecar.listen import PING_SECONDS
from sidecar.local_sockets import MOST_CLIENTS
from sidecar.mailbox import ROOM
from sidecar.problems import STATUS
from tests.support.contract_page import quoted, table
from tests.support.paths import REPOSITORY
from wire.minutes import LONGEST_PAGE
from wire.ml_engine import (
    AmdAnswer,
    AmdChange,
    AmdCharacteristics,
    CardData,
    MlHealth,
    ModelCard,
    ModelTrouble,
    RangeBand,
    RangeBands,
    RangePrediction,
    Reliability,
    SignalProblem,
    SignalResponse,
    Skill,
    TradingBias,
)
from wire.service_problem import ServiceFault

PAGE = REPOSITORY / "docs" / "reference" / "ml-engine.md"
ONE_OF = ("one ", "an array of one ")
TABLES: list[tuple[str, type[Struct]]] = [
    ("field of health", MlHealth),
    ("field of a trouble", ModelTrouble),
    ("field of the bands", RangeBands),
    ("field of a band", RangeBand),
    ("field of a prediction", RangePrediction),
    ("field of a signal", SignalResponse),
    ("field of an error", SignalProblem),
    ("field of a phase", AmdAnswer),
    ("field of `characteristics`", AmdCharacteristics),
    ("field of `trading_bias`", TradingBias),
    ("field of a card", ModelCard),
    ("field of `data`", CardData),
    ("field of a skill", Skill),
    ("field of a bin", Reliability),
]


@cache
def document() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(ml_document())
    return whole


def test_the_page_has_every_call_with_all_that_it_reads_and_answers() -> None:
    rows = {quoted(row["call"])[0]: row for row in table(PAGE, "call", "Calls")}
    assert set(rows) == {f"{call.method.upper()} {call.path}" for call in CALLS}
    for call in CALLS:
        row = rows[f"{call.method.upper()} {call.path}"]
        body = call.body.__struct_fields__ if call.body is not None else ()
        assert quoted(row["query or body"]) == (*(name for name, _, _ in call.query), *body), call.name
        if not row["answer has"].startswith(ONE_OF):
            assert quoted(row["answer has"]) == call.answers[200].__struct_fields__, call.name
        else:
            assert call.is_list is row["answer has"].startswith("an array"), call.name


@pytest.mark.parametrize(("heading", "struct"), TABLES, ids=[heading for heading, _ in TABLES])
def test_the_page_has_every_field_and_says_which_may_be_null(heading: str, struct: type[Struct]) -> None:
    told = {name: "null" in row["type"] for row in table(PAGE, heading) for name in quoted(row[heading])}
    fields = document()["components"]["schemas"][struct.__name__]["properties"]
    assert told == {name: {"type": "null"} in field.get("anyOf", ()) for name, field in fields.items()}


def test_the_page_has_every_message_of_the_socket() -> None:
    rows = {quoted(row["event `type`"])[0]: row["`data` has"] for row in table(PAGE, "event `type`", "Socket")}
    assert set(rows) == {"signal", "amd_change"}
    assert quoted(rows["amd_change"]) == AmdChange.__struct_fields__


def test_the_page_has_every_error_at_its_status() -> None:
    rows = {int(row["status"]): set(quoted(row["`error`"])) for row in table(PAGE, "status", "Errors")}
    beside: set[ServiceFault] = {"not_found", "method_not_allowed", "busy"}
    codes = {code for call in CALLS for code in call.errors} | beside
    assert rows == {STATUS[code]: {other for other in codes if STATUS[other] == STATUS[code]} for code in codes}


def test_the_page_says_the_numbers_and_the_codes_of_the_program() -> None:
    text = " ".join(PAGE.read_text("utf-8").split())
    parameters = {quoted(row["parameter"])[0]: row for row in table(PAGE, "parameter", "Calls")}
    assert quoted(parameters["timeframe"]["by itself"]) == (ml_requests.USUAL_TIMEFRAME,)
    assert quoted(parameters["rr_config"]["by itself"]) == (ml_requests.USUAL_RR,)
    assert quoted(parameters["rr_config"]["meaning"]) == ml_requests.RR_CONFIGS
    assert parameters["lookback_periods"]["by itself"] == str(engine.USUAL_LOOKBACK)
    [reasons] = [row["meaning"] for row in table(PAGE, "field of a trouble") if row["field of a trouble"] == "`reason`"]
    assert quoted(reasons) == get_args(Reason)
    for said in (
        f"{engine.SHORTEST_LOOKBACK} to {engine.LONGEST_LOOKBACK} ranges of {BOX_BARS} bars",
        f"{LONGEST_PAGE} minutes are looked at",
        f"{ml_requests.MOST_SYMBOLS} names at most",
        f"or {SETTLES_SECONDS} s after its end",
        f"more than {RECENT_BARS} bars of trading time ago",
        f"that is over by {LATE_SECONDS} s",
        f"null before {FEWEST_HELD} did",
        f"at most the last {COUNTED}",
        f"The newest {KEPT} are kept",
        f"`unknown` below {REGIME_BARS}",
        f"when {ROOM} messages wait",
        f"{MOST_CLIENTS} programs may be connected",
        f"pinged every {PING_SECONDS:.0f} s",
        f"used {REQUESTS} times a minute",
        f"| `quantile` | number | {engine.SERVED_QUANTILE} |",
    ):
        assert said in text, said


def test_the_document_names_nothing_that_is_not_in_it() -> None:
    named = set(re.findall(r'"#/components/schemas/(\w+)"', ml_document().decode()))
    assert named <= set(document()["components"]["schemas"])
    assert document()["paths"]["/predict/range"]["post"]["responses"]["200"]["content"]["application/json"][
        "schema"
    ] == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/RangePrediction"},
    }
