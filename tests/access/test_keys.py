"""API keys: made once, kept as digests, revoked within five seconds; they read what their scopes name and no more."""

import hmac
import re
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from routes.http import errors, guards
from routes.http.guards import OPENED_BY, POSTED_BY_KEYS, guarded_by
from routes.http.origins import UNSAFE
from services.access import keys
from services.access.gatekeeper import Gatekeeper
from services.access.keys import ApiKey, KeyRefused, KeyRing, KeysUnknown, make_key, stored
from services.access.sessions import Sessions
from services.ops.config import Config
from services.ops.opening import open_store
from services.stores.sqlite.store import SqliteStore
from services.stores.store import StoredKey, StoreDown
from tests.access.test_sessions import NoStore
from tests.support.api_document import documented
from tests.support.desk_process import (
    PATIENCE_SECONDS,
    QUICK,
    REPOSITORY,
    SETTINGS,
    Caller,
    DeskProcess,
    OperatorCaller,
    error_of,
    eventually,
)
from tests.support.narrow import known
from tests.support.own_time import Stopwatch
from tests.support.url_map import app_routes, methods_of
from wire.keys import SCOPES

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
NOTICED_WITHIN = 5.0
TRADES_BRICKS = "GET /api/journal/trades/<trade_id>/bricks"
JOURNAL = ("trades", "trades.csv", "statistics", "calendar", "day", "proposals")
READS: dict[str, tuple[str, ...]] = {  # what a key may call -> the scopes of which it needs one
    **dict.fromkeys(("GET /api/state", "GET /api/stream"), ("state:read",)),
    "GET /api/bricks": ("candles:read", "state:read"),
    "GET /api/events": ("events:read", "state:read"),
    **dict.fromkeys((*(f"GET /api/journal/{name}" for name in JOURNAL), TRADES_BRICKS), ("journal:read",)),
    "GET /metrics": ("metrics:read",),
    **dict.fromkeys((f"GET /api/ml/{name}" for name in ("range", "signals/active", "models")), ("signals:read",)),
    "GET /api/explain": ("agent:chat",),
    "GET /api/auto-trade/status": ("agent:trade", "signals:read"),
    **dict.fromkeys(("GET /api/portfolio", "GET /api/portfolio/history"), ("state:read",)),
    "GET /api/proposals": ("state:read", "agent:trade"),
}
ASKS: dict[str, tuple[str, ...]] = {  # what a key may do beside reading
    "POST /api/ml/amd/<symbol>": ("signals:read",),
    "POST /api/chat": ("agent:chat",),
    "POST /api/proposals": ("agent:trade",),
    "DELETE /api/proposals/<proposal_id>": ("agent:trade",),
}
OPENS = {**READS, **ASKS}
ANSWERS = {  # what an admitted caller is answered: there is no trade, no advisor, no proposal, and no body
    **dict.fromkeys(READS, 200),
    TRADES_BRICKS: 404,
    **{route: 503 for route in OPENS if "/ml/" in route or "explain" in route or "auto-trade" in route},
    **dict.fromkeys(("POST /api/chat", "POST /api/proposals", "DELETE /api/proposals/<proposal_id>"), 400),
}
QUERIES = {
    "/api/bricks": {"asset": "ES", "size": "4"},
    "/api/ml/range": {"asset": "ES"},
    "/api/explain": {"about": "block"},
}


def guards_by_route() -> Iterator[tuple[str, str]]:
    app = app_routes()
    for rule in app.url_map.iter_rules():
        for method in methods_of(rule):
            yield f"{method} {rule.rule}", getattr(app.view_functions[rule.endpoint], "__guard__", "public")


GUARD_OF = dict(sorted(guards_by_route()))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# -- making one --------------------------------------------------------------------------------------------------------


def test_a_key_is_shown_whole_and_kept_as_a_digest() -> None:
    key, token = make_key(" wall display ", ["state:read", "metrics:read", "state:read"], NOON)
    assert re.fullmatch(r"lk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", token)
    assert (key.name, key.scopes, key.created_at) == ("wall display", ("state:read", "metrics:read"), NOON)
    kept = stored(key)
    assert kept.id == key.id == token.split("_")[1]
    assert token.split("_", 2)[2].encode() not in kept.body
    assert keys.read_key(kept) == key


