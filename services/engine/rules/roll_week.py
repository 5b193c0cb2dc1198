"""The continuous contract in the week in which it is not the traded one (SPEC 3). All functions are pure.

Its price then counts only through a steady difference to the contract's own price.
"""

from __future__ import annotations

import re
from datetime import timedelta

from services.engine.model.price_readings import FeedDifference, OwnPrice
from services.engine.model.state import Asset
from services.engine.rules.prices import unit_of
from wire.types import Contract, Instant, Price

DELIVERY = re.compile(r"(?P<letter>[FGHJKMNQUVXZ])\d{0,3}(?P<year>\d)$", re.ASCII)  # MESZ6, MESZ26, MESZ2026
OWN_PRICE_IS_NEW = timedelta(seconds=10)
READINGS_THAT_ARE_STEADY = 3
READINGS_APART = timedelta(seconds=2)
MAY_DIFFER_UNITS = 2
STEADY_FOR = timedelta(minutes=10)


def watched(asset: Asset) -> Contract:
    """Return the contract whose price counts: the one held, else the one that an entry would buy."""
    return asset.trade.contract if asset.trade else asset.contract


def delivery_of(symbol: str) -> str | None:
    """Return the delivery of a contract's symbol, ``Z6`` of ``MESZ6``; None for one without a month."""
    named = DELIVERY.search(symbol)
    return None if named is None else named["letter"] + named["year"]


def is_rolling(asset: Asset, continuous: str | None) -> bool:
    """Return whether the calendar's continuous contract is another one than that whose price counts."""
    own = delivery_of(watched(asset).symbol)
    return continuous is not None and own is not None and continuous != own


def difference_after(asset: Asset, continuous: str, price: Price, at: Instant) -> FeedDifference | None:
    """Return the difference as known after a price of the continuous contract.

    It is read only beside a price of the contract itself that is not older than 10 s. One that is more than 2 units off
    begins anew, and so does one of other contracts.
    """
    contract = watched(asset).symbol
    known, own = asset.live.difference, asset.live.own
    if own is None or own.contract != contract or not _is_beside(own, at):
        return known
    contracts = f"{continuous} - {contract}"
    reading = price - own.price
    if known is None or known.contracts != contracts or _is_off(asset, known, reading):
        return FeedDifference(contracts, reading, 1, at)
    if at < known.at + READINGS_APART:
        return known
    return FeedDifference(contracts, reading, known.count + 1, at)


def through(
    difference: FeedDifference | None, continuous: str, asset: Asset, price: Price, at: Instant
) -> Price | None:
    """Return the contract's own price that a price of the continuous one means; None without a steady difference."""
    if difference is None or difference.contracts != f"{continuous} - {watched(asset).symbol}":
        return None
    if difference.count < READINGS_THAT_ARE_STEADY or at > difference.at + STEADY_FOR:
        return None
    return price - difference.price


def _is_beside(own: OwnPrice, at: Instant) -> bool:
    return abs(at - own.at) <= OWN_PRICE_IS_NEW


def _is_off(asset: Asset, known: FeedDifference, reading: Price) -> bool:
    return abs(reading - known.price) > MAY_DIFFER_UNITS * unit_of(asset)
