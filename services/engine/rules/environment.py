"""What the desk's environment lets it hear (SPEC 3, 6.7)."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from services.engine.model.state import AssetLive, Desk
from wire.types import Instant, Price

SIMULATED: Final = "simulated"
"""Why a message was ignored: it is of a simulated market, and the desk trades LIVE."""


def is_of_no_market(desk: Desk, *, simulated: bool) -> bool:
    """Return whether a message may not count: its market is simulated, and the account is a real one.

    Earlier generations let it count.
    """
    return simulated and desk.env == "LIVE" and desk.generation > 3


def marked(desk: Desk, live: AssetLive, *, simulated: bool) -> AssetLive:
    """Return an asset's values after a message with that mark. The last price keeps its own: it may be another one.

    In earlier generations a price had no mark of its own.
    """
    if desk.generation < 4:
        return replace(live, simulated=simulated, price_simulated=None)
    own = live.is_price_simulated
    kept = None if live.last_price is None or own == simulated else own
    return replace(live, simulated=simulated, price_simulated=kept)


def priced(desk: Desk, live: AssetLive, price: Price, at: Instant, *, simulated: bool) -> AssetLive:
    """Return an asset's values with a newer price, and with whether a simulated market told that one.

    In earlier generations a price had no mark of its own.
    """
    own = None if desk.generation < 4 or simulated == live.simulated else simulated
    return replace(live, last_price=price, price_at=at, price_simulated=own)