def test_no_two_keys_are_alike() -> None:
    assert len({make_key("same", ["state:read"], NOON)[1] for _ in range(100)}) == 100


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "two\nlines", "\x1b[31mred"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(KeyRefused, match="printable"):
        make_key(name, ["state:read"], NOON)


@pytest.mark.parametrize("scopes", [["state:write"], ["state:read", "*"], [""], []])
def test_a_scope_that_is_none_is_refused_with_those_that_are(scopes: list[Any]) -> None:
    with pytest.raises(KeyRefused, match="state:read, metrics:read"):
        make_key("display", scopes, NOON)


# -- the ring ----------------------------------------------------------------------------------------------------------


class Hand:
    """A clock that is moved by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Kept:
    """A real store whose file can be let go of and taken up again, and how often it was asked for its keys."""

    def __init__(self, path: Path) -> None:
        self.path, self.asked = path, 0
        self.store = SqliteStore(path)

    def api_keys(self) -> Any:
        self.asked += 1
        return self.store.api_keys()

    def goes_down(self) -> None:
        self.store.close()
        self.path.rename(self.path.with_suffix(".aside"))
        self.path.mkdir()

    def comes_back(self) -> None:
        self.path.rmdir()
        self.path.with_suffix(".aside").rename(self.path)
        self.store = SqliteStore(self.path)

    def adds(self, *scopes: str) -> tuple[ApiKey, str]:
        key, token = make_key("display", scopes or ["state:read"], NOON)
        self.store.put_api_key(stored(key))
        return key, token


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path / "desk.sqlite")
    yield kept
    kept.store.close()


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def ring(kept: Kept, clock: Hand) -> Iterator[KeyRing]:
    ring = KeyRing(kept.api_keys, clock)
    yield ring
    ring.close()


def test_the_right_text_finds_its_key(kept: Kept, clock: Hand, ring: KeyRing) -> None:
    key, token = kept.adds()
    clock.now += keys.KEPT_FOR_SECONDS
    assert ring.find(token) == key
    assert ring.holds(key)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token.upper(),
        lambda token: token.replace("lk_", "LK_"),
        lambda token: token.removeprefix("lk_"),
        lambda token: token.replace("_", "-"),
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: "lk_" + "0" * 16 + token[19:],
        lambda token: token[:20] + "0" * 43,
        lambda token: token[:20],
        lambda token: "lk_" + "１" * 16 + token[19:],
        lambda token: token[:-1] + "é",
        lambda token: token[:-1] + "\udcff",
        lambda token: "lk__",
        lambda token: "",
        lambda token: token * 1000,
    ],
)
def test_any_other_text_finds_none(kept: Kept, clock: Hand, ring: KeyRing, spoil: Callable[..., Any]) -> None:
    _, token = kept.adds()
    clock.now += keys.KEPT_FOR_SECONDS
    assert ring.find(spoil(token)) is None


def test_a_wrong_secret_and_an_unknown_id_are_compared_alike(
    kept: Kept, clock: Hand, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = kept.adds()
    clock.now += keys.KEPT_FOR_SECONDS
    compared = []
    really = hmac.compare_digest

    def compare(known_digest: str, digest: str) -> bool:
        compared.append((known_digest, digest))
        return bool(really(known_digest, digest))

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for wrong in (token[:20] + "0" * 43, "lk_" + "0" * 16 + token[19:]):
        assert ring.find(wrong) is None
    assert [(len(one), len(other)) for one, other in compared] == [(64, 64), (64, 64)]


def test_the_store_is_asked_once_for_many_requests(kept: Kept, clock: Hand, ring: KeyRing) -> None:
    _, token = kept.adds()
    clock.now += keys.KEPT_FOR_SECONDS
    for _ in range(50):
        assert ring.find(token)
    assert kept.asked == 2  # at the start, and when the first key was shown
    clock.now += keys.KEPT_FOR_SECONDS - 0.01
    assert ring.find(token)
    assert kept.asked == 2


def test_a_key_opens_as_soon_as_a_command_beside_the_desk_has_made_it(kept: Kept, clock: Hand, ring: KeyRing) -> None:
    _, token = kept.adds()
    clock.now += keys.KEPT_FOR_SECONDS
    assert ring.find(token)
    _, new = kept.adds()
    clock.now += 2 * keys.NEW_KEY_SECONDS
    assert ring.find(new)


def test_the_edition_changes_with_each_key_that_is_made_changed_or_revoked(
    kept: Kept, clock: Hand, ring: KeyRing
) -> None:
    seen = [ring.edition()]

    def is_another() -> bool:
        clock.now += keys.KEPT_FOR_SECONDS
        seen.append(ring.edition())
        return seen[-1] not in seen[:-1]

    key, _ = kept.adds()
    assert is_another()
    assert not is_another(), "nothing has happened"
    kept.store.put_api_key(StoredKey(key.id, stored(key).body.replace(b"display", b"monitor")))
    assert is_another()
    kept.adds()
    assert is_another()
    kept.store.revoke_api_key(key.id)
    assert is_another()


def test_invented_keys_have_the_store_read_a_few_times_only(kept: Kept, clock: Hand, ring: KeyRing) -> None:
    _, token = kept.adds()
    invented = "lk_" + "0" * 16 + token[19:]
    for _ in range(40):
        clock.now += keys.NEW_KEY_SECONDS
        assert ring.find(invented, 3600.0) is None
    returned = int(40 * keys.NEW_KEY_SECONDS / keys.LOOK_RETURNS_SECONDS)
    assert kept.asked <= 1 + keys.LOOKS_FOR_NEW_KEYS + returned
    asked = kept.asked
    clock.now += keys.LOOKS_FOR_NEW_KEYS * keys.LOOK_RETURNS_SECONDS
    assert ring.find(invented, 3600.0) is None
    assert kept.asked == asked + 1, "looks come back"


def test_a_revoked_key_opens_nothing_after_the_next_question(kept: Kept, clock: Hand, ring: KeyRing) -> None:
    key, token = kept.adds()
    clock.now += keys.KEPT_FOR_SECONDS
    assert ring.find(token)
    kept.store.revoke_api_key(key.id)
    clock.now += keys.KEPT_FOR_SECONDS
    assert ring.find(token) is None
    assert not ring.holds(key)


def test_in_an_outage_the_last_known_keys_hold_and_the_log_says_so_once(kept: Kept, clock: Hand, ring: KeyRing) -> None:
    key, token = kept.adds()
    clock.now += keys.KEPT_FOR_SECONDS
    assert ring.find(token)
    with capture_logs() as told:
        kept.goes_down()
        for _ in range(5):
            clock.now += keys.KEPT_FOR_SECONDS
            assert ring.find(token) == key
            ring._answer.result()
        assert [line["log_level"] for line in told] == ["warning"]
        kept.comes_back()
        kept.store.revoke_api_key(key.id)
        clock.now += keys.KEPT_FOR_SECONDS
        ring.find(token)  # in an outage nobody waits: this one only asks
        ring._answer.result()
        assert ring.find(token) is None
    assert [line["log_level"] for line in told] == ["warning", "info"]


def test_a_store_that_never_answered_leaves_the_question_open(kept: Kept, clock: Hand) -> None:
    _, token = kept.adds()
    kept.goes_down()
    ring = KeyRing(kept.api_keys, clock)
    with pytest.raises(KeysUnknown):
        ring.find(token)
    assert ring.find("lk_nonsense") is None
    kept.comes_back()
    clock.now += keys.KEPT_FOR_SECONDS
    assert ring.find(token)
    ring.close()


def test_a_store_that_hangs_keeps_nobody_for_long(kept: Kept, clock: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    key, token = kept.adds()
    goes = threading.Event()
    goes.set()

    def ask() -> Any:
        assert goes.wait(PATIENCE_SECONDS)
        return kept.api_keys()

    ring = KeyRing(ask, clock)
    assert ring.find(token) == key
    monkeypatch.setattr(keys, "ANSWERS_WITHIN_SECONDS", 0.2)
    goes.clear()
    clock.now += keys.KEPT_FOR_SECONDS
    watch = Stopwatch()
    assert ring.find(token) == key
    assert watch.seconds < 2
    goes.set()
    ring.close()


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"\xff", b'{"schema": 1, "id": "x"}'])
def test_what_is_no_key_opens_nothing_and_keeps_no_other_from_opening(
    kept: Kept, clock: Hand, ring: KeyRing, body: bytes
) -> None:
    _, token = kept.adds()
    kept.store.put_api_key(StoredKey("0" * 16, body))
    with capture_logs() as told:
        for _ in range(3):
            clock.now += keys.KEPT_FOR_SECONDS
            assert ring.find(token)
            assert ring.find("lk_" + "0" * 16 + token[19:]) is None
    assert len(told) == 1


def test_a_key_of_a_newer_program_opens_nothing_here(kept: Kept, clock: Hand, ring: KeyRing) -> None:
    key, token = kept.adds()
    newer = b'"schema":%d' % (keys.SCHEMA + 1)
    kept.store.put_api_key(StoredKey(key.id, stored(key).body.replace(b'"schema":%d' % keys.SCHEMA, newer)))
    clock.now += keys.KEPT_FOR_SECONDS
    assert ring.find(token) is None


def test_a_key_of_the_first_schema_opens_as_before_and_is_its_own_account(
    kept: Kept, clock: Hand, ring: KeyRing
) -> None:
    key, token = make_key("display", ["state:read"], NOON)
    first = {**msgspec.json.decode(stored(key).body), "schema": 1}
    del first["account"]
    kept.store.put_api_key(StoredKey(key.id, msgspec.json.encode(first)))
    clock.now += keys.KEPT_FOR_SECONDS
    found = known(ring.find(token))
    assert (found.account, found.scopes) == (key.id, ("state:read",))
    assert ring.holds(found)


def test_keys_of_one_account_say_whose_they_are(kept: Kept, clock: Hand, ring: KeyRing) -> None:
    key, token = make_key("laptop", ["ws:connect"], NOON, "trader-1")
    kept.store.put_api_key(stored(key))
    clock.now += keys.KEPT_FOR_SECONDS
    assert known(ring.find(token)).account == "trader-1"
    assert make_key("phone", ["ws:connect"], NOON)[0].account not in ("", "trader-1")


@pytest.mark.parametrize("account", ["", " ", "a b", "-x", "x" * 65, "é", "a\n"])
def test_an_account_that_no_log_could_show_is_refused(account: str) -> None:
    with pytest.raises(KeyRefused, match="account"):
        make_key("display", ["state:read"], NOON, account)


def test_a_closed_ring_knows_what_it_knew(kept: Kept, clock: Hand, ring: KeyRing) -> None:
    _, token = kept.adds()
    clock.now += keys.KEPT_FOR_SECONDS
    assert ring.find(token)
    ring.close()
    clock.now += 100
    assert ring.find(token)


# -- the guards --------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked() -> list[int]:
    return []


@pytest.fixture
def door(asked: list[int]) -> FlaskClient:
    """An application with one view that readers of the state may call, on a store that is down."""
    app = Flask("door", root_path=".")
    app.secret_key = "of a test"
    app.add_url_rule("/it", view_func=guarded_by("state_reader")(lambda: "open"), methods=["GET", "POST"])

    def ask() -> list[StoredKey]:
        asked.append(1)
        raise StoreDown("unplugged")

    config = Config.from_env({**SETTINGS, "DASHBOARD_PASSWORD": "", "SQLITE_PATH": ":memory:"})
    errors.install(app)
    guards.install(app, Gatekeeper(config, KeyRing(ask), Sessions(NoStore())))
    return app.test_client()


def test_a_key_that_nobody_can_judge_is_answered_503(door: FlaskClient) -> None:
    _, token = make_key("display", ["state:read"], NOON)
    answer = door.get("/it", headers=bearer(token))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert known(answer.json)["error"] == "the API keys cannot be read, the store does not answer"


def test_a_request_without_a_key_asks_no_ring(door: FlaskClient, asked: list[int]) -> None:
    for headers in ({}, {"Authorization": "Basic eDp5"}, bearer("another-token"), {"X-API-Key": ""}):
        assert door.get("/it?last_event_id=5", headers=headers).status_code == 200
    assert len(asked) <= 1  # the question of the start


def test_every_call_that_takes_keys_only_reads_but_for_questions_and_proposals() -> None:
    assert {route for route, guard in GUARD_OF.items() if guard in OPENED_BY} == set(OPENS)
    assert not {route.split()[0] for route in READS} & UNSAFE
    assert {GUARD_OF[route] for route in ASKS} <= POSTED_BY_KEYS


# -- a running desk ----------------------------------------------------------------------------------------------------


def flask(desk: DeskProcess, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ``flask desk keys`` beside the desk."""
    return subprocess.run(
        [sys.executable, "-m", "flask", "desk", "keys", *words],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin", **desk.settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def added(desk: DeskProcess, *scopes: str, name: str = "display") -> str:
    answer = flask(desk, "add", name, *(word for scope in scopes for word in ("--scope", scope)))
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("keys"), **QUICK, LOG_LEVEL="DEBUG") as desk:
        yield desk


