"""The Firestore emulator of the tests: it never outlives its owner, and its absence is said in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.desk_process import PATIENCE_SECONDS
from tests.support.emulator import HOST_VARIABLE, NEEDED_VARIABLE, NoEmulator, answers, shared_host
from tests.support.narrow import known
from tests.support.paths import REPOSITORY as PROJECT
from tests.support.ports import free_port

START = (
    "import time; from tests.support.emulator import Emulator; "
    "print(Emulator().start().host, flush=True); time.sleep(60)"
)


def test_an_emulator_ends_with_its_owner_however_that_ends(firestore_host: str) -> None:
    owner = subprocess.Popen([sys.executable, "-c", START], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    host = known(owner.stdout).readline().strip()
    assert answers(host)
    owner.kill()
    owner.wait()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while answers(host, 0.1):
        assert time.monotonic() < deadline, "the emulator lives on without its owner"


def test_where_it_is_needed_its_absence_is_a_failure(tmp_path: Path) -> None:
    """At home the tests of Firestore are skipped without one; nothing may be left out where that was said."""
    environ = {**os.environ, "PATH": "/nowhere", NEEDED_VARIABLE: "1"}
    environ.pop(HOST_VARIABLE, None)
    asks = [sys.executable, "-m", "pytest", "--basetemp", str(tmp_path / "run"), "-k", "a_new_store_is_empty"]
    asks.append("tests/stores/test_store_contract.py")
    ran = subprocess.run(asks, cwd=PROJECT, env=environ, capture_output=True, text=True)
    assert ran.returncode == 1
    assert "gcloud is not installed" in ran.stdout


def test_an_address_where_nobody_answers_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOST_VARIABLE, f"127.0.0.1:{free_port()}")
    with pytest.raises(NoEmulator, match=f"answers at {HOST_VARIABLE}="):
        shared_host(tmp_path, os.getpid())


def test_a_command_is_run_beside_one_and_its_status_is_kept(firestore_host: str) -> None:
    program = (
        f"import os; from tests.support.emulator import answers; assert answers(os.environ['{HOST_VARIABLE}']); exit(7)"
    )
    ran = subprocess.run([sys.executable, "-m", "tests.support.emulator", sys.executable, "-c", program], cwd=PROJECT)
    assert ran.returncode == 7
