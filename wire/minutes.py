"""What the advisor reads from feeds: minutes of the bar store at ``GET /api/minutes`` and ``…/symbols``, and the newest
price of a symbol at ``…/price``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Struct

from wire.answers import OkAnswer
from wire.candles import BarSource
from wire.data_service import SnapshotAnswer
from wire.types import Price, says

MINUTES_PATH = "/api/minutes"
STORED_PATH = "/api/minutes/symbols"
PRICE_PATH = "/api/minutes/price"
LONGEST_PAGE = 10_000
USUAL_PAGE = 1_000


class MinuteRow(Struct, frozen=True, array_like=True):
    """One closed minute, written as an array: start in seconds of the epoch, prices, volume, source."""

    t: int
    o: Price
    h: Price
    l: Price  # noqa: E741 - as charts name it
    c: Price
    v: Annotated[Decimal | None, says("null when it is unknown")]
    source: BarSource


class StoredMinutes(OkAnswer, frozen=True, kw_only=True):
    """A page of minutes, oldest first: with `after` the first that begin later, else the newest, until `before`."""

    asset: str
    simulated: bool
    minutes: tuple[MinuteRow, ...]
    next: Annotated[int | None, says("the `after` of the next page; null when this one is the last")]


class StoredSymbol(Struct, frozen=True, kw_only=True):
    """How many minutes of a symbol are stored, and when the first and the last of them begin."""

    symbol: str
    simulated: bool
    rows: int
    first_t: int
    last_t: int


class StoredSymbols(OkAnswer, frozen=True, kw_only=True):
    """What is stored of each symbol, by name."""

    symbols: tuple[StoredSymbol, ...]


class NewestPrice(OkAnswer, frozen=True, kw_only=True):
    """The newest price of a symbol, as the data service tells it."""

    price: Annotated[SnapshotAnswer | None, says("null when no price is known")]
