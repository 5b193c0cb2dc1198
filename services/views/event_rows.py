"""Committed events as clients read them: one function for ``GET /api/events`` and for the stream."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import structlog
from msgspec import MsgspecError

from services.engine.model.events import AlertRaised, AnyEvent, DeadLetterKept, FillBooked, OrderReported
from services.engine.model.order import Order
from services.engine.model.proof_events import OrderFateSettled
from services.engine.model.trade_events import PositionFollowed, TradeNoted
from services.projections.orders import recall_order
from services.stores.codec.committed_events import CommittedEvent
from services.stores.store import Store, StoreUnreadable
from wire.events import EventFill, EventOrder, EventRow

log = structlog.get_logger(__name__)

ORDERS_KEPT = 1_000
ELSEWHERE = ("type", "asset")
FOR_THE_OPERATOR: dict[type[AnyEvent], tuple[str, ...]] = {DeadLetterKept: ("body",), TradeNoted: ("note", "tags")}
"""Fields left out of the rows: every key with ``state:read`` may read the rows, these texts are the operator's."""


class EventViews:
    """Turns committed events into rows and adds each event's order. Every method may be called from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._orders: OrderedDict[str, EventOrder] = OrderedDict()

    def row(self, one: CommittedEvent) -> EventRow:
        """Return an event as clients read it, without an order that is stored but not readable. Raises StoreDown."""
        order_id = getattr(one.event, "order_id", None)
        order = None if order_id is None else self._order(order_id)
        return event_row(one, order)

    def remember(self, order: Order) -> None:
        """Cache the order's fields that rows need, so that ``row`` does not read the store."""
        if order.id not in self._orders:
            self._keep(order.id, event_order(order))

    def _order(self, order_id: str) -> EventOrder | None:
        known = self._orders.get(order_id)
        if known is not None:
            return known
        try:
            order = recall_order(self._store, order_id)
        except (MsgspecError, StoreUnreadable) as error:  # asking again gives the same: the event goes on without it
            log.warning("an event's order could not be read", order=order_id, error=str(error))
            return None
        if order is None:
            return None
        read = event_order(order)
        self._keep(order_id, read)
        return read

    def _keep(self, order_id: str, order: EventOrder) -> None:
        with self._lock:
            self._orders[order_id] = order
            while len(self._orders) > ORDERS_KEPT:
                self._orders.popitem(last=False)


def event_order(order: Order) -> EventOrder:
    """Return the order's fields for an event's row. They never change, so caching them is safe."""
    return EventOrder(
        kind=order.kind,
        side=order.side,
        contract=order.contract.symbol,
        qty=order.qty,
        env=order.env,
        source=order.source,
        mode=order.mode,
    )


def event_row(one: CommittedEvent, order: EventOrder | None) -> EventRow:
    """Return one event as clients read it, with its order when it has one."""
    event = one.event
    left_out = (*ELSEWHERE, *FOR_THE_OPERATOR.get(type(event), ()))
    data: dict[str, Any] = {name: getattr(event, name) for name in event.__struct_fields__ if name not in left_out}
    asset = event.alert.asset if isinstance(event, AlertRaised) else getattr(event, "asset", None)
    if order is not None:
        data["order"] = order
    if moves_position(event):
        data["fills"] = fills_of_event(event, order)
    return EventRow(one.id, one.at, event.kind_name(), asset, data)


def moves_position(event: AnyEvent) -> bool:
    """Return whether the event tells of a fill that changed the desk's position."""
    match event:
        case OrderReported(qty=qty) | OrderFateSettled(qty=qty):
            return qty > 0
        case FillBooked(trade_id=trade_id):
            return trade_id is not None
        case _:
            return isinstance(event, PositionFollowed)


def fills_of_event(event: AnyEvent, order: EventOrder | None) -> tuple[EventFill, ...] | None:
    """Return what an event bought or sold; None when its order, which says on which side, cannot be read.

    A price that nobody told is None: the desk's estimate is no fill price.
    """
    match event:
        case (
            OrderReported(qty=qty, price=price, estimated=estimated)
            | OrderFateSettled(qty=qty, price=price, estimated=estimated)
        ):
            if order is None:
                return None
            return (EventFill(order.side, qty, None if estimated else price, order.contract),)
        case FillBooked(estimated=estimated) | PositionFollowed(estimated=estimated):
            return (EventFill(event.side, event.qty, None if estimated else event.price, event.symbol),)
        case _:
            return ()
