"""``make bench``: measure everything and print the table. Nothing fails by being slow; the table says so."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.measure import Row, all_measurements


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--markdown", type=Path, help="write the table into this page, too")
    page = flags.parse_args().markdown
    console, rows = Console(), []
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        for measure in all_measurements(Path(folder)):
            for row in measure():
                rows.append(row)
                console.print(f"{'ok  ' if row.holds else 'MISS'} {row.what}: {row.measured}", highlight=False)
    console.print(as_table(rows))
    if page is not None:
        page.write_text(as_page(rows), "utf-8")


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def as_table(rows: list[Row]) -> Table:
    table = Table(title=f"Lockstep on {machine()}")
    for column in ("what", "measured", "target", ""):
        table.add_column(column)
    for row in rows:
        table.add_row(row.what, row.measured, row.target, "holds" if row.holds else "MISSED")
    return table


def as_page(rows: list[Row]) -> str:
    lines = [f"| {r.what} | {r.measured} | {r.target} | {'holds' if r.holds else '**missed**'} |" for r in rows]
    return "\n".join(
        [
            "# Bench",
            "",
            f"Reference. Written by `python -m tests.bench --markdown docs/reference/bench.md` on {machine()},",
            f"{datetime.now(UTC):%Y-%m-%d}. Client and server share the machine.",
            "",
            "| what | measured | target | |",
            "|---|---|---|---|",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    main()
