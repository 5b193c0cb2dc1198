"""A skipped test is a failure where nothing may be left out, and no failure elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.emulator import NEEDED_VARIABLE

PROJECT = Path(__file__).resolve().parent.parent
GOOD = "def test_holds():\n    assert True\n"
SKIPPED = "import pytest\n\ndef test_is_left_out():\n    pytest.skip('no emulator here')\n"
NOT_COLLECTED = "import pytest\n\npytest.skip('no browser here', allow_module_level=True)\n"
NO_PARAMETERS = "import pytest\n\n@pytest.mark.parametrize('tape', [])\ndef test_a_tape(tape):\n    pass\n"


SKIPS = {SKIPPED: "no emulator here", NOT_COLLECTED: "no browser here", NO_PARAMETERS: "empty parameter set"}


def run(folder: Path, *tests: str, workers: int = 0, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run these tests in a pytest of their own, with this repository's rules for skipped ones."""
    for number, text in enumerate(tests):
        (folder / f"test_{number}.py").write_text(text, "utf-8")
    unset = ("CI", NEEDED_VARIABLE)
    environ = {name: value for name, value in os.environ.items() if name not in unset and "PYTEST" not in name}
    environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # quicker; nothing of them is needed
    asks = [sys.executable, "-m", "pytest", "-p", "tests.conftest", str(folder)]
    shared = ["-p", "xdist", "-n", str(workers)] if workers else []
    return subprocess.run([*asks, *shared], cwd=PROJECT, env={**environ, **settings}, capture_output=True, text=True)


@pytest.mark.parametrize("setting", [{"CI": "true"}, {NEEDED_VARIABLE: "1"}], ids=lambda setting: next(iter(setting)))
def test_skipped_tests_fail_the_run_and_are_named(tmp_path: Path, setting: dict[str, Any]) -> None:
    ran = run(tmp_path, GOOD, *SKIPS, **setting)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert ran.stdout.count("LEFT OUT") == len(SKIPS)
    assert all(reason in ran.stdout for reason in SKIPS.values())


def test_several_workers_hide_nothing(tmp_path: Path) -> None:
    ran = run(tmp_path, GOOD, SKIPPED, NOT_COLLECTED, workers=2, CI="true")
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert SKIPS[SKIPPED] in ran.stdout
    assert SKIPS[NOT_COLLECTED] in ran.stdout


def test_elsewhere_a_test_may_be_skipped(tmp_path: Path) -> None:
    ran = run(tmp_path, GOOD, SKIPPED)
    assert ran.returncode == pytest.ExitCode.OK
    assert "LEFT OUT" not in ran.stdout


def test_a_whole_run_is_good(tmp_path: Path) -> None:
    assert run(tmp_path, GOOD, CI="true").returncode == pytest.ExitCode.OK
