"""The documented blocks for Caddy and nginx lead the market feed to feeds, and nothing else of it."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.support.desk_process import SERVICE_SECRET, DeskProcess, eventually
from tests.support.feeds_process import METRICS_TOKEN, FeedsProcess
from tests.support.paths import REPOSITORY
from tests.support.proxies import PROXIES, running

pytestmark = pytest.mark.processes
SUBSCRIBE = {"op": "subscribe", "topics": [{"channel": "quotes", "symbols": ["es"]}, {"channel": "alerts.in_force"}]}
OF_WEB = ("/ws/consensus", "/connect", "/ws/market/v2", "/ws/market/v1/", "/ws/market", "/api/market/v2/instruments")
OUT_OF_THE_FEED = (  # each would leave the feed, if one of the two programs read the path another way
    "/api/market/v1/../../../health",
    "/api/market/v1/..%2f..%2f..%2fhealth",
    "/api/market/v1/%2e%2e/%2e%2e/%2e%2e/metrics",
    "/api/market/v1/..;/..;/metrics",
    "/api/market/v1//health",
    "//health",
    "/ws/market/v1/../../../health",
    "/ws/market/v1%2f..%2f..%2f..%2fmetrics",
)


class Public(NamedTuple):
    """What the world reaches: the proxy's port, with web and feeds behind it."""

    desk: DeskProcess
    feeds: FeedsProcess
    port: int
    key: str

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def socket(self, key: str) -> ClientConnection:
        return connect(
            self.url("/ws/market/v1", "ws"), additional_headers={"Authorization": f"Bearer {key}"}, proxy=None
        )


@pytest.fixture(scope="module", params=PROXIES)
def public(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Public]:
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed: apt-get install {name}")
    folder = tmp_path_factory.mktemp(name)
    with (
        DeskProcess(folder / "desk", TRUSTED_PROXIES="1", SERVICE_SECRET=SERVICE_SECRET) as desk,
        FeedsProcess(desk, folder / "feeds") as feeds,
        running(name, folder, desk, feeds.ports["market"]),
    ):
        desk.tradingview().heartbeat(5250.25)
        feeds.hears_web()
        assert desk.proxy_port is not None
        yield Public(desk, feeds, desk.proxy_port, key_of(desk, "ws:connect", "prices:read"))


def key_of(desk: DeskProcess, *scopes: str) -> str:
    """Make a key as the operator does, on the command line beside the desk."""
    words = [word for scope in scopes for word in ("--scope", scope)]
    said = subprocess.run(
        [sys.executable, "-m", "flask", "desk", "keys", "add", "chart", *words],
        cwd=REPOSITORY,
        env={**os.environ, **desk.settings},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    [key] = re.findall(r"\blk_[0-9a-f]{16}_[\w-]{43}", said)
    return str(key)


def test_a_key_subscribes_through_the_proxy_and_hears_prices(public: Public) -> None:
    with public.socket(public.key) as line:
        line.send(json.dumps(SUBSCRIBE))
        answer = json.loads(line.recv(30))
        assert (answer["type"], answer["seq"], answer["data"]["channels"]) == ("subscribed", "1", ["quotes"])
        public.desk.tradingview().heartbeat(5251.5)
        while True:
            heard = json.loads(line.recv(30))
            if heard["type"] == "quote" and heard["data"]["price"] == 5251.5:
                break


def test_a_bad_key_gets_its_close_code_through_the_proxy(public: Public) -> None:
    for key in ("lk_0123456789abcdef_" + "x" * 43, "nonsense"):
        with public.socket(key) as line:
            with pytest.raises(ConnectionClosed) as closed:
                line.recv(30)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401


def test_a_page_of_this_address_may_connect_and_one_of_another_may_not(public: Public) -> None:
    headers = {"X-API-Key": public.key}
    address = public.url("/ws/market/v1", "ws")
    with connect(address, additional_headers=headers, origin=Origin(public.url("")), proxy=None) as line:
        line.send(json.dumps(SUBSCRIBE))
        assert json.loads(line.recv(30))["type"] == "subscribed"
    elsewhere = Origin("https://evil.example")
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(address, additional_headers=headers, origin=elsewhere, proxy=None),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_prices_come_through_the_proxy(public: Public) -> None:
    answer = requests.get(public.url("/api/market/v1/prices/latest"), headers={"X-API-Key": public.key}, timeout=30)
    assert answer.status_code == 200, answer.text
    assert answer.json()["prices"][0]["symbol"] == "ES"
    nobody = requests.get(public.url("/api/market/v1/prices/latest"), timeout=30)
    assert (nobody.status_code, nobody.json()["error"]["code"]) == (401, "missing_api_key")


@pytest.mark.parametrize("path", OF_WEB)
def test_what_is_not_the_market_feed_is_webs_to_refuse(public: Public, path: str) -> None:
    answer = requests.get(public.url(path), headers={"X-API-Key": public.key}, timeout=30)
    assert answer.status_code in (401, 404)
    assert "X-Request-Id" in answer.headers
    assert answer.json()["ok"] is False


@pytest.mark.parametrize("path", OF_WEB)
def test_no_other_socket_opens(public: Public, path: str) -> None:
    headers = {"Authorization": f"Bearer {public.key}"}
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(public.url(path, "ws"), additional_headers=headers, proxy=None),
    ):
        pass
    assert refused.value.response.status_code in (400, 401, 404)


@pytest.mark.parametrize("path", ["/health", "/metrics", "/api/journal", *OUT_OF_THE_FEED])
def test_no_path_leads_to_what_feeds_keeps_to_its_machine(public: Public, path: str) -> None:
    said = raw(public.port, path)
    assert b"lockstep.feeds" not in said
    assert b"lockstep_feeds" not in said
    status = said.split(b" ", 2)[1]
    assert status in (b"400", b"401", b"403", b"404", b"301", b"308"), said[:600]


def raw(port: int, path: str) -> bytes:
    """Ask with the path exactly as written; a client library would shorten it."""
    token = f"Authorization: Bearer {METRICS_TOKEN}\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{token}Connection: close\r\n\r\n".encode())
        said = b""
        while piece := line.recv(65536):
            said += piece
    return said


def test_feeds_itself_does_say_both_on_its_own_port(public: Public) -> None:
    """What the test above looks for would be there; and so is each figure that the alert rules ask of feeds."""
    assert public.feeds.health()["program"] == "lockstep.feeds"
    token = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    metrics = requests.get(public.feeds.url() + "/metrics", headers=token, timeout=30)
    told = set(re.findall(r"^# TYPE (\w+)", metrics.text, re.MULTILINE))
    rules = (REPOSITORY / "docs/reference/alerts.rules.yml").read_text("utf-8")
    asked = set(re.findall(r"\blockstep_feeds_\w+", rules))
    assert asked
    assert asked <= told


def test_a_stop_of_feeds_reaches_the_client_and_web_goes_on(public: Public) -> None:
    with public.socket(public.key) as line:
        line.send(json.dumps(SUBSCRIBE))
        assert json.loads(line.recv(30))["type"] == "subscribed"
        public.feeds.restart()
        with pytest.raises(ConnectionClosed):
            hear_to_the_end(line)
    assert requests.get(public.url("/api/auth/status"), timeout=30).status_code == 200
    public.feeds.hears_web()
    eventually(lambda: _prices(public) == 200)


def hear_to_the_end(line: ClientConnection) -> None:
    while True:
        line.recv(30)


def _prices(public: Public) -> int:
    headers = {"X-API-Key": public.key}
    return requests.get(public.url("/api/market/v1/prices/latest"), headers=headers, timeout=30).status_code
