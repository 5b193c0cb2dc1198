"""The blocks for Caddy and nginx of docs/how-to/operations.md before a real desk, and its systemd unit."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.desk_process import (
    BRIDGE_SECRET,
    PASSWORD,
    PATIENCE_SECONDS,
    QUICK,
    TV_SECRET,
    Caller,
    DeskProcess,
    eventually,
)
from tests.support.paths import REPOSITORY
from tests.support.processes import free_port

PAGE = (REPOSITORY / "docs" / "how-to" / "operations.md").read_text("utf-8")
HEAD_SECONDS = 5
TRIES = 5
LONGER_THAN_THE_LIMITS = HEAD_SECONDS + 2
A_BUSY_MACHINE_SECONDS = 20


def block(language: str, first: str = "") -> str:
    """Return the page's code block of a language that begins with these words."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    [one] = [text for text in found if text.startswith(first)]
    return str(one)


def caddy(folder: Path, port: int, desk: DeskProcess) -> list[str]:
    """Write the page's Caddyfile for this desk, without https; return the command."""
    text = block("caddyfile").replace("{\n\tservers", "{\n\tadmin off\n\tservers", 1)
    text = text.replace("desk.example.com", f"http://127.0.0.1:{port}")
    text = text.replace("127.0.0.1:8001", f"127.0.0.1:{desk.port}").replace(
        "127.0.0.1:8002", f"127.0.0.1:{free_port()}"
    )
    (folder / "Caddyfile").write_text(text)
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def nginx(folder: Path, port: int, desk: DeskProcess) -> list[str]:
    """Write the page's nginx block for this desk, without https, into a whole configuration; return the command."""
    text = re.sub(r"listen 443.*;", f"listen 127.0.0.1:{port};", block("nginx"))
    text = re.sub(r"\tssl_.*\n", "", text).replace("127.0.0.1:8001", f"127.0.0.1:{desk.port}")
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = (
        f"daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}{text}}}\n"
    )
    (folder / "nginx.conf").write_text(whole)
    return ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


PROXIES: dict[str, Callable[[Path, int, DeskProcess], list[str]]] = {"caddy": caddy, "nginx": nginx}


