"""Who may do what, over real HTTP: every route by every identity, logging in, cookies, origins (SPEC 8)."""

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from requests.adapters import HTTPAdapter
from werkzeug.security import generate_password_hash

from routes.http import errors, guards
from services.access.gatekeeper import Gatekeeper
from services.access.keys import KeyRing
from services.access.sessions import Sessions
from services.ops.config import Config
from tests.access.test_sessions import NoStore
from tests.support.desk_process import (
    BRICK_PATHS,
    BRIDGE_SECRET,
    FLASK_KEY,
    PASSWORD,
    QUICK,
    SECRETS,
    SERVICE_SECRET,
    TV_SECRET,
    Caller,
    DeskProcess,
    OperatorCaller,
    error_of,
)
from tests.support.url_map import app_routes, methods_of

pytestmark = pytest.mark.processes

OPERATOR_CALLS = (
    *("orders", "exit", "exit-all", "scale-in", "protect", "points-take-profit", "take-profit", "high-next-bar-exit"),
    *("main-flip-exit", "four-pt-invalidation", "auto-exit", "intent", "intent/cancel", "preorder/cancel"),
    *("two-half-tp-lock", "trade-limit/consume", "env", "limits", "lockout"),
)
JOURNAL_CALLS = ("trades", "trades.csv", "statistics", "calendar", "day", "proposals")
ADMITTED = {  # who gets past the guard; a route that is not named here fails the test that walks the URL map
    **dict.fromkeys(("POST /login", "POST /api/login", "POST /api/logout", "GET /api/auth/status"), "anybody"),
    **dict.fromkeys(  # strangers are sent to log in
        (
            "GET /login",
            "GET /",
            "GET /setup",
            "GET /log",
            "GET /journal",
            "GET /models",
            "GET /review",
            "GET /status",
            "GET /portfolio",
        ),
        "anybody",
    ),
    **dict.fromkeys(("GET /static/<edition>/<path:filename>", "GET /api/openapi.json", "GET /api/docs"), "anybody"),
    **dict.fromkeys(("GET /healthz", "GET /readyz"), "anybody"),
    "GET /metrics": "operator",  # a token or an API key, too: ops/test_operations.py, test_keys.py
    **dict.fromkeys((f"POST /api/{name}" for name in OPERATOR_CALLS), "operator"),
    **dict.fromkeys((f"GET /api/journal/{name}" for name in JOURNAL_CALLS), "operator or service"),
    **dict.fromkeys(("POST /api/orders/<order_id>/resolve", "POST /api/positions/accept"), "operator"),
    **dict.fromkeys(("POST /api/account/transfer", "POST /api/account/store", "POST /api/bridge/takeover"), "operator"),
    "POST /api/journal/trades/<trade_id>/note": "operator",
    "GET /api/journal/trades/<trade_id>/bricks": "operator or service",
    "POST /api/setup/webhook-secret": "operator",
    **dict.fromkeys(("GET /api/state", "GET /api/bricks", "GET /api/events"), "operator or service"),
    "GET /api/dead-letters": "operator",
    **dict.fromkeys(("GET /api/feeds", "GET /api/candles"), "operator"),
    **dict.fromkeys(("GET /api/advisor", "GET /api/ml/range", "GET /api/ml/signals/active"), "operator"),
    **dict.fromkeys(("POST /api/ml/amd/<symbol>", "GET /api/ml/models", "GET /api/explain"), "operator"),
    "POST /api/chat": "operator",
    "GET /api/what-if/day": "operator or service",
    "GET /api/proposals": "operator or service",
    **dict.fromkeys(("POST /api/proposals", "DELETE /api/proposals/<proposal_id>"), "service"),  # and keys
    "POST /api/proposals/<proposal_id>/dismiss": "operator",
    **dict.fromkeys(("GET /api/portfolio", "GET /api/portfolio/history"), "operator or service"),
    **dict.fromkeys(("POST /api/portfolio/positions", "DELETE /api/portfolio/positions/<position_id>"), "operator"),
    "GET /api/status": "operator",
    "GET /api/auto-trade/status": "operator or service",
    "POST /api/dead-letters/<sequence>/replay": "operator",
    "GET /api/orders/pending": "bridge",
    "POST /api/orders/<order_id>/execution-report": "bridge",
    **dict.fromkeys(("POST /api/bridge/heartbeat", "POST /api/bridge/fills", "POST /api/bridge/ticks"), "bridge"),
    "POST /api/rithmic/pnl-snapshot": "bridge",
    "GET /api/stream": "operator or bridge or service",
    "POST /api/keys/check": "service",
    **dict.fromkeys(("GET /api/keys", "POST /api/keys", "POST /api/keys/<key_id>/revoke"), "operator"),
    "POST /api/keys/checks": "service",
    **{f"POST {path}": "tradingview" for path in (*BRICK_PATHS.values(), "/tv_renko_one")},
    "POST /tv": "tradingview",
    "POST /tv_heartbeat": "tradingview",
    "POST /tv_level_exit": "tradingview",
}
FORCED_ONLY = ("POST /api/exit", "service in the header")  # with force and nothing else: test_doors.py
IDENTITIES: dict[str, dict[str, Any]] = {  # name -> what the request carries
    "nobody": {},
    "operator": {"session": True},
    "bridge in the header": {"headers": {"X-Bridge-Secret": BRIDGE_SECRET}},
    "bridge in the query": {"params": {"secret": BRIDGE_SECRET}},
    "bridge in the body": {"body": {"secret": BRIDGE_SECRET}},
    "tradingview in the header": {"headers": {"X-Bridge-Secret": TV_SECRET}},
    "tradingview in the query": {"params": {"secret": TV_SECRET}},
    "tradingview in the body": {"body": {"secret": TV_SECRET}},
    "service in the header": {"headers": {"X-Service-Secret": SERVICE_SECRET}},
    "service in the query": {"params": {"secret": SERVICE_SECRET}},
    "service in the body": {"body": {"secret": SERVICE_SECRET}},
    "service in the bridge's header": {"headers": {"X-Bridge-Secret": SERVICE_SECRET}},
    "bridge in the service's header": {"headers": {"X-Service-Secret": BRIDGE_SECRET}},
    "a wrong secret": {"headers": {"X-Bridge-Secret": "пароль".encode()}, "body": {"secret": "пароль"}},
}


