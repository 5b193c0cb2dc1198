"""The page about what the advisor says names every statement that an explanation can have, and no other."""

from __future__ import annotations

import re

from tests.support.paths import REPOSITORY

PAGE = REPOSITORY / "docs" / "explanation" / "what-the-advisor-says.md"
MODULES = ("block_words", "day_words", "coach_words", "statements")
CODE = re.compile(r'said\(\s*"(\w+)"')
GROUPS = {"group_above", "group_below", "group_alike"}


def test_every_statement_is_in_a_table_of_the_page() -> None:
    said = {
        code
        for module in MODULES
        for code in CODE.findall((REPOSITORY / "advisor" / "agent" / f"{module}.py").read_text("utf-8"))
    }
    rows = [line.split("|")[1] for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    named = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    assert named == said | GROUPS
