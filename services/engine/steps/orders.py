"""Orders between desk and bridge: handed over once, moved on by reports (SPEC 8.1 to 8.3)."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.commands import ClaimOrders, ReportExecution
from services.engine.model.events import OrderClaimed, OrderReported
from services.engine.model.order import Order
from services.engine.model.replies import Done, Handover, OrdersHandedOver, Refusal, Reply
from services.engine.steps.exits import pursue_exit, retry_exit
from services.engine.steps.order_queue import end_order
from services.engine.steps.trades import fill_entry, fill_exit
from services.engine.transition import Transition
from wire.types import Instant, OrderStatus, Price

CLAIM_LEASE = timedelta(seconds=60)
EXIT_UNCLAIMED_AFTER = timedelta(seconds=10)
FILLS = frozenset({OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED})


def is_claimable(order: Order, owner: str, now: Instant) -> bool:
    """Tell whether the owner gets the order when it asks (SPEC 8.2)."""
    if order.status is OrderStatus.PENDING:
        return order.expires_at is None or now < order.expires_at
    if order.status is not OrderStatus.CLAIMED or order.claimed_at is None:
        return False
    lease_is_over = now >= order.claimed_at + CLAIM_LEASE
    return order.owner == owner or (order.kind == "EXIT" and lease_is_over)


def claim_orders(transition: Transition, command: ClaimOrders) -> Reply:
    """Hand each claimable order to exactly one owner; its own unreported ones come again."""
    claimable = [o for o in transition.desk.orders.values() if is_claimable(o, command.owner, transition.now)]
    handovers = []
    for order in claimable[: command.limit]:
        again = order.status is OrderStatus.CLAIMED
        if order.owner != command.owner:
            claimed = replace(order, status=OrderStatus.CLAIMED, owner=command.owner, claimed_at=transition.now)
            order = transition.put_order(claimed)
            transition.record(OrderClaimed(order.id, command.owner, redelivered=again))
        handovers.append(Handover(order, again))
    return OrdersHandedOver(tuple(handovers))


def report_execution(transition: Transition, command: ReportExecution) -> Reply | Refusal:
    """Move an order on by what the broker did. A report heard before changes nothing (SPEC 8.3)."""
    order = transition.desk.orders.get(command.order_id)
    if order is None:
        return _answer_for_final(transition, command, command.recalled)
    if (problem := _mismatch(order, command)) is not None:
        return Refusal("report_invalid", problem)
    if _was_heard(order, command):
        return Done(duplicate=True)
    qty = _newly_filled(order, command)
    if qty > order.remaining:
        sentence = f"OVERFILL — {order.contract.symbol} order was {order.qty}, report fills {order.filled_qty + qty}"
        transition.alert("overfill", "critical", sentence, order.asset)
        return Refusal("report_conflict", sentence)
    if command.status in FILLS and order.filled_qty + qty == 0:
        return Refusal("report_invalid", f"{command.status} was reported without any quantity")
    if qty and command.fill_price is None and command.status not in FILLS:
        sentence = f"FILL WITHOUT A PRICE — {qty} of {order.contract.symbol}, reconciliation will book it"
        transition.alert("fill_without_price", "critical", sentence, order.asset)
        qty = 0
    if qty and command.fill_price is None:
        return Refusal("report_invalid", f"fill_price was missing in a report that fills {qty}")
    _move_on(transition, order, command, qty)
    return Done()


def _answer_for_final(transition: Transition, command: ReportExecution, order: Order | None) -> Reply | Refusal:
    if order is None:
        return Refusal("unknown_order", f"order {command.order_id} is not known")
    repeated = command.exec_id is not None and command.exec_id in order.exec_ids
    overtaken = command.status in (OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED)
    harmless = (overtaken and order.status is OrderStatus.FILLED) or command.status is OrderStatus.WORKING
    if order.status is command.status or repeated or harmless:
        return Done(duplicate=True)
    sentence = f"CONFLICTING REPORT — order {order.id} is {order.status}, the bridge says {command.status}"
    transition.alert("report_conflict", "critical", sentence, order.asset)
    return Refusal("report_conflict", sentence)


def _mismatch(order: Order, command: ReportExecution) -> str | None:
    if command.symbol not in (None, order.contract.symbol):
        return f"symbol was {command.symbol}, the order's is {order.contract.symbol}"
    if command.side not in (None, order.side):
        return f"side was {command.side}, the order's is {order.side}"
    return None


def _was_heard(order: Order, command: ReportExecution) -> bool:
    """Tell whether the report repeats what the order shows already (SPEC 8.3)."""
    if command.status is OrderStatus.WORKING:
        return order.status in (OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED)
    if command.status not in FILLS:
        return False
    if command.exec_id is not None and command.exec_id in order.exec_ids:
        return True
    is_partial = command.status is OrderStatus.PARTIALLY_FILLED
    return is_partial and command.cum_qty is not None and command.cum_qty <= order.filled_qty


def _newly_filled(order: Order, command: ReportExecution) -> int:
    """Return the contracts this report adds: from ``cum_qty``, else ``qty``, else all that remained."""
    if command.cum_qty is not None:
        return max(0, command.cum_qty - order.filled_qty)
    if command.status not in FILLS:
        return 0
    if command.qty is None:
        return order.remaining if command.status is OrderStatus.FILLED else 0
    names_whole_order = command.status is OrderStatus.FILLED and command.qty == order.qty
    return order.remaining if names_whole_order else command.qty


def _move_on(transition: Transition, order: Order, command: ReportExecution, qty: int) -> None:
    moved = replace(order, reported_at=transition.now)
    if command.exec_id is not None and command.exec_id not in order.exec_ids:
        moved = replace(moved, exec_ids=(*order.exec_ids, command.exec_id))
    if qty and command.fill_price is not None:
        moved = _fill(transition, moved, qty, command.fill_price)
    transition.record(OrderReported(order.id, order.asset, command.status, qty, command.fill_price, command.exec_id))
    status = _status_after(moved, command.status)
    if status.is_final:
        _after_end(transition, end_order(transition, moved, status, command.reason))
    else:
        transition.put_order(replace(moved, status=status))


def _status_after(order: Order, reported: OrderStatus) -> OrderStatus:
    """Return the order's status after a report: what filled counts for more than what it was called."""
    if reported.is_final:
        return reported
    if order.filled_qty == 0:
        return reported
    return OrderStatus.FILLED if order.remaining == 0 else OrderStatus.PARTIALLY_FILLED


