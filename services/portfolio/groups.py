"""Which markets usually move together: one row per group. Pure.

The grouping is by what a market is a price of, not by a measured correlation: a measured one changes from month to
month, and is nearest to 1 in the very hours in which it matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wire.portfolio import CorrelatedGroup

MEMBERS: Mapping[CorrelatedGroup, tuple[str, ...]] = MappingProxyType(
    {
        "us_index": ("ES", "NQ", "YM", "RTY", "US30"),
        "crude": ("CL",),
        "gold": ("GC", "XAUUSD"),
        "usd_pairs": ("EURUSD", "GBPUSD"),
        "crypto": ("BTCUSD", "ETHUSD"),
    }
)
GROUP_OF: Mapping[str, CorrelatedGroup] = MappingProxyType(
    {symbol: group for group, symbols in MEMBERS.items() for symbol in symbols}
)


def group_of(symbol: str) -> CorrelatedGroup:
    """Return the group of a market, ``other`` for one that is not in the table."""
    return GROUP_OF.get(symbol, "other")
