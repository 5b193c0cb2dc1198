"""The tables that documents write by hand name every gate and every alert, in the order of the code's tables."""

from __future__ import annotations

import re

from services.engine.rules.alerts import ALERTS
from services.engine.rules.gates import ENTRY_GATES
from tests.support.paths import REPOSITORY


def names_of(page: str, begin: str, end: str) -> list[str]:
    """Return the first cells of the table's rows between two headings."""
    part = (REPOSITORY / page).read_text("utf-8").split(begin, 1)[1].split(end, 1)[0]
    return re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)


def test_readme_lists_the_gates_in_their_order() -> None:
    named = names_of("README.md", "## The gates of an entry", "\n## ")
    assert named == [gate.name for gate in ENTRY_GATES]


def test_operations_says_what_to_do_about_every_alert() -> None:
    header, *named = names_of("docs/how-to/operations.md", "The desk raises alerts of its own", "\n## ")
    assert header == "code"
    assert set(named) == set(ALERTS)
