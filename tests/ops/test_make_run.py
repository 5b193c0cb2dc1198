"""``make run`` starts feeds and the advisor beside the desk, and nothing that happens to them ends the desk."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from tests.support.desk_process import eventually
from tests.support.fork_server import kept_environment
from tests.support.paths import REPOSITORY
from tests.support.ports import free_port

PROCFILE = dict(line.split(": ", 1) for line in (REPOSITORY / "Procfile").read_text("utf-8").splitlines())
LOCAL_PORTS_OFF = dict.fromkeys(("CONSENSUS_PORT", "TELEMETRY_PORT", "JOURNAL_PORT", "ENGINE_PORT", "DATA_PORT"), "0")


def said_by(*words: str) -> str:
    """Return what the Makefile would run for a target; nothing is run."""
    own, asked = kept_environment(), ["make", "--dry-run", "--no-print-directory", *words]
    return subprocess.run(asked, cwd=REPOSITORY, env=own, capture_output=True, text=True, check=True).stdout


def started_by(*words: str) -> list[str]:
    """Return the programs that a target of the Makefile lets honcho start."""
    [programs] = re.findall(r"honcho start (.*)$", said_by(*words), re.MULTILINE)
    return shlex.split(programs)


@pytest.mark.parametrize(
    ("words", "programs"),
    [
        (["run"], ["web", "bridge", "tape", "feeds", "advisor"]),
        (["run", "FEEDS=1", "ADVISOR=1"], ["web", "bridge", "tape", "feeds", "advisor"]),
        (["run", "FEEDS=0"], ["web", "bridge", "tape", "advisor"]),
        (["run", "ADVISOR=0"], ["web", "bridge", "tape", "feeds"]),
        (["serve"], ["web", "bridge", "feeds", "advisor"]),
        (["serve", "FEEDS=0", "ADVISOR=off"], ["web", "bridge"]),
    ],
    ids=" ".join,
)
def test_feeds_and_the_advisor_are_among_the_programs_unless_they_are_left_out(
    words: list[str], programs: list[str]
) -> None:
    assert started_by(*words) == programs
    assert set(programs) <= PROCFILE.keys()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["ADVISOR=0"], ["ADVISOR_URL = off", "AGENT_URL = off"]),
        (["ADVISOR=0", "AGENT_URL=http://127.0.0.1:9003"], ["ADVISOR_URL = off", "AGENT_URL = http://127.0.0.1:9003"]),
        ([], []),
    ],
    ids=["without", "elsewhere", "here"],
)
def test_where_no_advisor_runs_nobody_shows_its_port_the_secret(words: list[str], told: list[str]) -> None:
    said = said_by("--print-data-base", "run", *words)
    assert sorted(re.findall(r"^(?:ADVISOR|AGENT)_URL = .*$", said, re.MULTILINE)) == told


@pytest.mark.parametrize(
    ("words", "filled_from"),
    [(["run"], ["tapes"]), (["run", "DATA_FILL="], [""]), (["run", "DATA_FILL=folder"], ["folder"]), (["serve"], [])],
    ids=" ".join,
)
def test_a_run_fills_its_bars_from_the_recorded_days_and_real_webhooks_do_not(
    words: list[str], filled_from: list[str]
) -> None:
    assert re.findall(r'DATA_FILL="(\w*)"', said_by(*words)) == filled_from


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("", ["-m flask desk init"]),
        ("# SERVICE_SECRET=something", ["-m flask desk init"]),
        ("SERVICE_SECRET_PREVIOUS=something", ["-m flask desk init"]),
        ("SERVICE_SECRET=something", []),
        ("export SERVICE_SECRET=something", []),
        ("SERVICE_SECRET=", []),  # emptied by hand: left out on purpose
    ],
)
def test_an_env_file_of_before_gains_its_service_secret(tmp_path: Path, line: str, asked: list[str]) -> None:
    (tmp_path / "Makefile").write_text((REPOSITORY / "Makefile").read_text("utf-8"))
    (tmp_path / ".env").write_text(f"TV_WEBHOOK_SECRET=something\n{line}\n")
    (tmp_path / "requirements-locked.txt").touch()
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@" >> asked\n')
    python.chmod(0o700)
    (tmp_path / ".venv" / "ready").touch()
    subprocess.run(["make", "--silent", "service-secret"], cwd=tmp_path, capture_output=True, check=True)
    said = tmp_path / "asked"
    assert (said.read_text().splitlines() if said.exists() else []) == asked


@contextmanager
def line_of(program: str, folder: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program's line of the Procfile as honcho does: by a shell, in a group of its own."""
    kept = kept_environment()
    path = f"{Path(sys.executable).parent}:{kept['PATH']}"
    files = {"FEEDS_PATH": "feeds.sqlite", "ADVISOR_PATH": "advisor.sqlite", "MODELS_PATH": "models"}
    places = {name: str(folder / file) for name, file in files.items()}
    own = {**kept, "PATH": path, **LOCAL_PORTS_OFF, **places, **settings}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", PROCFILE[program]], cwd=REPOSITORY, env=own, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # it has ended, and was waited for
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)


@pytest.mark.processes
def test_a_setting_of_feeds_that_is_wrong_ends_no_run(tmp_path: Path) -> None:
    """Honcho ends every program when one of them ends."""
    with line_of("feeds", tmp_path, FEEDS_PORT="many") as feeds:
        eventually(lambda: "FEEDS_PORT must be a port" in (tmp_path / "log").read_text())
        assert feeds.poll() is None
        os.killpg(feeds.pid, signal.SIGTERM)
        assert feeds.wait(60) is not None


@pytest.mark.processes
def test_a_taken_port_ends_no_run_and_feeds_takes_it_when_it_is_free(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with line_of("feeds", tmp_path, FEEDS_PORT=str(port), LOCKSTEP_URL=nobody()) as feeds:
            eventually(lambda: "a port is taken" in (tmp_path / "log").read_text())
            assert feeds.poll() is None
            other.close()
            eventually(lambda: health_at(port))


@pytest.mark.processes
def test_a_setting_of_the_advisor_that_is_wrong_ends_no_run(tmp_path: Path) -> None:
    with line_of("advisor", tmp_path, ML_PORT="many") as advisor:
        eventually(lambda: "ML_PORT must be a port" in (tmp_path / "log").read_text())
        assert advisor.poll() is None
        os.killpg(advisor.pid, signal.SIGTERM)
        assert advisor.wait(60) is not None


@pytest.mark.processes
def test_a_taken_port_of_the_advisor_leaves_the_other_one_and_is_taken_when_it_is_free(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = {"ML_PORT": str(other.getsockname()[1]), "AGENT_PORT": str(free_port())}
        away = {"LOCKSTEP_URL": nobody(), "FEEDS_URL": nobody()}
        with line_of("advisor", tmp_path, **ports, **away) as advisor:
            eventually(lambda: "a port is taken" in (tmp_path / "log").read_text())
            eventually(lambda: health_at(int(ports["AGENT_PORT"]), "/api/v1/health"))
            assert advisor.poll() is None
            other.close()
            eventually(lambda: health_at(int(ports["ML_PORT"])))


def nobody() -> str:
    """Return an address where nobody answers."""
    return f"http://127.0.0.1:{free_port()}"


def health_at(port: int, path: str = "/health") -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}{path}", timeout=5).status_code == 200
    except (requests.ConnectionError, requests.Timeout):
        return False
