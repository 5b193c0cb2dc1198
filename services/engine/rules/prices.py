"""Which prices the desk may believe (SPEC 1, 3). All functions are pure.

One reading proves nothing: a price far from what is known is *suspect* until a later one agrees with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.price_readings import PriceWatch
from services.engine.model.state import Asset
from wire.types import Instant, Price

EARLIER_UNITS: Mapping[str, Price] = MappingProxyType(  # of desks whose contracts have no unit: for price rules only
    {
        "ES": Decimal(1),
        "NQ": Decimal(4),
        "YM": Decimal(8),
        "US30": Decimal(8),
        "RTY": Decimal("0.6"),
        "CL": Decimal("0.02"),
        "GC": Decimal("0.8"),
        "XAUUSD": Decimal("0.8"),
        "EURUSD": Decimal("0.0001"),
        "GBPUSD": Decimal("0.0001"),
    }
)
TRADES_BELOW_ZERO = frozenset({"CL"})
JUMP_UNITS = 40
JUMP_SHARE = Decimal("0.01")
DAY_SHARE = Decimal("0.05")
CONFIRMING_SHARE = Decimal("0.003")
JUDGED_BY_LAST_FOR = timedelta(minutes=10)


class Judgement(Struct, frozen=True):
    """What a price is, and what is remembered of prices after it.

    ``refused`` is a price at which the market cannot trade: it counts as not told.
    """

    verdict: Literal["good", "suspect", "refused"]
    watch: PriceWatch

    @property
    def is_good(self) -> bool:
        return self.verdict == "good"


def judged(asset: Asset, price: Price, at: Instant) -> Judgement:
    """Judge a price of the asset by the good ones before it, whatever its source.

    A suspect price is confirmed by the next one with a later time that is near it or further in the same direction.
    """
    return judged_by(watch_of(asset), asset, price, at)


def judged_by(watch: PriceWatch, asset: Asset, price: Price, at: Instant) -> Judgement:
    """Judge a price of the asset by what is remembered of those before it."""
    if price <= 0 and asset.symbol not in TRADES_BELOW_ZERO:
        return Judgement("refused", watch)
    if not _is_far(asset, watch, price, at) or _is_confirmed(watch, price, at):
        return Judgement("good", _with_good(watch, price, at))
    if watch.suspect_at is not None and at <= watch.suspect_at:
        return Judgement("suspect", watch)
    return Judgement("suspect", replace(watch, suspect=price, suspect_at=at))


def unit_of(asset: Asset) -> Price:
    """Return the asset's unit in price (SPEC 2), by which its prices are judged."""
    unit = asset.contract.unit
    return EARLIER_UNITS.get(asset.symbol, Decimal(1)) if unit is None else unit


def watch_of(asset: Asset) -> PriceWatch:
    """Return what is remembered; a desk that an earlier program kept remembers its last price only."""
    live = asset.live
    if live.watch.price is None and live.last_price is not None and live.price_at is not None:
        return replace(live.watch, price=live.last_price, at=live.price_at)
    return live.watch


def _is_far(asset: Asset, watch: PriceWatch, price: Price, at: Instant) -> bool:
    """Return whether the price is too far from the last good one, or from all of the trading day."""
    if watch.price is not None and watch.at is not None and at <= watch.at + JUDGED_BY_LAST_FOR:
        jump = min(JUMP_UNITS * unit_of(asset), JUMP_SHARE * abs(watch.price))
        if abs(price - watch.price) > jump:
            return True
    if watch.low is None or watch.high is None:
        return False
    return price < watch.low - DAY_SHARE * abs(watch.low) or price > watch.high + DAY_SHARE * abs(watch.high)


def _is_confirmed(watch: PriceWatch, price: Price, at: Instant) -> bool:
    suspect = watch.suspect
    if suspect is None or watch.suspect_at is None or at <= watch.suspect_at:
        return False
    return is_confirmed_by(suspect, watch.price, price)


def is_confirmed_by(suspect: Price, good: Price | None, price: Price) -> bool:
    """Return whether ``price`` is near the suspect one, or further from the good one in the same direction."""
    if abs(price - suspect) <= CONFIRMING_SHARE * abs(suspect):
        return True
    return good is not None and (price - suspect) * (suspect - good) > 0


def _with_good(watch: PriceWatch, price: Price, at: Instant) -> PriceWatch:
    low = price if watch.low is None else min(watch.low, price)
    high = price if watch.high is None else max(watch.high, price)
    return PriceWatch(price, at if watch.at is None else max(watch.at, at), low, high)
