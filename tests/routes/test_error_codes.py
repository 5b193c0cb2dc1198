"""Every error has a code and facts for programs, a title and a detail for people; its sentence is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from routes.http.error_codes import ERRORS, TABLE, TITLES
from services.engine.model.wording import DASH
from services.engine.rules.refusals import REFUSALS
from tests.support.api_document import documented
from tests.support.desk_process import BRIDGE_SECRET, QUICK, TV_SECRET, Caller, DeskProcess
from tests.support.paths import REPOSITORY
from wire.types import ErrorCode

BRICK = {"secret": TV_SECRET, "asset": "ES", "color": "mauve"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("errors"), **QUICK) as desk:
        yield desk


def problem_of(caller: Caller, method: str, path: str, **request: Any) -> Any:
    answer = caller.request(method, path, **request)
    if answer.status_code not in (404, 405):  # of paths and methods that are none
        documented(answer)
    return {"status": answer.status_code, **answer.json()}


# -- the table -------------------------------------------------------------------------------------------------------


def test_every_error_has_one_row() -> None:
    assert [kind.code for kind in TABLE] == list(ERRORS)
    assert set(ERRORS) == set(get_args(ErrorCode))
    assert not set(ERRORS) & set(REFUSALS)


def test_the_page_of_the_api_has_the_table() -> None:
    page = (REPOSITORY / "docs" / "reference" / "api.md").read_text("utf-8")
    for kind in TABLE:
        title = kind.title if kind.is_led else f"({kind.title})"
        statuses = ", ".join(str(status) for status in kind.statuses)
        assert f"| `{kind.code}` | {title} | {statuses} | {kind.when} |" in page
        assert DASH not in kind.title


# -- on the wire -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "code"),
    [
        ("POST", "/api/exit", {"json": {"asset": 7}}, 400, "request_invalid"),
        ("POST", "/api/auto-exit", {"json": {"asset": "ZZ"}}, 400, "unknown_asset"),
        ("GET", "/api/bricks?asset=ZZ&size=6", {}, 400, "unknown_asset"),
        ("POST", "/api/exit", {"json": {"asset": "ES"}, "headers": {"Origin": "http://evil.test"}}, 403, "forbidden"),
        ("POST", "/api/setup/webhook-secret", {"json": {"password": "a wrong one"}}, 403, "forbidden"),
        ("GET", "/nowhere", {}, 404, "not_found"),
        ("GET", "/api/journal/trades/none/bricks", {}, 404, "not_found"),
        ("POST", "/api/dead-letters/7/replay", {}, 404, "not_found"),
        ("GET", "/api/exit", {}, 405, "method_not_allowed"),
        ("GET", "/api/events?since_id=9000000", {}, 410, "events_gone"),
        ("POST", "/api/exit", {"data": b"x" * 70_000}, 413, "too_large"),
        ("POST", "/api/two-half-tp-lock", {}, 423, "lock_is_automatic"),
    ],
)
def test_what_an_operator_may_not_or_cannot_has_a_code(
    desk: DeskProcess, method: str, path: str, request_: dict[str, Any], status: int, code: str
) -> None:
    problem = problem_of(desk.operator(), method, path, **request_)
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["title"] == TITLES[code]
    assert problem["error"].endswith(problem["detail"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/login", {"password": "a wrong one"}),
        ("/api/exit", {"asset": "ES"}),
        ("/api/bridge/heartbeat", {"secret": "a wrong one", "tsConnected": True}),
        ("/tv_renko", {**BRICK, "secret": "a wrong one"}),
    ],
)
def test_a_stranger_is_denied_by_code(desk: DeskProcess, path: str, body: dict[str, Any]) -> None:
    problem = problem_of(desk.stranger(), "POST", path, json=body)
    assert (problem["status"], problem["code"], problem["title"]) == (401, "denied", "ACCESS DENIED")
    assert problem["detail"] == problem["error"]
    assert problem["facts"] == {}
    assert not any(secret in str(problem) for secret in (TV_SECRET, BRIDGE_SECRET))


def test_a_webhook_that_nobody_can_read_and_a_key_used_twice_have_codes(desk: DeskProcess) -> None:
    brick = problem_of(desk.stranger(), "POST", "/tv_renko", json=BRICK)
    assert (brick["status"], brick["code"]) == (400, "webhook_unreadable")
    operator, once = desk.operator(), {"Idempotency-Key": "one click"}
    entry = {"asset": "ES", "trade_mode": "SCALP"}
    problem_of(operator, "POST", "/api/orders", json=entry, headers=once)
    again = problem_of(operator, "POST", "/api/orders", json={**entry, "asset": "NQ"}, headers=once)
    assert (again["status"], again["code"]) == (422, "key_reused")


def test_events_that_are_gone_name_the_oldest_as_a_fact(desk: DeskProcess) -> None:
    problem = problem_of(desk.operator(), "GET", "/api/events?since_id=9000000")
    assert problem["facts"] == {"oldest": problem["oldest"]}
