"""Generation 1: an execution report counts only while its order is open, within what was ordered, and with a price."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.bridge_commands import ReportExecution
from services.engine.model.events import OrderReported
from services.engine.model.order import Order
from services.engine.model.replies import Done, Refusal, Reply
from services.engine.rules.refusals import refuse
from services.engine.steps.exits import demand_exit, pursue_exit, retry_exit
from services.engine.steps.fills import fill_order
from services.engine.steps.order_queue import end_order
from services.engine.transition import Transition
from wire.types import OrderStatus

FILLS = frozenset({OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED})


def report_execution(transition: Transition, command: ReportExecution) -> Reply | Refusal:
    """Apply an execution report to its order. A report that repeats an earlier one changes nothing (SPEC 8.3)."""
    order = transition.desk.orders.get(command.order_id)
    if order is None:
        return _answer_for_final(transition, command, command.recalled)
    if (mismatch := _mismatch(order, command)) is not None:
        return mismatch
    if _is_repeated(order, command):
        return Done(duplicate=True)
    qty = _newly_filled(order, command)
    if qty > order.remaining:
        return _overfill(transition, order, qty)
    if command.status in FILLS and order.filled_qty + qty == 0:
        return refuse("report_invalid", f"{command.status} was reported without any quantity", status=command.status)
    if qty and command.fill_price is None and command.status not in FILLS:
        symbol = order.contract.symbol
        detail = f"{qty} of {symbol}, reconciliation will book it"
        transition.alert(
            "fill_without_price", detail, order.asset, {"order_id": order.id, "symbol": symbol, "qty": qty}
        )
        qty = 0
    if qty and command.fill_price is None:
        detail = f"fill_price was missing in a report that fills {qty}"
        return refuse("report_invalid", detail, field="fill_price", qty=qty)
    _apply_report(transition, order, command, qty)
    return Done()


def _overfill(transition: Transition, order: Order, qty: int) -> Refusal:
    """Refuse a report that fills more than was ordered, and raise an alert."""
    symbol = order.contract.symbol
    fills = order.filled_qty + qty
    detail = f"{symbol} order was {order.qty}, report fills {fills}"
    facts = {"order_id": order.id, "symbol": symbol, "ordered": order.qty, "fills": fills}
    transition.alert("overfill", detail, order.asset, facts)
    return refuse("report_conflict", detail, "OVERFILL", **facts)


def _answer_for_final(transition: Transition, command: ReportExecution, order: Order | None) -> Reply | Refusal:
    if order is None:
        return refuse("unknown_order", f"order {command.order_id} is not known", order_id=command.order_id)
    repeated = command.exec_id is not None and command.exec_id in order.exec_ids
    overtaken = command.status in (OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED)
    harmless = (overtaken and order.status is OrderStatus.FILLED) or command.status is OrderStatus.WORKING
    if order.status is command.status or repeated or harmless:
        return Done(duplicate=True)
    detail = f"order {order.id} is {order.status}, the bridge says {command.status}"
    facts = {"order_id": order.id, "status": order.status, "reported": command.status}
    transition.alert("report_conflict", detail, order.asset, facts)
    return refuse("report_conflict", detail, **facts)


def _mismatch(order: Order, command: ReportExecution) -> Refusal | None:
    """Refuse a report that names another contract or side than its order."""
    reported = {"symbol": (command.symbol, order.contract.symbol), "side": (command.side, order.side)}
    for name, (was, own) in reported.items():
        if was not in (None, own):
            return refuse("report_invalid", f"{name} was {was}, the order's is {own}", field=name, was=was, order=own)
    return None


def _is_repeated(order: Order, command: ReportExecution) -> bool:
    """Return whether the report repeats what the order shows already (SPEC 8.3)."""
    if command.status is OrderStatus.WORKING:
        return order.status in (OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED)
    if command.status not in FILLS:
        return False
    if command.exec_id is not None and command.exec_id in order.exec_ids:
        return True
    is_partial = command.status is OrderStatus.PARTIALLY_FILLED
    return is_partial and command.cum_qty is not None and command.cum_qty <= order.filled_qty


def _newly_filled(order: Order, command: ReportExecution) -> int:
    """Return the contracts that this report adds: from ``cum_qty``, else ``qty``, else the remaining quantity."""
    if command.cum_qty is not None:
        return max(0, command.cum_qty - order.filled_qty)
    if command.status not in FILLS:
        return 0
    if command.qty is None:
        return order.remaining if command.status is OrderStatus.FILLED else 0
    names_whole_order = command.status is OrderStatus.FILLED and command.qty == order.qty
    return order.remaining if names_whole_order else command.qty


def _apply_report(transition: Transition, order: Order, command: ReportExecution, qty: int) -> None:
    moved = replace(order, reported_at=transition.now, fate_unknown_at=None, hand_out_again=False)
    if command.exec_id is not None and command.exec_id not in order.exec_ids:
        moved = replace(moved, exec_ids=(*order.exec_ids, command.exec_id))
    if qty and command.fill_price is not None:
        moved = fill_order(transition, moved, qty, command.fill_price)
    transition.record(OrderReported(order.id, order.asset, command.status, qty, command.fill_price, command.exec_id))
    status = _status_after(moved, command.status)
    if status.is_final:
        _after_end(transition, end_order(transition, moved, status, command.reason))
    else:
        transition.put_order(replace(moved, status=status))
    if qty and order.cancelled_for is not None:
        demand_exit(transition, order.asset, order.cancelled_for)


def _status_after(order: Order, reported: OrderStatus) -> OrderStatus:
    """Return the order's status after a report. The filled quantity decides, except for a final status."""
    if reported.is_final:
        return reported
    if order.filled_qty == 0:
        return reported
    return OrderStatus.FILLED if order.remaining == 0 else OrderStatus.PARTIALLY_FILLED


def _after_end(transition: Transition, ended: Order) -> None:
    """Retry an exit that ended unfilled, and queue a latched exit in the same decision."""
    if ended.status is OrderStatus.REJECTED and ended.kind != "EXIT":
        _warn_of_rejection(transition, ended)
    if ended.kind == "EXIT" and ended.filled_qty < ended.qty:
        retry_exit(transition, ended)
    pursue_exit(transition, ended.asset)


def _warn_of_rejection(transition: Transition, ended: Order) -> None:
    symbol = ended.contract.symbol
    detail = f"{ended.side} {ended.qty} {symbol} ({ended.reason or 'no reason given'})"
    facts = {"order_id": ended.id, "side": ended.side, "qty": ended.qty, "symbol": symbol, "reason": ended.reason}
    transition.alert("order_rejected", detail, ended.asset, facts)
