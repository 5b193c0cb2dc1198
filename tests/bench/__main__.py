"""``make bench``: measure everything and print the table. Nothing fails by being slow; the table says so."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.measure import Row, all_measurements
from tests.support.emulator import Emulator, NoEmulator, warm_up


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--markdown", type=Path, help="write the table into this page, too")
    flags.add_argument("--sqlite-only", action="store_true", help="leave the Firestore emulator out")
    given = flags.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 160)
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        rows = measured(console, "sqlite", Path(folder) / "sqlite")
        beside = {} if given.sqlite_only else on_the_emulator(console, Path(folder) / "firestore")
    console.print(as_table(rows, beside))
    if given.markdown is not None:
        given.markdown.write_text(as_page(rows, beside), "utf-8")


def measured(console: Console, where: str, folder: Path, **store: str) -> list[Row]:
    """Measure everything on one store and say each figure as it comes."""
    rows = []
    for measure in all_measurements(folder, **store):
        for row in measure():
            rows.append(row)
            console.print(f"{'ok  ' if row.holds else 'MISS'} {where}: {row.what}: {row.measured}", highlight=False)
    return rows


def on_the_emulator(console: Console, folder: Path) -> dict[str, str]:
    """Return the figures on the Firestore emulator by what was measured; none where there is no emulator."""
    try:
        with Emulator() as emulator:
            warm_up(emulator.host)
            rows = measured(console, "firestore", folder, STORE="firestore", FIRESTORE_EMULATOR_HOST=emulator.host)
            return {row.what: row.measured for row in rows}
    except NoEmulator as error:
        console.print(f"Without the Firestore emulator: {error}")
        return {}


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def as_table(rows: list[Row], beside: dict[str, str]) -> Table:
    table = Table(title=f"Lockstep on {machine()}")
    for column in ("what", "SQLite", "target", "", "Firestore emulator"):
        table.add_column(column)
    for row in rows:
        table.add_row(row.what, row.measured, row.target, verdict(row, "MISSED"), beside.get(row.what, ""))
    return table


def verdict(row: Row, missed: str) -> str:
    return "" if not row.target else "holds" if row.holds else missed


def as_page(rows: list[Row], beside: dict[str, str]) -> str:
    cells = [(row.what, row.measured, row.target, verdict(row, "**missed**"), beside.get(row.what, "")) for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join(
        [
            "# Bench",
            "",
            "Reference. Written by `.venv/bin/python -m tests.bench --markdown docs/reference/bench.md` on "
            f"{machine()}, {datetime.now(UTC):%Y-%m-%d}. Client, server and emulator share the machine; "
            "the emulator says nothing",
            "of the distance to a real Firestore. Targets are for SQLite.",
            "",
            "| what | SQLite | target | | Firestore emulator |",
            "|---|---|---|---|---|",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    main()
