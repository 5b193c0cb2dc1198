"""Read recorded prices from CSV files: trades, quotes or bars, plain or gzipped, one row at a time.

The header names the content. ``time_utc,price[,...]`` is one tick per row. ``time_utc,open,high,low,close[,...]`` is
bars with their start time: a bar gives one tick, its close at its end, because bricks are built from closes and the
path of the price inside a bar is unknown. TradingView's own chart export names the column ``time`` and writes epoch
seconds or ISO 8601. A byte order mark and blank lines are passed over.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO, cast

from msgspec import Struct

from wire.types import Instant, Price

ONE_MINUTE = timedelta(minutes=1)
TIME_COLUMNS = ("time_utc", "time")  # ours, and that of TradingView's chart export
EPOCH_SECONDS = re.compile(r"\d{9,10}(?:\.\d+)?", re.ASCII)
LARGEST_PRICE = 10**9  # anything beyond is a broken row, not a price
BROKEN_PACKING = (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError)


class TapeError(ValueError):
    """A file is not a tape, or one of its rows is malformed. ``line`` counts from 1, which is the header."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path.name}, line {line}: {reason}")
        self.path = path
        self.line = line


class Tick(Struct, frozen=True):
    """One price at one instant (UTC) of the tape."""

    at: Instant
    price: Price


class Columns(Struct, frozen=True):
    """The positions of time and price in a row, and the delay after which a price was known."""

    time: int
    price: int
    width: int
    delay: timedelta


def read_ticks(path: Path, bar_length: timedelta = ONE_MINUTE) -> Iterator[Tick]:
    """Yield the ticks of a file in its order, without reading ahead.

    Raises TapeError, with the line, for an unknown header, a malformed row or a time that goes back. An unreadable path
    raises OSError.
    """
    with open_tape(path) as tape:
        rows = csv.reader(tape, strict=True)
        try:
            yield from _ticks(rows, bar_length)
        except (ValueError, OverflowError, csv.Error, *BROKEN_PACKING) as malformed:
            raise TapeError(path, max(rows.line_num, 1), str(malformed)) from malformed


def count_ticks(path: Path) -> int:
    """Return how many ticks a file holds, without checking them.

    Raises TapeError when it cannot be unpacked and OSError when it cannot be read.
    """
    with open_tape(path) as tape:
        try:
            return max(sum(1 for line in tape if line.strip()) - 1, 0)
        except BROKEN_PACKING as broken:
            raise TapeError(path, 1, str(broken)) from broken


def open_tape(path: Path) -> TextIO:
    """Open a tape for reading. A file whose name ends in ``.gz`` is decompressed."""
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _ticks(rows: Iterator[list[str]], bar_length: timedelta) -> Iterator[Tick]:
    columns = _columns(next(rows, []), bar_length)
    newest = datetime.min.replace(tzinfo=UTC)
    for row in rows:
        if not "".join(row).strip():
            continue
        tick = _tick(row, columns)
        if tick.at < newest:
            raise ValueError(f"time went back to {tick.at.isoformat()} from {newest.isoformat()}")
        newest = tick.at
        yield tick


def _columns(header: list[str], bar_length: timedelta) -> Columns:
    names = [name.strip().lower() for name in header]
    time_column = next((name for name in TIME_COLUMNS if name in names), None)
    for price_column, delay in (("price", timedelta(0)), ("close", bar_length)):
        if time_column is not None and price_column in names:
            return Columns(names.index(time_column), names.index(price_column), len(names), delay)
    raise ValueError(f"the header was {','.join(header)!r}, must name time_utc and price, or time_utc and close")


def _tick(row: list[str], columns: Columns) -> Tick:
    if len(row) != columns.width:
        raise ValueError(f"the row had {len(row)} fields, the header has {columns.width}")
    return Tick(_time(row[columns.time]) + columns.delay, _price(row[columns.price]))


def _time(text: str) -> Instant:
    if EPOCH_SECONDS.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC)
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _price(text: str) -> Price:
    try:
        price = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"the price was {text!r}, must be a number") from None
    if not price.is_finite() or abs(price) > LARGEST_PRICE:
        raise ValueError(f"the price was {text!r}, must be finite and at most {LARGEST_PRICE}")
    return price
