"""Orders: the current state of every order ever made. The open ones are loaded with the desk."""

from __future__ import annotations

from collections.abc import Iterator

from services.engine.model.order import Order
from services.projections.projection import Decided, Projection
from services.stores.codec import documents
from services.stores.records import ORDERS, Record
from services.stores.store import Store


def order_records(decided: Decided) -> Iterator[Record]:
    """Yield the orders that a decision changed."""
    return (order_record(order) for order in decided.decision.orders)


def order_record(order: Order) -> Record:
    """Return the record of an order."""
    facts = {"asset": order.asset, "status": order.status.value, "is_open": not order.status.is_final}
    return Record(ORDERS, order.id, order.created_at, documents.write_order(order), facts)


def recall_order(store: Store, order_id: str) -> Order | None:
    """Return a stored order, open or final, None when unknown. Raises StoreDown, StoreUnreadable."""
    record = store.record(ORDERS, order_id)
    return None if record is None else documents.read_order(record.body)


PROJECTION = Projection(ORDERS, order_records, must_not_be_lost=True)
