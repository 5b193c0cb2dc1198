"""What is wrong with a request is told in sentences, never in a validator's words or patterns."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pydantic import BaseModel

from routes.http.bodies import SentBody
from routes.http.errors import InvalidRequest
from routes.operator.controls import PointsTargetBody, ProtectBody, SignalTargetBody
from routes.operator.journal_notes import NoteBody
from routes.operator.limits import LimitsBody
from routes.operator.orders import EntryBody
from routes.readers.journal import TradesAsked

ENTRY = {"asset": "ES", "trade_mode": "SCALP", "order_type": "market", "entry_size_mode": "6pt"}
VALIDATORS_WORDS = re.compile(r"should|Input|Field|pattern|Extra|Value error|\^|\[")


def fault_of(model: type[BaseModel], body: dict[str, Any]) -> str:
    with pytest.raises(InvalidRequest) as refused:
        SentBody(json.dumps(body).encode()).read_as(model)
    return str(refused.value)


def test_a_bad_tag_is_quoted_and_told_how_it_would_be_good() -> None:
    told = fault_of(NoteBody, {"tags": ["plan", "zu groß!"]})
    assert told == "tags: 'zu groß!' is no tag: 1 to 24 letters a to z, digits or hyphens"
    assert fault_of(TradesAsked, {"tag": "Plan"}).startswith("tag: 'Plan' is no tag")


@pytest.mark.parametrize(
    ("model", "body", "sentence"),
    [
        (NoteBody, {"note": "x" * 2_001}, "note: must have at most 2000 characters, has 2001"),
        (NoteBody, {"tags": ["a"] * 9}, "tags: must have at most 8 entries, has 9"),
        (LimitsBody, {"max_trades_per_day": 0}, "max_trades_per_day: must be at least 1, was 0"),
        (LimitsBody, {"max_trades_per_day": 2.5}, "max_trades_per_day: must be a whole number, was 2.5"),
        (LimitsBody, {"daily_stop_limit_pct": 0}, "daily_stop_limit_pct: must be above 0, was 0"),
        (LimitsBody, {"stop_points": 1001}, "stop_points: must be at most 1000, was 1001"),
        (LimitsBody, {"stop_points": "x"}, "stop_points: must be a number, was 'x'"),
        (LimitsBody, {"two_half_filter": 3}, "two_half_filter: must be true or false, was 3"),
        (EntryBody, {**ENTRY, "asset": ""}, "asset: must not be empty, was ''"),
        (EntryBody, {**ENTRY, "trade_mode": "SWING"}, "trade_mode: must be 'SCALP' or 'RUNNER', was 'SWING'"),
        (
            EntryBody,
            {**ENTRY, "override_reason": "x" * 301},
            "override_reason: must have at most 300 characters, has 301",
        ),
        (EntryBody, {"asset": "ES"}, "trade_mode: is missing"),
        (ProtectBody, {"asset": "ES", "enabled": True, "treshold": 1}, "treshold: is not known here, was 1"),
        (PointsTargetBody, {"asset": "ES", "enabled": "yes"}, "enabled: must be true or false, was 'yes'"),
        (SignalTargetBody, {"asset": "ES", "tp_target": 1.5}, "tp_target: must be a whole number, was 1.5"),
        (SignalTargetBody, {"asset": 7}, "asset: must be a text, was 7"),
    ],
)
def test_a_fault_is_told_in_a_sentence(model: type[Any], body: dict[str, Any], sentence: str) -> None:
    told = fault_of(model, body)
    assert told == sentence
    assert not VALIDATORS_WORDS.search(told)
