"""Prices of a file as ticks in the order of time, as a tape plays them.

A trade or a quote is one tick. A bar is one tick, too: its close at its end, because bricks are built from closes and
the path of the price inside a bar is unknown. What a file may be: ``services/market/price_files``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from services.market.price_files.options import (
    SAY_NOTHING,
    PriceBar,
    PriceFileError,
    ReadingOptions,
    RefusedRow,
)
from services.market.price_files.reader import count_rows, open_price_file
from wire.types import Instant, Price

Refused = Callable[[RefusedRow], None]


class Tick(Struct, frozen=True):
    """One price at one instant (UTC) of the tape."""

    at: Instant
    price: Price


def read_ticks(path: Path, options: ReadingOptions = SAY_NOTHING, refused: Refused | None = None) -> Iterator[Tick]:
    """Yield the ticks of a file in its order, without reading far ahead.

    A wrong row is told to ``refused`` and left out; without a listener it is an error. Raises PriceFileError, with the
    line, for a file that is no price file or whose form is ambiguous, and for a time that goes back. An unreadable path
    raises OSError.
    """
    newest = datetime.min.replace(tzinfo=UTC)
    with path.open("rb") as stream:
        prices = open_price_file(stream, path.name, options)
        for row in prices.rows:
            if isinstance(row, RefusedRow):
                if refused is None:
                    raise PriceFileError(path.name, row.line, row.reason)
                refused(row)
                continue
            if isinstance(row, PriceBar):
                tick = Tick(row.start + (prices.bar_length or row.start - row.start), row.close)
            else:
                tick = Tick(row.at, row.price)
            if tick.at < newest:
                reason = f"time went back to {tick.at.isoformat()} from {newest.isoformat()}: sort the file by time"
                raise PriceFileError(path.name, row.line, reason)
            newest = tick.at
            yield tick


def count_ticks(path: Path, options: ReadingOptions = SAY_NOTHING) -> int:
    """Return how many rows a file holds, without checking them.

    Raises PriceFileError when it cannot be unpacked and OSError when it cannot be read.
    """
    with path.open("rb") as stream:
        return count_rows(stream, path.name, options.member)