def routes() -> Iterator[str]:
    app = app_routes()
    for rule in app.url_map.iter_rules():
        for method in sorted(methods_of(rule)):
            yield f"{method} {rule.rule}"


ROUTES = sorted(routes())


def is_admitted(route: str, who: str) -> bool:
    door = ADMITTED[route]
    method = route.split()[0]
    if door == "anybody":
        return True
    if who == "service in the header":
        return "service" in door
    if who in {"bridge in the header", "bridge in the query", "bridge in the body"}:
        in_reach = who != "bridge in the body" or method == "POST"
        return in_reach and "bridge" in door
    if who == "tradingview in the body":
        return door == "tradingview"
    return who == "operator" and "operator" in door


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("access"), **QUICK) as desk:
        yield desk


@pytest.fixture
def logged_in(desk: DeskProcess) -> OperatorCaller:
    """An operator whose session no other test can end."""
    return desk.operator()


def test_every_route_is_in_the_table() -> None:
    assert set(ROUTES) == set(ADMITTED)


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_by_every_identity(desk: DeskProcess, logged_in: OperatorCaller, route: str) -> None:
    for who in IDENTITIES:
        caller = logged_in if IDENTITIES[who].get("session") else desk.stranger()
        assert_admitted_as_the_table_says(caller, route, who)


def assert_admitted_as_the_table_says(caller: Caller, route: str, who: str) -> None:
    method, path = route.split()
    carried = IDENTITIES[who]
    body = {"nothing": "known", **carried.get("body", {})}
    answer = caller.request(
        method,
        re.sub("<.*?>", "nobody", path),
        headers=carried.get("headers"),
        params=carried.get("params"),
        data=json.dumps(body) if method == "POST" else None,
        stream=True,
    )
    with answer:
        if is_admitted(route, who):
            assert answer.status_code not in (401, 403, 500), (who, answer.text[:200])
        else:
            status = 403 if (route, who) == FORCED_ONLY else 401
            assert answer.status_code == status, (who, answer.status_code, answer.text[:200])
            error_of(answer, status)


