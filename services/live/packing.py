"""Compress the stream once for all its readers (RFC 1951, 1952).

Each message is deflated for itself and refers to nothing before it, so the same bytes go to every reader, whatever it
heard before, and no reader has a compressor of its own. What is kept of each is the checksum that ends its stream.
"""

from __future__ import annotations

import struct
import zlib

GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
LAST_BLOCK = b"\x03\x00"
RAW = -15  # no head and no checksum of zlib's own
LEVEL = 6
LENGTHS_MODULO = 2**32


def pack(text: bytes) -> bytes:
    """Return ``text`` deflated, complete to the byte, as a part of any stream."""
    deflating = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW)
    return deflating.compress(text) + deflating.flush(zlib.Z_FULL_FLUSH)


class PackedStream:
    """What one reader was sent, as far as the end of its stream must know."""

    __slots__ = ("_checksum", "_length")

    def __init__(self) -> None:
        self._checksum = 0
        self._length = 0

    def note(self, text: bytes) -> None:
        """Note that ``text`` was sent packed."""
        self._checksum = zlib.crc32(text, self._checksum)
        self._length += len(text)

    def end(self) -> bytes:
        """Return the end of the stream."""
        return LAST_BLOCK + struct.pack("<II", self._checksum, self._length % LENGTHS_MODULO)