@pytest.fixture(scope="module")
def tokens(desk: DeskProcess) -> dict[str, str]:
    """One key for each scope, and one with both; the desk knows them."""
    tokens: dict[str, str] = {scope: added(desk, scope) for scope in SCOPES}
    tokens["both"] = added(desk, *SCOPES)
    caller = desk.stranger()
    watch, both = Stopwatch(desk.process), bearer(tokens["both"])
    assert watch.waits_until(lambda: caller.get("/metrics", headers=both).status_code == 200) < NOTICED_WITHIN
    return tokens


@pytest.fixture(scope="module")
def operator(desk: DeskProcess) -> OperatorCaller:
    return desk.operator()


def knocks(caller: Caller, route: str, headers: dict[str, str]) -> int:
    method, path = route.split()
    data, asked = "{}" if method == "POST" else None, QUERIES.get(path)
    path = re.sub("<.*?>", "nobody", path)
    with caller.request(method, path, params=asked, headers=headers, data=data, stream=True) as answer:
        return answer.status_code


@pytest.mark.processes
@pytest.mark.parametrize("route", GUARD_OF)
def test_a_key_opens_what_it_reads_and_nothing_else(desk: DeskProcess, tokens: dict[str, str], route: str) -> None:
    caller = desk.stranger()
    for header in (bearer(tokens["both"]), {"X-API-Key": tokens["both"]}):
        assert knocks(caller, route, header) == answer_to_a_key(caller, route), route
    if route in OPENS:
        assert knocks(caller, route, {}) == 401


