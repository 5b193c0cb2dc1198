"""What an execution report adds to its order, and what it repeats (SPEC 8.1, 8.3). All functions are pure."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.bridge_commands import ReportExecution
from services.engine.model.order import Order, UnnamedFill
from wire.types import Instant, OrderStatus, Usd

REPEATED_WITHIN = timedelta(seconds=15)
"""A bridge waits 10 s for an answer and at most 5 s more before it sends a report again."""
FILLS = frozenset({OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED})


def newly_filled(order: Order, report: ReportExecution) -> int:
    """Return the contracts that the report adds to those counted before.

    ``cum_qty`` wins over everything else. A repeated ``exec_id`` adds nothing, except that FILLED fills what is left of
    an open order. What the broker's positions or the operator have booked already is in ``settled_qty``.
    """
    if report.cum_qty is not None:
        return max(0, report.cum_qty - order.filled_qty)
    if report.status not in FILLS or _is_full(order):
        return 0
    if _means_the_rest(order, report):
        is_overtaken = order.status.is_final and is_known(order, report)
        return 0 if is_overtaken else max(0, order.remaining)
    if is_known(order, report):
        return 0
    return max(0, (report.qty or 0) - order.settled_qty)


def _is_full(order: Order) -> bool:
    """Return whether the order has ended with all its contracts: reports without ``cum_qty`` then repeat others."""
    return order.status.is_final and order.remaining <= 0


def _means_the_rest(order: Order, report: ReportExecution) -> bool:
    return report.status is OrderStatus.FILLED and report.qty in (None, order.qty)


def is_known(order: Order, report: ReportExecution) -> bool:
    """Return whether the execution was reported before."""
    return report.exec_id is not None and report.exec_id in order.exec_ids


def is_repeated(order: Order, report: ReportExecution) -> bool:
    """Return whether the report of an open order, which adds no contracts, repeats what the order shows already."""
    if report.status is OrderStatus.WORKING:
        return order.status in (OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED)
    if report.status is not OrderStatus.PARTIALLY_FILLED:
        return False
    return is_known(order, report) or (report.cum_qty is not None and report.cum_qty <= order.filled_qty)


def agrees_with_end(order: Order, report: ReportExecution) -> bool:
    """Return whether the report of a final order, which adds no contracts, contradicts nothing.

    It repeats the end or an execution, or it was overtaken: WORKING and PARTIALLY_FILLED are sent before the end.
    """
    if order.status is report.status or is_known(order, report) or report.status is OrderStatus.WORKING:
        return True
    if report.status is OrderStatus.FILLED:
        return order.remaining <= 0 or _is_settled(order, report)
    if report.status is not OrderStatus.PARTIALLY_FILLED:
        return False
    counted = report.cum_qty is not None and 0 < report.cum_qty <= order.filled_qty
    return order.status is OrderStatus.FILLED or counted or _is_settled(order, report)


def _is_settled(order: Order, report: ReportExecution) -> bool:
    return report.cum_qty is None and 0 < (report.qty or 0) <= order.settled_qty


def is_sent_again(order: Order, report: ReportExecution, now: Instant) -> bool:
    """Return whether the report of a part is the last one again: nothing names either, and a bridge repeats so soon.

    Two fills of the same size and price are told so, too: the caller must flag it (SPEC 8.3).
    """
    last = order.unnamed
    if last is None or not _is_unnamed(report) or now >= last.at + REPEATED_WITHIN:
        return False
    return (last.qty, last.price) == (report.qty, report.fill_price)


def _is_unnamed(report: ReportExecution) -> bool:
    is_part = report.status is OrderStatus.PARTIALLY_FILLED
    return is_part and report.exec_id is None and report.cum_qty is None and bool(report.qty)


def with_unnamed(order: Order, report: ReportExecution, now: Instant) -> Order:
    """Return the order that remembers the report when nothing names it."""
    if not _is_unnamed(report):
        return order
    return replace(order, unnamed=UnnamedFill(report.qty or 0, report.fill_price, now))


def counted(order: Order, report: ReportExecution, qty: int) -> Order:
    """Return the order with the report's execution, its commission, and without what it settles of ``settled_qty``.

    ``qty`` contracts are new; the rest of what the report names was booked before.
    """
    named = report.cum_qty if report.cum_qty is not None else report.qty or 0
    exec_ids = order.exec_ids
    unnamed = order.unnamed_qty
    if report.exec_id is None:
        unnamed += qty
    elif report.exec_id not in exec_ids:
        exec_ids = (*exec_ids, report.exec_id)
    settled = 0 if report.status.is_final else max(0, order.settled_qty - max(0, named - qty))
    commission = order.commission + (report.commission if isinstance(report.commission, Usd) else 0)
    return replace(order, exec_ids=exec_ids, unnamed_qty=unnamed, settled_qty=settled, commission=commission)
