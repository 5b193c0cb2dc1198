"""Hostile requests to every call of the platform, made of the documents that the services themselves serve.

Whatever fits a document and whatever does not: no fault of a service, no undocumented answer, and afterwards each
service still answers. The large run is `make soak`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from routes.http.guards import FRONT_END_DOORS
from tests.access.test_keys import GUARD_OF
from tests.support.desk_process import PATIENCE_SECONDS, SERVICE_SECRET
from tests.support.platform import Platform
from wire.keys import SCOPES, SERVICE_HEADER

pytestmark = pytest.mark.processes

SERVICES = ("web", "data", "ml", "agent")
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
OF_STREAMS = CHECKS[:2]
"""Each event of a stream has a shape of its own: tests of the chat hold it against the document."""

EXAMPLES, MANY_EXAMPLES = 3, int(os.environ.get("LOCKSTEP_FUZZ_EXAMPLES", "90"))
SYMBOLS = ["ES", "EURUSD", "XAUUSD", "ETHUSD", "AAPL", "", "…", "a" * 99]
STARTS_A_CHILD = {"/api/sync/{symbol}"}
"""Each good sync is a process of its own: left to the tests of syncs, and to the long run."""

KEYED = ("web", "data", "ml")
FAULT = 500
EVENT_STREAM = "text/event-stream"
NOTES = "/api/portfolio/positions"
SMALLEST_TOO_LARGE = 64 * 1024 + 1
RAW = (
    *(b"", b"{", b"null", b"[]", b'"text"', b"7", b"\x00", b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 5_000),
    *(b'{"a":' * 500 + b"1" + b"}" * 500, b'{"symbol": "\\ud800"}', b'{"symbol": "ES", "symbol": "ES"}'),
    *(b'{"message": "' + b"x" * SMALLEST_TOO_LARGE + b'"}', b'{"volume": 1' + b"0" * 400 + b"}"),
)
"""Bodies that no document describes."""


class Call(NamedTuple):
    """One call of a service."""

    service: str
    method: str
    path: str
    security: bool


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with Platform(tmp_path_factory.mktemp("hostile")) as platform:
        platform.has_prices()
        yield platform


class Hostile:
    """Makes hostile calls with the right to make them, and collects what is wrong with the answers."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._operator = platform.desk.operator()
        self._http = requests.Session()
        self._http.trust_env = False
        self.faults: list[str] = []
        self.documents = {service: self._document(service) for service in SERVICES}
        config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
        self._schemas = {
            service: schemathesis.openapi.from_dict(told, config=config) for service, told in self.documents.items()
        }
        calls = [call for call in self.calls() if call.service in KEYED]
        self._keys = dict(zip(calls, platform.keys(len(calls), *SCOPES), strict=True))

    def _document(self, service: str) -> dict[str, Any]:
        """Return what a service says of itself; of web the calls of the platform's contract. Symbols are some known."""
        path = "/api/openapi.json" if service == "web" else "/openapi.json"
        answer = self._http.get(self._platform.url_of(service) + path, timeout=PATIENCE_SECONDS)
        told: dict[str, Any] = answer.json()
        if service == "web":
            told["paths"] = {path: calls for path, calls in told["paths"].items() if path in of_the_platform()}
        for calls in told["paths"].values():
            for call in calls.values():
                for parameter in call.get("parameters", ()):
                    if parameter["name"] == "symbol":
                        parameter["schema"] = {"enum": SYMBOLS}
        for schema in told["components"]["schemas"].values():
            if "symbol" in schema.get("properties", {}) and schema.get("additionalProperties") is False:
                schema["properties"]["symbol"] = {"enum": SYMBOLS}
        return told

    def calls(self) -> list[Call]:
        """Return every call of the four documents."""
        return [
            Call(service, method, path, bool(call.get("security")))
            for service, told in self.documents.items()
            for path, calls in told["paths"].items()
            for method, call in calls.items()
        ]

    def headers(self, call: Call) -> dict[str, str]:
        """Return what opens the call: a key of its own, since each may ask only so often."""
        if call.path.startswith(NOTES) or not call.security:
            return {}
        if call.service == "agent":
            return {SERVICE_HEADER: SERVICE_SECRET}
        return {"X-API-Key": self._keys[call]}

    def cookies(self, call: Call) -> dict[str, str]:
        return dict(self._operator.cookies) if call.path.startswith(NOTES) else {}

    def fuzzes(self, call: Call, mode: GenerationMode, examples: int) -> None:
        """Make the call with generated data."""
        operation = self._schemas[call.service][call.path][call.method]
        headers, cookies = self.headers(call), self.cookies(call)

        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def sends(case: Any) -> None:
            url = self._platform.url_of(call.service)
            answer = case.call(
                base_url=url, session=self._http, headers=headers, cookies=cookies, timeout=PATIENCE_SECONDS
            )
            assert answer.status_code != FAULT, answer.text[:300]
            is_stream = answer.headers.get("content-type", [""])[0].startswith(EVENT_STREAM)
            case.validate_response(answer, checks=OF_STREAMS if is_stream else CHECKS)

        try:
            sends()
        except (AssertionError, BaseExceptionGroup) as error:
            self.faults.append(f"{call} {mode.value}: {str(error)[:600]} {getattr(error, 'exceptions', '')!s:.600}")

    def sends_what_nobody_describes(self, call: Call) -> None:
        """Send bodies that are no JSON, too long, too deep or of no such call: none is a fault of the service."""
        told = self.documents[call.service]["paths"][call.path][call.method]["responses"]
        path = call.path.replace("{symbol}", "ES").replace("{", "").replace("}", "")
        headers = {**self.headers(call), "Content-Type": "application/json"}
        for body in RAW:
            answer = self._http.request(
                call.method,
                self._platform.url_of(call.service) + path,
                data=body,
                headers=headers,
                cookies=self.cookies(call),
                timeout=PATIENCE_SECONDS,
            )
            if (answer.status_code >= FAULT and str(answer.status_code) not in told) or answer.status_code == FAULT:
                self.faults.append(f"{call} {body[:40]!r}: {answer.status_code} {answer.text[:200]}")

    def looks(self) -> None:
        """See that every service still answers, and that none has logged a fault."""
        for service, path in {"web": "/healthz", "data": "/health", "ml": "/health", "agent": "/api/v1/health"}.items():
            assert self._platform.asks(service, "GET", path).status == 200, service
        for program in (self._platform.desk, self._platform.feeds, self._platform.advisor):
            assert "Traceback" not in program.log()


