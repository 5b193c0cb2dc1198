"""Apply the bridge's execution reports to their orders (SPEC 8.1, 8.3)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.bridge_commands import ReportExecution
from services.engine.model.events import FillRefused, OrderReported
from services.engine.model.order import Order
from services.engine.model.replies import Done, LateFillTaken, Refusal, Reply
from services.engine.rules.beliefs import GROSS_UNTIL
from services.engine.rules.costs import FillCost
from services.engine.rules.fill_prices import Booked, known_price, price_to_book
from services.engine.rules.refusals import explanation_of, refuse
from services.engine.rules.report_word import (
    FILLS,
    agrees_with_end,
    counted,
    is_known,
    is_repeated,
    is_sent_again,
    newly_filled,
    with_unnamed,
)
from services.engine.steps.charges import take_late_commission
from services.engine.steps.corrections import correct_closed
from services.engine.steps.doubts import begin_doubt
from services.engine.steps.exits import demand_exit, pursue_exit, retry_exit
from services.engine.steps.fills import fill_order, remember_execution
from services.engine.steps.late_fills import book_late_fill, book_overfill
from services.engine.steps.order_queue import end_order
from services.engine.steps.suspect_fills import doubt_fill_price
from services.engine.transition import Transition
from wire.types import DoubtCode, OrderStatus, Usd


def report_execution(transition: Transition, command: ReportExecution) -> Reply | Refusal:
    """Apply an execution report to its order. A report that repeats an earlier one changes nothing (SPEC 8.3)."""
    order = transition.desk.orders.get(command.order_id) or command.recalled
    if order is None:
        refusal = refuse("unknown_order", f"order {command.order_id} is not known", order_id=command.order_id)
        return _refused(transition, command, refusal)
    if is_sent_again(order, command, transition.now):
        return _flag_repeated(transition, order, command)
    qty = newly_filled(order, command)
    if not order.status.is_final:
        return _report_on_open(transition, order, command, qty)
    return (
        _report_after_end(transition, order, command, qty) if qty else _repeat_or_conflict(transition, order, command)
    )


def _flag_repeated(transition: Transition, order: Order, command: ReportExecution) -> Reply:
    """Count a part that nothing names once. It may have been another fill: a snapshot has to agree (SPEC 8.3)."""
    symbol = order.contract.symbol
    detail = f"{command.qty} of {symbol} were reported twice without exec_id and cum_qty: counted once"
    facts = {"order_id": order.id, "symbol": symbol, "qty": command.qty, "price": command.fill_price}
    transition.alert_again("report_repeated", detail, order.asset, facts, "order_id")
    if order.env == transition.desk.env:
        begin_doubt(transition, order.asset, "repeated_fill")
    return Done(duplicate=True)


def _report_on_open(transition: Transition, order: Order, command: ReportExecution, qty: int) -> Reply | Refusal:
    if not qty and is_repeated(order, command):
        _take_repeated(transition, order, command)
        return Done(duplicate=True)
    if command.status in FILLS and order.filled_qty + qty == 0:
        detail = f"{command.status} was reported without any quantity"
        return _refused(transition, command, refuse("report_invalid", detail, status=command.status), order)
    booked = price_to_book(transition.asset(order.asset), command.fill_price, transition.now) if qty else None
    if qty and booked is None and command.status in FILLS:
        return _refuse_unpriced(transition, command, order, qty)
    if qty and booked is None:
        _doubt_price(transition, order, qty, None)
        qty = 0
    is_over = qty > order.remaining
    _apply_report(transition, order, command, qty, booked)
    return LateFillTaken() if is_over else Done()


def _report_after_end(transition: Transition, order: Order, command: ReportExecution, qty: int) -> Reply | Refusal:
    """Book a fill that was not counted before its order ended."""
    booked = price_to_book(transition.asset(order.asset), command.fill_price, transition.now)
    if booked is None:
        return _refuse_unpriced(transition, command, order, qty)
    moved = with_unnamed(counted(order, command, qty), command, transition.now)
    filled = book_late_fill(transition, moved, qty, booked, command.exec_id, _commission(command))
    transition.put_order(filled)
    remember_execution(transition, order.asset, "", command.exec_id)
    if booked.estimated:
        _doubt_price(transition, order, qty, booked)
    _doubt_names(transition, order, command)
    if order.cancelled_for is not None:
        demand_exit(transition, order.asset, order.cancelled_for)
    pursue_exit(transition, order.asset)
    return LateFillTaken()


def _repeat_or_conflict(transition: Transition, order: Order, command: ReportExecution) -> Reply | Refusal:
    """Answer a report of a final order that adds nothing: it repeats the end or contradicts it."""
    if agrees_with_end(order, command):
        _take_repeated(transition, order, command)
        if order.settled_qty and not is_known(order, command):
            transition.put_order(counted(order, command, 0))
            _correct_settled(transition, order, command)
            transition.record(OrderReported(order.id, order.asset, command.status, exec_id=command.exec_id))
        return Done(duplicate=True)
    detail = f"order {order.id} is {order.status}, the bridge says {command.status}"
    facts = {"order_id": order.id, "status": order.status, "reported": command.status}
    if order.env == transition.desk.env:
        begin_doubt(transition, order.asset, "contradicted")
    return _refused(transition, command, refuse("report_conflict", detail, **facts), order, "report_conflict")


def _correct_settled(transition: Transition, order: Order, command: ReportExecution) -> None:
    """Take the price of a fill that the broker's position had booked before (SPEC 8.3)."""
    price = known_price(command.fill_price)
    if price is not None:
        told = command.qty if command.cum_qty is None else command.cum_qty
        change = order.sign * (order.settled_qty if told is None else min(order.settled_qty, told))
        correct_closed(transition, order.asset, change, Booked(price, estimated=False), order.source, order.id)
        cost = FillCost(_commission(command), order.id, command.exec_id)
        take_late_commission(transition, order.asset, abs(change), cost, by_name=False)


