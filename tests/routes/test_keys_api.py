"""The operator makes, lists and revokes API keys on the page: shown once, for his password, at work at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from services.access import keys
from services.access.keys import MOST_KEYS
from tests.support.api_document import documented
from tests.support.desk_process import PASSWORD, QUICK, DeskProcess, OperatorCaller, error_of, eventually
from wire.keys import SCOPES

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("made-keys"), **QUICK) as desk:
        yield desk


@pytest.fixture(scope="module")
def operator(desk: DeskProcess) -> OperatorCaller:
    return desk.operator()


def makes(operator: OperatorCaller, **more: Any) -> requests.Response:
    body = {"name": "wall display", "scopes": ["state:read"], "password": PASSWORD, **more}
    return documented(operator.post("/api/keys", json=body))


def reads(desk: DeskProcess, token: str) -> int:
    return desk.stranger().get("/api/state", headers={"X-API-Key": token}).status_code


def test_a_key_opens_what_it_names_from_the_moment_it_is_shown(desk: DeskProcess, operator: OperatorCaller) -> None:
    made = makes(operator, account="trader-1")
    assert made.status_code == 201
    key, token = made.json()["key"], made.json()["token"]
    assert (key["name"], key["account"], key["scopes"]) == ("wall display", "trader-1", ["state:read"])
    assert reads(desk, token) == 200
    listed = documented(operator.get("/api/keys"))
    assert [row for row in listed.json()["keys"] if row["id"] == key["id"]] == [key]
    secret = token.split("_", 2)[2]
    assert secret not in listed.text
    assert secret not in desk.log()
    assert made.headers["Cache-Control"] == "no-store"


def test_a_revoked_key_opens_nothing_from_then_on(desk: DeskProcess, operator: OperatorCaller) -> None:
    made = makes(operator).json()
    assert reads(desk, made["token"]) == 200
    key_id = made["key"]["id"]
    assert documented(operator.post(f"/api/keys/{key_id}/revoke", json={})).json() == {"ok": True}
    assert reads(desk, made["token"]) == 401
    assert key_id not in operator.get("/api/keys").text
    error_of(documented(operator.post(f"/api/keys/{key_id}/revoke")), 404)


def test_a_stream_of_a_revoked_key_ends(desk: DeskProcess, operator: OperatorCaller) -> None:
    made = makes(operator).json()
    with desk.stranger().get("/api/stream", headers={"X-API-Key": made["token"]}, stream=True) as stream:
        lines = stream.iter_lines()
        next(lines)
        operator.post(f"/api/keys/{made['key']['id']}/revoke")
        for _ in lines:
            pass  # it ends: a stream that goes on runs into the test's time limit


@pytest.mark.parametrize("password", ["", "wrong", None])
def test_without_the_right_password_no_key_is_made(operator: OperatorCaller, password: str | None) -> None:
    before = operator.get("/api/keys").json()
    assert error_of(makes(operator, password=password), 403) == "the password is wrong"
    assert operator.get("/api/keys").json() == before


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["state:write"]}, "scopes.0"),
        ({"scopes": "state:read"}, "scopes"),
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "two\nlines"}, None),
        ({"name": "  "}, None),
        ({"account": "a b"}, None),
        ({"account": 5}, "account"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_no_key_is_refused(operator: OperatorCaller, wrong: dict[str, Any], field: str | None) -> None:
    before = operator.get("/api/keys").json()
    answer = makes(operator, **wrong)
    error_of(answer, 400)
    assert answer.json().get("field") == field
    assert operator.get("/api/keys").json() == before


def test_a_page_of_another_site_makes_and_revokes_none(operator: OperatorCaller) -> None:
    foreign = {"Origin": "https://evil.example"}
    body = {"name": "mine", "scopes": list(SCOPES), "password": PASSWORD}
    error_of(operator.post("/api/keys", json=body, headers=foreign), 403)
    key_id = makes(operator).json()["key"]["id"]
    error_of(operator.post(f"/api/keys/{key_id}/revoke", headers=foreign), 403)
    assert key_id in operator.get("/api/keys").text


def test_a_desk_without_a_password_asks_for_none(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK, DASHBOARD_PASSWORD="") as desk:
        made = desk.stranger().post("/api/keys", json={"name": "display", "scopes": ["state:read"]})
        assert made.status_code == 201
        eventually(lambda: reads(desk, made.json()["token"]) == 200, keys.KEPT_FOR_SECONDS)


def test_there_are_so_many_keys_and_no_more(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK, DASHBOARD_PASSWORD="") as desk:
        caller = desk.stranger()
        body = {"name": "display", "scopes": ["state:read"]}
        made = [caller.post("/api/keys", json=body) for _ in range(MOST_KEYS)]
        assert {answer.status_code for answer in made} == {201}
        assert "revoke one first" in error_of(caller.post("/api/keys", json=body), 400)
        caller.post(f"/api/keys/{made[0].json()['key']['id']}/revoke")
        assert caller.post("/api/keys", json=body).status_code == 201