def _fill(transition: Transition, order: Order, qty: int, price: Price) -> Order:
    filled = replace(order, filled_qty=order.filled_qty + qty, filled_notional=order.filled_notional + price * qty)
    if order.kind == "EXIT":
        fill_exit(transition, order, qty, price)
    else:
        fill_entry(transition, order, qty, price)
    return filled


def _after_end(transition: Transition, ended: Order) -> None:
    """An order is final: a refused exit is tried again, a latched one becomes an order in this very step."""
    if ended.status is OrderStatus.REJECTED and ended.kind != "EXIT":
        what = f"{ended.side} {ended.qty} {ended.contract.symbol}"
        why = ended.reason or "no reason given"
        transition.alert("order_rejected", "warning", f"ORDER REJECTED — {what} ({why})", ended.asset)
    if ended.kind == "EXIT" and ended.filled_qty < ended.qty:
        retry_exit(transition, ended)
    pursue_exit(transition, ended.asset)


def expire_entries(transition: Transition) -> None:
    """Let unclaimed entries expire: a stale market order must never execute (SPEC 4)."""
    for order in list(transition.desk.orders.values()):
        stale = order.expires_at is not None and transition.now >= order.expires_at
        if stale and order.status is OrderStatus.PENDING:
            reason = f"not claimed by a bridge within {transition.desk.rules.entry_ttl_seconds} s"
            end_order(transition, order, OrderStatus.EXPIRED, reason)
            what = order.kind.replace("_", "-")
            transition.alert("entry_expired", "warning", f"{what} EXPIRED — {reason}", order.asset)
            pursue_exit(transition, order.asset)


def warn_of_unclaimed_exits(transition: Transition) -> None:
    """Raise an alert, once, for an exit that no bridge took within 10 s (SPEC 4)."""
    for order in list(transition.desk.orders.values()):
        waiting = order.kind == "EXIT" and order.status is OrderStatus.PENDING and not order.alerted
        if waiting and transition.now >= order.created_at + EXIT_UNCLAIMED_AFTER:
            transition.put_order(replace(order, alerted=True))
            sentence = f"EXIT UNCLAIMED — no bridge took the {order.source} exit of {order.contract.symbol} for 10 s"
            transition.alert("exit_unclaimed", "critical", sentence, order.asset)
