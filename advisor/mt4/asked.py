"""What a caller asks of an account, as numbers that mean something: read once, from bodies and queries (pure)."""

from __future__ import annotations

import math
from decimal import Decimal

from msgspec import Struct

from advisor.mt4.lots import MOST_LOTS, STEP
from sidecar.problems import ServiceRefused
from wire.mt4 import Mt4Action, Number, TradeBody
from wire.types import Side

HIGHEST_PRICE = Decimal(10) ** 9


class OrderAsked(Struct, frozen=True, kw_only=True):
    """An order. ``key`` is the caller's name of the request: the same one again is the same order."""

    symbol: str
    action: Mt4Action
    volume: Decimal
    price: Decimal | None
    stop_loss: Decimal | None
    take_profit: Decimal | None
    comment: str
    key: str | None = None

    @property
    def side(self) -> Side:
        """The direction."""
        return "BUY" if self.action.startswith("BUY") else "SELL"

    @property
    def is_market(self) -> bool:
        """Whether it is filled at once."""
        return self.action in ("BUY", "SELL")


def order_of(body: TradeBody, key: str | None) -> OrderAsked:
    """Return the order of a body. Raises `ServiceRefused` (400), which names the field."""
    price = price_of("price", body.price)
    is_market = body.action in ("BUY", "SELL")
    if is_market and price is not None:
        raise ServiceRefused("invalid_parameter", f"price must be null for {body.action}: it is filled at the market")
    if not is_market and price is None:
        raise ServiceRefused("invalid_parameter", f"price is missing: {body.action} needs one")
    comment = body.comment or ""
    if not comment.isprintable():
        raise ServiceRefused("invalid_parameter", "comment must be printable characters")
    return OrderAsked(
        symbol=body.symbol,
        action=body.action,
        volume=volume_of(body.volume),
        price=price,
        stop_loss=price_of("stop_loss", body.stop_loss),
        take_profit=price_of("take_profit", body.take_profit),
        comment=comment,
        key=key,
    )


def volume_of(number: Number) -> Decimal:
    """Return lots: a multiple of 0.01, above 0. Raises `ServiceRefused` (400)."""
    volume = _exact("volume", number)
    if not 0 < volume <= MOST_LOTS or volume % STEP:
        raise ServiceRefused(
            "invalid_parameter",
            f"volume must be a multiple of {STEP}, above 0, at most {MOST_LOTS}, was {_shown(number)}",
        )
    return volume


def volume_in(text: str) -> Decimal:
    """Return lots of a query. Raises `ServiceRefused` (400)."""
    plain = text.strip()
    if not (plain.isascii() and plain.replace(".", "", 1).isdigit() and len(plain) <= 12):
        raise ServiceRefused("invalid_parameter", f"volume must be a number such as 0.05, was {plain[:40]!r}")
    return volume_of(float(plain))


def price_of(name: str, number: Number | None) -> Decimal | None:
    """Return a price, None without one. Raises `ServiceRefused` (400)."""
    if number is None:
        return None
    price = _exact(name, number)
    if not 0 < price < HIGHEST_PRICE:
        raise ServiceRefused("invalid_parameter", f"{name} must be a price above 0, was {_shown(number)}")
    return price


def _shown(number: Number) -> str:
    return repr(number)[:40]


def _exact(name: str, number: Number) -> Decimal:
    """Return a JSON number, exactly: ``1``, ``1.0`` and ``1.00`` are one, so that a name stands for one order."""
    if isinstance(number, float) and not math.isfinite(number):
        raise ServiceRefused("invalid_parameter", f"{name} must be a finite number")
    exact = Decimal(repr(number))
    return Decimal(int(exact)) if exact == exact.to_integral_value() else exact.normalize()
