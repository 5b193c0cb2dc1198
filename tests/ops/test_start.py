"""What is refused or said at the start of a desk: more than one worker, secrets that their file changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.ops.dotenv_file import secrets_that_change
from tests.ops.test_config import words_of_a_start
from tests.support.desk_process import DeskProcess
from tests.support.paths import REPOSITORY

NAMES = {"TV_WEBHOOK_SECRET", "BRIDGE_HEARTBEAT_SECRET", "FLASK_SECRET_KEY"}
REQUIRED = sorted(NAMES - {"FLASK_SECRET_KEY"})


# -- one process --------------------------------------------------------------------------------------------------


@pytest.mark.processes
@pytest.mark.parametrize("asked", ["--workers 3", "-w 2", "--workers=0"])
def test_more_than_one_worker_is_refused_in_one_sentence(tmp_path: Path, asked: str) -> None:
    status, words = words_of_a_start(tmp_path, GUNICORN_CMD_ARGS=asked)
    assert status == 4
    assert f"cannot start: {asked[-1]} workers were asked for" in words
    assert "GUNICORN_CMD_ARGS" in words
    assert "Booting worker" not in words
    assert "Traceback" not in words


@pytest.mark.processes
def test_what_a_platform_sets_for_its_other_apps_makes_no_second_worker(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, WEB_CONCURRENCY="3", GUNICORN_CMD_ARGS="--threads 64") as desk:
        assert desk.log().count("Booting worker") == 1


# -- secrets of .env ----------------------------------------------------------------------------------------------


def said_of(folder: Path, *lines: str) -> list[str]:
    """Return what is said of a file with these lines; no sentence may show a value."""
    path = folder / ".env"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    said = secrets_that_change(path, NAMES)
    assert not [sentence for sentence in said if "hunter" in sentence]
    return said


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("TV_WEBHOOK_SECRET=hunter2 #and the rest", "ends before the `#`"),
        ("export TV_WEBHOOK_SECRET=hunter2\t# a note", "ends before the `#`"),
        ("TV_WEBHOOK_SECRET=hunter${HOME}hunter", "holds `${…}`"),
        ("TV_WEBHOOK_SECRET='hunter${NOBODY_SET_IT}hunter'", "holds `${…}`"),
        ('TV_WEBHOOK_SECRET="hunter"2"', "cannot be read"),
        ("TV_WEBHOOK_SECRET='hunter'2", "cannot be read"),
        ('TV_WEBHOOK_SECRET="hunter2', "cannot be read"),
        ('TV_WEBHOOK_SECRET="hunter\\t2"', "holds a backslash"),
    ],
)
def test_a_secret_that_its_file_changes_is_named(tmp_path: Path, line: str, reason: str) -> None:
    said = said_of(tmp_path, "FLASK_SECRET_KEY=abcdefgh", line, "BRIDGE_HEARTBEAT_SECRET=abcdefgh")
    assert len(said) == 1
    assert said[0].startswith("TV_WEBHOOK_SECRET in .env")
    assert reason in said[0]


@pytest.mark.parametrize(
    "line",
    [
        "TV_WEBHOOK_SECRET=hunter#2$x'\"y",
        "TV_WEBHOOK_SECRET='hunter2 # and the rest'",
        'TV_WEBHOOK_SECRET="hunter2 # and the rest"',
        "# TV_WEBHOOK_SECRET=hunter2 # a note",
        "ASSETS=ES # which is no secret",
        "",
    ],
)
def test_a_secret_that_is_read_as_it_stands_is_not(tmp_path: Path, line: str) -> None:
    assert said_of(tmp_path, line) == []


def test_without_a_file_nothing_is_said(tmp_path: Path) -> None:
    assert secrets_that_change(tmp_path / ".env", NAMES) == []


@pytest.mark.processes
def test_the_start_says_it(tmp_path: Path) -> None:
    for folder in ("wire", "serving", "services", "routes"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "app.py", tmp_path)
    secrets = ("FLASK_SECRET_KEY=hunter2hunter2 #and the rest", *(f"{name}={name.lower()}" for name in REQUIRED))
    (tmp_path / ".env").write_text("\n".join(secrets) + "\n", "utf-8")
    program = (
        "import app; from services.ops.config import Config; "
        "app.warn_of_secrets(Config.from_env(), reads_env_file=True)"
    )
    started = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "FLASK_SECRET_KEY in .env ends before the `#`" in started.stdout + started.stderr
    assert "hunter2" not in started.stdout + started.stderr
