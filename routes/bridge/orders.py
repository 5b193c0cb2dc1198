"""Orders as a bridge sees them: it takes what is queued and reports what became of it (SPEC 8)."""

from __future__ import annotations

import threading
import time
from typing import Annotated, Literal

from flask import Response
from msgspec import UNSET
from pydantic import BaseModel, Field

from routes.bridge import bridge_calls
from routes.http.describing import answers
from routes.http.parsing import AskedNumber, BridgeBody, Money, Quantity, Symbol, Words, accepts, asks
from routes.http.replies import answer, app_services, reply
from services.desk.publication import Snapshot
from services.engine.model.commands import ClaimOrders, ReportExecution
from services.engine.model.replies import OrdersHandedOver
from services.engine.steps.orders import is_claimable
from services.live.activity import REPORT, report_text
from services.views.rows import handover_view
from wire.answers import HandoverAnswer, ReportAnswer
from wire.bridge import OrderTicket
from wire.types import OrderStatus

orders = bridge_calls("bridge_orders", __name__)

LONGEST_WAIT_SECONDS = 25
LEASES_CHECKED_EVERY_SECONDS = 1.0  # a lease runs out by the clock alone, no change tells of it
WAITING_AT_MOST = 16  # threads that long-polls may hold; one more bridge is answered at once
waiting_places = threading.BoundedSemaphore(WAITING_AT_MOST)


class ReportDetails(BridgeBody):
    fill_price: Money | None = None
    qty: Quantity | None = None
    exec_id: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    cum_qty: Quantity | None = None
    reason: Words | None = None
    symbol: Symbol | None = None
    side: Literal["BUY", "SELL"] | None = None


class ReportBody(BridgeBody):
    status: Literal["WORKING", "PARTIALLY_FILLED", "FILLED", "REJECTED", "CANCELLED"]
    extra: ReportDetails = ReportDetails()


class PendingQuery(BaseModel):
    """Who asks, for how many orders at most, and how many seconds it would wait for the first."""

    owner: Annotated[str, Field(min_length=1, max_length=64)] = "bridge"
    limit: Annotated[AskedNumber, Field(ge=1, le=100)] = 20
    wait: Annotated[AskedNumber, Field(ge=0, le=LONGEST_WAIT_SECONDS)] = 0


@orders.get("/api/orders/pending")
@answers(HandoverAnswer)
@asks(PendingQuery)
def hand_over(query: PendingQuery) -> Response:
    """Give the owner what is queued; with ``wait`` the answer comes the moment an order is (SPEC 8.2)."""
    handed = _claim(query.owner, query.limit)
    if not handed and query.wait and waiting_places.acquire(blocking=False):
        try:
            handed = _wait_and_claim(query.owner, query.limit, query.wait)
        finally:
            waiting_places.release()
    return reply(HandoverAnswer(orders=handed))


def _wait_and_claim(owner: str, limit: int, patience: float) -> tuple[OrderTicket, ...]:
    parts, deadline = app_services(), time.monotonic() + patience

    def may_go_on(snapshot: Snapshot) -> bool:
        return parts.is_stopping() or _has_work(snapshot, owner)

    handed: tuple[OrderTicket, ...] = ()
    while not handed and (left := deadline - time.monotonic()) > 0 and not parts.is_stopping():
        if parts.manager.wait_until(may_go_on, min(left, LEASES_CHECKED_EVERY_SECONDS)):
            handed = _claim(owner, limit)
    return handed


def _has_work(snapshot: Snapshot, owner: str) -> bool:
    now = app_services().manager.now
    return any(is_claimable(order, owner, now) for order in snapshot.desk.orders.values())


def _claim(owner: str, limit: int) -> tuple[OrderTicket, ...]:
    """Claim only when there is something: an empty answer costs no turn of the writer."""
    manager = app_services().manager
    if not _has_work(manager.snapshot, owner):
        return ()
    taken = manager.submit(ClaimOrders(owner, limit)).answer
    handovers = taken.handovers if isinstance(taken, OrdersHandedOver) else ()
    return tuple([handover_view(handover.order, handover.redelivered) for handover in handovers])


@orders.post("/api/orders/<order_id>/execution-report")
@answers(ReportAnswer, errors=(404, 409))
@accepts(ReportBody)
def take_report(body: ReportBody, order_id: str) -> Response:
    """Move the order on by what the broker did; a repeated report changes nothing (SPEC 8.3)."""
    extra = body.extra
    command = ReportExecution(
        order_id=order_id[:64],
        status=OrderStatus(body.status),
        fill_price=extra.fill_price,
        qty=extra.qty,
        exec_id=extra.exec_id,
        cum_qty=extra.cum_qty,
        reason=extra.reason,
        symbol=extra.symbol,
        side=extra.side,
    )
    outcome = app_services().manager.submit(command)
    app_services().note_bridge(REPORT, report_text(command), outcome)
    duplicate = getattr(outcome.answer, "duplicate", False)
    return answer(outcome, ReportAnswer(version=outcome.version, duplicate=True if duplicate else UNSET))
