"""The operator says what became of an order whose fate is unknown (SPEC 8.1)."""

from __future__ import annotations

from decimal import Decimal

from services.engine.model.bridge_commands import ResolveOrder
from services.engine.model.order import Order
from services.engine.model.proof_events import OrderFateSettled
from services.engine.model.replies import Done, Refusal, Reply
from services.engine.rules.refusals import refuse
from services.engine.steps.doubts import begin_doubt
from services.engine.steps.exits import pursue_exit
from services.engine.steps.fates import settle
from services.engine.steps.order_queue import end_order
from services.engine.transition import Transition
from wire.types import OrderStatus


def resolve_order(transition: Transition, command: ResolveOrder) -> Reply | Refusal:
    """End an order of unknown fate as the operator says. ``reconcile`` stays closed until a snapshot agrees."""
    order = transition.desk.orders.get(command.order_id)
    if order is None:
        return refuse("unknown_order", f"order {command.order_id} is not open", order_id=command.order_id)
    if order.fate_unknown_at is None:
        detail = f"order {order.id} is {order.status}; only an order of unknown fate is resolved by hand"
        return refuse("fate_known", detail, order_id=order.id, status=order.status)
    refusal = _fill_by_hand(transition, order, command) if command.outcome == "filled" else None
    if refusal is not None:
        return refusal
    order = transition.desk.orders.get(order.id, order)
    status = OrderStatus.FILLED if order.remaining == 0 else OrderStatus.CANCELLED
    end_order(transition, order, status, f"resolved by hand: {command.reason}")
    begin_doubt(transition, order.asset, "resolved")
    pursue_exit(transition, order.asset)
    return Done()


def _fill_by_hand(transition: Transition, order: Order, command: ResolveOrder) -> Refusal | None:
    qty = order.remaining if command.qty is None else command.qty
    price = transition.asset(order.asset).live.last_price if command.price is None else command.price
    if not 0 < qty <= order.remaining:
        detail = f"qty was {qty}, {order.remaining} are left of the order"
        return refuse("report_invalid", detail, field="qty", qty=qty, left=order.remaining)
    if price is None:
        return refuse("report_invalid", "price was missing and no last price is known", field="price")
    transition.record(OrderFateSettled(order.id, order.asset, "operator", qty, price, command.reason))
    transition.put_order(settle(transition, order, qty, Decimal(price)))
    return None
