"""Doors that programs may use beside the operator: who proposes, who exits by force, which pages of others may ask."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import LoginManager

from routes.http import errors, guards
from routes.http.guards import Guard, caller_is_service, caller_key, guarded_by
from services.access.gatekeeper import Gatekeeper
from services.access.keys import KeyRing, make_key, stored
from services.access.sessions import Sessions
from services.ops.config import Config
from services.stores.sqlite.store import SqliteStore
from tests.access.test_sessions import NoStore
from tests.support.desk_process import SERVICE_SECRET, SETTINGS
from tests.support.narrow import known
from wire.keys import SCOPES, SERVICE_HEADER

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
SERVICE = {SERVICE_HEADER: SERVICE_SECRET}
DOORS: tuple[Guard, ...] = (
    *("operator", "signals_door", "chat_door", "auto_trade_reader", "portfolio_reader"),
    *("proposals_reader", "proposer", "exit_door"),
)
ADMITTED = {  # the guard -> the keys that may ask, those that may post, whether a program beside web may
    "operator": ((), (), False),
    "signals_door": (("signals:read",), ("signals:read",), False),
    "chat_door": (("agent:chat",), ("agent:chat",), False),
    "auto_trade_reader": (("agent:trade", "signals:read"), (), True),
    "portfolio_reader": (("state:read",), (), True),
    "proposals_reader": (("state:read", "agent:trade"), (), True),
    "proposer": (("agent:trade",), ("agent:trade",), True),
    "exit_door": ((), (), False),
}
FORCED = {"asset": "ES", "force": True}


def who(guard: Guard) -> Any:
    """Return a view with this guard that says whom it has admitted."""

    @guarded_by(guard)
    def view() -> str:
        key = caller_key()
        return "service" if caller_is_service() else "operator" if key is None else key.name

    return view


class Doors:
    """An application with a view for each guard, on a desk with a password or an open one."""

    def __init__(self, folder: Path, password: str) -> None:
        self._store = SqliteStore(folder / "desk.sqlite")
        self.tokens: dict[str, str] = {scope: self._key(scope) for scope in SCOPES}
        environ = {**SETTINGS, "SERVICE_SECRET": SERVICE_SECRET, "SQLITE_PATH": ":memory:"}
        config = Config.from_env({**environ, "DASHBOARD_PASSWORD": password})
        self._ring = KeyRing(self._store.api_keys)
        gatekeeper = Gatekeeper(config, self._ring, Sessions(NoStore()))
        app = Flask("doors", root_path=".")
        app.secret_key = "of a test"
        app.extensions["lockstep"] = SimpleNamespace(manager=SimpleNamespace(now=NOON), config=config)
        LoginManager(app).user_loader(gatekeeper.operator)
        for guard in DOORS:
            app.add_url_rule(f"/{guard}", guard, who(guard), methods=["GET", "POST", "DELETE"])
        errors.install(app)
        guards.install(app, gatekeeper)
        self.client: FlaskClient = app.test_client()

    def _key(self, scope: str) -> str:
        key, token = make_key(scope, [scope], NOON)
        self._store.put_api_key(stored(key))
        return token

    def close(self) -> None:
        self._ring.close()
        self._store.close()

    def answers(self, method: str, guard: str, headers: dict[str, str], body: Any = None) -> tuple[int, str]:
        """Return the status, and whom the guard has admitted or the sentence of its refusal."""
        answer = self.client.open(f"/{guard}", method=method, headers=headers, json=body)
        return answer.status_code, answer.text if answer.json is None else known(answer.json)["error"]

    def with_key(self, method: str, guard: str, scope: str) -> int:
        return self.answers(method, guard, {"X-API-Key": self.tokens[scope]}, {})[0]


@pytest.fixture(params=["a-password", ""], ids=["password", "open"])
def doors(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Doors]:
    built = Doors(tmp_path, request.param)
    yield built
    built.close()


def is_open(doors: Doors) -> bool:
    return doors.answers("GET", "operator", {})[0] == 200


@pytest.mark.parametrize("guard", DOORS)
def test_a_key_opens_a_door_by_its_scope_on_an_open_desk_too(doors: Doors, guard: Guard) -> None:
    may_ask, may_post, _ = ADMITTED[guard]
    for scope in SCOPES:
        if guard not in ("operator", "exit_door"):  # there a key is judged only when it would change something
            assert doors.with_key("GET", guard, scope) == (200 if scope in may_ask else 403), scope
        for method in ("POST", "DELETE"):
            assert doors.with_key(method, guard, scope) == (200 if scope in may_post else 403), scope


@pytest.mark.parametrize("guard", DOORS)
def test_a_program_beside_web_opens_what_it_needs(doors: Doors, guard: Guard) -> None:
    status, said = doors.answers("GET", guard, SERVICE)
    if ADMITTED[guard][2]:
        assert (status, said) == (200, "service")
    else:
        assert said != "service"
    if guard not in ("operator", "signals_door", "chat_door"):
        assert doors.answers("GET", guard, {SERVICE_HEADER: "another"})[0] == 401


def test_only_a_program_or_a_key_proposes_never_the_operator(doors: Doors) -> None:
    status, said = doors.answers("POST", "proposer", {}, {})
    assert (status, "agent:trade" in said) == (401, True)
    assert doors.answers("POST", "proposer", {"X-API-Key": doors.tokens["agent:trade"]}, {}) == (200, "agent:trade")


def test_a_program_beside_web_exits_one_asset_by_force_and_asks_nothing_else(doors: Doors) -> None:
    assert doors.answers("POST", "exit_door", SERVICE, FORCED) == (200, "service")
    others: tuple[Any, ...] = (
        {"asset": "ES"},
        {"asset": "ES", "force": False},
        {"asset": "ES", "force": 1},
        {"asset": "ES", "force": "true"},
        {"force": True},
        {**FORCED, "more": 1},
        {},
        [FORCED],
        None,
    )
    for body in others:
        status, said = doors.answers("POST", "exit_door", SERVICE, body)
        assert (status, said.startswith("the service secret opens only")) == (403, True), body
    assert doors.answers("POST", "exit_door", {SERVICE_HEADER: "another"}, FORCED)[0] == 401


@pytest.mark.parametrize("guard", ["signals_door", "chat_door", "auto_trade_reader", "portfolio_reader"])
def test_a_page_of_another_origin_is_never_the_operator(doors: Doors, guard: Guard) -> None:
    page = {"Origin": "http://localhost:5173"}
    status, said = doors.answers("GET", guard, page)
    assert (status, said) == (401, "a page of another origin needs an API key: no session counts for it")
    scope = ADMITTED[guard][0][0]
    assert doors.answers("GET", guard, {**page, "X-API-Key": doors.tokens[scope]}) == (200, scope)
    assert doors.answers("GET", guard, {"Origin": "http://localhost"})[0] == (200 if is_open(doors) else 401)


def test_a_key_in_an_address_changes_nothing_either(doors: Doors) -> None:
    answer = doors.client.post("/operator", query_string={"key": doors.tokens["state:read"]}, json={})
    assert answer.status_code == 401
    assert "in a URL" in known(answer.json)["error"]