def answer_to_a_key(caller: Caller, route: str) -> int:
    """Return what a key of every scope is answered: 403 where only the operator changes something."""
    if route in OPENS:
        return ANSWERS[route]
    changes = route.split()[0] in UNSAFE and GUARD_OF[route] in ("operator", "exit_door")
    return 403 if changes else knocks(caller, route, {})


@pytest.mark.processes
def test_a_key_of_any_scope_that_posts_an_order_is_refused_with_403(
    desk: DeskProcess, tokens: dict[str, str], operator: OperatorCaller
) -> None:
    order = {"asset": "ES", "trade_mode": "SCALP", "direction": "BUY"}
    for caller in (desk.stranger(), operator):
        for token in tokens.values():
            answer = caller.post("/api/orders", json=order, headers=bearer(token))
            assert error_of(documented(answer), 403) == "an API key changes nothing here"


@pytest.mark.processes
def test_a_key_for_the_chat_may_ask_the_agent_and_change_nothing_else(
    desk: DeskProcess, tokens: dict[str, str]
) -> None:
    changing = [route for route in GUARD_OF if route.split()[0] in UNSAFE]
    for caller in (desk.stranger(), desk.operator()):
        answers = {route: knocks(caller, route, bearer(tokens["agent:chat"])) for route in changing}
        assert answers.pop("POST /api/chat") == 400
        public = {route for route in changing if GUARD_OF[route] == "public"}
        admitted = {route for route, status in answers.items() if status not in (401, 403)} - public
        assert admitted == set()
        assert public == {"POST /login", "POST /logout", "POST /api/login", "POST /api/logout"} & set(changing)


