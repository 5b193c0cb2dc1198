"""Who may be asked by which name, and what a browser or a proxy may keep of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from services.ops.config import Config, ConfigError
from tests.support.desk_process import BRIDGE_SECRET, SETTINGS, TV_SECRET

EVIL = "rebound.evil.example"


def client_of(folder: Path, **settings: str) -> Iterator[FlaskClient]:
    app = create_app(Config.from_env({**SETTINGS, "SQLITE_PATH": str(folder / "desk.sqlite"), **settings}))
    yield app.test_client()
    app.extensions["lockstep.close"]()


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[FlaskClient]:
    yield from client_of(tmp_path, DASHBOARD_PASSWORD="", ALLOWED_HOSTS="demo.example.com, Other.example.com")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[FlaskClient]:
    yield from client_of(tmp_path, TRUSTED_PROXIES="1")


def asked(client: FlaskClient, path: str, host: str, method: str = "GET", **more: Any) -> int:
    return client.open(path, method=method, headers={"Host": host}, **more).status_code


@pytest.mark.parametrize(
    "path", ["/", "/api/state", "/api/stream", "/api/auth/status", "/setup", "/healthz", "/metrics"]
)
def test_a_page_whose_name_was_rebound_to_an_open_desk_reads_nothing(open_desk: FlaskClient, path: str) -> None:
    for host in (EVIL, f"{EVIL}:8000", "8.8.8.8", "134744072", "[", "localhost.evil.example"):
        assert asked(open_desk, path, host) == 403, host


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_an_image_on_a_page_of_another_site_makes_an_open_desk_compute_nothing(
    open_desk: FlaskClient, site: str
) -> None:
    """A browser names no origin for it, and the page could read no answer."""
    foreign = {"Host": "localhost", "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    costly = ("/api/what-if/day?day=2026-11-20", "/api/journal/statistics", "/api/journal/trades", "/api/proposals")
    for path in (*costly, "/api/state", "/api/portfolio/history", "/api/stream"):
        assert open_desk.get(path, headers=foreign).status_code in (401, 403), path
    for own in ("same-origin", "none"):
        assert open_desk.get("/api/state", headers={**foreign, "Sec-Fetch-Site": own}).status_code == 200
    for path in ("/", "/api/docs", "/healthz"):  # a link from elsewhere leads to the page
        assert open_desk.get(path, headers=foreign).status_code == 200


def test_a_page_whose_name_was_rebound_orders_nothing(open_desk: FlaskClient) -> None:
    """To its browser the desk's address is the page's own origin, so the check of the origin does not see it."""
    headers = {"Host": EVIL, "Origin": f"http://{EVIL}", "Sec-Fetch-Site": "same-origin"}
    answer = open_desk.post("/api/exit-all", json={"force": True}, headers=headers)
    assert answer.status_code == 403
    assert "ALLOWED_HOSTS" in answer.get_json()["error"]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1:8000",
        "[::1]:8000",
        "192.168.1.5",
        "web",
        "desk.local",
        "demo.example.com",
        "OTHER.example.com",
    ],
)
def test_an_open_desk_answers_private_and_named_hosts(open_desk: FlaskClient, host: str) -> None:
    assert asked(open_desk, "/api/auth/status", host) == 200


def test_callers_with_a_secret_may_use_any_name(open_desk: FlaskClient) -> None:
    """A tunnel for TradingView has a public name; the secret protects these calls."""
    beat = {"secret": TV_SECRET, "asset": "ES", "price": 5250}
    assert asked(open_desk, "/tv_heartbeat", EVIL, "POST", json=beat) == 200
    bridge = open_desk.get("/api/orders/pending", headers={"Host": EVIL, "X-Bridge-Secret": BRIDGE_SECRET})
    assert bridge.status_code == 200


def test_a_desk_with_a_password_answers_every_host(desk: FlaskClient) -> None:
    assert asked(desk, "/api/auth/status", EVIL) == 200


def test_a_wrong_list_of_hosts_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match="ALLOWED_HOSTS must be hosts without scheme and port"):
        Config.from_env({**SETTINGS, "ALLOWED_HOSTS": "https://demo.example.com"})


def test_a_browser_that_came_over_https_comes_over_https_only(desk: FlaskClient, open_desk: FlaskClient) -> None:
    over_https = desk.get("/login", headers={"X-Forwarded-Proto": "https"})
    assert over_https.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in desk.get("/login").headers
    claimed = open_desk.get("/login", headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" not in claimed.headers, "no proxy is trusted here"


def test_nothing_but_files_may_be_kept(desk: FlaskClient) -> None:
    """Ask for every address that takes a GET, with and without a session: also refusals are not kept."""
    for has_session in (False, True):
        if has_session:
            assert desk.post("/api/login", json={"password": SETTINGS["DASHBOARD_PASSWORD"]}).status_code == 200
        for rule in desk.application.url_map.iter_rules():
            if rule.endpoint == "static" or "GET" not in (rule.methods or ()) or "stream" in rule.rule:
                continue
            path = "/".join("x" if part.startswith("<") else part for part in rule.rule.split("/"))
            with desk.get(path) as answer:
                assert answer.headers["Cache-Control"] == "no-store", path
    assert desk.get("/nothing/here").headers["Cache-Control"] == "no-store"
    assert desk.post("/tv_heartbeat", json={}).headers["Cache-Control"] == "no-store"
