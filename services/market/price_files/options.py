"""What the reader of a price file is told, what it gives, and how it refuses."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from wire.types import Instant, Price

DateOrder = Literal["dmy", "mdy", "ymd"]
Stamp = Literal["start", "end"]
DecimalMark = Literal[".", ","]
LONGEST_SHOWN = 60
DATE_ORDERS: tuple[str, ...] = get_args(DateOrder)
STAMPS: tuple[str, ...] = get_args(Stamp)


class PriceFileError(ValueError):
    """A file is no price file, or its form means two things. ``line`` counts from 1, None for the file as a whole."""

    def __init__(self, name: str, line: int | None, reason: str) -> None:
        super().__init__(f"{name}, line {line}: {reason}" if line else f"{name}: {reason}")
        self.name = name
        self.line = line
        self.reason = reason


class Unrecognised(ValueError):
    """The form is unknown or ambiguous; the message says what to do. The reader makes a `PriceFileError` of it."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


class WrongRow(ValueError):
    """A row cannot be read, or its prices cannot be true; the message says why."""


class ReadingOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file does not say of itself. None leaves it to the file; what it leaves open is refused, never guessed.

    ``asset`` (``CL``) gives the tick size and says whether prices below zero are possible. ``time_zone`` is that of
    times without one: ``America/New_York``, ``UTC``, ``+02:00``, or a broker's clock such as ``America/New_York+7``.
    ``stamped`` says whether a bar carries the time of its start or its end. ``price_scale`` divides every price.
    ``columns`` names the fields of a file without header. ``symbol`` chooses the rows of one symbol, ``member`` the
    file of an archive, ``day`` is the date of times that are milliseconds of a day.
    """

    asset: str | None = None
    time_zone: str | None = None
    date_order: DateOrder | None = None
    bar_seconds: Annotated[int, Meta(ge=1)] | None = None
    stamped: Stamp | None = None
    decimal: DecimalMark | None = None
    price_scale: Decimal | None = None
    columns: tuple[str, ...] | None = None
    symbol: str | None = None
    member: str | None = None
    day: date | None = None


SAY_NOTHING = ReadingOptions()


class PriceTick(Struct, frozen=True, gc=False):
    """One trade, or the bid of one quote, at an instant (UTC). ``size`` is None where the file has none."""

    line: int
    at: Instant
    price: Price
    size: Decimal | None = None


class PriceBar(Struct, frozen=True, gc=False):
    """One bar; ``start`` is its first instant (UTC), whatever the file stamps. ``volume`` is None when unknown."""

    line: int
    start: Instant
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Decimal | None = None


class RefusedRow(Struct, frozen=True, gc=False):
    """A row that was not read, and a sentence why."""

    line: int
    reason: str


PriceRow = PriceTick | PriceBar | RefusedRow


def say(option: str) -> str:
    """Return how an option is given: on the command line, or in a folder's ``options.toml``."""
    return f"--{option.replace('_', '-')}, or {option} in options.toml"


def shown(text: str) -> str:
    """Return a text of a file as a sentence may quote it."""
    return repr(shortened(text))


def shortened(text: str) -> str:
    """Return a name of a file, such as a symbol, as a sentence may hold it: no file makes a sentence long."""
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
