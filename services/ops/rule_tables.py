"""The tables of ``docs/reference/rules.md``, generated from the code's tables so that both agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from services.engine.rules.alerts import ALERTS
from services.engine.rules.exit_rules import EXIT_RULES
from services.engine.rules.gates import ENTRY_GATES, Gate
from services.engine.rules.limits import LIMITS
from services.engine.rules.locks import LOCKS
from services.engine.rules.refusals import REFUSALS, RefusalRule
from services.engine.rules.verdicts import TITLES
from services.ops.config import PROJECT

RULES_PAGE = PROJECT / "docs" / "reference" / "rules.md"
BEGIN = "<!-- generated: {} -->"
END = "<!-- end: {} -->"


def gates_table() -> str:
    """Return every gate in order: name, condition, the acts it binds, what reopens it, and its reason."""
    rows = (
        [f"`{gate.name}`", _first_line(gate.check.__doc__), _acts(gate), gate.reopens, gate.why] for gate in ENTRY_GATES
    )
    return _table(("gate", "what it does", "binds", "reopens", "why"), rows)


def _acts(gate: Gate) -> str:
    return ", ".join(act.replace("_", "-") for act in gate.binds)


def exits_table() -> str:
    """Return every exit rule in order: name, when it is due, and its reason."""
    rows = ([f"`{rule.name}`", _first_line(rule.is_due.__doc__), rule.why] for rule in EXIT_RULES)
    return _table(("rule", "due when", "why"), rows)


def locks_table() -> str:
    """Return every lock: when it holds, what it blocks, what ends it, and its reason."""
    rows = ([f"`{lock.name}`", _first_line(lock.look.__doc__), lock.stops, lock.ends, lock.why] for lock in LOCKS)
    return _table(("lock", "holds while", "stops", "ends with", "why"), rows)


def limits_table() -> str:
    """Return every limit: its setting, and the direction in which it may change during a trading day."""
    rows = ([f"`{limit.name}`", f"only {limit.tighter}"] for limit in LIMITS)
    return _table(("limit", "may be changed at once"), rows)


def refusals_table() -> str:
    """Return every refusal: code, title, HTTP status, and when it occurs."""
    rows = ([f"`{rule.code}`", _titles(rule), str(rule.status), rule.when] for rule in REFUSALS.values())
    return _table(("code", "title", "status", "when"), rows)


def _titles(rule: RefusalRule) -> str:
    titles = " or ".join(rule.titles) or "the gate's"
    return titles if rule.is_led else f"({titles})"


def closed_gates_table() -> str:
    """Return every code of a closed gate and its title."""
    return _table(("code", "title"), ([f"`{code}`", title] for code, title in TITLES.items()))


def alerts_table() -> str:
    """Return every alert: code, title, severity, when it is over, and its notice."""
    rows = (
        [
            f"`{rule.code}`",
            rule.title,
            " or ".join(rule.levels),
            rule.ends,
            f"`{rule.notice}`" if rule.notice else "none",
        ]
        for rule in ALERTS.values()
    )
    return _table(("alert", "title", "severity", "over when", "notice"), rows)


def renewed(page: str) -> str:
    """Return the page with its generated parts replaced."""
    for name, make in TABLES.items():
        head, rest = page.split(BEGIN.format(name), 1)
        tail = rest.split(END.format(name), 1)[1]
        page = f"{head}{BEGIN.format(name)}\n{make()}\n{END.format(name)}{tail}"
    return page


TABLES = {
    "gates": gates_table,
    "exits": exits_table,
    "locks": locks_table,
    "limits": limits_table,
    "refusals": refusals_table,
    "closed gates": closed_gates_table,
    "alerts": alerts_table,
}


def renew(path: Path = RULES_PAGE) -> None:
    """Regenerate the tables of the rules page in place."""
    path.write_text(renewed(path.read_text("utf-8")), "utf-8")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    numbered = [[str(number), *row] for number, row in enumerate(rows, 1)]
    lines = [["#", *head], ["---"] * (len(head) + 1), *numbered]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().splitlines()[0]
