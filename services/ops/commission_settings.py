"""Read ``COMMISSION_<PRODUCT>``: USD per contract and side, of a product such as MES or XAUUSD (SPEC 7.5)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from services.market.instruments import INSTRUMENTS, TRADABLE
from services.ops.settings_reader import Settings
from wire.types import Usd

PREFIX = "COMMISSION_"
MOST = 1000
PRODUCTS = tuple(sorted({root for asset in TRADABLE for root in INSTRUMENTS[asset].roots}))


def commissions_of(settings: Settings) -> dict[str, Usd]:
    """Return what one contract costs to buy or to sell, by product. A name that is no product's is a fault."""
    commissions: dict[str, Usd] = {}
    for name in settings.names_with(PREFIX):
        product = name.removeprefix(PREFIX)
        if product not in PRODUCTS:
            settings.faults.append(f"{name[:100]} names no product that can be traded: {' '.join(PRODUCTS)}")
            continue
        told = _told(settings.text(name))
        if told is None:
            settings.faults.append(f"{name} was {settings.text(name)!r:.100}, it must be a number from 0 to {MOST}")
        else:
            commissions[product] = told
    return commissions


def _told(text: str) -> Usd | None:
    try:
        usd = Decimal(text)
    except InvalidOperation:
        return None
    return usd if usd.is_finite() and 0 <= usd <= MOST else None
