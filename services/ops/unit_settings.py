"""Read ``POINT_UNIT_<ASSET>``: the price of one point of an asset, where it is not the usual one (SPEC 2)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from services.market.instruments import INSTRUMENTS, TRADABLE
from services.market.units import BadUnit, checked_unit
from services.ops.settings_reader import Settings
from wire.types import Price

PREFIX = "POINT_UNIT_"


def units_of(settings: Settings) -> dict[str, Price]:
    """Return the units that are not the usual ones, by asset.

    A name that is no asset's, and a unit that cannot be, are faults.
    """
    units: dict[str, Price] = {}
    for name in settings.names_with(PREFIX):
        asset = name.removeprefix(PREFIX)
        if asset not in TRADABLE:
            settings.faults.append(f"{name[:100]} names no asset that can be traded: {' '.join(TRADABLE)}")
            continue
        try:
            unit = checked_unit(asset, _number(settings.text(name)))
        except BadUnit as error:
            settings.faults.append(f"{name} {error}")
            continue
        if unit != INSTRUMENTS[asset].unit:
            units[asset] = unit
    return units


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise BadUnit(f"was {text!r:.100}, it must be a number") from None
