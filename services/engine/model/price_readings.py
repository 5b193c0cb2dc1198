"""What is remembered of prices: the last good one, the contract's own, how the continuous one differs (SPEC 3)."""

from __future__ import annotations

from msgspec import Struct

from wire.types import Instant, Price


class PriceWatch(Struct, frozen=True):
    """What prices are judged by: the last good one of any source, the trading day's range, a suspect one (SPEC 3)."""

    price: Price | None = None
    at: Instant | None = None
    low: Price | None = None
    high: Price | None = None
    suspect: Price | None = None
    suspect_at: Instant | None = None


class OwnPrice(Struct, frozen=True):
    """The last good price of one contract itself: of a heartbeat that names it, or within the broker's open PnL."""

    contract: str
    price: Price
    at: Instant


class FeedDifference(Struct, frozen=True):
    """What the continuous contract's price lies above that of another contract (SPEC 3, roll week).

    ``contracts`` names the two, ``count`` the readings in a row that agreed; ``at`` is the last of them.
    """

    contracts: str
    price: Price
    count: int
    at: Instant
