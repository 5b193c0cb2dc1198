"""At what price a fill is booked (SPEC 8.3, 8.4). All functions are pure."""

from __future__ import annotations

from msgspec import Struct

from services.engine.model.state import Asset
from wire.types import Contract, Price, Usd


class Booked(Struct, frozen=True):
    """The price at which the desk books a fill, and whether it is an estimate."""

    price: Price
    estimated: bool


def known_price(price: Price | None) -> Price | None:
    """Return the price of a fill, None for one of 0: bridges send 0 when they do not know it (SPEC 8.3)."""
    return None if price is None or price == 0 else price


def price_to_book(asset: Asset, reported: Price | None) -> Booked | None:
    """Return the reported price, else the last price, else the trade's own; None when no price at all is known."""
    price = known_price(reported)
    if price is not None:
        return Booked(price, estimated=False)
    guess = known_price(asset.live.last_price)
    if guess is None and asset.trade is not None:
        guess = asset.trade.entry_price
    return None if guess is None else Booked(guess, estimated=True)


def gain_over_last_price(asset: Asset, contract: Contract, change: int, price: Price) -> Usd:
    """Return what a fill of ``change`` contracts (signed) at ``price`` gains over one at the last price, in USD."""
    last = known_price(asset.live.last_price)
    if last is None:
        return Usd(0)
    return contract.points((last - price) * change) * contract.point_value
