"""The rules page says what the code does."""

from __future__ import annotations

from services.engine.rules.exit_rules import EXIT_RULES
from services.engine.rules.gates import ENTRY_GATES
from services.engine.rules.limits import LIMITS
from services.engine.rules.locks import LOCKS
from services.ops.rule_tables import RULES_PAGE, renewed


def test_the_tables_of_the_rules_page_are_current():
    page = RULES_PAGE.read_text("utf-8")
    assert page == renewed(page), "run: python -m flask desk rules"


def test_every_gate_exit_rule_and_limit_is_on_the_page_with_its_reason():
    page = RULES_PAGE.read_text("utf-8")
    for rule in (*ENTRY_GATES, *EXIT_RULES, *LOCKS):
        assert f"`{rule.name}`" in page
        assert rule.why in page
    assert all(f"`{limit.name}`" in page for limit in LIMITS)
