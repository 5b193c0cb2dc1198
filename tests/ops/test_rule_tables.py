"""The rules page says what the code does, and marks what it does not do yet."""

from __future__ import annotations

import re

from services.engine.rules.exit_rules import EXIT_RULES
from services.engine.rules.gates import ENTRY_GATES
from services.engine.rules.limits import LIMITS
from services.engine.rules.locks import LOCKS
from services.ops.rule_tables import RULES_PAGE, renewed

NOT_BUILT = "*(not yet built)*"
LADDER_ROW = re.compile(r"^\| \d+ \| (.*?)`(\w+)` \|", re.MULTILINE)


def test_the_tables_of_the_rules_page_are_current() -> None:
    page = RULES_PAGE.read_text("utf-8")
    assert page == renewed(page), "run: .venv/bin/flask desk rules"


def test_every_gate_exit_rule_and_limit_is_on_the_page_with_its_reason() -> None:
    page = RULES_PAGE.read_text("utf-8")
    for rule in (*ENTRY_GATES, *EXIT_RULES, *LOCKS):
        assert f"`{rule.name}`" in page
        assert rule.why in page
    assert all(f"`{limit.name}`" in page for limit in LIMITS)


def test_the_ladder_of_section_4_is_that_of_the_engine() -> None:
    section = RULES_PAGE.read_text("utf-8").split("\n## 4. ")[1].split("\n## 5. ")[0]
    rows = LADDER_ROW.findall(section)
    assert len(rows) == 16
    assert rows == [("", gate.name) for gate in ENTRY_GATES]


def test_each_rule_that_is_not_built_says_so_in_the_same_words() -> None:
    page = RULES_PAGE.read_text("utf-8")
    assert page.count(NOT_BUILT) == page.lower().count("not yet built")
