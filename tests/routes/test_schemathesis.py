"""Schemathesis against a running desk: whatever fits the document and whatever does not, no 5xx and no undocumented
answer.

Left out is the stream, whose answer has no end (``test_stream.py`` reads it). Long polls are asked without waiting.
The 503 of a store that is down is documented and must not occur here; the only ones that may are the refusal to go LIVE
without a bridge, and what needs feeds or the advisor.
"""

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.api_document import document, operations
from tests.support.desk_process import (
    BRIDGE_SECRET,
    QUICK,
    SERVICE_SECRET,
    TV_SECRET,
    DeskProcess,
    OperatorCaller,
    eventually,
)

ENDLESS = {("GET", "/api/stream")}
CALLS = [call for call in operations() if call not in ENDLESS]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
]
TOO_LONG = frozenset({413, 414})  # body, address
EXAMPLES, MANY_EXAMPLES = 25, int(os.environ.get("LOCKSTEP_FUZZ_EXAMPLES", "1000"))


def known_to_the_desk() -> dict[str, Any]:
    """Return the document with the words of this desk, so that what fits gets past guard and symbol map."""
    told = copy.deepcopy(document())
    for schema in told["components"]["schemas"].values():
        fields = schema.get("properties", {})
        if "secret" in fields:
            fields["secret"] = {"const": TV_SECRET}
        if "asset" in fields and "examples" in fields["asset"]:
            fields["asset"] = {"enum": ["ES", "NQ"]}
    return told


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("schemathesis"), **QUICK) as desk:
        yield desk


@pytest.fixture(scope="module")
def operator(desk: DeskProcess) -> OperatorCaller:
    """An operator whose session no guess at ``/api/login`` and no log-out can end."""
    return desk.operator()


@pytest.fixture(scope="module")
def schema() -> BaseSchema:
    config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
    return schemathesis.openapi.from_dict(known_to_the_desk(), config=config)


def sets_the_scene(desk: DeskProcess, operator: OperatorCaller) -> None:
    """Let there be a ladder, a trade in ES where the limits still allow one, and something waiting for NQ."""
    bridge, alerts = desk.bridge(), desk.tradingview()
    for asset in ("ES", "NQ"):
        alerts.opens_the_ladder(asset)
    eventually(lambda: not operator.state()["global"]["five_min_trade_lock_active"])
    entered = operator.enters("ES")
    if entered.status_code == 201:
        bridge.fills(entered.json()["order"], 5250.25)
    operator.post("/api/intent", json={"asset": "NQ"})


def fuzz(desk: DeskProcess, operator: OperatorCaller, operation: Any, mode: GenerationMode, examples: int) -> None:
    """Make the call with generated data, with the right to make it, and hold the answers against the document."""
    security = [name for choice in operation.definition.raw.get("security", []) for name in choice]
    headers = {"X-Bridge-Secret": BRIDGE_SECRET} if "bridgeSecret" in security else {}
    if "serviceSecret" in security and "session" not in security:
        headers["X-Service-Secret"] = SERVICE_SECRET
    cookies = dict(operator.cookies) if "session" in security else {}

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def calls(case: Any) -> None:
        assume(not waits(case))
        answer = case.call(base_url=desk.url, headers=headers, cookies=cookies, timeout=60, allow_redirects=False)
        checks = [check for check in CHECKS if not may_be(check, operation, answer)]
        case.validate_response(answer, checks=checks)

    calls()


def waits(case: Any) -> bool:
    wait = (case.query or {}).get("wait")
    return str(wait).strip() not in ("None", "0") and str(wait).strip().isdecimal() and len(str(wait)) <= 2


def may_be(check: Any, operation: Any, answer: Any) -> bool:
    """Return whether a check does not know that this answer is right."""
    if check is negative_data_rejection:
        return answer.status_code in TOO_LONG  # a refusal as well
    return check is not_a_server_error and may_be_down(operation, answer)


def may_be_down(operation: Any, answer: Any) -> bool:
    """LIVE without a connected bridge is refused (SPEC 8.5); without feeds and advisor nobody answers theirs."""
    of_ml = ("/api/ml/range", "/api/ml/signals/active", "/api/ml/amd/{symbol}", "/api/ml/models")
    advisor = (*of_ml, "/api/explain", "/api/auto-trade/status")
    codes = {"/api/env": "bridge_down", "/api/candles": "feeds_away", "/api/chat": "advisor_away"}
    codes |= dict.fromkeys(advisor, "advisor_away")
    may: bool = answer.status_code == 503 and answer.json().get("code") == codes.get(operation.path, "")
    return may


def modes_of(method: str, path: str) -> tuple[GenerationMode, ...]:
    """Data that does not fit exists only where there is data."""
    call = document()["paths"][path][method.lower()]
    asked = [parameter for parameter in call.get("parameters", []) if parameter["in"] != "path"]  # any text is a path
    has_data = "requestBody" in call or bool(asked)
    return (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if has_data else (GenerationMode.POSITIVE,)


RUNS = [(method, path, mode) for method, path in CALLS for mode in modes_of(method, path)]
NAMES = [f"{method} {path} {mode.value}" for method, path, mode in RUNS]


@pytest.mark.processes
@pytest.mark.parametrize(("method", "path", "mode"), RUNS, ids=NAMES)
def test_every_answer_is_a_documented_one(
    desk: DeskProcess, operator: OperatorCaller, schema: BaseSchema, method: str, path: str, mode: GenerationMode
) -> None:
    sets_the_scene(desk, operator)
    fuzz(desk, operator, schema[path][method], mode, EXAMPLES)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("method", "path", "mode"), RUNS, ids=NAMES)
def test_every_answer_is_a_documented_one_at_length(
    request: pytest.FixtureRequest, tmp_path: Path, schema: BaseSchema, method: str, path: str, mode: GenerationMode
) -> None:
    """A desk of its own for each call: a thousand guesses at the limits leave nothing that could be entered."""
    if "soak" not in request.config.option.markexpr:
        pytest.skip("only in make soak")
    with DeskProcess(tmp_path, **QUICK) as desk:
        operator = desk.operator()
        sets_the_scene(desk, operator)
        fuzz(desk, operator, schema[path][method], mode, MANY_EXAMPLES)


@pytest.mark.processes
def test_after_all_that_the_desk_still_answers(desk: DeskProcess, operator: OperatorCaller) -> None:
    assert operator.get("/api/state").status_code == 200
    assert "Traceback" not in desk.log()
