"""What the bar store is given and what it answers. Times are seconds of the epoch, prices are of the instrument."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import get_args

from msgspec import Struct

from services.market.buckets import TIMEFRAMES, Timeframe
from wire.candles import BarSource

MINUTE = 60
RANKS: Mapping[BarSource, int] = MappingProxyType(
    {"ticks": 1, "bridge": 2, "provider": 3, "heartbeat": 4, "sampled": 5, "simulated": 9}
)
"""Whose bar of a minute counts: the lowest number. ``simulated`` bars lie apart and replace no other."""

SOURCES: Mapping[int, BarSource] = MappingProxyType({rank: source for source, rank in RANKS.items()})
SPELLINGS: Mapping[str, Timeframe] = MappingProxyType({**{name: name for name in TIMEFRAMES}, "1h": "60m"})
"""Each name of a timeframe, and the one that everything inside uses: ``1h`` is ``60m``."""

if set(RANKS) != set(get_args(BarSource)):
    raise TypeError("RANKS must rank each source once")


class Bar(Struct, frozen=True):
    """One minute of one symbol. ``symbol`` is the instrument's (``ES``), ``t`` the start of the minute.

    ``volume`` is None when it is unknown, never 0 for that.
    """

    symbol: str
    t: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | int | None
    source: BarSource


class BarCandle(Struct, frozen=True):
    """The stored minutes of one period of a timeframe, made one candle.

    ``start`` and ``end`` are those of the period in which the market trades. ``volume`` is None when that of any minute
    is unknown. ``source`` is the least certain one of its minutes, ``minutes`` how many of them are stored.
    ``is_closed``: its period has ended.
    """

    symbol: str
    start: int
    end: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | int | None
    source: BarSource
    minutes: int
    is_closed: bool


class SymbolRow(Struct, frozen=True):
    """How many minutes of a symbol are stored, and the first and the last of them."""

    symbol: str
    rows: int
    first_t: int
    last_t: int
    simulated: bool


class BarRefused(ValueError):
    """A bar cannot be one; the message names it and the reason. Nothing of its batch was stored."""


class UnknownTimeframe(ValueError):
    """The name is none of a timeframe; the message lists those that are."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the timeframe was {name[:20]!r}, must be one of {', '.join(SPELLINGS)}")


def timeframe_named(name: str) -> Timeframe:
    """Return the timeframe of a name, ``1h`` included. Raises UnknownTimeframe."""
    found = SPELLINGS.get(name)
    if found is None:
        raise UnknownTimeframe(name)
    return found
