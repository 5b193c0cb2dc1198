"""Every attack of docs/explanation/threat-model.md is repeated by a test that is there."""

import ast
import re

import pytest

from tests.support.paths import REPOSITORY

PAGE = (REPOSITORY / "docs" / "explanation" / "threat-model.md").read_text("utf-8")
TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
ROWS = [line for line in PAGE.partition("## What was tried")[2].splitlines() if line.startswith("| ")]


def test_every_attack_names_its_test() -> None:
    attacks = [row for row in ROWS if not row.startswith("| tried ")]
    assert len(attacks) > 30
    assert [row for row in attacks if "::test_" not in row] == []


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_the_named_test_is_there(path: str, name: str) -> None:
    tree = ast.parse((REPOSITORY / path).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
