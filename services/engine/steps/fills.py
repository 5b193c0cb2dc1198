"""Apply a fill to its order and to the trade (SPEC 8.3)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.order import Order
from services.engine.steps.trades import fill_entry, fill_exit
from services.engine.transition import Transition
from wire.types import Price


def fill_order(transition: Transition, order: Order, qty: int, price: Price) -> Order:
    """Move the position by ``qty`` contracts and return the order with its fill. The caller puts it on the desk.

    Snapshots read before the fill prove nothing after it, so the streak of readings begins again.
    """
    filled = replace(order, filled_qty=order.filled_qty + qty, filled_notional=order.filled_notional + price * qty)
    if order.kind == "EXIT":
        fill_exit(transition, order, qty, price)
    else:
        fill_entry(transition, order, qty, price)
    asset = transition.asset(order.asset)
    if transition.desk.generation > 1:
        live = replace(asset.live, streak=None)
        transition.put_asset(replace(asset, last_fill_at=transition.now, live=live))
    return filled
