"""Whose prices a file holds, by its name: TradingView, NinjaTrader, MetaTrader and people name files after symbols."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, get_args

from msgspec import Struct

from services.market.instruments import INSTRUMENTS, resolve_asset

OF_NINJATRADER = re.compile(r"[A-Z0-9]{1,5} \d\d-\d\d", re.IGNORECASE)
WITH_PERIOD = re.compile(r"([A-Z0-9]+?)(?:1|5|15|30|60)", re.IGNORECASE)  # MetaTrader 4: EURUSD1.csv
WORDS = re.compile(r"[_\s,.]+")
QuotedSide = Literal["ask", "bid"]
QUOTED_SIDES: tuple[QuotedSide, ...] = get_args(QuotedSide)
SHORT_WORDS = re.compile(r"[_\s,.\-]+")


class NamedSymbol(Struct, frozen=True, order=True):
    """An asset that a name names, and how it spells it."""

    asset: str
    spelling: str


def symbols_in(place: str) -> tuple[NamedSymbol, ...]:
    """Return what a path below a folder names: one symbol, none, or several of which nobody knows which is meant.

    ``ES/minutes.csv``, ``CME_MINI_ES1!, 1.csv``, ``ES 03-24.Last.txt``, ``ESH24.csv``, ``EURUSD1.csv`` and
    ``XAUUSD_M1_2024.csv`` name one each. The folder next to the file comes before farther ones and before its name.
    """
    *folders, name = place.split("/")
    for text in (*reversed(folders), name):
        for words in _readings(text):
            found = {asset: word for word in words if (asset := resolve_asset(word, INSTRUMENTS)) is not None}
            if found:
                return tuple(sorted(NamedSymbol(asset, word) for asset, word in found.items()))
    return ()


def quoted_side(name: str) -> QuotedSide | None:
    """Return which side of quotes a file's name says it holds: ``ES 03-24.Ask.txt``, ``EURUSD_1_M_BID.csv``."""
    words = {word.lower() for word in SHORT_WORDS.split(name)}
    return next((side for side in QUOTED_SIDES if side in words), None)


def _readings(text: str) -> Iterator[list[str]]:
    """Yield the words of a name, from the longest to the shortest."""
    ninja = OF_NINJATRADER.match(text)
    if ninja is not None:
        yield [ninja[0]]
    stem = text.split(".")[0]
    yield [text, stem]
    words = [word for word in WORDS.split(text) if word]
    yield words
    yield [word for word in SHORT_WORDS.split(text) if word]
    yield [matched[1] for word in words if (matched := WITH_PERIOD.fullmatch(word)) is not None]
