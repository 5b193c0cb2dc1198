"""The unit of an asset: the price of one point, of bricks, stops and targets alike (SPEC 2). All functions are pure."""

from __future__ import annotations

from decimal import Decimal

from services.market.instruments import instrument_for
from wire.types import Price

LARGEST_UNIT = Decimal(1000)
EARLIER_PIP = Decimal("0.0001")
EARLIER_PIPS = frozenset({"EURUSD", "GBPUSD"})  # every other asset's point was 1.00 of price


class BadUnit(ValueError):
    """A price cannot be the unit of the asset. The message says why, in words that follow the setting's name."""


def checked_unit(asset: str, unit: Price) -> Price:
    """Return the unit when it is above 0 and half of it a whole number of ticks (SPEC 2).

    Then bricks of all six sizes are whole ticks: 2.5 points are the only size that is not a whole number of units.
    Raises BadUnit, and UnknownInstrument for an asset that is not in the table.
    """
    tick = instrument_for(asset).tick_size
    if not unit.is_finite() or not 0 < unit <= LARGEST_UNIT:
        raise BadUnit(f"was {unit}, it must be above 0, at most {LARGEST_UNIT}")
    if unit / 2 % tick:
        needed = f"half of it must be a whole number of {asset}'s ticks of {tick:f}"
        raise BadUnit(f"was {unit:f}, {needed}: a multiple of {2 * tick:f}")
    return unit


def earlier_point(asset: str) -> Price:
    """Return the price of a point in what programs of before units have stored: a pip of a currency, else 1.00."""
    return EARLIER_PIP if asset in EARLIER_PIPS else Decimal(1)
