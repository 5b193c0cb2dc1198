"""Rows of fields from text, JSON lines and Parquet: what the reader of forms sees of any of them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec
from msgspec import Struct

from services.market.price_files.columns import columns_of
from services.market.price_files.containers import ALWAYS_UNPACKED, MOST_TIMES_LARGER, Content
from services.market.price_files.lines import LONGEST_LINE, text_lines
from services.market.price_files.options import Unrecognised, WrongRow

if TYPE_CHECKING:
    from pyarrow import Array
    from pyarrow.parquet import ParquetFile

SAMPLE_ROWS = 400
DELIMITERS = ("\t", ";", "|", ",")
MOST_PREAMBLE = 20
PREAMBLE = re.compile(r"(?:#|//|sep=|https?:|www\.)", re.IGNORECASE)
NUMBER_LIKE = re.compile(r"[+-]?[\d.,:'/\s\u00a0\u202f-]*\d[\d.,:'/\s\u00a0\u202f-]*(?:[TtEe+Z].*)?")
BATCH_ROWS = 1_000

Fields = Sequence[str]
Row = tuple[int, Fields]


class Table(Struct, frozen=True):
    """Rows with their line numbers. ``names`` is the header, None where the file has none.

    ``delimiter`` is what separates the fields, None where nothing does. A row that cannot be split is a `WrongRow`
    in the place of its fields.
    """

    name: str
    names: tuple[str, ...] | None
    delimiter: str | None
    sample: tuple[Row, ...]
    rows: Iterator[tuple[int, Fields | WrongRow]]


def open_table(content: Content, columns: Sequence[str] | None = None) -> Table:
    """Return the rows of what a file holds. Raises Unrecognised when it holds none.

    ``columns`` are the names that count instead of the file's own: of Parquet only columns that have a role are read.
    """
    if content.is_parquet:
        return _of_parquet(content, columns)
    numbered = ((number, line) for number, line in enumerate(text_lines(content.bytes), 1) if not _is_blank(line))
    head = list(islice(numbered, SAMPLE_ROWS))
    lines = chain(head, numbered)
    if head and head[0][1].lstrip().startswith("["):
        raise Unrecognised("it is one JSON array: write one object a line")
    if head and head[0][1].lstrip().startswith("{"):
        return _of_json_lines(content.name, head, lines)
    return _of_text(content.name, head, lines)


def _of_text(name: str, head: list[tuple[int, str]], lines: Iterator[tuple[int, str]]) -> Table:
    preamble = 0
    while preamble < min(len(head), MOST_PREAMBLE) and PREAMBLE.match(head[preamble][1]):
        preamble += 1
    head = head[preamble:]
    if not head:
        raise Unrecognised("it holds no row")
    delimiter = _delimiter([line for _, line in head])
    first = fields_of(head[0][1], delimiter)
    names = None if _is_of_numbers(first) else tuple(first)
    skipped = preamble + (0 if names is None else 1)
    sample = [(number, line) for number, line in head if names is None or number != head[0][0]]
    rows = ((number, _split(line, delimiter)) for number, line in islice(lines, skipped, None))
    split = ((number, _split(line, delimiter)) for number, line in sample)
    readable = tuple((number, fields) for number, fields in split if not isinstance(fields, WrongRow))
    return Table(name, names, delimiter, readable, rows)


def fields_of(line: str, delimiter: str | None) -> list[str]:
    """Split one line at its delimiter; quotes may hold one. Raises WrongRow for a quote that does not end."""
    if delimiter is None:
        return [line.strip()]
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True))
    except csv.Error as broken:
        raise WrongRow(f"the row cannot be split: {broken}") from broken


def _split(line: str, delimiter: str | None) -> Fields | WrongRow:
    try:
        return fields_of(line, delimiter)
    except WrongRow as wrong:
        return wrong


def _is_blank(line: str) -> bool:
    return not line or not line.strip(" \t,;|\x00\x1a")


def _delimiter(lines: list[str]) -> str | None:
    """Return the first delimiter that most lines have; a comma may also be a decimal mark beside it."""
    for delimiter in DELIMITERS:
        having = sum(delimiter in line for line in lines)
        if having * 2 > len(lines) and delimiter in lines[0]:
            return delimiter
    return None


def _is_of_numbers(fields: Fields) -> bool:
    """Return whether a first row is one of prices and times: its first field is one, and most of the others are."""
    written = [field.strip().strip('"') for field in fields if field.strip()]
    numbers = sum(NUMBER_LIKE.fullmatch(field) is not None for field in written)
    return numbers * 2 > len(written)


def _of_json_lines(name: str, head: list[tuple[int, str]], lines: Iterator[tuple[int, str]]) -> Table:
    try:
        first = _object(head[0][1])
    except WrongRow as wrong:
        raise Unrecognised(str(wrong), head[0][0]) from wrong
    names = tuple(first)
    rows = ((number, _fields_of_object(line, names)) for number, line in lines)
    split = ((number, _fields_of_object(line, names)) for number, line in head)
    readable = tuple((number, fields) for number, fields in split if not isinstance(fields, WrongRow))
    return Table(name, names, None, readable, rows)


def _object(line: str) -> dict[str, msgspec.Raw]:
    try:
        return msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError as broken:
        raise WrongRow(f"the line is no JSON object: {broken}") from broken


def _fields_of_object(line: str, names: tuple[str, ...]) -> Fields | WrongRow:
    try:
        found = _object(line)
    except WrongRow as wrong:
        return wrong
    return [_written(found[name]) if name in found else "" for name in names]


def _written(value: msgspec.Raw) -> str:
    """Return a value as it is written, so that no digit of a price is lost; ``null`` is nothing."""
    text = bytes(value).decode("utf-8", "replace").strip()
    if text.startswith('"'):
        return msgspec.json.decode(text, type=str)
    return "" if text == "null" else text


def _of_parquet(content: Content, columns: Sequence[str] | None) -> Table:
    try:
        import pyarrow.parquet as parquet  # optional: requirements-export.txt
        from pyarrow import ArrowException
    except ImportError as missing:
        raise Unrecognised("reading Parquet needs pyarrow: pip install -r requirements-export.txt") from missing

    stream = cast(BinaryIO, content.bytes)
    try:
        names = [name for name in parquet.read_schema(stream).names if not name.startswith("__")]
        read = {place: names[place] for place in columns_of(columns or names).values() if place < len(names)}
        # a text that many rows have is held once: decoded row by row, a small file could fill the machine
        file = parquet.ParquetFile(stream, read_dictionary=sorted(set(read.values())))
        _refuse_large(file, set(read.values()), stream)
    except (ArrowException, OSError, ValueError, KeyError) as broken:
        if isinstance(broken, Unrecognised):
            raise
        raise Unrecognised(f"the Parquet file is broken: {str(broken)[:200]}") from broken

    def rows() -> Iterator[tuple[int, Fields | WrongRow]]:
        number = 0
        try:
            for batch in file.iter_batches(BATCH_ROWS, columns=list(read.values())):
                texts = {place: _texts_of(batch.column(name)) for place, name in read.items()}
                nothing = [""] * batch.num_rows
                for fields in zip(*(texts.get(place, nothing) for place in range(len(names))), strict=True):
                    number += 1
                    yield number, [field or "" for field in fields]
        except (ArrowException, OSError, ValueError, KeyError) as broken:
            if isinstance(broken, Unrecognised):
                raise
            raise Unrecognised(f"the Parquet file is broken: {str(broken)[:200]}", number + 1) from broken

    every = rows()
    head = list(islice(every, SAMPLE_ROWS))
    sample = tuple((number, fields) for number, fields in head if not isinstance(fields, WrongRow))
    return Table(content.name, tuple(names), None, sample, chain(head, every))


def _refuse_large(file: ParquetFile, read: set[str], stream: BinaryIO) -> None:
    """Raise Unrecognised where the columns that are read unpack to more than any packed text may."""
    bound = max(ALWAYS_UNPACKED, stream.seek(0, 2) * MOST_TIMES_LARGER)
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        chunks = (group.column(place) for place in range(group.num_columns))
        bound -= sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema in read)
        if bound < 0:
            raise Unrecognised("it unpacks to more than any file of prices: it is no price file")


def _texts_of(column: Array) -> list[str | None]:
    """Return the values of a column as texts. Raises Unrecognised before one that is too long is made a text."""
    from pyarrow import compute, types

    is_dictionary = types.is_dictionary(column.type)
    values = column.dictionary if is_dictionary else column
    kind = values.type
    if types.is_string(kind) or types.is_binary(kind) or types.is_large_string(kind) or types.is_large_binary(kind):
        longest = compute.max(compute.binary_length(values)).as_py() or 0
        if longest > LONGEST_LINE:
            raise Unrecognised(f"a value is longer than {LONGEST_LINE} characters: it is no price and no time")
    texts: list[str | None] = compute.cast(values, "string").to_pylist()
    if not is_dictionary:
        return texts
    return [None if place is None else texts[place] for place in column.indices.to_pylist()]
