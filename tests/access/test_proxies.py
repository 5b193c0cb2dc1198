"""``TRUSTED_PROXIES`` that does not fit the way of the requests is noticed, logged and shown on the set-up page."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from routes.http import proxy_signs
from routes.http.guards import Guard, guarded_by
from services.access.proxies import ProxySigns
from tests.support.desk_process import DeskProcess, eventually
from wire.keys import SERVICE_HEADER


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "fits"),
    [
        (0, "1.2.3.4", None, True),
        (0, "127.0.0.1", None, True),
        (0, "127.0.0.1", "1.2.3.4", False),
        (0, "172.18.0.1", "1.2.3.4", False),
        (0, "::1", "1.2.3.4", False),
        (0, "", "1.2.3.4", False),
        (0, "1.2.3.4", "5.6.7.8", True),  # a stranger may send any header
        (1, "127.0.0.1", "1.2.3.4", True),
        (1, "127.0.0.1", "5.6.7.8, 1.2.3.4", True),
        (1, "1.2.3.4", None, False),
        (1, "127.0.0.1", "", False),
        (2, "127.0.0.1", "1.2.3.4", False),
    ],
)
def test_what_requests_say_about_the_setting(trusted: int, peer: str, forwarded: str | None, fits: bool) -> None:
    signs = ProxySigns(trusted)
    signs.look(peer, forwarded)
    assert (signs.last is None) is fits


@pytest.mark.processes
def test_a_local_proxy_that_is_not_trusted_is_logged_once_and_stands_on_the_setup_page(tmp_path: Path) -> None:
    with DeskProcess(tmp_path) as desk:
        operator = desk.operator()
        through_a_proxy = {"X-Forwarded-For": "203.0.113.9"}
        assert 'id="proxies-title"' not in operator.get("/setup").text
        for _ in range(2):
            assert "Set it to the number of proxies" in operator.get("/setup", headers=through_a_proxy).text
        assert 'id="proxies-title"' in operator.get("/setup").text
        eventually(lambda: desk.log().count("TRUSTED_PROXIES looks wrong") == 1)


@pytest.mark.processes
def test_a_desk_that_is_reached_past_its_proxy_says_so(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, TRUSTED_PROXIES="1") as desk:
        operator = desk.operator()
        page = operator.get("/setup").text
        assert "can claim any address" in page
        eventually(lambda: desk.log().count("TRUSTED_PROXIES looks wrong") == 1)


def answering(guard: Guard) -> Callable[[], str]:
    """Return a view with this guard."""

    @guarded_by(guard)
    def view() -> str:
        return "ok"

    return view


def test_bridge_feeds_and_probes_may_come_past_the_proxy() -> None:
    app = Flask("behind a proxy")
    guards: dict[str, Guard] = {"health.show_health": "public", "bridge.beat": "bridge", "pages.show_login": "public"}
    guards |= {"key_check.check": "service", "state.show_state": "state_reader"}
    for endpoint, guard in guards.items():
        app.add_url_rule(f"/{endpoint}", view_func=answering(guard), endpoint=endpoint)
    signs = ProxySigns(1)
    proxy_signs.install(app, signs)
    client = app.test_client()
    client.get("/health.show_health")
    client.get("/bridge.beat")
    client.get("/nowhere")
    for path in ("/key_check.check", "/state.show_state"):
        client.get(path, headers={SERVICE_HEADER: "the secret of feeds"})
    assert signs.last is None
    client.get("/pages.show_login")
    assert signs.last is not None
