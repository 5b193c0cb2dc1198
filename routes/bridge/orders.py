"""The bridge's order calls: it claims queued orders and reports their execution (SPEC 8)."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response, request
from msgspec import UNSET, Struct
from pydantic import BaseModel, BeforeValidator, Field

from routes.bridge import LONGEST_ID, alerts_unreadable, bridge_calls
from routes.http.describing import answers
from routes.http.errors import refused
from routes.http.later import is_first_call, remembered, seconds_left, wait_for
from routes.http.parsing import AskedNumber, BridgeBody, Instance, Money, Quantity, Symbol, Words, accepts, asks
from routes.http.replies import AppServices, answer, app_services, reply
from services.engine.model.bridge_commands import ClaimOrders, NoteTwoBridges, ReportExecution
from services.engine.model.replies import LateFillTaken, OrdersHandedOver, Refusal
from services.engine.rules.owner_fence import is_fenced_out
from services.engine.steps.orders import is_claimable
from services.live.activity import REPORT, report_text
from services.market.instruments import contract_named
from services.ops.logs import blackout
from services.views.rows import handover_view, stops_to_rest
from wire.answers import HandoverAnswer, ReportAnswer
from wire.bridge import OrderTicket, StopToRest
from wire.types import OrderStatus

orders = bridge_calls("bridge_orders", __name__)

LONGEST_WAIT_SECONDS = 25
ASKED_AGAIN_SECONDS = 1.0  # a bridge that was asked to take an order back or rest a stop is asked again so often
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
@answers(HandoverAnswer, errors=(409,))
@asks(PendingQuery)
def hand_over(query: PendingQuery) -> Response:
    """Hand queued orders to the owner; with ``wait`` answer as soon as one is queued (SPEC 8.2).

    A second process (``instance``) is refused with 409 ``owner_taken`` while the first one was heard within 60 s.
    """
    manager = app_services().manager
    if query.instance is None and is_first_call():
        _watch_callers(query)
    try:
        return _hand_over(query)
    except ClaimRefused as refused_claim:
        return refused(refused_claim.refusal, manager)


class ClaimRefused(Exception):
    """The desk refuses the claim."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal


def _watch_callers(query: PendingQuery) -> None:
    """Note a caller without an instance; two that ask in turns are told to the operator (SPEC 8.2)."""
    services = app_services()
    caller = f"{query.owner} ({request.remote_addr or 'unknown'})"
    other = services.bridge_callers.note(caller, services.manager.now)
    if other is not None:
        services.manager.submit(NoteTwoBridges((other, caller)))


def _hand_over(query: PendingQuery) -> Response:
    """Answer with what can be claimed or is asked beside, else wait: the view is then called again."""
    services = app_services()
    handed = _claim(query)
    beside = _asked_beside(query, services)
    told = remembered(beside)
    left = seconds_left(query.wait)
    if not handed and beside == told and left > 0 and not services.is_stopping():
        seconds = left if told.is_empty else min(left, ASKED_AGAIN_SECONDS)
        wait_for(lambda: _may_go_on(query, services, told), seconds, "orders", told)
    return reply(HandoverAnswer(orders=handed, cancels=beside.cancels or UNSET, stops=beside.stops or UNSET))


class AskedBeside(Struct, frozen=True):
    """What the bridge is asked beside its orders; both empty when nothing is asked."""

    cancels: tuple[str, ...]
    stops: tuple[StopToRest, ...]

    @property
    def is_empty(self) -> bool:
        return not self.cancels and not self.stops


def _asked_beside(query: PendingQuery, services: AppServices) -> AskedBeside:
    """Return the ids of this bridge's entries whose rest is asked back, and the stops to rest (SPEC 7.2, 8.4)."""
    desk = services.manager.snapshot.desk
    mine = (order for order in desk.orders.values() if order.owner == query.owner and order.instance == query.instance)
    return AskedBeside(tuple(order.id for order in mine if order.cancelled_for is not None), stops_to_rest(desk))


def _may_go_on(query: PendingQuery, services: AppServices, told: AskedBeside) -> bool:
    return services.is_stopping() or _has_work(query, services) or _asked_beside(query, services) != told


def _has_work(query: PendingQuery, services: AppServices) -> bool:
    now = services.manager.now
    desk = services.manager.snapshot.desk
    if is_fenced_out(desk, query.instance, now):
        return True
    return any(is_claimable(desk, order, query.owner, query.instance, now) for order in desk.orders.values())


def _claim(query: PendingQuery) -> tuple[OrderTicket, ...]:
    """Claim only when an order is queued, so that an empty answer needs no command of the writer.

    A process that may not claim always asks, so that the operator is told of it. Raises `ClaimRefused`.
    """
    services = app_services()
    if not _has_work(query, services):
        return ()
    taken = services.manager.submit(ClaimOrders(query.owner, query.limit, query.instance)).answer
    if isinstance(taken, Refusal):
        raise ClaimRefused(taken)
    handovers = taken.handovers if isinstance(taken, OrdersHandedOver) else ()
    return tuple([handover_view(handover.order, handover.redelivered) for handover in handovers])


@orders.post("/api/orders/<order_id>/execution-report")
@answers(ReportAnswer, errors=(404, 409))
@alerts_unreadable(tells_fills=True)
@accepts(ReportBody)
def take_report(body: ReportBody, order_id: str) -> Response:
    """Apply a report of the broker to its order; a repeated report changes nothing (SPEC 8.3)."""
    extra = body.extra
    command = ReportExecution(
        order_id=blackout.masked(order_id)[:LONGEST_ID],  # it is kept also when the desk has no such order
        status=OrderStatus(body.status),
        fill_price=extra.fill_price,
        qty=extra.qty,
        exec_id=extra.exec_id,
        cum_qty=extra.cum_qty,
        reason=None if extra.reason is None else blackout.masked(extra.reason),
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
