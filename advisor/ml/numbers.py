"""Numbers as the wire has them: prices on the tick grid, distances and losses with six significant digits."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from services.market.instruments import instrument_for
from wire.types import Price

SIX_DIGITS = Context(prec=6)
SIXTEEN_DIGITS = Context(prec=16)
ROUNDINGS = {"up": ROUND_CEILING, "down": ROUND_FLOOR}


def decimal_of(value: float) -> Decimal:
    """Return a number with six significant digits, without an exponent."""
    rounded = SIX_DIGITS.create_decimal(repr(value)).normalize()
    return Decimal(format(rounded, "f"))


def share_of(value: float) -> Decimal:
    """Return a share with four decimals."""
    return Decimal(format(round(value, 4), ".4f")).normalize() + 0


def ticks_of(symbol: str, price: float) -> int:
    """Return a price as the nearest whole number of ticks."""
    return instrument_for(symbol).ticks(Decimal(repr(price)))


def tick_of(symbol: str) -> float:
    """Return the tick of a symbol, in price."""
    return float(instrument_for(symbol).tick_size)


def price_at(symbol: str, ticks: int) -> Price:
    """Return the price of a whole number of ticks."""
    return ticks * instrument_for(symbol).tick_size


def outside(symbol: str, price: float, rounding: str) -> Price:
    """Return the nearest price of the tick grid that is not below (``up``) or not above (``down``) a number."""
    tick = instrument_for(symbol).tick_size
    exact = SIXTEEN_DIGITS.create_decimal(repr(round(price, 9))) / tick
    return int(exact.to_integral_value(ROUNDINGS[rounding])) * tick
