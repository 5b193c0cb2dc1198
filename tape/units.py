"""The desk's own price of a point, for the bricks that a tape sends: the settings ``POINT_UNIT_<ASSET>``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import click

from services.market.instruments import TRADABLE
from services.market.units import BadUnit, checked_unit
from wire.types import Price

PREFIX = "unit_of_"
Command = Callable[..., Any]


def takes_units(command: Command) -> Command:
    """Give a command one hidden parameter for each asset, ``unit_of_ES``, which the desk's settings fill."""
    for asset in TRADABLE:
        names = (f"--unit-of-{asset.lower()}", f"{PREFIX}{asset}")
        command = click.option(*names, envvar=f"POINT_UNIT_{asset}", hidden=True, default="")(command)
    return command


def unit_among(parameters: Mapping[str, str], asset: str) -> Price | None:
    """Return the unit that is set for the asset, None for the usual one.

    Raises ClickException for one that the desk refuses, too.
    """
    told = parameters.get(f"{PREFIX}{asset}", "").strip()
    if not told:
        return None
    try:
        return checked_unit(asset, Decimal(told))
    except InvalidOperation:
        raise click.ClickException(f"POINT_UNIT_{asset} was {told!r:.100}, it must be a number.") from None
    except BadUnit as error:
        raise click.ClickException(f"POINT_UNIT_{asset} {error}.") from None
