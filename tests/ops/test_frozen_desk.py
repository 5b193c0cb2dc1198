"""A desk that answers nobody is noticed: by ``/healthz``, by systemd's watchdog and by the container's health check."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import create_app
from services.desk import manager, writer
from services.ops import alive, watchdog
from services.ops.config import Config
from services.ops.watchdog import LIMIT, Supervisor, report_once
from tests.support.desk_process import SETTINGS, DeskProcess, eventually
from tests.support.ports import free_port

LONGER_THAN_A_REPORT = 10


@pytest.fixture
def line(tmp_path: Path) -> Iterator[socket.socket]:
    """Where systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(60)
        yield listening


def test_a_writer_that_hangs_makes_the_desk_unhealthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, goes_on = threading.Event(), threading.Event()
    app = create_app(Config.from_env({**SETTINGS, "SQLITE_PATH": str(tmp_path / "desk.sqlite")}))
    try:
        asks = app.test_client()
        assert asks.get("/healthz").status_code == 200

        def hang(*_: object) -> list[object]:
            hangs.set()
            goes_on.wait(60)
            return []

        with monkeypatch.context() as patch:
            patch.setattr(writer, "next_group", hang)
            patch.setattr(manager, "FROZEN_AFTER_SECONDS", 0.5)
            hangs.wait(60)
            eventually(lambda: asks.get("/healthz").status_code == 503)
            assert asks.get("/healthz").json["code"] == "frozen"  # type: ignore[index]
        goes_on.set()
        eventually(lambda: asks.get("/healthz").status_code == 200)
    finally:
        goes_on.set()
        app.extensions["lockstep.close"]()


# -- systemd ---------------------------------------------------------------------------------------------------------


@pytest.mark.processes
def test_the_desk_reports_to_systemd_while_it_answers(tmp_path: Path, line: socket.socket) -> None:
    with DeskProcess(tmp_path / "desk", NOTIFY_SOCKET=str(tmp_path / "notify")):
        heard = b""
        while b"WATCHDOG=1" not in heard:
            heard = line.recv(400)
    assert heard.decode() == f"{LIMIT}\nWATCHDOG=1"


def test_a_desk_that_does_not_answer_itself_reports_nothing(tmp_path: Path, line: socket.socket) -> None:
    assert not report_once(Supervisor(str(tmp_path / "notify"), f"http://127.0.0.1:{free_port()}/healthz"))
    line.settimeout(0.1)
    with pytest.raises(TimeoutError):
        line.recv(400)


def test_a_silent_desk_is_waited_for_no_longer_than_the_watchdog_waits() -> None:
    one_round = watchdog.ASKS_EVERY_SECONDS + watchdog.ANSWERS_WITHIN_SECONDS
    assert 2 * one_round < watchdog.FROZEN_AFTER_SECONDS


# -- a container -----------------------------------------------------------------------------------------------------


def test_three_failed_checks_in_a_row_end_a_desk_that_was_well(tmp_path: Path) -> None:
    count = tmp_path / "count"
    assert [alive.is_frozen(False, count) for _ in range(5)] == [False] * 5  # it is still starting
    checks = [True, False, False, True, False, False, False]
    assert [alive.is_frozen(well, count) for well in checks] == [False] * 6 + [True]


def test_the_first_process_and_the_check_itself_are_not_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        alive.end_all([1, os.getpid(), other.pid])
        assert other.wait(60) == -signal.SIGKILL


@pytest.mark.processes
def test_the_check_of_a_desk_that_is_stopped_fails(tmp_path: Path) -> None:
    with DeskProcess(tmp_path) as desk:
        assert alive.is_alive(f"{desk.url}/healthz")
        desk.signal(signal.SIGSTOP)
        assert not alive.is_alive(f"{desk.url}/healthz")
        desk.signal(signal.SIGCONT)
        assert eventually(lambda: alive.is_alive(f"{desk.url}/healthz"))
