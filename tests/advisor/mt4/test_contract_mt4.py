"""The contract of MT4: its page, the documents of both ports, and the program are the same."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, get_args

import msgspec
import pytest
from openapi_spec_validator import validate

from advisor.channels import mt4_rest
from advisor.channels.agent_openapi import openapi_document
from advisor.mt4 import desk, lots, metaapi_client, metaapi_lookup, paper, paper_minutes, prices, requests, sent
from advisor.mt4 import metaapi_settling as settling
from advisor.mt4.result_codes import DONE, UNKNOWN
from feeds.channels import mt4_forward
from feeds.channels.data_openapi import openapi_document as data_document
from sidecar import mt4_keys, queries
from sidecar.key_calls import REQUESTS
from sidecar.mt4_openapi import AGENT_CALLS, DATA_CALLS
from sidecar.problems import STATUS
from tests.support.contract_page import quoted, table
from tests.support.paths import REPOSITORY
from wire.mt4 import (
    ACTIONS,
    LONGEST_COMMENT,
    TIMEFRAMES,
    AccountKind,
    AccountState,
    CloseAnswer,
    DealReason,
    DealRow,
    OrderRow,
    PositionRow,
    ProposalBrief,
    TradeAnswer,
    TradeBody,
)
from wire.service_problem import ServiceFault

PAGE = REPOSITORY / "docs" / "reference" / "mt4.md"
CALLS = (*AGENT_CALLS, *DATA_CALLS)


@cache
def document() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(openapi_document())
    return whole


def test_the_page_has_every_call_with_its_key_and_all_that_it_reads_and_answers() -> None:
    rows = {quoted(row["call"])[0]: row for row in table(PAGE, "call", "Calls")}
    told = {f"{call.method.upper()} {call.path}": call for call in CALLS}
    assert set(rows) == set(told)
    for name, call in told.items():
        [answered] = set(call.answers.values())
        body = call.body.__struct_fields__ if call.body is not None else ()
        assert quoted(rows[name]["key"]) == ("mt4:read" if call.method == "get" else "mt4:trade",)
        assert quoted(rows[name]["answer has"]) == answered.__struct_fields__, name
        assert quoted(rows[name]["query or body"]) == (*(parameter for parameter, _, _ in call.query), *body), name


@pytest.mark.parametrize(
    ("heading", "section", "struct"),
    [
        ("field of the account", "What the account is", AccountState),
        ("field of a position", "What the account is", PositionRow),
        ("field of an order", "What the account is", OrderRow),
        ("field of a deal", "What the account is", DealRow),
        ("field of the answer", "trade", TradeAnswer),
        ("field of the answer", "close", CloseAnswer),
    ],
)
def test_the_page_has_every_field_and_says_which_may_be_null(
    heading: str, section: str, struct: type[msgspec.Struct]
) -> None:
    told = {quoted(row[heading])[0]: "null" in row["type"] for row in table(PAGE, heading, section)}
    fields = document()["components"]["schemas"][struct.__name__]["properties"]
    assert told == {name: {"type": "null"} in field.get("anyOf", ()) for name, field in fields.items()}


def test_the_page_has_every_choice() -> None:
    meanings = {
        heading: {quoted(row[heading])[0]: quoted(row["meaning"]) for row in table(PAGE, heading)}
        for heading in ("field of the account", "field of a deal", "field of a trade", "field of the answer")
    }
    assert meanings["field of the account"]["kind"] == get_args(AccountKind)
    assert meanings["field of a deal"]["reason"] == get_args(DealReason)
    assert meanings["field of a trade"]["action"] == ACTIONS
    assert tuple(meanings["field of a trade"]) == TradeBody.__struct_fields__
    assert meanings["field of the answer"]["proposal"] == ProposalBrief.__struct_fields__
    [codes, *_] = table(PAGE, "result code of a trade")
    assert {int(part) for part in codes["result code of a trade"].split(", with")[0].split(", ")} == set(DONE)
    unknown = table(PAGE, "result code of a trade")[2]["result code of a trade"].split(", and every")[0]
    assert {int(part) for part in unknown.split(", ")} == set(UNKNOWN)


def test_the_page_has_every_error_at_its_status() -> None:
    rows = {int(row["status"]): set(quoted(row["`error`"])) for row in table(PAGE, "status", "Errors")}
    codes: set[ServiceFault] = {"not_found", "method_not_allowed"}
    codes.update(code for call in CALLS for code in call.errors)
    assert rows == {STATUS[code]: {other for other in codes if STATUS[other] == STATUS[code]} for code in codes}


def test_the_page_says_the_numbers_of_the_program() -> None:
    text = " ".join(PAGE.read_text("utf-8").split())
    look_ups, times = metaapi_lookup.LookUps(), metaapi_client.Timeouts()
    assert (look_ups.tries, look_ups.pause_seconds) == (3, 1.0)
    for said in (
        f"younger than {prices.FRESH_SECONDS} s",
        f"by more than {prices.AHEAD_SECONDS} s",
        f"a multiple of {lots.STEP}, at most {lots.MOST_LOTS}",
        f"10000 USD, leverage {lots.LEVERAGE}",
        f"Symbols: {' '.join(f'`{symbol}`' for symbol in lots.LOTS)}.",
        f"{paper.MOST_OPEN} orders and positions",
        f"valid for {desk.VALID_FOR.seconds // 60} minutes, source `{desk.SOURCE}`",
        f"newest {requests.KEPT} names",
        f"waits {mt4_forward.CLOSE_SECONDS:.0f} s for a closing",
        f"within {sent.UNTOLD_FOR.seconds // 60} minutes is taken for the same call",
        f"again** for {settling.LOOKED_UP_FOR.days} days",
        f"at most every {settling.LONGEST_SECONDS / 60:.0f} minutes, at most every {look_ups.apart_seconds:.0f} s",
        f"(1 to {mt4_keys.LONGEST} characters)",
        f"{LONGEST_COMMENT} printable characters at most",
        f"id and comment have {sent.LONGEST} characters together",
        f"`LS_<symbol>_<{sent.OWN_LETTERS} letters>`",
        f"`timeframe` {' '.join(f'`{one}`' for one in TIMEFRAMES)} (by itself `1h`)",
        f"`limit` 1 to {mt4_rest.MOST_CANDLES} (by itself {mt4_rest.USUAL_CANDLES}), oldest first",
        f"newest `limit` (1 to {mt4_rest.MOST_DEALS}, by itself {mt4_rest.USUAL_DEALS})",
        f"used {REQUESTS} times a minute",
        f"may have {queries.LONGEST_BODY} bytes",
        "three times a second apart",
        f"samples | {paper_minutes.SETTLES_SECONDS} s after its end",
        f"than {paper_minutes.SETTLES_SECONDS} s after its end, counts no more",
        f"within {times.read:.0f} s, of a trade {times.trade:.0f} s, of candles {times.candles:.0f} s",
        f"at most {metaapi_client.MOST_BYTES // 1024**2} MiB",
    ):
        assert said in text, said


def test_both_documents_are_valid_and_have_the_calls() -> None:
    for whole, calls in ((document(), CALLS), (json.loads(data_document()), DATA_CALLS)):
        validate(whole)
        told = {f"{method} {path}" for path, methods in whole["paths"].items() for method in methods}
        assert {f"{call.method} {call.path}" for call in calls} <= told
        assert all(whole["paths"][call.path][call.method]["security"] == [{"key": []}] for call in calls)
