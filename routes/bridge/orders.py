"""The bridge's order calls: it claims queued orders and reports their execution (SPEC 8)."""

from __future__ import annotations

import threading
import time
from typing import Annotated, Literal

from flask import Response
from msgspec import UNSET
from pydantic import BaseModel, BeforeValidator, Field

from routes.bridge import bridge_calls
from routes.http.describing import answers
from routes.http.parsing import AskedNumber, BridgeBody, Instance, Money, Quantity, Symbol, Words, accepts, asks
from routes.http.replies import answer, app_services, reply
from services.desk.publication import Snapshot
from services.engine.model.commands import ClaimOrders, ReportExecution
from services.engine.model.replies import LateFillTaken, OrdersHandedOver
from services.engine.steps.orders import is_claimable
from services.live.activity import REPORT, report_text
from services.market.instruments import contract_named
from services.views.rows import handover_view
from wire.answers import HandoverAnswer, ReportAnswer
from wire.bridge import OrderTicket
from wire.types import OrderStatus

orders = bridge_calls("bridge_orders", __name__)

LONGEST_WAIT_SECONDS = 25
LEASES_CHECKED_EVERY_SECONDS = 1.0  # a lease expires by time alone, without a commit that would wake the wait
ASKED_BACK_SECONDS = 1.0  # a bridge that was asked to take an order back is asked again so often
WAITING_AT_MOST = 16  # threads that long-polls may occupy; a further bridge is answered at once
waiting_places = threading.BoundedSemaphore(WAITING_AT_MOST)


STATUS_WORDS = {"CANCELED": "CANCELLED"}


def _word(value: object) -> object:
    """Read a word of a report without case; ``CANCELED`` is a spelling of CANCELLED."""
    word = value.strip().upper() if isinstance(value, str) else value
    return STATUS_WORDS.get(word, word) if isinstance(word, str) else word


class ReportDetails(BridgeBody):
    fill_price: Money | None = None
    qty: Quantity | None = None
    exec_id: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    cum_qty: Quantity | None = None
    reason: Words | None = None
    symbol: Symbol | None = None
    side: Annotated[Literal["BUY", "SELL"] | None, BeforeValidator(_word)] = None
    commission: Money | None = None


class ReportBody(BridgeBody):
    status: Annotated[Literal["WORKING", "PARTIALLY_FILLED", "FILLED", "REJECTED", "CANCELLED"], BeforeValidator(_word)]
    extra: ReportDetails = ReportDetails()


class PendingQuery(BaseModel):
    """The bridge's name, the most orders to claim, the seconds to wait for the first one, the id of its ledger."""

    owner: Annotated[str, Field(min_length=1, max_length=64)] = "bridge"
    limit: Annotated[AskedNumber, Field(ge=1, le=100)] = 20
    wait: Annotated[AskedNumber, Field(ge=0, le=LONGEST_WAIT_SECONDS)] = 0
    instance: Instance | None = None


@orders.get("/api/orders/pending")
@answers(HandoverAnswer)
@asks(PendingQuery)
def hand_over(query: PendingQuery) -> Response:
    """Hand queued orders to the owner; with ``wait`` answer as soon as one is queued (SPEC 8.2)."""
    handed = _claim(query)
    if not handed and query.wait and waiting_places.acquire(blocking=False):
        try:
            handed = _wait_and_claim(query)
        finally:
            waiting_places.release()
    return reply(HandoverAnswer(orders=handed, cancels=_asked_back(query) or UNSET))


def _asked_back(query: PendingQuery) -> tuple[str, ...]:
    """Return the ids of this bridge's entries whose rest is asked back (SPEC 7.2)."""
    orders = app_services().manager.snapshot.desk.orders.values()
    mine = (order for order in orders if order.owner == query.owner and order.instance == query.instance)
    return tuple(order.id for order in mine if order.cancelled_for is not None)


def _wait_and_claim(query: PendingQuery) -> tuple[OrderTicket, ...]:
    services = app_services()
    told = _asked_back(query)
    deadline = time.monotonic() + (min(query.wait, ASKED_BACK_SECONDS) if told else query.wait)

    def may_go_on(snapshot: Snapshot) -> bool:
        return services.is_stopping() or _has_work(snapshot, query) or _asked_back(query) != told

    handed: tuple[OrderTicket, ...] = ()
    while (
        not handed
        and _asked_back(query) == told
        and (left := deadline - time.monotonic()) > 0
        and not services.is_stopping()
    ):
        if services.manager.wait_until(may_go_on, min(left, LEASES_CHECKED_EVERY_SECONDS)):
            handed = _claim(query)
    return handed


def _has_work(snapshot: Snapshot, query: PendingQuery) -> bool:
    now = app_services().manager.now
    desk = snapshot.desk
    return any(is_claimable(desk, order, query.owner, query.instance, now) for order in desk.orders.values())


def _claim(query: PendingQuery) -> tuple[OrderTicket, ...]:
    """Claim only when an order is queued, so that an empty answer needs no command of the writer."""
    manager = app_services().manager
    if not _has_work(manager.snapshot, query):
        return ()
    taken = manager.submit(ClaimOrders(query.owner, query.limit, query.instance)).answer
    handovers = taken.handovers if isinstance(taken, OrdersHandedOver) else ()
    return tuple([handover_view(handover.order, handover.redelivered) for handover in handovers])


@orders.post("/api/orders/<order_id>/execution-report")
@answers(ReportAnswer, errors=(404, 409))
@accepts(ReportBody)
def take_report(body: ReportBody, order_id: str) -> Response:
    """Apply a report of the broker to its order; a repeated report changes nothing (SPEC 8.3)."""
    extra = body.extra
    command = ReportExecution(
        order_id=order_id[:64],
        status=OrderStatus(body.status),
        fill_price=extra.fill_price,
        qty=extra.qty,
        exec_id=extra.exec_id,
        cum_qty=extra.cum_qty,
        reason=extra.reason,
        symbol=None if extra.symbol is None else _own_name(extra.symbol),
        side=extra.side,
        commission=UNSET if extra.commission is None else extra.commission,
    )
    outcome = app_services().manager.submit(command)
    app_services().note_bridge(REPORT, report_text(command), outcome)
    duplicate = getattr(outcome.answer, "duplicate", False)
    is_late = isinstance(outcome.answer, LateFillTaken)
    return answer(
        outcome,
        ReportAnswer(
            version=outcome.version,
            duplicate=True if duplicate else UNSET,
            late_fill=True if is_late else UNSET,
        ),
    )


def _own_name(symbol: str) -> str:
    """Return the contract's own name when the bridge's spelling can be read, else that spelling."""
    named = contract_named(symbol, app_services().manager.now.date())
    return symbol if named is None else named.symbol
