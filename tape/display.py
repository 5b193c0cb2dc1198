"""Shows a running tape: one live line on a terminal, a plain line every ten seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from services.market.ticks import Tick
from tape.player import TapeSummary, Watcher

PLAIN_LINE_SECONDS = 10.0
REDRAW_SECONDS = 0.1


@contextmanager
def show_progress(asset: str, ticks_expected: int | None) -> Iterator[Watcher]:
    """Yield the watcher that shows the tape while the block runs; ``ticks_expected`` is None for an endless one."""
    if not sys.stderr.isatty():
        yield PlainLines(asset)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(asset, total=ticks_expected, now="")

        def draw(summary: TapeSummary, tick: Tick) -> None:
            progress.update(task, completed=summary.ticks, now=progress_line(summary, tick))

        drawing = Sparingly(draw, REDRAW_SECONDS)
        yield drawing
        drawing.catch_up()


def progress_line(summary: TapeSummary, tick: Tick) -> str:
    """Return the progress: tape time, price, bricks per size, messages taken, retries."""
    return (
        f"{tick.at:%Y-%m-%d %H:%M:%S}Z  {tick.price}  bricks {brick_counts(summary.bricks)}  "
        f"posted {summary.posted:,}  retries {summary.retries}"
    )


def closing_line(summary: TapeSummary) -> str:
    """Return the summary of a played tape."""
    left_out = f"{summary.left_out:,} rows with an impossible price left out, " if summary.left_out else ""
    return (
        f"Tape {'ended' if summary.completed else 'stopped'}: {summary.ticks:,} ticks, "
        f"{summary.heartbeats:,} heartbeats, bricks {brick_counts(summary.bricks)}, "
        f"{left_out}{summary.retries} retries, {summary.seconds:.1f} s."
    )


def brick_counts(bricks: dict[Decimal, int]) -> str:
    """Return the count of bricks of each size: ``1:109 2.5:10 4:5 6:2 8:2 12:0``."""
    return " ".join(f"{points}:{count}" for points, count in bricks.items())


class Sparingly:
    """A watcher that passes on at most one update every ``seconds``."""

    def __init__(self, watcher: Watcher, seconds: float) -> None:
        self._watcher = watcher
        self._seconds = seconds
        self._next = 0.0
        self._skipped: tuple[TapeSummary, Tick] | None = None

    def __call__(self, summary: TapeSummary, tick: Tick) -> None:
        wall = time.monotonic()
        self._skipped = summary, tick
        if wall >= self._next:
            self._next = wall + self._seconds
            self.catch_up()

    def catch_up(self) -> None:
        """Pass on the last update if it was skipped."""
        if self._skipped is not None:
            self._watcher(*self._skipped)
            self._skipped = None


class PlainLines(Sparingly):
    """A watcher for logs: a line every ten seconds, the first at once."""

    def __init__(self, asset: str) -> None:
        super().__init__(
            lambda summary, tick: click.echo(f"{asset}  {progress_line(summary, tick)}", err=True),
            PLAIN_LINE_SECONDS,
        )