@pytest.mark.parametrize("route", [route for route in ROUTES if ADMITTED[route] != "anybody"])
def test_other_methods_open_no_door(desk: DeskProcess, route: str) -> None:
    path = re.sub("<.*?>", "nobody", route.split()[1])
    for method in ("OPTIONS", "HEAD", "PUT", "DELETE", "PATCH", "TRACE"):
        assert desk.stranger().request(method, path).status_code in (400, 401, 405)


def test_a_route_without_a_declared_guard_is_closed() -> None:
    settings = {
        "TV_WEBHOOK_SECRET": TV_SECRET,
        "BRIDGE_HEARTBEAT_SECRET": BRIDGE_SECRET,
        "FLASK_SECRET_KEY": FLASK_KEY,
    }
    app = Flask("undeclared")
    app.add_url_rule("/forgotten", view_func=lambda: "open", endpoint="forgotten")
    errors.install(app)
    guards.install(app, Gatekeeper(Config.from_env(settings), KeyRing(list), Sessions(NoStore())))
    assert app.test_client().get("/forgotten").status_code == 401


# -- the password ----------------------------------------------------------------------------------------------------


def test_in_and_out(desk: DeskProcess) -> None:
    caller = desk.stranger()
    assert caller.get("/api/auth/status").json() == {"authenticated": False, "password_required": True}
    assert "Set-Cookie" not in caller.get("/api/auth/status").headers
    error_of(caller.post("/api/login", json={"password": PASSWORD + " "}), 401)
    assert caller.post("/api/login", json={"password": PASSWORD}).json() == {"ok": True}
    assert caller.get("/api/auth/status").json() == {"authenticated": True, "password_required": True}
    assert caller.get("/api/state").status_code == 200
    assert caller.post("/api/logout").json() == {"ok": True}
    error_of(caller.get("/api/state"), 401)
    assert 'id="state"' not in caller.get("/").text


def test_a_forged_cookie_opens_nothing(desk: DeskProcess) -> None:
    name, _, cookie = desk.operator().session_cookie.partition("=")
    for forged in (cookie[:-2] + "aa", "eyJfdXNlcl9pZCI6ICJvcGVyYXRvciJ9.aaaa.bbbb", "x" * 4000, ""):
        answer = desk.stranger().get("/api/state", headers={"Cookie": f"{name}={forged}"})
        error_of(answer, 401)


@pytest.mark.parametrize("hashing", [PasswordHasher().hash, generate_password_hash], ids=["argon2", "werkzeug"])
def test_a_hashed_password(tmp_path: Path, hashing: Callable[..., Any]) -> None:
    with DeskProcess(tmp_path, DASHBOARD_PASSWORD="", DASHBOARD_PASSWORD_HASH=hashing(PASSWORD)) as desk:
        error_of(desk.stranger().post("/api/login", json={"password": "wrong"}), 401)
        error_of(desk.stranger().post("/api/login", json={"password": ""}), 401)
        assert desk.operator().get("/api/state").status_code == 200


def test_open_mode_asks_for_nothing_but_the_secrets(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, DASHBOARD_PASSWORD="") as desk:
        caller = desk.stranger()
        assert caller.get("/api/auth/status").json() == {"authenticated": True, "password_required": False}
        assert caller.post("/api/login", json={"password": "anything"}).json() == {"ok": True}
        assert desk.stranger().get("/api/state").json()["global"]["env"] == "DEMO"
        error_of(desk.stranger().get("/api/orders/pending"), 401)
        error_of(desk.stranger().post("/tv_renko", json={"asset": "ES", "color": "green"}), 401)
        error_of(desk.stranger().post("/api/exit-all", json={}, headers={"Origin": "https://evil.example"}), 403)


class From(Caller):
    """Somebody at another address of this machine."""

    def __init__(self, desk: DeskProcess, address: str) -> None:
        super().__init__(desk)

        class Bound(HTTPAdapter):
            def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
                super().init_poolmanager(*args, source_address=(address, 0), **kwargs)

        self.mount("http://", Bound())


