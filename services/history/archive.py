"""The archive of journal rows: gzip files of JSON lines, one per trading day, each with a checksum.

The first line holds trading day, first and last sequence, number of rows, and the SHA-256 of all lines after it. A day
that was archived in two steps has two files. Each line is a whole row, with command and events as stored.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Raw, Struct

from services.history.files import durable_file
from services.stores.store import JournalRow, StoreUnreadable
from wire.types import Instant

FORMAT = 1
PATTERN = "journal-*.jsonl.gz"
NOTHING = b"null"


class RowLine(Struct, frozen=True):
    """A journal row as a line. Its JSON parts keep exactly the same bytes."""

    sequence: int
    at: Instant
    origin: str
    kind: str
    asset: str | None
    command: Raw
    events: Raw
    observed: Raw
    schema: int


class PartHead(Struct, frozen=True):
    """The first line of a file."""

    lockstep_journal: int
    trading_day: str
    first: int
    last: int
    count: int
    sha256: str


class Part(Struct, frozen=True):
    """One file of the archive, and its first line."""

    path: Path
    head: PartHead

    @property
    def first(self) -> int:
        return self.head.first

    @property
    def last(self) -> int:
        return self.head.last


_encode = msgspec.json.Encoder().encode
_lines = msgspec.json.Decoder(RowLine)


def write_line(row: JournalRow) -> bytes:
    """Return the row as one line of JSON, with its line end."""
    observed = Raw(NOTHING if row.observed is None else row.observed)
    line = RowLine(
        row.sequence,
        row.at,
        row.origin,
        row.kind,
        row.asset,
        Raw(row.command),
        Raw(row.events),
        observed,
        row.schema,
    )
    return _encode(line) + b"\n"


def read_line(text: bytes) -> JournalRow:
    """Read a row from its line. Raises msgspec.MsgspecError."""
    line = _lines.decode(text)
    observed = None if bytes(line.observed) == NOTHING else bytes(line.observed)
    command = bytes(line.command)
    events = bytes(line.events)
    return JournalRow(
        line.sequence, line.at, line.origin, line.kind, line.asset, command, events, observed, line.schema
    )


class Archive:
    """A folder of parts, oldest first. Raises StoreUnreadable when one is damaged or rows are missing between two."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise StoreUnreadable(f"{folder} is no folder: there is no archive")
        self.folder = folder
        self.parts = sorted((Part(path, _read_head(path)) for path in folder.glob(PATTERN)), key=lambda p: p.first)
        for one, following in zip(self.parts, self.parts[1:], strict=False):
            if following.first != one.last + 1:
                raise StoreUnreadable(_misfit(one, following))

    def rows(self, after: int = 0) -> Iterator[JournalRow]:
        """Yield the rows after a sequence. Each file is checked to its end. Raises StoreUnreadable."""
        for part in self.parts:
            if part.last > after:
                yield from (row for row in checked_rows(part) if row.sequence > after)


def write_part(folder: Path, trading_day: str, rows: Iterable[JournalRow]) -> Part:
    """Write a day's rows to a new file. Raises OSError, FileAlreadyExists."""
    digest = sha256()
    first = 0
    last = 0
    count = 0
    with tempfile.TemporaryFile(dir=folder) as body:
        with gzip.GzipFile(fileobj=body, mode="wb", mtime=0) as packed:
            for row in rows:
                line = write_line(row)
                digest.update(line)
                packed.write(line)
                first = first or row.sequence
                last = row.sequence
                count += 1
        head = PartHead(FORMAT, trading_day, first, last, count, digest.hexdigest())
        part = Part(folder / f"journal-{trading_day}-{first:012}.jsonl.gz", head)
        body.seek(0)
        with durable_file(part.path) as file:
            file.write(gzip.compress(_encode(head) + b"\n", mtime=0))
            shutil.copyfileobj(body, file)
    return part


def checked_rows(part: Part) -> Iterator[JournalRow]:
    """Yield a file's rows, and check them against its first line. Raises StoreUnreadable."""
    name = part.path.name
    digest = sha256()
    expected = part.first
    try:
        with gzip.open(part.path) as file:
            file.readline()
            for text in file:
                row = read_line(text)
                if row.sequence != expected:
                    raise StoreUnreadable(f"{name} is damaged: row {row.sequence} is in the place of row {expected}")
                digest.update(text)
                expected += 1
                yield row
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise StoreUnreadable(f"{name} is damaged near row {expected}: {error}") from error
    if (expected - 1, digest.hexdigest()) != (part.last, part.head.sha256):
        raise StoreUnreadable(f"{name} is damaged: its rows do not match its first line")


def _read_head(path: Path) -> PartHead:
    try:
        with gzip.open(path) as file:
            head = msgspec.json.decode(file.readline(), type=PartHead)
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise StoreUnreadable(f"{path.name} is damaged in its first line: {error}") from error
    if head.lockstep_journal != FORMAT:
        raise StoreUnreadable(f"{path.name} has format {head.lockstep_journal}, this program knows {FORMAT}")
    if head.count != head.last - head.first + 1:
        raise StoreUnreadable(f"{path.name} is damaged: rows {head.first} to {head.last} cannot be {head.count}")
    return head


def _misfit(one: Part, following: Part) -> str:
    if following.first <= one.last:
        return f"{one.path.name} and {following.path.name} hold the same rows"
    missing = f"rows {one.last + 1} to {following.first - 1}"
    return f"{missing} are missing in the archive, between {one.path.name} and {following.path.name}"
