"""A forked program is what its command would have started: the same answers, settings, signals and end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk_process import DeskProcess, eventually, without_the_clock
from tests.support.fork_server import HIDDEN, Fork
from tests.support.paths import REPOSITORY
from tests.support.processes import Child

pytestmark = pytest.mark.processes


@pytest.fixture
def forked(tmp_path: Path) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path / "forked") as desk:
        yield desk


def events_of(desk: DeskProcess) -> list[str]:
    """Return what the desk's lines are about, without its first words on ports and processes."""
    events = [json.loads(line)["event"] for line in desk.log().splitlines()]
    return [event for event in events if str(desk.port) not in event and "pid" not in event]


def state_of(desk: DeskProcess) -> dict[str, Any]:
    """Return the state without what names its process."""
    document = without_the_clock(desk.operator().settled_state())
    del document["global"]["writer"]
    return document


def test_a_fork_says_what_the_command_says(forked: DeskProcess, tmp_path: Path) -> None:
    commanded = DeskProcess(tmp_path / "commanded")
    commanded.may_be_forked = False
    with commanded:
        assert isinstance(forked.spawned, Fork)
        assert isinstance(commanded.spawned, subprocess.Popen)
        assert state_of(forked) == state_of(commanded)
        assert events_of(forked) == events_of(commanded) != []


def test_forks_share_no_setting(forked: DeskProcess, tmp_path: Path) -> None:
    with DeskProcess(tmp_path / "other", ASSETS="NQ", CONTRACTS="NQ=MNQM4", DASHBOARD_PASSWORD="another one") as other:
        assert list(other.operator("another one").state()["assets"]) == ["NQ"]
        assert list(forked.operator().state()["assets"]) == ["ES", "NQ"]
        assert forked.stranger().post("/api/login", json={"password": "another one"}).status_code == 401


def test_a_fork_reads_its_settings_anew_when_it_starts_again(forked: DeskProcess) -> None:
    first = forked.spawned.pid
    forked.restart(ASSETS="NQ", CONTRACTS="NQ=MNQM4")
    assert forked.spawned.pid != first
    assert list(forked.operator().state()["assets"]) == ["NQ"]


def test_a_fork_takes_no_setting_of_the_test_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAILY_STOP_LIMIT_PCT", "nonsense")
    desk = DeskProcess(tmp_path)
    del desk.settings["DAILY_STOP_LIMIT_PCT"]
    with desk:
        assert desk.stranger().get("/api/auth/status").status_code == 200


def test_a_fork_leads_its_group_and_takes_it_along(forked: DeskProcess) -> None:
    pid = forked.spawned.pid
    assert os.getpgid(pid) == os.getsid(pid) == pid
    forked.kill()
    assert forked.spawned.returncode == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        eventually(lambda: os.killpg(pid, 0))


def test_a_fork_ends_by_itself_when_it_is_asked(forked: DeskProcess) -> None:
    assert forked.spawned.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        forked.spawned.wait(0.01)
    forked.terminate()
    assert forked.spawned.returncode == 0


def test_a_fork_that_cannot_start_says_so(tmp_path: Path) -> None:
    desk = DeskProcess(tmp_path, ASSETS="")
    with pytest.raises(AssertionError, match="Lockstep cannot start"):
        desk.start()
    assert desk.spawned.returncode == 4  # gunicorn's status for an application that cannot be loaded


@pytest.mark.parametrize("program", ["feeds", "bridge", "advisor"])
def test_a_fork_with_wrong_settings_ends_as_its_command_does(program: str, tmp_path: Path) -> None:
    ends = []
    for may_be_forked in (True, False):
        child = Child(["-m", program], {"LOCKSTEP_URL": "no address"}, tmp_path / f"{may_be_forked}.txt")
        child.may_be_forked = may_be_forked
        child.spawn().wait(60)
        assert isinstance(child.spawned, Fork) == may_be_forked
        ends.append((child.spawned.returncode, child.log()))
    assert ends[0] == ends[1]
    assert ends[0][0] == 1
    assert "LOCKSTEP_URL" in ends[0][1]


@pytest.mark.parametrize("program", ["feeds", "bridge", "advisor"])
def test_a_fork_keeps_out_what_its_program_keeps_out(program: str) -> None:
    first_lines = (REPOSITORY / program / "__main__.py").read_text("utf-8")
    assert ("sys.modules" in first_lines) == (program in HIDDEN)
    assert all(f'"{name}"' in first_lines for name in HIDDEN.get(program, ()))
