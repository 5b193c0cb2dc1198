"""Reads the tables of a contract page (``docs/reference/contracts``), from which tests take their cases."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.support.paths import REPOSITORY

CONTRACTS = REPOSITORY / "docs" / "reference" / "contracts"
NOT_BUILT = "*(not built yet)*"
CONTRACT_OF_TODAY = ("MESM6", "MESM4")  # the page is of June 2026; no entry passes in a contract that has ended
QUOTED = re.compile(r"`([^`]*)`")

Row = dict[str, str]


class Call(Struct, frozen=True):
    """One call of the contract: who makes it, in which state of the desk, its examples and its answer."""

    name: str
    who: str
    made_when: str
    status: int
    fields: tuple[str, ...]
    bodies: tuple[dict[str, Any], ...] = ({},)

    @property
    def method(self) -> str:
        return self.name.split()[0]

    @property
    def path(self) -> str:
        return self.name.split()[1]


def table(page: Path, first_column: str, heading: str | None = None) -> list[Row]:
    """Return the rows of all tables whose first column has that title, under one heading or on the whole page."""
    found: list[Row] = []
    section = ""
    columns: list[str] = []
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("#"):
            section, columns = line.lstrip("# "), []
        elif not line.startswith("|"):
            columns = []
        elif not columns:
            columns = _cells(line)
        elif not line.startswith("|---") and columns[0] == first_column and heading in (None, section):
            found.append(dict(zip(columns, _cells(line), strict=True)))
    return found


def quoted(cell: str) -> tuple[str, ...]:
    """Return every text between backticks in a cell, with a contract that can be traded in place of the page's."""
    return tuple([text.replace(*CONTRACT_OF_TODAY) for text in QUOTED.findall(cell)])


def calls(page: Path) -> dict[str, Call]:
    """Return the calls of the page's table by name; a call with several examples has a row for each."""
    found: dict[str, Call] = {}
    for row in table(page, "call", "Calls"):
        [name] = quoted(row["call"])
        bodies = tuple(json.loads(text) for text in quoted(row["example"])) or ({},)
        call = Call(name, row["who"], row["made when"], int(row["status"]), quoted(row["answer has"]), bodies)
        before = found.get(name)
        if before is not None:
            call = Call(name, call.who, call.made_when, call.status, call.fields, before.bodies + bodies)
        found[name] = call
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
