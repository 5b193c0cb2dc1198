"""At what price a fill is booked (SPEC 8.3, 8.4). All functions are pure."""

from __future__ import annotations

import re

from msgspec import Struct

from services.engine.model.state import Asset
from wire.types import Price

CRUDE_OIL = re.compile(r"M?CL[FGHJKMNQUVXZ]\d{1,4}", re.ASCII)  # the one market here that trades below 0


class Booked(Struct, frozen=True):
    """The price at which the desk books a fill, and whether it is an estimate."""

    price: Price
    estimated: bool


def known_price(price: Price | None, contract: str = "") -> Price | None:
    """Return the price of a fill in a contract, None for one that bridges send when they do not know it (SPEC 8.3).

    That is 0, and -1 and the like where the market cannot trade there (SPEC 3).
    """
    if price is None or price == 0 or (price < 0 and CRUDE_OIL.fullmatch(contract) is None):
        return None
    return price


def price_to_book(asset: Asset, reported: Price | None) -> Booked | None:
    """Return the reported price, else the last price, else the trade's own; None when no price at all is known."""
    contract = asset.trade.contract if asset.trade is not None else asset.contract
    price = known_price(reported, contract.symbol)
    if price is not None:
        return Booked(price, estimated=False)
    guess = known_price(asset.live.last_price, contract.symbol)
    if guess is None and asset.trade is not None:
        guess = asset.trade.entry_price
    return None if guess is None else Booked(guess, estimated=True)
