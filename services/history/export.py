"""Export history to a file for other programs: JSON lines, CSV, parquet. Rows are never all held in memory."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from services.engine.model.trading_day import trading_day_of
from services.history.archive import write_line
from services.history.files import durable_file
from services.history.flat import TABLES, ColumnKind, Record, Table
from services.history.source import History
from services.stores.store import JournalRow

RECORDS_AT_ONCE = 5_000
DECIMAL_DIGITS = 38
DECIMAL_PLACES = 12
PLACES = Decimal(1).scaleb(-DECIMAL_PLACES)
EXACTLY = Context(prec=DECIMAL_DIGITS, rounding=ROUND_HALF_EVEN)
BLANKS = re.compile("^[\\s\u200b-\u200f\u2060\ufeff]*")  # some spreadsheets skip them, those of no width too
STARTS_A_FORMULA = ("=", "+", "-", "@")
STARTS_A_CELL = ("\t", "\r", "\n")


class ExportUnavailable(Exception):
    """A library that this format needs is not installed."""


class Days(Struct, frozen=True):
    """The trading days to export, both ends included; None is no limit. ``roll`` is New York time."""

    first: date | None
    last: date | None
    roll: str

    def rows(self, history: History) -> Iterator[JournalRow]:
        """Yield the journal rows of these days, read from the newest snapshot before them on. Raises StoreError."""
        head = history.store.head()
        if head is None:
            return
        for row in history.rows(self._begins_after(history, head.sequence), head.sequence):
            day = trading_day_of(row.at, self.roll)
            if self.last is not None and day > self.last:
                return
            if self.first is None or day >= self.first:
                yield row

    def _begins_after(self, history: History, head: int) -> int:
        begins = (history.first_sequence() or 1) - 1
        if self.first is None:
            return begins
        first = self.first.isoformat()
        marks = [mark for mark in history.marks(head) if trading_day_of(mark.at, self.roll).isoformat() < first]
        return max([begins, *(mark.sequence for mark in marks)])


class Written(Struct, frozen=True):
    """The number of records that an export wrote."""

    records: int


def export(rows: Iterable[JournalRow], what: str, form: str, path: Path, *, replaces: bool) -> Written:
    """Write the rows' table to a file. Raises FileAlreadyExists, ExportUnavailable, OSError, StoreError."""
    table = TABLES[what]
    write = FORMATS[form]
    if form == "parquet":
        _pyarrow()  # before anything is written
    with durable_file(path, replaces=replaces) as file:
        return Written(write(rows, table, file))


def _write_jsonl(rows: Iterable[JournalRow], table: Table, file: BinaryIO) -> int:
    """Write one JSON object per line; of the journal the whole rows, with command and events as stored."""
    lines: Iterable[bytes]
    if table.name == "journal":
        lines = map(write_line, rows)
    else:
        encode = msgspec.json.Encoder().encode
        lines = (encode(_ordered(record, table)) + b"\n" for record in table.records(rows))
    count = 0
    for line in lines:
        file.write(line)
        count += 1
    return count


def _write_csv(rows: Iterable[JournalRow], table: Table, file: BinaryIO) -> int:
    text = io.TextIOWrapper(file, "utf-8", newline="")
    count = 0
    sheet = csv.writer(text)
    sheet.writerow(table.columns)
    for record in table.records(rows):
        sheet.writerow([cell(record[name]) for name in table.columns])
        count += 1
    text.detach()
    return count


def cell(value: Any) -> str:
    """Format a value for a spreadsheet. A text that looks like a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str) and _looks_like_a_formula(value):
        return "'" + value
    return str(value)


def _looks_like_a_formula(text: str) -> bool:
    """Return whether a spreadsheet may calculate a text: behind blanks, and with signs of full width, too."""
    if text.startswith(STARTS_A_CELL):
        return True
    first = BLANKS.sub("", text, count=1)[:1]
    return unicodedata.normalize("NFKC", first).startswith(STARTS_A_FORMULA)


def _write_parquet(rows: Iterable[JournalRow], table: Table, file: BinaryIO) -> int:
    arrow = _pyarrow()
    import pyarrow.parquet as parquet

    kinds = {
        "text": arrow.string(),
        "whole": arrow.int64(),
        "flag": arrow.bool_(),
        "exact": arrow.decimal128(DECIMAL_DIGITS, DECIMAL_PLACES),
        "instant": arrow.timestamp("us", tz="UTC"),
    }
    schema = arrow.schema([(name, kinds[kind]) for name, kind in table.columns.items()])
    records = table.records(rows)
    count = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while some := list(islice(records, RECORDS_AT_ONCE)):
            columns = {name: [_arrow_value(r[name], kind) for r in some] for name, kind in table.columns.items()}
            writer.write_table(arrow.table(columns, schema=schema))
            count += len(some)
    return count


def _arrow_value(value: Any, kind: ColumnKind) -> Any:
    """Return the value for parquet. Exact values are rounded to twelve places, the fixed number of the column."""
    return value.quantize(PLACES, context=EXACTLY) if kind == "exact" and value is not None else value


def _pyarrow() -> Any:
    """Import the parquet library, which only this format needs. Raises ExportUnavailable."""
    try:
        import pyarrow
    except ImportError as error:
        sentence = "parquet needs pyarrow: .venv/bin/python -m pip install -r requirements-export.txt"
        raise ExportUnavailable(sentence) from error
    return pyarrow


def _ordered(record: Record, table: Table) -> Record:
    return {name: record[name] for name in table.columns}


FORMATS: dict[str, Callable[[Iterable[JournalRow], Table, BinaryIO], int]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "parquet": _write_parquet,
}