def _refuse_unpriced(transition: Transition, command: ReportExecution, order: Order, qty: int) -> Refusal:
    detail = f"fill_price was missing in a report that fills {qty}, and no price is known"
    refusal = refuse("report_invalid", detail, field="fill_price", qty=qty)
    transition.record(FillRefused(explanation_of(refusal), command.order_id, command.exec_id))
    _doubt_price(transition, order, qty, None)
    return refusal


def _refused(
    transition: Transition,
    command: ReportExecution,
    refusal: Refusal,
    order: Order | None = None,
    alert: str = "report_refused",
) -> Refusal:
    """Journal a refused report and raise an alert: a report that is lost may be a position that nobody knows."""
    detail = refusal.detail or refusal.sentence
    transition.record(FillRefused(explanation_of(refusal), command.order_id, command.exec_id))
    asset = None if order is None else order.asset
    facts = {"order_id": command.order_id, **refusal.facts, "reported": command.status}
    transition.alert_again(alert, detail, asset, facts, "order_id")
    return refusal


def _apply_report(
    transition: Transition, order: Order, command: ReportExecution, qty: int, booked: Booked | None
) -> None:
    within = min(qty, order.remaining)
    moved = with_unnamed(counted(order, command, qty), command, transition.now)
    moved = replace(moved, reported_at=transition.now, fate_unknown_at=None, hand_out_again=False)
    commission = _commission(command)
    cost = FillCost(commission, order.id, command.exec_id)
    price = None if booked is None else booked.price
    if within and booked is not None:
        before = transition.asset(order.asset)
        moved = fill_order(
            transition,
            moved,
            within,
            booked.price,
            estimated=booked.estimated,
            commission=commission if transition.desk.generation <= GROSS_UNTIL else cost.share(within, qty).told,
            exec_id=command.exec_id,
        )
        doubt_fill_price(transition, before, order.contract, order.sign * within, booked, order.id)
        commission = None
    estimated = transition.names(booked is not None and booked.estimated)
    transition.record(OrderReported(order.id, order.asset, command.status, within, price, command.exec_id, estimated))
    if qty > within and booked is not None:
        rest = commission if transition.desk.generation <= GROSS_UNTIL else cost.share(qty - within, qty).told
        moved = book_overfill(transition, moved, qty - within, booked, command.exec_id, rest)
    if not qty:
        take_late_commission(transition, order.asset, command.qty or 0, cost, by_name=not order.settled_qty)
    remember_execution(transition, order.asset, "", command.exec_id)
    _doubt_names(transition, order, command)
    if booked is not None and booked.estimated:
        _doubt_price(transition, order, qty, booked)
    status = _status_after(moved, command.status)
    if status.is_final:
        _after_end(transition, end_order(transition, moved, status, command.reason))
    else:
        transition.put_order(replace(moved, status=status))
    if qty and order.cancelled_for is not None:
        demand_exit(transition, order.asset, order.cancelled_for)


def _commission(command: ReportExecution) -> Usd | None:
    return command.commission if isinstance(command.commission, Usd) else None


def _take_repeated(transition: Transition, order: Order, command: ReportExecution) -> None:
    """Take the commission that a repeated report tells of an execution whose first report did not (SPEC 8.3)."""
    cost = FillCost(_commission(command), order.id, command.exec_id)
    take_late_commission(transition, order.asset, command.qty or 0, cost)


def _doubt_price(transition: Transition, order: Order, qty: int, booked: Booked | None) -> None:
    """Raise an alert for a fill without a price, and close ``reconcile`` until a snapshot agrees."""
    symbol = order.contract.symbol
    at = "no price is known, the broker's position will book it"
    if booked is not None:
        at = f"counted at {booked.price:f} until the broker's average is heard"
    facts = {"order_id": order.id, "symbol": symbol, "qty": qty, "price": None if booked is None else booked.price}
    transition.alert("fill_without_price", f"{qty} of {symbol}: {at}", order.asset, facts)
    if order.env == transition.desk.env:
        begin_doubt(transition, order.asset, "unpriced_fill")


def _doubt_names(transition: Transition, order: Order, command: ReportExecution) -> None:
    """Raise an alert for a report that names another contract or side than its order. The order's id decides."""
    own = order.contract.symbol
    doubts: list[DoubtCode] = []
    if command.symbol not in (None, own):
        facts = {"order_id": order.id, "symbol": own, "reported": command.symbol}
        detail = f"the report of order {order.id} names {command.symbol}, the order's contract is {own}"
        transition.alert_again("wrong_symbol", detail, order.asset, facts, "order_id")
        doubts.append("wrong_symbol")
    if command.side not in (None, order.side):
        facts = {"order_id": order.id, "side": order.side, "reported": command.side}
        detail = f"the report of order {order.id} says {command.side}, the order's side is {order.side}"
        transition.alert_again("wrong_side", detail, order.asset, facts, "order_id")
        doubts.append("wrong_side")
    for code in doubts if order.env == transition.desk.env else ():
        begin_doubt(transition, order.asset, code)


def _status_after(order: Order, reported: OrderStatus) -> OrderStatus:
    """Return the order's status after a report. The filled quantity decides, except for a final status."""
    if reported.is_final:
        return reported
    if order.filled_qty == 0:
        return reported
    return OrderStatus.FILLED if order.remaining <= 0 else OrderStatus.PARTIALLY_FILLED


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
