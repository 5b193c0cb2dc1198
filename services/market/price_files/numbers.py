"""Prices and sizes as people's programs write them: decimal comma, thousands, fixed point, the noise of floats."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from services.market.price_files.options import DecimalMark, Unrecognised, WrongRow, say, shortened, shown

PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
WITH_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+", re.ASCII)
SPACES = str.maketrans(dict.fromkeys("'\u2019 \u00a0\u202f", "_"))
GROUPED = {group: re.compile(rf"[+-]?\d{{1,3}}(?:{re.escape(group)}\d{{3}})+(?![\d{group}])") for group in ",._"}
LARGEST_PRICE = 10**9
LARGEST_VOLUME = 10**15
MOST_DECIMALS = 9  # what follows is the noise of a binary number
MOST_CACHED = 8192
LONGEST = 40
LARGE = {"K": 10**3, "M": 10**6, "B": 10**9}
DIGITS = frozenset("0123456789")
NOT_THERE = {"", "-", "nan", "na", "n/a", "null", "none"}


class Numbers:
    """Reads the numbers of one file. ``scale`` divides every price; ``tick`` is the grid that prices belong to.

    A price within a hundredth of a tick from the grid is put on it: files written by programs that count in binary
    have 2350.449951 for 2350.45.
    """

    def __init__(self, decimal: DecimalMark, scale: Decimal | None = None, tick: Decimal | None = None) -> None:
        self._group = "," if decimal == "." else "."
        self._decimal = decimal
        self._scale = scale
        self._tick = tick
        self._read: dict[str, Decimal] = {}
        self._sizes: dict[str, Decimal | None] = {}

    def price(self, text: str) -> Decimal:
        """Return a price. Raises WrongRow for a text that is none."""
        known = self._read.get(text)
        if known is None:
            if len(self._read) >= MOST_CACHED:
                self._read.clear()
            known = self._read[text] = self._price(text)
        return known

    def size(self, text: str) -> Decimal | None:
        """Return a volume, None where there is none. Raises WrongRow for a text that is neither."""
        if text in self._sizes:
            return self._sizes[text]
        if len(self._sizes) >= MOST_CACHED:
            self._sizes.clear()
        size = self._sizes[text] = self._size(text)
        return size

    def _size(self, text: str) -> Decimal | None:
        stripped = text.strip()
        if stripped.lower() in NOT_THERE:
            return None
        times = LARGE.get(stripped[-1].upper(), 1)
        size = self._number(stripped[:-1] if times > 1 else stripped, "the volume")
        size *= times
        if not 0 <= size <= LARGEST_VOLUME:
            raise WrongRow(f"the volume was {shown(text)}, must be from 0 to {LARGEST_VOLUME}")
        return _short(size)

    def _without_groups(self, text: str) -> str:
        """Return a number without the marks between its thousands; one with marks elsewhere keeps them, and is none."""
        group = "_" if "_" in text else self._group
        return text.replace(group, "") if GROUPED[group].match(text) else text

    def _price(self, text: str) -> Decimal:
        price = self._number(text, "the price")
        if self._scale is not None:
            price /= self._scale
        if abs(price) > LARGEST_PRICE:
            raise WrongRow(f"the price was {shown(text)}, must be finite and at most {LARGEST_PRICE}")
        if self._tick is not None:
            on_grid = round(price / self._tick) * self._tick
            price = on_grid if abs(price - on_grid) * 100 <= self._tick else price
        return _short(price)

    def _number(self, text: str, what: str) -> Decimal:
        plain = text.strip()
        if PLAIN.fullmatch(plain) is None or self._decimal == ",":
            plain = self._without_groups(plain.translate(SPACES)).replace(self._decimal, ".")
        if len(plain) > LONGEST or PLAIN.fullmatch(plain) is None:
            raise WrongRow(f"{what} was {shown(text)}, must be a number")
        return Decimal(plain)


def is_not_there(text: str) -> bool:
    """Return whether a field says that it holds no number: nothing, ``NaN``, ``null``."""
    return text[-1:] not in DIGITS and text.strip().lower() in NOT_THERE


def decimal_mark(texts: Iterable[str]) -> DecimalMark:
    """Return whether the prices of a sample have a decimal point or comma.

    Raises Unrecognised where ``4,783`` may be either.
    """
    with_comma = []
    for text in texts:
        plain = text.strip().translate(SPACES).replace("_", "")
        point, comma = plain.rfind("."), plain.rfind(",")
        if point >= 0 and comma >= 0:
            return "." if point > comma else ","
        if comma >= 0:
            with_comma.append(plain)
    if not with_comma:
        return "."
    if any(WITH_COMMA.fullmatch(text) and not THOUSANDS.fullmatch(text) for text in with_comma):
        return ","
    if any(text.count(",") > 1 for text in with_comma):
        return "."
    raise Unrecognised(f"{shortened(with_comma[0])} may be a decimal comma or thousands: say which by {say('decimal')}")


def _short(number: Decimal) -> Decimal:
    """Return a number without zeros at its end and without the noise of floats."""
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MOST_DECIMALS:
        number = round(number, MOST_DECIMALS)
    short = number.normalize()
    return short.quantize(Decimal(1)) if _is_above_units(short) else short


def _is_above_units(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent > 0