def test_five_wrong_passwords_close_the_door_of_that_address_only(tmp_path: Path) -> None:
    with DeskProcess(tmp_path) as desk:
        guesser = From(desk, "127.0.0.2")
        for number in range(5):
            error_of(guesser.post("/api/login", json={"password": f"guess {number}"}), 401)
        refused = guesser.post("/api/login", json={"password": PASSWORD})
        error_of(refused, 429)
        assert (refused.json()["code"], refused.json()["detail"]) == ("locked_out", "too many wrong passwords")
        assert refused.json()["facts"] == {"remaining_s": refused.json()["retry_after_s"]}
        assert 0 < int(refused.headers["Retry-After"]) <= 300
        spoofed = guesser.post("/api/login", json={"password": PASSWORD}, headers={"X-Forwarded-For": "10.0.0.9"})
        error_of(spoofed, 429)
        assert From(desk, "127.0.0.3").post("/api/login", json={"password": PASSWORD}).status_code == 200


def test_behind_a_trusted_proxy_the_address_is_the_callers(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, TRUSTED_PROXIES="1") as desk:
        for number in range(6):
            headers = {"X-Forwarded-For": f"10.9.9.{number}, 10.0.0.1"}
            answer = desk.stranger().post("/api/login", json={"password": "guess"}, headers=headers)
        error_of(answer, 429)
        elsewhere = {"X-Forwarded-For": "10.0.0.2"}
        assert desk.stranger().post("/api/login", json={"password": PASSWORD}, headers=elsewhere).status_code == 200


def test_guesses_at_once_are_limited_too(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, DASHBOARD_PASSWORD="", DASHBOARD_PASSWORD_HASH=PasswordHasher().hash(PASSWORD)) as desk:

        def guesses(number: int) -> int:
            return desk.stranger().post("/api/login", json={"password": f"guess {number}"}).status_code

        with ThreadPoolExecutor(16) as guessing:
            statuses = list(guessing.map(guesses, range(16)))
        assert statuses.count(401) <= 5, statuses


# -- the session -----------------------------------------------------------------------------------------------------


def login_cookie(desk: DeskProcess, headers: dict[str, str] | None = None) -> list[str]:
    answer = desk.stranger().post("/api/login", json={"password": PASSWORD}, headers=headers)
    return [part.strip() for part in answer.headers["Set-Cookie"].split(";")]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(desk: DeskProcess) -> None:
    flags = login_cookie(desk)
    assert re.match("lockstep-[0-9a-f]{8}=", flags[0])
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(flags)
    assert "Secure" not in flags


def test_behind_https_the_cookie_is_secure(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, TRUSTED_PROXIES="1") as desk:
        flags = login_cookie(desk, {"X-Forwarded-Proto": "https"})
        assert re.match("__Host-lockstep-[0-9a-f]{8}=", flags[0])
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(flags)
        assert not [flag for flag in flags if flag.startswith("Domain")]
        carried = {"Cookie": flags[0], "X-Forwarded-Proto": "https"}
        assert desk.stranger().get("/api/state", headers=carried).status_code == 200
        error_of(desk.stranger().get("/api/state", headers={"Cookie": flags[0]}), 401)
        gone = desk.stranger().post("/api/logout", headers=carried).headers["Set-Cookie"]
        assert re.match("__Host-lockstep-[0-9a-f]{8}=;", gone)
        assert "Secure" in gone  # without it a browser would not take it under that name
        error_of(desk.stranger().get("/api/state", headers=carried), 401)


def test_a_session_outlives_a_restart_but_not_its_password(tmp_path: Path) -> None:
    with DeskProcess(tmp_path) as desk:
        cookie = {"Cookie": desk.operator().session_cookie}
        desk.restart()
        assert desk.stranger().get("/api/state", headers=cookie).status_code == 200
        desk.restart(DASHBOARD_PASSWORD="another password altogether")
        error_of(desk.stranger().get("/api/state", headers=cookie), 401)
        error_of(desk.stranger().post("/api/exit-all", headers=cookie, json={}), 401)
        error_of(desk.stranger().get("/api/stream", headers=cookie), 401)


# -- other sites -----------------------------------------------------------------------------------------------------

