"""Logging out at running desks: copies of the cookie open nothing more, streams end, neighbours stay logged in."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import requests
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from services.access.gatekeeper import Gatekeeper
from services.access.keys import KeyRing
from services.access.sessions import LOOK_EVERY_SECONDS, Sessions
from services.ops.config import Config
from tests.access.test_sessions import NoStore
from tests.live.test_stream import Ear
from tests.support.desk_process import FLASK_KEY, PASSWORD, QUICK, DeskProcess, closing_connection, error_of
from tests.support.narrow import known
from tests.support.own_time import Stopwatch

pytestmark = pytest.mark.processes

STREAM_ENDS_WITHIN = 5.0
NOTICED_WITHIN = LOOK_EVERY_SECONDS + 5.0


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("sessions"), **QUICK) as desk:
        yield desk


def status(desk: DeskProcess, cookie: str) -> int:
    return desk.stranger().get("/api/state", headers={"Cookie": cookie}).status_code


def test_a_copied_cookie_opens_nothing_after_the_logout(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        operator, elsewhere = desk.operator(), desk.operator()
        copied, other = operator.session_cookie, elsewhere.session_cookie
        assert (status(desk, copied), status(desk, other)) == (200, 200)
        assert operator.post("/api/logout").json() == {"ok": True}
        assert not operator.cookies
        for _ in range(2):
            assert (status(desk, copied), status(desk, other)) == (401, 200)
            theft = desk.stranger().post("/api/exit-all", json={}, headers={"Cookie": copied})
            error_of(theft, 401)
            page = desk.stranger().get("/", headers={"Cookie": copied}, allow_redirects=False)
            assert (page.status_code, page.headers["Location"]) == (303, "/login")
            desk.restart()
        assert desk.rows("SELECT count(*) FROM ended_sessions") == [(1,)]


def test_an_open_stream_ends_with_its_session_and_no_other(desk: DeskProcess) -> None:
    operator, elsewhere = desk.operator(), desk.operator()
    mine, other = Ear(operator), Ear(elsewhere)
    mine.hears("state")
    other.hears("state")
    operator.post("/api/logout")
    assert Stopwatch(desk.process).waits_until(mine.has_ended.is_set) < STREAM_ENDS_WITHIN
    assert not other.has_ended.is_set()
    other.close()


def test_who_logs_in_again_leaves_no_session_behind(desk: DeskProcess) -> None:
    operator = desk.operator()
    first = operator.session_cookie
    operator.logs_in()
    assert operator.session_cookie != first
    assert (status(desk, first), status(desk, operator.session_cookie)) == (401, 200)


def test_a_cookie_of_before_the_sessions_had_ids_must_log_in_again(desk: DeskProcess) -> None:
    config = Config.from_env(desk.settings)
    operator_id = Gatekeeper(config, KeyRing(list), Sessions(NoStore())).operator_id
    app = Flask("before")
    app.secret_key = FLASK_KEY
    serializer = known(SecureCookieSessionInterface().get_signing_serializer(app))
    signed = serializer.dumps({"_user_id": operator_id, "_fresh": True})
    name = desk.operator().session_cookie.split("=")[0]
    assert [status(desk, f"{written}={signed}") for written in ("lockstep", name)] == [401, 401]


def test_a_logout_while_the_store_is_locked_holds_at_once_and_is_stored_later(desk: DeskProcess) -> None:
    operator = desk.operator()
    copied = operator.session_cookie
    ((before,),) = desk.rows("SELECT count(*) FROM ended_sessions")
    with desk.locked_store():
        watch = Stopwatch(desk.process)
        assert operator.post("/api/logout").json() == {"ok": True}
        assert watch.seconds < 3
        assert not operator.cookies
        assert status(desk, copied) == 401
        assert desk.stranger().post("/api/login", json={"password": PASSWORD}).status_code == 200
    watch = Stopwatch(desk.process)
    stored = [(before + 1,)]
    assert watch.waits_until(lambda: desk.rows("SELECT count(*) FROM ended_sessions") == stored) < NOTICED_WITHIN


@contextmanager
def two_webs(folder: Path, **place: str) -> Iterator[tuple[DeskProcess, DeskProcess]]:
    """A writer and its standby."""
    with DeskProcess(folder, **QUICK, **place) as first, DeskProcess(folder, **QUICK, **place) as second:
        yield first, second


@pytest.fixture(params=["sqlite", "firestore"])
def place(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings that name a store of its own."""
    if request.param == "sqlite":
        return {}
    host = request.getfixturevalue("firestore_host")
    return {
        "STORE": "firestore",
        "GOOGLE_CLOUD_PROJECT": f"sessions-{secrets.token_hex(4)}",
        "FIRESTORE_EMULATOR_HOST": host,
    }


def is_logged_out(desk: DeskProcess, cookie: str) -> bool:
    return status(desk, cookie) == 401


def test_the_standby_hears_of_a_logout_and_the_writer_of_one_at_the_standby(
    tmp_path: Path, place: dict[str, str]
) -> None:
    with two_webs(tmp_path, **place) as webs:
        for here, there in (webs, reversed(webs)):
            operator = here.operator()
            copied = operator.session_cookie
            assert status(there, copied) == 200  # one desk, one name of the cookie
            stream = Ear(there.stranger(), Cookie=copied)
            operator.post("/api/logout")
            watch = Stopwatch(*(web.process for web in webs))
            assert watch.waits_until(partial(is_logged_out, there, copied)) < NOTICED_WITHIN
            watch.restart()
            assert watch.waits_until(stream.has_ended.is_set) < STREAM_ENDS_WITHIN


def test_two_desks_on_one_host_do_not_log_each_other_out(desk: DeskProcess, tmp_path: Path) -> None:
    with DeskProcess(tmp_path) as neighbour, requests.Session() as browser:
        browser.trust_env = False
        for one in (desk, neighbour):  # a browser sends a host's cookies to each of its ports
            assert browser.post(f"{one.url}/api/login", json={"password": PASSWORD}).status_code == 200
        names = [cookie.name for cookie in browser.cookies]
        assert len(set(names)) == 2
        assert all(re.fullmatch("lockstep-[0-9a-f]{8}", name) for name in names)
        assert [browser.get(f"{one.url}/api/state").status_code for one in (desk, neighbour)] == [200, 200]
        browser.post(f"{neighbour.url}/api/logout")
        assert [browser.get(f"{one.url}/api/state").status_code for one in (desk, neighbour)] == [200, 401]


def test_where_no_password_is_asked_for_strangers_write_nothing(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK, DASHBOARD_PASSWORD="") as desk:
        stranger = desk.stranger()
        for _ in range(3):
            assert stranger.post("/api/login", json={"password": "anything"}).json() == {"ok": True}
        assert stranger.post("/api/logout").json() == {"ok": True}
        assert desk.rows("SELECT count(*) FROM ended_sessions") == [(0,)]


def test_the_writer_lets_go_though_a_logout_cannot_be_stored(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        operator = desk.operator()
        with closing_connection(desk.database) as connection:
            connection.execute("DROP TABLE ended_sessions")
        assert operator.post("/api/logout").json() == {"ok": True}
        desk.terminate()
        assert desk.rows("SELECT holder FROM desk") == [("",)]
        assert "log-outs were not stored" in desk.log()
