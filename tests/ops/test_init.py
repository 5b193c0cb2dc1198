"""``flask desk init`` writes secrets once, and gives a ``.env`` of before those that are new since."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from dotenv import dotenv_values

from cli import create_cli
from services.ops.config import GENERATED, SECRETS, Config


def init(path: Path) -> Result:
    return create_cli().test_cli_runner().invoke(args=["desk", "init", "--env-file", str(path)])


def test_a_new_file_has_every_secret_and_opens_a_desk(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert init(path).exit_code == 0
    values = {name: value or "" for name, value in dotenv_values(path).items()}
    secrets = [values[name] for name in (*SECRETS, *GENERATED)]
    assert len({*secrets}) == len(secrets)
    assert (path.stat().st_mode & 0o777, min(map(len, secrets)) >= 43) == (0o600, True)
    assert Config.from_env({**values, "SQLITE_PATH": "x"}).service_secret == values["SERVICE_SECRET"]


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_file_of_before_gains_the_service_secret_and_keeps_its_lines(tmp_path: Path, end: str) -> None:
    path = tmp_path / ".env"
    before = "# mine\nTV_WEBHOOK_SECRET=abcdefgh12\n# SERVICE_SECRET=\nDASHBOARD_PASSWORD='a # b'" + end
    path.write_text(before, "utf-8")
    path.chmod(0o640)
    answer = init(path)
    assert "It gained SERVICE_SECRET." in answer.output
    after = path.read_text("utf-8")
    assert after.startswith(before)
    secret = dotenv_values(path)["SERVICE_SECRET"] or ""
    assert (len(secret), secret in answer.output) == (43, False)
    assert dotenv_values(path)["DASHBOARD_PASSWORD"] == "a # b"
    assert path.stat().st_mode & 0o777 == 0o640
    assert "gained" not in init(path).output
    assert path.read_text("utf-8") == after


@pytest.mark.parametrize("line", ["SERVICE_SECRET=of-the-operator", "export SERVICE_SECRET='x'", "SERVICE_SECRET="])
def test_a_line_of_the_operator_is_never_overruled(tmp_path: Path, line: str) -> None:
    path = tmp_path / ".env"
    path.write_text(line, "utf-8")
    assert init(path).exit_code == 0
    assert path.read_text("utf-8") == line


def test_a_file_that_cannot_be_read_is_named_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"\xff\xfe")
    answer = init(path)
    assert (answer.exit_code, answer.output.startswith("Error: .env cannot be read or written")) == (1, True)
