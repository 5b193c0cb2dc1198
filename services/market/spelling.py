"""How programs spell a symbol, read without guessing: a prefix, a root, perhaps a delivery month.

TradingView's own spelling is the one that everything is turned into. What each spelling means is the table of
``services/market/instruments.py``; here is only its form.

| spelling | who writes it | read as |
|---|---|---|
| ``CME_MINI:ES1!``, ``ESZ2026``, ``ESZ6`` | TradingView, Rithmic, Interactive Brokers | the same |
| ``MES 12-26`` | NinjaTrader | ``MESZ2026`` |
| ``/ES``, ``/ESZ26``, ``/ES:XCME`` | thinkorswim, tastytrade | ``ES1!``, ``ESZ26``, ``XCME:ES1!`` |
| ``ES=F`` | Yahoo | ``ES1!`` |
| ``OANDA:EUR_USD``, ``EUR/USD``, ``EURUSD=X`` | OANDA, ccxt, Yahoo | the same, named in the table |
"""

from __future__ import annotations

import re
from datetime import date

from msgspec import Struct

from services.market.rolls import MONTH_LETTERS

LONGEST_SYMBOL = 40
CONTINUOUS = "1!"
TICKER = re.compile(r"(?:(?P<venue>[A-Z0-9_]+):)?(?P<name>[A-Z0-9][A-Z0-9/_=.-]*!?)")
SLASHED = re.compile(rf"/(?P<root>[A-Z0-9]+?)(?P<code>[{MONTH_LETTERS}]\d\d?)?(?::(?P<venue>[A-Z]+))?")
OF_YAHOO = re.compile(r"(?P<root>[A-Z0-9]+)=F")
OF_NINJATRADER = re.compile(r"(?P<root>[A-Z0-9]+) (?P<month>\d\d)-(?P<year>\d\d)")
DELAYED_VENUE = re.compile(r"_DLY?$")
DELIVERY = re.compile(rf"(?:\d!|[{MONTH_LETTERS}](?:\d|\d\d|20\d\d))?")
DELIVERY_CODE = re.compile(rf"(?P<letter>[{MONTH_LETTERS}])(?P<year>\d\d?|20\d\d)")


class Spelled(Struct, frozen=True):
    """A symbol taken apart: the exchange prefix, None without one, and the name as TradingView writes it."""

    venue: str | None
    name: str

    @property
    def is_delayed(self) -> bool:
        """Whether the prefix names delayed quotes: ``CME_MINI_DL``, ``FX_DLY``."""
        return self.venue is not None and DELAYED_VENUE.search(self.venue) is not None

    @property
    def exchange(self) -> str | None:
        """The prefix without its part of the market: ``CME`` of ``CME_MINI``."""
        return self.venue.split("_")[0] if self.venue else None


def spelled(symbol: str) -> Spelled | None:
    """Take a symbol apart, whatever its case; None for a text that has no known form. Never raises."""
    if not symbol.isascii() or len(symbol) > LONGEST_SYMBOL:
        return None
    text = symbol.upper()
    slashed = SLASHED.fullmatch(text)
    if slashed is not None:
        return Spelled(slashed["venue"], slashed["root"] + (slashed["code"] or CONTINUOUS))
    prefix, colon, name = text.rpartition(":")
    written = _name_from(name)
    if written is not None:
        text = f"{prefix}{colon}{written}"
    ticker = TICKER.fullmatch(text)
    return None if ticker is None else Spelled(ticker["venue"], ticker["name"])


def _name_from(name: str) -> str | None:
    """Return the name that Yahoo or NinjaTrader spelled, None for any other."""
    yahoo = OF_YAHOO.fullmatch(name)
    if yahoo is not None:
        return yahoo["root"] + CONTINUOUS
    ninja = OF_NINJATRADER.fullmatch(name)
    if ninja is None or not 1 <= int(ninja["month"]) <= len(MONTH_LETTERS):
        return None
    return f"{ninja['root']}{MONTH_LETTERS[int(ninja['month']) - 1]}20{ninja['year']}"


def delivery_of(code: str, on: date) -> tuple[int, int] | None:
    """Return year and month of a delivery code, ``Z6``, ``Z26`` or ``Z2026``; None for any other text.

    A year of one digit is the first such year from last year on.
    """
    coded = DELIVERY_CODE.fullmatch(code)
    if coded is None:
        return None
    month = MONTH_LETTERS.index(coded["letter"]) + 1
    digits = coded["year"]
    if len(digits) == 1:
        return next(year for year in range(on.year - 1, on.year + 9) if year % 10 == int(digits)), month
    return int(digits) if len(digits) == 4 else 2000 + int(digits), month
