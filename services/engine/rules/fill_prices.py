"""At what price a fill is booked (SPEC 8.3, 8.4). All functions are pure."""

from __future__ import annotations

import re

from msgspec import Struct

from services.engine.model.state import Asset
from services.engine.rules.prices import judged
from wire.types import Contract, Instant, Price, Usd

CRUDE_OIL = re.compile(r"M?CL[FGHJKMNQUVXZ]\d{1,4}", re.ASCII)  # the one market here that trades below 0


class Booked(Struct, frozen=True):
    """The price at which the desk books a fill, and whether it is an estimate.

    ``stand_in`` is the last price when the told one would be suspect as a price, else None (SPEC 8.3).
    """

    price: Price
    estimated: bool
    stand_in: Price | None = None


def known_price(price: Price | None, contract: str = "") -> Price | None:
    """Return the price of a fill in a contract, None for one that bridges send when they do not know it (SPEC 8.3).

    That is 0, and -1 and the like where the market cannot trade there (SPEC 3).
    """
    if price is None or price == 0 or (price < 0 and CRUDE_OIL.fullmatch(contract) is None):
        return None
    return price


def price_to_book(asset: Asset, reported: Price | None, now: Instant) -> Booked | None:
    """Return the reported price, else the last price, else the trade's own; None when no price at all is known.

    A price at which the market cannot trade counts as unknown.
    """
    contract = asset.trade.contract if asset.trade is not None else asset.contract
    price = known_price(reported, contract.symbol)
    guess = known_price(asset.live.last_price, contract.symbol)
    verdict = "refused" if price is None else judged(asset, price, now).verdict
    if price is not None and verdict != "refused":
        return Booked(price, estimated=False, stand_in=guess if verdict == "suspect" else None)
    if guess is None and asset.trade is not None:
        guess = asset.trade.entry_price
    return None if guess is None else Booked(guess, estimated=True)


def gain_over_last_price(asset: Asset, contract: Contract, change: int, price: Price) -> Usd:
    """Return what a fill of ``change`` contracts (signed) at ``price`` gains over one at the last price, in USD."""
    last = known_price(asset.live.last_price)
    if last is None:
        return Usd(0)
    return contract.usd((last - price) * change)
