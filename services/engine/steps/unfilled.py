"""Remember what ended orders have not filled: a position that appears soon after may be their late fill (SPEC 8.4)."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.evidence import UnfilledOrder
from services.engine.model.order import Order
from services.engine.transition import Transition
from wire.types import Side

EXPLAINS_FOR = timedelta(minutes=10)
KEPT = 32


def remember_unfilled(transition: Transition, ended: Order) -> None:
    """Keep an order that a bridge had and that ended with something unfilled. Earlier programs kept none."""
    if transition.desk.generation == 1 or ended.claimed_at is None or ended.remaining <= 0:
        return
    asset = transition.asset(ended.asset)
    order = UnfilledOrder(ended.contract.symbol, ended.side, ended.remaining, ended.env, transition.now)
    recent = [known for known in asset.unfilled if transition.now < known.ended_at + EXPLAINS_FOR]
    transition.put_asset(replace(asset, unfilled=(*recent, order)[-KEPT:]))


def is_late_fill(transition: Transition, symbol: str, contract: str, position: int) -> bool:
    """Return whether an order explains the position: its side, and no more than it has left unfilled.

    It is at a bridge now, or ended within the last 10 min.
    """
    side: Side = "BUY" if position > 0 else "SELL"
    desk = transition.desk
    running = [order for order in desk.open_orders(symbol) if order.is_at_a_bridge and order.side == side]
    if any(abs(position) <= order.remaining and order.contract.symbol == contract for order in running):
        return True
    return any(
        order.side == side
        and abs(position) <= order.left
        and order.symbol == contract
        and order.env == desk.env
        and transition.now < order.ended_at + EXPLAINS_FOR
        for order in desk.assets[symbol].unfilled
    )
