"""What the operator says of a file that does not say it of itself, and what was left out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import click

from services.market.price_files.options import (
    DATE_ORDERS,
    STAMPS,
    PriceBar,
    PriceTick,
    ReadingOptions,
    RefusedRow,
)
from services.market.price_files.reader import open_price_file

Command = TypeVar("Command", bound=Callable[..., Any])
MOST_TOLD = 10

SAID = (
    click.option("--time-zone", help="Of times without one: America/New_York, UTC, +02:00, America/New_York+7."),
    click.option("--date-order", type=click.Choice(DATE_ORDERS), help="Of dates such as 01/02/2024."),
    click.option("--bar-seconds", type=click.IntRange(min=1), help="Length of its bars; default: as they follow."),
    click.option("--stamped", type=click.Choice(STAMPS), help="Which end of a bar its time is."),
    click.option("--decimal", type=click.Choice([".", ","]), help="The decimal mark of its prices."),
    click.option("--price-scale", help="Its prices are divided by it: 10000 for LEAN's of shares."),
    click.option("--columns", help="The names of its fields, comma between: time,open,high,low,close,volume."),
    click.option("--symbol", help="Which of its symbols."),
    click.option("--member", help="Which file of an archive; * and ? may stand for others."),
    click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The date of times that are milliseconds of a day."),
)


def with_reading_options(command: Command) -> Command:
    """Give a command the options of reading a file; it is called with them by name."""
    for option in reversed(SAID):
        command = option(command)
    return command


def reading_options(asset: str, said: dict[str, Any]) -> ReadingOptions:
    """Return what was said by these options. Raises ClickException for a scale that is no number."""
    day: datetime | None = said["day"]
    columns: str | None = said["columns"]
    return ReadingOptions(
        asset=asset,
        time_zone=said["time_zone"],
        date_order=said["date_order"],
        bar_seconds=said["bar_seconds"],
        stamped=said["stamped"],
        decimal=said["decimal"],
        price_scale=_scale(said["price_scale"]),
        columns=tuple(name.strip() for name in columns.split(",")) if columns else None,
        symbol=said["symbol"],
        member=said["member"],
        day=day.date() if day is not None else None,
    )


def _scale(text: str | None) -> Decimal | None:
    try:
        scale = None if text is None else Decimal(text)
    except InvalidOperation:
        scale = Decimal(0)
    if scale is not None and not (scale.is_finite() and scale > 0):
        raise click.ClickException(f"--price-scale was {text!r}, must be a number above 0.")
    return scale


class Refusals:
    """Counts the rows of a file that were not read, and keeps the first of them."""

    def __init__(self) -> None:
        """Begin with none."""
        self.count = 0
        self._first: list[RefusedRow] = []

    def add(self, row: RefusedRow) -> None:
        """Count one."""
        self.count += 1
        if len(self._first) < MOST_TOLD:
            self._first.append(row)

    def lines(self) -> Iterator[str]:
        """Yield what there is to tell: nothing when every row was read."""
        if not self.count:
            return
        yield f"{self.count} row{'s' if self.count > 1 else ''} refused:"
        for row in self._first:
            yield f"  line {row.line}: {row.reason}"
        if self.count > len(self._first):
            yield f"  and {self.count - len(self._first)} more"


def check_file(path: Path, options: ReadingOptions) -> Iterator[str]:
    """Read a whole file and yield what it holds, for the operator. Raises PriceFileError and OSError."""
    refusals = Refusals()
    first: PriceTick | PriceBar | None = None
    last: PriceTick | PriceBar | None = None
    count = 0
    with path.open("rb") as stream:
        prices = open_price_file(stream, path.name, options)
        yield f"{prices.sentence}."
        for row in prices.rows:
            if isinstance(row, RefusedRow):
                refusals.add(row)
                continue
            first, last, count = first or row, row, count + 1
    if first is not None and last is not None:
        yield f"{count:,} rows, the first {_shown(first)}, the last {_shown(last)}."
    yield from refusals.lines()


def _shown(row: PriceTick | PriceBar) -> str:
    if isinstance(row, PriceTick):
        return f"{row.at:%Y-%m-%d %H:%M:%S} UTC at {row.price}"
    return f"{row.start:%Y-%m-%d %H:%M:%S} UTC {row.open} {row.high} {row.low} {row.close}"
