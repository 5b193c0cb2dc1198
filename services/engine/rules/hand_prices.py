"""Which price of a fill the operator may tell by hand (SPEC 8.1). All functions are pure."""

from __future__ import annotations

from msgspec import Struct

from services.engine.model.state import Asset
from services.engine.rules.prices import JUMP_UNITS, TRADES_BELOW_ZERO, unit_of
from wire.types import Price


class PriceRange(Struct, frozen=True):
    """The prices that may be told; None where nothing bounds them."""

    low: Price | None
    high: Price | None

    def holds(self, price: Price) -> bool:
        return (self.low is None or price >= self.low) and (self.high is None or price <= self.high)


def range_by_hand(asset: Asset) -> PriceRange:
    """Return the trading day's range, 40 units wider on both sides.

    Without a price of the day its last known price is the range; without any only what cannot be traded is outside.
    """
    room = JUMP_UNITS * unit_of(asset)
    live = asset.live
    known = live.watch.price if live.last_price is None else live.last_price
    low = known if live.watch.low is None else live.watch.low
    high = known if live.watch.high is None else live.watch.high
    lowest = None if asset.symbol in TRADES_BELOW_ZERO else asset.contract.tick_size
    bounds = [bound for bound in (lowest, None if low is None else low - room) if bound is not None]
    return PriceRange(max(bounds, default=None), None if high is None else high + room)