class Proxied(Caller):
    """A caller of a desk behind a proxy, which listens on ``port``."""

    def __init__(self, desk: DeskProcess, port: int) -> None:
        super().__init__(desk)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def request(self, method: str, path: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        kwargs.setdefault("timeout", PATIENCE_SECONDS)
        return requests.Session.request(self, method, self.url + path, *args, **kwargs)


@contextmanager
def running(name: str, folder: Path, desk: DeskProcess) -> Iterator[Proxied | None]:
    """Run the proxy on a free port. Give None when somebody else took the port meanwhile."""
    proxied = Proxied(desk, free_port())
    environment = {"PATH": "/usr/bin:/usr/sbin:/bin", "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    command = PROXIES[name](folder, proxied.port, desk)
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as proxy,
    ):

        def answers() -> bool:
            with suppress(requests.ConnectionError):
                return proxied.get("/api/auth/status").status_code == 200
            return proxy.poll() is not None

        try:
            eventually(answers)
            yield None if proxy.poll() is not None else proxied
        finally:
            proxied.close()
            proxy.terminate()


@pytest.fixture(scope="module", params=PROXIES)
def proxied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed: apt-get install {name}")
    folder = tmp_path_factory.mktemp(name)
    with DeskProcess(folder / "desk", TRUSTED_PROXIES="1", **QUICK) as desk:
        for _ in range(TRIES):
            with running(name, folder, desk) as proxied:
                if proxied is not None:
                    yield proxied
                    return
        pytest.fail((folder / "log").read_text("utf-8", "replace"))


@contextmanager
def half_sent(proxied: Proxied, text: bytes) -> Iterator[socket.socket]:
    """Send the beginning of a request and no more."""
    with socket.create_connection(("127.0.0.1", proxied.port), timeout=60) as line:
        line.sendall(text)
        yield line


def seconds_to_the_end(line: socket.socket) -> float:
    """Return how long the other side kept the connection."""
    began_at = time.monotonic()
    with suppress(ConnectionResetError):
        while line.recv(4096):
            pass
    return time.monotonic() - began_at


@pytest.mark.processes
def test_the_desk_works_behind_it(proxied: Proxied) -> None:
    origin = {"Origin": proxied.url}
    assert proxied.post("/api/login", json={"password": PASSWORD}, headers=origin).status_code == 200
    assert proxied.get("/api/state").status_code == 200
    brick = {"secret": TV_SECRET, "asset": "ES", "color": "green"}
    assert proxied.post("/tv_renko", json=brick).status_code == 200
    assert proxied.get("/healthz").headers["X-Request-Id"]


@pytest.mark.processes
def test_wrong_passwords_count_against_the_caller(proxied: Proxied) -> None:
    claimed = {"X-Forwarded-For": "203.0.113.9"}
    for _ in range(5):
        proxied.post("/api/login", json={"password": "guess"}, headers=claimed)
    elsewhere = {"X-Forwarded-For": "203.0.113.10"}
    assert proxied.post("/api/login", json={"password": "guess"}, headers=elsewhere).status_code == 429


@pytest.mark.processes
def test_a_long_body_and_a_long_head_are_refused(proxied: Proxied) -> None:
    assert proxied.post("/tv_renko", data=b"x" * 70_000).status_code == 413
    assert proxied.post("/tv_renko", data=b"x" * 500_000).status_code in (413, 502)
    assert proxied.get("/healthz", headers={"X-Long": "x" * 40_000}).status_code in (400, 431, 494)


@pytest.mark.processes
def test_a_half_sent_head_is_cut_and_a_stream_and_a_long_poll_are_not(proxied: Proxied) -> None:
    bridge = {"X-Bridge-Secret": BRIDGE_SECRET}
    began_at = time.monotonic()
    with (
        half_sent(proxied, b"GET /healthz HTTP/1.1\r\nHost: desk\r\nX-Slow: ") as line,
        proxied.get("/api/stream", headers=bridge, stream=True) as stream,
    ):
        waits = proxied.get(f"/api/orders/pending?wait={LONGER_THAN_THE_LIMITS}", headers=bridge)
        assert waits.json()["orders"] == []
        assert seconds_to_the_end(line) < A_BUSY_MACHINE_SECONDS
        for _ in stream.iter_content(None):
            if time.monotonic() - began_at > LONGER_THAN_THE_LIMITS:
                break
        else:
            pytest.fail("the stream was cut")


@pytest.mark.processes
def test_a_half_sent_body_is_cut(proxied: Proxied) -> None:
    head = b"POST /tv_renko HTTP/1.1\r\nHost: desk\r\nContent-Length: 100\r\n\r\n{"
    with half_sent(proxied, head) as line:
        assert seconds_to_the_end(line) < A_BUSY_MACHINE_SECONDS


# -- systemd ---------------------------------------------------------------------------------------------------------


def test_the_units_are_ones_that_systemd_understands(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    text = block("ini", "[Unit]\nDescription=Lockstep web")
    text = re.sub(r"^(ExecStart)=.*$", r"\1=/bin/true", text, flags=re.MULTILINE)
    text = re.sub(r"^(WorkingDirectory|EnvironmentFile|User)=.*\n", "", text, flags=re.MULTILINE)
    (tmp_path / "lockstep@8001.service").write_text(text)
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "lockstep@8001.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in checked.stderr.splitlines() if "lockstep" in line]
    assert ours == []


def test_the_unit_has_files_and_a_watchdog() -> None:
    unit = block("ini", "[Unit]\nDescription=Lockstep web")
    assert int(re.findall(r"^LimitNOFILE=(\d+)$", unit, re.MULTILINE)[0]) >= 4096
    assert re.search(r"^WatchdogSec=\d+$", unit, re.MULTILINE)
    assert "NotifyAccess=all" in unit  # it is gunicorn's worker that reports
