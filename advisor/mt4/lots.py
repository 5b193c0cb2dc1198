"""Which symbols the paper account trades, and what a lot of each is worth (pure).

A lot is MetaTrader's: 100,000 of the base currency, 100 ounces of gold, one coin or one index contract. The table of
instruments has smaller ones (SPEC 2), so a lot is written as a multiple of those. Of a future a lot is one full
contract, as brokers offer it in MetaTrader: so the desk's own assets can be tried, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from msgspec import Struct

from services.market.instruments import INSTRUMENTS

STEP = Decimal("0.01")
MOST_LOTS = Decimal(100)
LEVERAGE = 100
CENT = Decimal("0.01")
INSTRUMENTS_IN_A_LOT: Mapping[str, int] = MappingProxyType(
    {
        "EURUSD": 10,
        "GBPUSD": 10,
        "XAUUSD": 10,
        "US30": 1,
        "BTCUSD": 1,
        "ETHUSD": 1,
        **{symbol: 1 for symbol, row in INSTRUMENTS.items() if row.roll is not None},
    }
)


class Lot(Struct, frozen=True):
    """One symbol: what 1.00 of price is worth of one lot, in USD, and the smallest step of its price."""

    symbol: str
    usd_per_price: Decimal
    tick: Decimal

    def profit(self, points: Decimal, volume: Decimal) -> Decimal:
        """Return what a distance in price is worth with so many lots, in whole cents."""
        return (points * volume * self.usd_per_price).quantize(CENT)

    def margin(self, price: Decimal, volume: Decimal) -> Decimal:
        """Return the margin of a position."""
        return (price * volume * self.usd_per_price / LEVERAGE).quantize(CENT)


def _lot(symbol: str, instruments: int) -> Lot:
    row = INSTRUMENTS[symbol]
    return Lot(symbol, row.point_value * instruments, row.tick_size)


LOTS: Mapping[str, Lot] = MappingProxyType(
    {symbol: _lot(symbol, count) for symbol, count in INSTRUMENTS_IN_A_LOT.items()}
)