def of_the_platform() -> set[str]:
    """Return the paths of web that the contract of the platform names, as its document writes them."""
    doors = {route.split()[1] for route, guard in GUARD_OF.items() if guard in FRONT_END_DOORS}
    return {path.replace("<", "{").replace(">", "}") for path in (*doors, NOTES)}


def modes_of(told: dict[str, Any]) -> tuple[GenerationMode, ...]:
    """Data that does not fit exists only where there is data."""
    asked = [parameter for parameter in told.get("parameters", []) if parameter["in"] != "path"]
    has_data = "requestBody" in told or bool(asked)
    return (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if has_data else (GenerationMode.POSITIVE,)


def attack(hostile: Hostile, examples: int, left_out: set[str]) -> None:
    for call in hostile.calls():
        told = hostile.documents[call.service]["paths"][call.path][call.method]
        if call.method == "post":
            hostile.sends_what_nobody_describes(call)
        if call.path not in left_out:
            for mode in modes_of(told):
                hostile.fuzzes(call, mode, examples)
    hostile.looks()
    if hostile.faults:
        pytest.fail("\n".join(hostile.faults))


def test_nothing_hostile_breaks_a_service_of_the_platform(platform: Platform) -> None:
    hostile = Hostile(platform)
    assert {call.service for call in hostile.calls()} == set(SERVICES)
    attack(hostile, EXAMPLES, STARTS_A_CHILD)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_nothing_hostile_breaks_a_service_at_length(request: pytest.FixtureRequest, platform: Platform) -> None:
    if "soak" not in request.config.option.markexpr:
        pytest.skip("only in make soak")
    attack(Hostile(platform), MANY_EXAMPLES, set())
