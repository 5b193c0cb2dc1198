"""Rows without a header: the forms that are known by their shape alone. Anything else must be named by option."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isnan

from msgspec import Struct

from services.market.price_files.options import ReadingOptions, Unrecognised, say
from services.market.price_files.tables import Fields

COMPACT = re.compile(r"\d{8} \d{6}", re.ASCII)
COMPACT_FRACTION = re.compile(r"\d{8} \d{6} \d{7}", re.ASCII)
COMPACT_MILLISECONDS = re.compile(r"\d{8} \d{9}", re.ASCII)
DATE = re.compile(r"\d{8}|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}", re.ASCII)
TIME_OF_DAY = re.compile(r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AP]M)?", re.ASCII | re.IGNORECASE)
LONG_TIME = re.compile(r".*\d[T ]\d.*|\d{9,19}(?:\.\d+)?", re.ASCII)
BINANCE_FIELDS = 12
LEAN_DAY = 86_400_000
MILLISECONDS = re.compile(r"\d{1,8}", re.ASCII)
BAR = ("open", "high", "low", "close")


class Shape(Struct, frozen=True):
    """What rows without a header are. ``needs_stamp``: two programs write them, and mean different times."""

    program: str
    time: tuple[int, ...]
    columns: Mapping[str, int]
    needs_stamp: bool = False


def columns_without_header(rows: Sequence[Fields], options: ReadingOptions) -> Shape:
    """Return what the rows of a sample are. Raises Unrecognised for a shape that is unknown or has two meanings."""
    width = usual_width(rows)
    first = next(fields for fields in rows if len(fields) == width)
    whole = [fields for fields in rows if len(fields) == width]
    time = first[0].strip()
    if COMPACT_FRACTION.fullmatch(time) or COMPACT_MILLISECONDS.fullmatch(time) or COMPACT.fullmatch(time):
        return _compact(time, width)
    if options.day is not None and MILLISECONDS.fullmatch(time) and int(time) < LEAN_DAY:
        return _of_lean(width)
    if width == BINANCE_FIELDS and time.isdigit():
        return Shape("Binance", (0,), _bar(1, volume=5))
    if DATE.fullmatch(time) and width > 5 and TIME_OF_DAY.fullmatch(first[1].strip()):
        program = "MetaTrader 4" if time[4:5] == "." else "unknown"
        return Shape(program, (0, 1), _checked(_bar(2, volume=6 if width > 6 else None), whole))
    if LONG_TIME.fullmatch(time) and width in (5, 6, 7):
        return Shape("unknown", (0,), _checked(_bar(1, volume=5 if width > 5 else None), whole))
    if LONG_TIME.fullmatch(time) and width == 2:
        return Shape("unknown", (0,), {"price": 1})
    raise _unnamed()


def usual_width(rows: Sequence[Fields]) -> int:
    """Return how many fields most rows have."""
    widths = [len(fields) for fields in rows]
    return max(widths, key=widths.count)


def _compact(time: str, width: int) -> Shape:
    """Return what rows that begin with ``20240115 143000`` are: NinjaTrader's, or HistData's."""
    if COMPACT_FRACTION.fullmatch(time) and width in (3, 5):
        return Shape("NinjaTrader", (0,), {"price": 1, "size": width - 1})
    if COMPACT_MILLISECONDS.fullmatch(time) and width == 4:
        return Shape("HistData", (0,), {"bid": 1})
    if COMPACT.fullmatch(time) and width == 3:
        return Shape("NinjaTrader", (0,), {"price": 1, "size": 2})
    if COMPACT.fullmatch(time) and width == 6:
        return Shape("NinjaTrader", (0,), _bar(1, volume=5), needs_stamp=True)
    raise _unnamed()


def _of_lean(width: int) -> Shape:
    if width == 6:
        return Shape("LEAN", (0,), _bar(1, volume=5))
    if width in (3, 5):
        return Shape("LEAN", (0,), {"price": 1, "size": 2})
    raise _unnamed()


def _bar(place: int, volume: int | None) -> dict[str, int]:
    columns = {role: place + offset for offset, role in enumerate(BAR)}
    return columns if volume is None else {**columns, "volume": volume}


def _checked(columns: dict[str, int], rows: Sequence[Fields]) -> dict[str, int]:
    """Return the columns if open, high, low and close stand in this order in most rows.

    Raises Unrecognised when they do not: another order, or other fields.
    """
    readable = others = 0
    for fields in rows:
        try:
            opens, high, low, close = (float(fields[columns[role]].replace(",", ".")) for role in BAR)
        except (ValueError, IndexError):
            continue  # a wrong row, which is refused by its line later
        if isnan(opens + high + low + close):
            continue  # a minute without a trade
        readable += 1
        others += not low <= min(opens, close) <= max(opens, close) <= high
    if others * 2 > readable:
        raise _unnamed()
    return columns


def _unnamed() -> Unrecognised:
    return Unrecognised(
        f"it has no header, and its fields may be many things: name them by {say('columns')}, such as "
        "time,open,high,low,close,volume"
    )
