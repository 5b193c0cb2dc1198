"""Print the results of replay and what-if on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from decimal import Decimal

import click
from rich.console import Console
from rich.table import Table

from services.history.comparison import Replay
from services.history.what_if import Allowed, Refused, WhatIf
from services.market.calendars import NEW_YORK
from wire.program import VERSION
from wire.types import Instant

PROGRESS_EVERY_SECONDS = 2.0
WIDTH_OF_FILES = 200
FEWEST_ROWS_WITH_PROGRESS = 20_000  # a shorter journal is done within seconds


def progress_printer() -> Callable[[int, int], None]:
    """Return a function that prints the progress of a long replay on stderr, at most every two seconds."""
    began = printed = time.monotonic()
    from_row: int | None = None

    def print_progress(row: int, last: int) -> None:
        nonlocal printed, from_row
        from_row = row if from_row is None else from_row
        now = time.monotonic()
        if now < printed + PROGRESS_EVERY_SECONDS or last - from_row < FEWEST_ROWS_WITH_PROGRESS:
            return
        printed = now
        speed = (row - from_row) / (now - began)
        click.echo(f"row {row} of {last}, {speed:,.0f} rows/s", err=True)

    return print_progress


def replay_lines(replay: Replay, day: str | None) -> Iterator[str]:
    """Yield the lines of a replay's result: the differences first, then the summary."""
    yield from replay.sentences
    if len(replay.sentences) < len(replay.unequal_rows) + len(replay.unequal_documents):
        yield f"… {len(replay.unequal_rows)} rows and {len(replay.unequal_documents)} documents differ in all"
    of_day = f" of {day}" if day else ""
    compared = [f"{replay.snapshots} snapshots"] * bool(replay.snapshots) + ["the stored desk"] * replay.reached_store
    beside = f"; compared with {' and '.join(compared)}" if compared else "; there is no stored state at their end"
    yield f"{replay.rows} rows{of_day} decided again ({replay.first} to {replay.last}){beside}."
    yield from _programs(replay)
    yield "EQUAL" if replay.is_equal else "UNEQUAL"


def _programs(replay: Replay) -> Iterator[str]:
    for sequence, version in replay.programs:
        yield f"From row {sequence} on Lockstep {version} decided."
    if not replay.programs:
        yield "No row says which version of the program decided."
    if replay.strangers or replay.unequal_of_others or not replay.programs:
        yield f"This program is {VERSION}: it may decide rows of another version differently."
    if replay.unequal_of_others:
        yield f"{replay.unequal_of_others} of {len(replay.unequal_rows)} unequal rows are another version's."


def show_what_if(found: WhatIf) -> None:
    """Print the entries that differ, and their totals."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_OF_FILES)
    entries: list[Refused | Allowed] = [*found.refused, *found.allowed]
    entries.sort(key=lambda entry: entry.sequence)
    if entries:
        console.print(_table(entries))
    refused = [entry for entry in found.refused if entry.made is not None]
    for line in (
        f"{found.entries} entries were taken in {found.rows} rows; {len(found.trades)} trades closed and made "
        f"{_usd(found.all_made)}.",
        f"{len(found.refused)} of them would have been refused; {len(refused)} closed and made "
        f"{_usd(found.refused_made)} together.",
        f"{len(found.allowed)} refused ones would have been allowed, their result is unknown.",
    ):
        console.print(line, highlight=False, soft_wrap=True)
    if found.unequal_rows:
        console.print(f"{found.unequal_rows} rows are decided differently by this program: see flask desk replay.")


def _table(entries: list[Refused | Allowed]) -> Table:
    table = Table("New York", "row", "asset", "side", "would have been", "points", "USD")
    for entry in entries:
        fate, points, usd = _fate(entry)
        table.add_row(clock(entry.at), str(entry.sequence), entry.asset, entry.direction or "", fate, points, usd)
    return table


def _fate(entry: Refused | Allowed) -> tuple[str, str, str]:
    """Return the other outcome of an entry, and the points and USD that the real trade made."""
    why = f"{entry.gate} ({entry.sentence})"
    if isinstance(entry, Allowed):
        return f"allowed; it was refused by {why}", "unknown", "unknown"
    fate = f"refused by {why}"
    if entry.made is not None:
        return fate, f"{entry.made.pnl_points:+.2f}", _usd(entry.made.result_usd)
    return fate, "open" if entry.was_filled else "never filled", ""


def clock(at: Instant) -> str:
    """Format an instant as date and time in New York."""
    return at.astimezone(NEW_YORK).strftime("%Y-%m-%d %H:%M:%S")


def _usd(amount: Decimal) -> str:
    return f"{amount:+,.2f} USD"