@pytest.mark.processes
@pytest.mark.parametrize("route", OPENS)
def test_a_key_without_the_scope_is_refused_with_a_sentence(
    desk: DeskProcess, tokens: dict[str, str], operator: OperatorCaller, route: str
) -> None:
    method, path = route.split()
    scopes = OPENS[route]
    others = [token for name, token in tokens.items() if name not in (*scopes, "both")]
    for caller in (desk.stranger(), operator):
        for other in others:
            answer = caller.request(method, path, headers=bearer(other))
            assert error_of(documented(answer), 403).endswith(f"an API key with the scope {' or '.join(scopes)}")
    for scope in scopes:
        assert knocks(desk.stranger(), route, bearer(tokens[scope])) == ANSWERS[route]


@pytest.mark.processes
@pytest.mark.parametrize("route", OPENS)
def test_a_wrong_key_is_refused_even_beside_a_session(
    desk: DeskProcess, tokens: dict[str, str], operator: OperatorCaller, route: str
) -> None:
    wrong = tokens["both"][:-1] + ("A" if tokens["both"][-1] != "A" else "B")
    for caller in (desk.stranger(), operator):
        for headers in (bearer(wrong), {"X-API-Key": wrong}, {"X-API-Key": "nonsense"}, bearer("lk_")):
            answer = caller.request(*route.split(), headers=headers)
            assert error_of(documented(answer), 401) == "the API key is wrong or was revoked"


