"""The rules of many files fail with every file that breaks one, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.files import FileRules
from tests.support.paths import REPOSITORY

FILES = [REPOSITORY / "app.py", REPOSITORY / "cli.py", REPOSITORY / "gunicorn.conf.py"]


def no_dot_before_the_suffix(path: Path) -> None:
    assert "." not in path.stem, "it has a dot"


def test_every_file_that_breaks_a_rule_is_named() -> None:
    rules = FileRules()
    rules.for_each(FILES[:2])(no_dot_before_the_suffix)
    assert rules.faults() == []
    rules.for_each(FILES)(no_dot_before_the_suffix)
    (fault,) = rules.faults()
    assert fault.startswith("no_dot_before_the_suffix: gunicorn.conf.py: it has a dot")


def test_a_rule_for_no_file_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="no file"):
        FileRules().for_each([])
