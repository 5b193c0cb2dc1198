"""The desk's price of a contract, and how money is rounded. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from services.engine.model.state import Desk
from services.engine.rules.roll_week import delivery_of, watched
from wire.portfolio import PriceCode
from wire.types import Instant, Price, Usd

CENT = Decimal("0.01")
PRICE_PLACES = Decimal("0.00000001")


class Quoted(Struct, frozen=True):
    """A price and when it was heard, or why there is none."""

    price: Price | None = None
    at: Instant | None = None
    code: PriceCode | None = None


def quote_of(desk: Desk, symbol: str, contract: str) -> Quoted:
    """Return the desk's last price of a contract that somebody else holds.

    The price of a simulated market says nothing of a real holding, and that of another delivery is another price.
    """
    asset = desk.assets.get(symbol)
    if asset is None:
        return Quoted(code="not_on_desk")
    live = asset.live
    if live.is_price_simulated:
        return Quoted(code="simulated")
    if live.last_price is None:
        return Quoted(code="no_price")
    if delivery_of(watched(asset).symbol) != delivery_of(contract):
        return Quoted(code="other_contract")
    return Quoted(live.last_price, live.price_at)


def cents(amount: Usd) -> Usd:
    """Return an amount to the cent: what is added up is what is shown."""
    return amount.quantize(CENT, ROUND_HALF_EVEN)


def plain_price(price: Price) -> Price:
    """Return a price without the tail of a division, as plain digits."""
    rounded = price.quantize(PRICE_PLACES).normalize()
    return rounded if rounded != rounded.to_integral_value() else rounded.quantize(Decimal(1))
