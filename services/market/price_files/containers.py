"""Finds the prices inside of a file: plain, gzipped, or one file of a zip; unpacked in small pieces, with a bound."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol

from msgspec import Struct

from services.market.price_files.options import Unrecognised, say, shortened

GZIP, ZIP, PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
OTHERS = {  # what begins like this is packed or bound in a way that is not read
    b"\x28\xb5\x2f\xfd": "packed by Zstandard: unpack it first (zstd -d)",
    b"7z\xbc\xaf": "a 7-Zip archive: unpack it first",
    b"\xfd7zX": "packed by xz: unpack it first",
    b"BZh": "packed by bzip2: unpack it first",
    b"Rar!": "a RAR archive: unpack it first",
    b"DBN": "Databento's binary form: export it as CSV",
    b"SCID": "Sierra Chart's binary form: export it as text (Edit, Export Bar Data)",
    b"%PDF": "a PDF",
    b"SQLite format 3": "a SQLite database",
}
BROKEN_PACKING = (
    *(EOFError, OSError, zlib.error, zipfile.BadZipFile, struct.error),
    *(ValueError, NotImplementedError, RuntimeError, OverflowError, IndexError),
)
"""What the library raises for archives that are cut short, damaged, or made to be."""

MOST_UNPACKED = 8 << 30
MOST_TIMES_LARGER = 200
ALWAYS_UNPACKED = 16 << 20  # a short file may be packed better than any real one
MOST_NAMES_SHOWN = 5
NO_PRICES = (".json", ".md", ".pdf", ".html", ".xml", ".sha256", ".md5")
WORKBOOK = "[Content_Types].xml"


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes, none at the end."""


class Content(Struct, frozen=True):
    """The bytes that hold the prices: ``name`` is the innermost file's, ``is_parquet`` its kind."""

    name: str
    bytes: Readable
    is_parquet: bool = False


class Bounded:
    """Unpacks in pieces and stops at a bound, so that a small file cannot fill the machine."""

    def __init__(self, packed: Readable, packed_size: int) -> None:
        self._packed = packed
        self._bound = min(MOST_UNPACKED, max(ALWAYS_UNPACKED, packed_size * MOST_TIMES_LARGER))
        self._read = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes. Raises Unrecognised beyond the bound, and where nothing can be unpacked."""
        try:
            piece = self._packed.read(size)
        except BROKEN_PACKING as broken:
            raise Unrecognised(f"it cannot be unpacked: {broken}") from broken
        self._read += len(piece)
        if self._read > self._bound:
            raise Unrecognised(f"it unpacks to more than {self._bound >> 20} MiB: it is no price file")
        return piece


def open_content(stream: BinaryIO, name: str, member: str | None = None) -> Content:
    """Return the bytes of the prices in a seekable stream. ``member`` is a pattern for the file of an archive.

    Raises Unrecognised for what holds none, or cannot be unpacked.
    """
    head = _head(stream)
    if head.startswith(ZIP):
        return _of_zip(stream, member)
    if head.startswith(GZIP):
        unpacked = Bounded(gzip.GzipFile(fileobj=stream, mode="rb"), _size(stream))
        return Content(name.removesuffix(".gz"), _not_packed_twice(unpacked))
    _refuse_others(head)
    return Content(name, stream, is_parquet=head.startswith(PARQUET))


def _of_zip(stream: BinaryIO, member: str | None) -> Content:
    size = _size(stream)
    try:
        archive = zipfile.ZipFile(stream)
        entry = _chosen(archive, member)
        packed = archive.open(entry)
    except Unrecognised:
        raise
    except BROKEN_PACKING as broken:
        raise Unrecognised(f"it cannot be unpacked: {broken}") from broken
    # the size that an archive tells of a file may be a lie
    unpacked = Bounded(packed, min(entry.compress_size, size))
    return Content(PurePosixPath(entry.filename).name, _not_packed_twice(unpacked))


def _chosen(archive: zipfile.ZipFile, member: str | None) -> zipfile.ZipInfo:
    """Return the one file of an archive that holds prices, or is chosen. Raises Unrecognised."""
    if WORKBOOK in archive.namelist():
        raise Unrecognised("it is a workbook of Excel: save the sheet as CSV")
    members = [entry for entry in archive.infolist() if _may_hold_prices(entry)]
    if member is not None:
        members = [entry for entry in members if fnmatch(entry.filename, member) or entry.filename == member]
    if len(members) != 1:
        names = ", ".join(shortened(entry.filename) for entry in members[:MOST_NAMES_SHOWN]) or "none"
        raise Unrecognised(f"the archive holds {len(members)} files of prices ({names}): say one by {say('member')}")
    (entry,) = members
    if entry.flag_bits & 1:
        raise Unrecognised(f"{shortened(entry.filename)} is encrypted: unpack it first")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unrecognised(f"{shortened(entry.filename)} is packed in a way that is not read: unpack it first")
    return entry


def _may_hold_prices(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    is_hidden = any(part.startswith((".", "__")) for part in path.parts)
    is_about = path.name.lower().startswith(("readme", "license")) or path.suffix.lower() in NO_PRICES
    return not (entry.is_dir() or is_hidden or is_about)


class _Rest:
    """A stream of which the beginning was read already."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int = -1, /) -> bytes:
        if not self._head:
            return self._rest.read(size)
        piece = self._head if size < 0 else self._head[:size]
        self._head = self._head[len(piece) :]
        return piece + self._rest.read() if size < 0 else piece


def _not_packed_twice(unpacked: Readable) -> Readable:
    head = unpacked.read(16)
    if head.startswith((GZIP, ZIP)):
        raise Unrecognised("it is packed twice: unpack it once")
    if head.startswith(PARQUET):
        raise Unrecognised("it is a packed Parquet file: unpack it first")
    _refuse_others(head)
    return _Rest(head, unpacked)


def _refuse_others(head: bytes) -> None:
    for magic, what in OTHERS.items():
        if head.startswith(magic):
            raise Unrecognised(f"it is {what}")


def _head(stream: BinaryIO) -> bytes:
    stream.seek(0)
    head = stream.read(16)
    stream.seek(0)
    return head


def _size(stream: BinaryIO) -> int:
    size = stream.seek(0, 2)
    stream.seek(0)
    return size
