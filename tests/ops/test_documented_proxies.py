"""The blocks for Caddy and nginx of docs/how-to/operations.md before a real desk, and its systemd unit."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.desk_process import BRIDGE_SECRET, PASSWORD, QUICK, TV_SECRET, Caller, DeskProcess
from tests.support.proxies import PROXIES, block, running

HEAD_SECONDS = 5
LONGER_THAN_THE_LIMITS = HEAD_SECONDS + 2
A_BUSY_MACHINE_SECONDS = 20


@pytest.fixture(scope="module", params=PROXIES)
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed: apt-get install {name}")
    folder = tmp_path_factory.mktemp(name)
    with (
        DeskProcess(folder / "desk", TRUSTED_PROXIES="1", **QUICK) as desk,
        running(name, folder, desk),
    ):
        yield desk


@pytest.fixture
def proxied(desk: DeskProcess) -> Caller:
    return desk.stranger()


@contextmanager
def half_sent(proxied: Caller, text: bytes) -> Iterator[socket.socket]:
    """Send the beginning of a request and no more."""
    port = proxied.desk.proxy_port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
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
def test_the_desk_works_behind_it(proxied: Caller) -> None:
    origin = {"Origin": proxied.desk.public_url}
    assert proxied.post("/api/login", json={"password": PASSWORD}, headers=origin).status_code == 200
    assert proxied.get("/api/state").status_code == 200
    brick = {"secret": TV_SECRET, "asset": "ES", "color": "green"}
    assert proxied.post("/tv_renko", json=brick).status_code == 200
    assert proxied.get("/healthz").headers["X-Request-Id"]


@pytest.mark.processes
def test_wrong_passwords_count_against_the_caller(proxied: Caller) -> None:
    claimed = {"X-Forwarded-For": "203.0.113.9"}
    for _ in range(5):
        proxied.post("/api/login", json={"password": "guess"}, headers=claimed)
    elsewhere = {"X-Forwarded-For": "203.0.113.10"}
    assert proxied.post("/api/login", json={"password": "guess"}, headers=elsewhere).status_code == 429


@pytest.mark.processes
def test_a_long_body_and_a_long_head_are_refused(proxied: Caller) -> None:
    assert proxied.post("/tv_renko", data=b"x" * 70_000).status_code == 413
    assert proxied.post("/tv_renko", data=b"x" * 500_000).status_code in (413, 502)
    assert proxied.get("/healthz", headers={"X-Long": "x" * 40_000}).status_code in (400, 431, 494)


@pytest.mark.processes
def test_a_half_sent_head_is_cut_and_a_stream_and_a_long_poll_are_not(proxied: Caller) -> None:
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
def test_a_half_sent_body_is_cut(proxied: Caller) -> None:
    head = b"POST /tv_renko HTTP/1.1\r\nHost: desk\r\nContent-Length: 100\r\n\r\n{"
    with half_sent(proxied, head) as line:
        assert seconds_to_the_end(line) < A_BUSY_MACHINE_SECONDS


# -- systemd ---------------------------------------------------------------------------------------------------------


def unit_of(description: str) -> str:
    """Return a unit of the page; those of bridge and feeds are web's but for the lines that the page names."""
    text = block("ini", "[Unit]\nDescription=Lockstep web")
    if description == "Lockstep web":
        return text
    own: dict[str, str] = {}
    for line in block("ini", f"[Unit]\nDescription={description}").splitlines():
        own[line.partition("=")[0]] = line
    return "\n".join(own.get(line.partition("=")[0], line) for line in text.splitlines()) + "\n"


@pytest.mark.parametrize("description", ["Lockstep web", "Lockstep paper bridge", "Lockstep feeds"])
def test_the_units_are_ones_that_systemd_understands(tmp_path: Path, description: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    text = unit_of(description)
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


@pytest.mark.parametrize("description", ["Lockstep paper bridge", "Lockstep feeds"])
def test_who_reports_nothing_to_systemd_is_not_ended_for_it(description: str) -> None:
    unit = unit_of(description)
    assert re.search(r"^WatchdogSec=0$", unit, re.MULTILINE)
    assert "gunicorn" not in unit
    assert "%i" not in re.sub(r"^Description=.*$", "", unit, flags=re.MULTILINE)


def test_the_unit_has_files_and_a_watchdog() -> None:
    unit = block("ini", "[Unit]\nDescription=Lockstep web")
    assert int(re.findall(r"^LimitNOFILE=(\d+)$", unit, re.MULTILINE)[0]) >= 4096
    assert re.search(r"^WatchdogSec=\d+$", unit, re.MULTILINE)
    assert "NotifyAccess=all" in unit  # it is gunicorn's worker that reports
