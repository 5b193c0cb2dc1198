"""Programs beside web: by their secret they read and check keys, and do nothing else (SERVICE_SECRET)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from services.access.keys import make_key, stored
from services.stores.sqlite.store import SqliteStore
from services.stores.store import StoredKey
from tests.support.api_document import documented
from tests.support.desk_process import QUICK, SERVICE_SECRET, DeskProcess, error_of
from tests.support.own_time import Stopwatch

pytestmark = pytest.mark.processes

OLD_SECRET = "service-secret-of-last-month"
READ = (
    *("/api/state", "/api/events", "/api/bricks?asset=ES&size=6"),
    *(f"/api/journal/{name}" for name in ("trades", "statistics", "calendar", "day")),
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    folder = tmp_path_factory.mktemp("services")
    with DeskProcess(folder, **QUICK, SERVICE_SECRET_PREVIOUS=OLD_SECRET) as desk:
        yield desk


def shown(secret: str) -> dict[str, str]:
    return {"X-Service-Secret": secret}


def checked(desk: DeskProcess, token: str, secret: str = SERVICE_SECRET) -> requests.Response:
    return documented(desk.stranger().post("/api/keys/check", json={"token": token}, headers=shown(secret)))


def keep(desk: DeskProcess, *scopes: str, account: str | None = None, is_first_schema: bool = False) -> tuple[str, str]:
    """Store a key beside the running desk; return its id and its text."""
    key, token = make_key("display", scopes, datetime.now(UTC), account)
    kept = stored(key)
    if is_first_schema:
        body = {**msgspec.json.decode(kept.body), "schema": 1}
        del body["account"]
        kept = StoredKey(key.id, msgspec.json.encode(body))
    store = SqliteStore(desk.folder / "desk.sqlite")
    store.put_api_key(kept)
    store.close()
    return key.id, token


def settled(desk: DeskProcess, token: str, *, active: bool) -> dict[str, Any]:
    """Ask until the key is known to hold or not to hold; fail when that takes longer than a second."""
    watch = Stopwatch(desk.process)
    while (said := checked(desk, token).json())["active"] is not active:
        assert watch.seconds < 1
        time.sleep(0.05)
    answer: dict[str, Any] = said
    return answer


@pytest.mark.parametrize("path", READ)
def test_the_secret_and_the_one_before_read(desk: DeskProcess, path: str) -> None:
    for secret in (SERVICE_SECRET, OLD_SECRET):
        assert documented(desk.stranger().get(path, headers=shown(secret))).status_code == 200


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize(
    "wrong", ["", "x", SERVICE_SECRET + "x", SERVICE_SECRET.upper(), "пароль".encode().decode("latin-1")]
)
def test_a_wrong_secret_is_refused_even_beside_a_session(desk: DeskProcess, path: str, wrong: str) -> None:
    for caller in (desk.stranger(), desk.operator()):
        assert "service secret" in error_of(caller.get(path, headers=shown(wrong)), 401)


def test_the_secret_changes_nothing_and_opens_no_metrics(desk: DeskProcess) -> None:
    caller = desk.stranger()
    for path in (
        *("/api/orders", "/api/exit-all", "/api/limits", "/api/bridge/heartbeat", "/api/bridge/ticks"),
        *("/api/chat", "/api/ml/amd/ES"),
    ):
        error_of(caller.post(path, json={}, headers=shown(SERVICE_SECRET)), 401)
    for path in ("/metrics", "/api/orders/pending", "/api/dead-letters", "/api/keys", "/api/advisor", "/api/explain"):
        error_of(caller.get(path, headers=shown(SERVICE_SECRET)), 401)


def test_the_set_up_page_says_that_the_secret_before_is_in_use(desk: DeskProcess) -> None:
    assert desk.stranger().get("/api/state", headers=shown(OLD_SECRET)).status_code == 200
    assert "SERVICE_SECRET_PREVIOUS" in desk.operator().get("/setup").text


def test_a_key_is_checked_with_its_account_and_scopes(desk: DeskProcess) -> None:
    key_id, token = keep(desk, "ws:connect", "prices:read", account="trader-1")
    said = settled(desk, token, active=True)
    assert said == {
        "ok": True,
        "active": True,
        "id": key_id,
        "account": "trader-1",
        "scopes": ["ws:connect", "prices:read"],
    }
    assert checked(desk, f" {token} ", OLD_SECRET).json() == said


def test_a_key_of_the_first_schema_is_its_own_account(desk: DeskProcess) -> None:
    key_id, token = keep(desk, "state:read", is_first_schema=True)
    said = settled(desk, token, active=True)
    assert (said["id"], said["account"], said["scopes"]) == (key_id, key_id, ["state:read"])


def test_a_revoked_key_is_known_within_a_second(desk: DeskProcess) -> None:
    key_id, token = keep(desk, "ws:connect")
    settled(desk, token, active=True)
    store = SqliteStore(desk.folder / "desk.sqlite")
    assert store.revoke_api_key(key_id)
    store.close()
    assert settled(desk, token, active=False) == {
        "ok": True,
        "active": False,
        "id": None,
        "account": None,
        "scopes": [],
    }


@pytest.mark.parametrize("token", ["", "lk_", "nonsense", "lk_" + "0" * 16 + "_" + "A" * 43, "é", "x" * 200])
def test_what_is_no_key_is_not_active(desk: DeskProcess, token: str) -> None:
    answer = checked(desk, token)
    assert (answer.status_code, answer.json()["active"]) == (200, False)


@pytest.mark.parametrize("body", [{}, {"token": None}, {"token": 5}, {"token": "x" * 201}, {"token": "x", "more": 1}])
def test_a_question_that_cannot_be_read_is_refused(desk: DeskProcess, body: dict[str, Any]) -> None:
    answer = desk.stranger().post("/api/keys/check", json=body, headers=shown(SERVICE_SECRET))
    error_of(documented(answer), 400)


def test_nobody_else_checks_keys(desk: DeskProcess) -> None:
    _, token = keep(desk, "state:read")
    for caller in (desk.stranger(), desk.operator(), desk.bridge()):
        error_of(caller.post("/api/keys/check", json={"token": token}), 401)
    bearer = {"Authorization": f"Bearer {token}"}
    error_of(desk.stranger().post("/api/keys/check", json={"token": token}, headers=bearer), 401)


def test_without_the_setting_the_door_is_closed_and_the_desk_runs(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK, SERVICE_SECRET="", SERVICE_SECRET_PREVIOUS=OLD_SECRET) as desk:
        for secret in ("", SERVICE_SECRET, OLD_SECRET):
            error_of(desk.stranger().get("/api/state", headers=shown(secret)), 401)
            error_of(desk.stranger().post("/api/keys/check", json={"token": "x"}, headers=shown(secret)), 401)
        assert desk.operator().get("/api/state").status_code == 200


def test_a_desk_without_a_password_asks_a_service_for_its_secret(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK, DASHBOARD_PASSWORD="") as desk:
        error_of(desk.stranger().get("/api/state", headers=shown("wrong")), 401)
        error_of(desk.stranger().post("/api/keys/check", json={"token": "x"}), 401)
        assert desk.stranger().get("/api/state", headers=shown(SERVICE_SECRET)).status_code == 200