STATE_CHANGING = ("/api/orders", "/api/exit", "/api/exit-all", "/api/login", "/api/logout")
FOREIGN = {
    "another site": {"Origin": "https://evil.example"},
    "no origin to speak of": {"Origin": "null"},
    "an empty origin": {"Origin": ""},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "another name of this machine": {"Origin": "http://localhost"},
    "a name that ends like ours": {"Origin": "http://evil-127.0.0.1"},
    "ours as a user name": {"Origin": "http://127.0.0.1@evil.example"},
    "cross-site by the browser's word": {"Sec-Fetch-Site": "cross-site"},
    "same-site by the browser's word": {"Sec-Fetch-Site": "same-site"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN.keys())
@pytest.mark.parametrize("path", STATE_CHANGING)
def test_another_site_cannot_use_the_session(
    desk: DeskProcess, logged_in: OperatorCaller, path: str, headers: dict[str, str]
) -> None:
    error_of(logged_in.post(path, json={}, headers=headers), 403)


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "{url}"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]
)
def test_the_page_itself_can(desk: DeskProcess, logged_in: OperatorCaller, headers: dict[str, Any]) -> None:
    own = {name: value.format(url=desk.url) for name, value in headers.items()}
    assert logged_in.post("/api/exit-all", json={}, headers=own).status_code == 200


def test_an_origin_that_is_none_is_foreign(desk: DeskProcess, logged_in: OperatorCaller) -> None:
    error_of(logged_in.post("/api/exit-all", json={}, headers={"Origin": "http://["}), 403)


def test_the_same_host_without_https_is_another_origin(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, TRUSTED_PROXIES="1") as desk:
        https = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "desk.example", "Origin": "http://desk.example"}
        error_of(desk.stranger().post("/api/login", json={"password": PASSWORD}, headers=https), 403)


def test_nobody_is_invited_to_read_across_origins(desk: DeskProcess, logged_in: OperatorCaller) -> None:
    answer = logged_in.get("/api/state", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


# -- headers and logs ------------------------------------------------------------------------------------------------


def test_the_answer_to_another_origin_names_the_setting_that_cures_a_proxy(desk: DeskProcess) -> None:
    """The page of a desk behind a proxy that ends https, with TRUSTED_PROXIES left at 0."""
    refused = desk.stranger().post("/api/login", json={"password": PASSWORD}, headers={"Origin": "https://my.desk"})
    said = error_of(refused, 403)
    assert f"from https://my.desk, and this desk answers as {desk.url}" in said
    assert "set TRUSTED_PROXIES to the number of proxies (0 now)" in said
    by_metadata = desk.stranger().post("/api/logout", json={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert "TRUSTED_PROXIES" not in error_of(by_metadata, 403)  # no proxy changes what the browser says of itself


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/login",
        "/api/docs",
        "/api/openapi.json",
        "/api/state",
        "/api/auth/status",
        "/nowhere",
        "/static/nowhere",
        "/tv_renko",
    ],
)
def test_security_headers_are_on_every_answer(desk: DeskProcess, logged_in: OperatorCaller, path: str) -> None:
    for caller in (desk.stranger(), logged_in):
        headers = caller.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_pages_carry_no_inline_script_that_the_policy_would_refuse(
    desk: DeskProcess, logged_in: OperatorCaller
) -> None:
    for path in ("/", "/login", "/api/docs"):
        page = logged_in.get(path).text
        assert re.findall(r"<script(?![^>]*\bsrc=)(?! type=.application/json.)[^>]*>", page) == []
        assert re.findall(r"\son\w+=|\sstyle=", page) == []


def test_no_secret_is_ever_logged(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK, LOG_LEVEL="DEBUG") as desk:
        operator, bridge, alerts = desk.operator(), desk.bridge(), desk.tradingview()
        alerts.opens_the_ladder()
        bridge.fills(operator.enters_when_the_candle_allows(), 5250.25)
        desk.stranger().post("/api/login", json={"password": [PASSWORD]})
        desk.stranger().get("/api/orders/pending", params={"secret": BRIDGE_SECRET, "limit": "x"})
        desk.stranger().get("/nowhere", params={"secret": BRIDGE_SECRET})
        alerts.post("/tv_renko", data=f'{{"secret": "{TV_SECRET}", "price": NaN}}')
        alerts.sends("/tv_renko", color="blue")
        bridge.post("/api/bridge/heartbeat", data=f'{{"secret": "{BRIDGE_SECRET}", "tsConnected": NaN}}')
        with desk.locked_store():
            alerts.brick(8, "red")
        time.sleep(0.1)
        desk.terminate()
        for secret in SECRETS:
            assert secret not in desk.log()
