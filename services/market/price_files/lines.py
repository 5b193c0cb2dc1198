"""Text of a file as lines, whatever its encoding and line ends; no line may be longer than any row is."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from services.market.price_files.containers import Readable
from services.market.price_files.options import Unrecognised

PIECE = 1 << 16
LONGEST_LINE = 20_000
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
MOST_ZEROS = 0.3  # of the bytes on one side of every pair: text without a mark, two bytes a character


def text_lines(stream: Readable) -> Iterator[str]:
    """Yield the lines without their ends. Raises Unrecognised for bytes that are no text, with the line."""
    piece = stream.read(PIECE)
    mark, encoding = _encoding(piece)
    # what a price, a time or a name is made of is ASCII: another byte cannot be part of one
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    piece, rest, count = piece[len(mark) :], "", 0
    while piece:
        text = rest + decoder.decode(piece)
        piece = stream.read(PIECE)
        held_back = "\r" if piece and text.endswith("\r") else ""  # perhaps half of an end of line
        if "\r" in text:
            text = text.removesuffix(held_back).replace("\r\n", "\n").replace("\r", "\n")
        *lines, rest = text.split("\n")
        rest += held_back
        yield from lines
        count += len(lines)
        if len(rest) > LONGEST_LINE:
            raise Unrecognised(f"the line is longer than {LONGEST_LINE} characters: it is no row of prices", count + 1)
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest


def _encoding(head: bytes) -> tuple[bytes, str]:
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return mark, encoding
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if even + odd == 0:
        return b"", "utf-8"
    half = max(len(head) // 2, 1)
    if even == 0 and odd > half * MOST_ZEROS:
        return b"", "utf-16-le"
    if odd == 0 and even > half * MOST_ZEROS:
        return b"", "utf-16-be"
    raise Unrecognised("it is no text, and no binary form that is read")