@pytest.mark.processes
@pytest.mark.parametrize("route", READS)
@pytest.mark.parametrize("name", ["api_key", "key", "token", "secret", "last_event_id"])
def test_a_key_in_a_url_is_refused_whoever_asks(
    desk: DeskProcess, tokens: dict[str, str], operator: OperatorCaller, route: str, name: str
) -> None:
    for caller, headers in ((desk.stranger(), {}), (operator, {}), (desk.stranger(), bearer(tokens["both"]))):
        answer = caller.get(route.split()[1], params={name: tokens["both"]}, headers=headers)
        assert "in a URL" in error_of(documented(answer), 401)


@pytest.mark.processes
def test_a_key_reads_from_anywhere(desk: DeskProcess, tokens: dict[str, str]) -> None:
    for where in ({"Origin": "https://display.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = desk.stranger().get("/api/state", headers={**bearer(tokens["state:read"]), **where})
        assert documented(answer).status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.processes
def test_a_key_may_be_written_in_any_of_the_usual_ways(desk: DeskProcess, tokens: dict[str, str]) -> None:
    token = tokens["state:read"]
    ways = (
        {"Authorization": f"bearer  {token} "},
        {"x-api-key": token},
        {"Authorization": "Basic eDp5", "X-API-Key": token},
    )
    for headers in ways:
        assert desk.stranger().get("/api/state", headers=headers).status_code == 200
    assert desk.stranger().head("/api/state", headers=bearer(token)).status_code == 200


@pytest.mark.processes
def test_the_stream_of_a_key_is_that_of_the_operator(desk: DeskProcess, tokens: dict[str, str]) -> None:
    with desk.stranger().get("/api/stream", headers=bearer(tokens["state:read"]), stream=True) as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith(b"event:")) == b"event: state"


@pytest.mark.processes
def test_no_key_is_ever_logged(desk: DeskProcess, tokens: dict[str, str]) -> None:
    token = tokens["both"]
    secret = token.split("_", 2)[2]
    caller = desk.stranger()
    caller.get(f"/{token}")
    caller.get("/api/state", params={"api_key": token})
    caller.post("/tv_renko", json={"secret": token, "asset": token}, headers=bearer(token))
    with socket.create_connection(("127.0.0.1", desk.port), timeout=5) as wire:
        wire.sendall(f"GET /api/state?key={token} HTTP/9.9\r\nX-API-Key {token}\r\n\r\n".encode())
        wire.recv(1024)
    eventually(lambda: "Invalid" in desk.log())
    assert secret not in desk.log()
    assert b"".join(path.read_bytes() for path in desk.folder.glob("desk.sqlite*")).count(secret.encode()) == 0


@pytest.mark.processes
def test_an_open_desk_refuses_a_wrong_key_too(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, DASHBOARD_PASSWORD="") as desk:
        assert desk.stranger().get("/api/state").status_code == 200
        error_of(desk.stranger().get("/api/state", headers={"X-API-Key": "lk_wrong"}), 401)


# -- the command line, on either store ---------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "firestore"])
def place(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings that name a store of its own."""
    if request.param == "sqlite":
        return {}
    host = request.getfixturevalue("firestore_host")
    return {
        "STORE": "firestore",
        "GOOGLE_CLOUD_PROJECT": f"keys-{secrets.token_hex(4)}",
        "FIRESTORE_EMULATOR_HOST": host,
    }


@pytest.mark.processes
def test_a_key_lives_from_its_making_to_its_revocation(tmp_path: Path, place: dict[str, str]) -> None:
    with DeskProcess(tmp_path, **QUICK, **place) as desk:
        assert flask(desk, "list").stdout == "There are no API keys.\n"
        token = added(desk, "state:read", "metrics:read", name="wall display")
        key_id = token.split("_")[1]
        caller = desk.stranger()

        def status() -> int:
            return caller.get("/api/state", headers=bearer(token)).status_code

        assert Stopwatch(desk.process).waits_until(lambda: status() == 200) < NOTICED_WITHIN
        assert re.fullmatch(
            rf"{key_id}  \d{{4}}-\d\d-\d\d \d\d:\d\d UTC  state:read, metrics:read  wall display\n",
            flask(desk, "list").stdout,
        )
        assert token.split("_", 2)[2].encode() not in b"".join(kept.body for kept in keys_of(desk))
        assert desk.tradingview().brick(6, "green").status_code == 200  # the writer was not disturbed
        desk.restart()
        assert status() == 200
        with caller.get("/api/stream", headers=bearer(token), stream=True) as stream:
            assert stream.status_code == 200
            assert flask(desk, "revoke", key_id).stdout == f"The key {key_id} is revoked.\n"
            watch = Stopwatch(desk.process)
            assert watch.waits_until(lambda: status() == 401) < NOTICED_WITHIN
            for _ in stream.iter_content(None):
                assert watch.seconds < NOTICED_WITHIN
        assert watch.seconds < NOTICED_WITHIN + 1
        assert desk.tradingview().brick(6, "red").status_code == 200
        desk.restart()
        assert status() == 401


def keys_of(desk: DeskProcess) -> list[StoredKey]:
    store = open_store(Config.from_env(desk.settings))
    try:
        return store.api_keys()
    finally:
        store.close()


@pytest.mark.processes
def test_a_key_of_an_account_is_listed_with_it(desk: DeskProcess) -> None:
    answer = flask(desk, "add", "laptop", "--scope", "ws:connect", "--account", "trader-1")
    key_id = answer.stdout.split("_")[1]
    assert re.search(rf"^{key_id}  .*  ws:connect  laptop  of trader-1$", flask(desk, "list").stdout, re.MULTILINE)


@pytest.mark.processes
def test_the_command_line_says_what_is_wrong(desk: DeskProcess, tmp_path: Path) -> None:
    cases = {
        ("add", "x", "--scope", "state:write"): "'state:write' is not one of 'state:read', 'metrics:read'",
        ("add", "x"): "Missing option '--scope'",
        ("add", " ", "--scope", "state:read"): "printable letters",
        ("add", "x", "--scope", "state:read", "--account", "a b"): "the account was 'a b'",
        ("revoke", "nobody"): "There is no API key with the id nobody",
        ("revoke", "../x"): "There is no API key with the id ../x",
    }
    before = keys_of(desk)
    for words, sentence in cases.items():
        answer = flask(desk, *words)
        assert answer.returncode != 0
        assert sentence in " ".join(answer.stderr.split()), answer.stderr
        assert "Traceback" not in answer.stderr
    assert keys_of(desk) == before


@pytest.mark.processes
def test_a_store_that_no_desk_has_made_takes_no_keys(tmp_path: Path, place: dict[str, str]) -> None:
    desk = DeskProcess(tmp_path, **place)
    for words in (("add", "x", "--scope", "state:read"), ("list",), ("revoke", "x")):
        answer = flask(desk, *words)
        assert answer.returncode == 1
        assert "start the desk once" in answer.stderr
    assert not desk.database.exists()
