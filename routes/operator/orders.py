"""Orders: the operator places them, a bridge takes them and reports what became of them (SPEC 4, 8)."""

from __future__ import annotations

import threading
import time
from typing import Annotated, Literal

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, Field, model_validator

from routes.http.answers import EntryAnswer, HandoverAnswer, ReportAnswer
from routes.http.describing import answers, takes_header
from routes.http.errors import InvalidRequest
from routes.http.guards import guarded_by
from routes.http.parsing import (
    AskedNumber,
    BridgeBody,
    ClickBody,
    Money,
    Quantity,
    Symbol,
    Words,
    accepts,
    asks,
)
from routes.http.replies import answer, app_services, whole_state
from services.desk.commit_batch import Outcome
from services.desk.publication import Snapshot
from services.engine.model.commands import ClaimOrders, EnterMarket, PlacePreOrder, ReportExecution
from services.engine.model.replies import Done, OrdersHandedOver, OrderTaken
from services.engine.steps.orders import is_claimable
from services.live.activity import REPORT, report_text
from services.views.rows import Json, handover_view, order_view
from wire.types import OrderStatus

orders = Blueprint("orders", __name__)

LONGEST_WAIT_SECONDS = 25
LONGEST_KEY = 200
LEASES_CHECKED_EVERY_SECONDS = 1.0  # a lease runs out by the clock alone, no change tells of it
WAITING_AT_MOST = 16  # threads that long-polls may hold; one more bridge is answered at once
waiting_places = threading.BoundedSemaphore(WAITING_AT_MOST)


class EntryBody(ClickBody):
    """``POST /api/orders``: a market entry now, or a pre-order for the next 6pt brick."""

    trade_mode: Literal["SCALP", "RUNNER"]
    order_type: Literal["market", "preorder"] = "market"
    direction: Literal["BUY", "SELL"] | None = None
    entry_size_mode: Literal["6pt", "9pt"] = "6pt"
    entry_override: bool = False
    override_reason: Annotated[str, Field(max_length=300)] | None = Field(
        default=None, description="why the zone is overridden; journaled with the entry"
    )

    @model_validator(mode="after")
    def override_names_direction(self) -> EntryBody:
        if self.entry_override and self.direction is None:
            raise ValueError("entry_override needs a direction: it skips the zone that would give one")
        if self.override_reason is not None and not self.entry_override:
            raise ValueError("override_reason is for an entry_override")
        return self


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


@orders.post("/api/orders")
@guarded_by("operator")
@answers(EntryAnswer, 201, errors=(409, 422))
@takes_header("Idempotency-Key", "the same key answers the first result again for 24 h", LONGEST_KEY)
@accepts(EntryBody)
def place_order(body: EntryBody) -> Response:
    """Ask for a market entry, the whole ladder answers; or let a pre-order wait."""
    asked = PlacePreOrder if body.order_type == "preorder" else EnterMarket
    command = asked(
        asset=body.asset,
        trade_mode=body.trade_mode,
        size_mode=body.entry_size_mode,
        direction=body.direction,
        override=body.entry_override,
        override_reason=body.override_reason or None,
    )
    outcome = app_services().manager.submit(command, _idempotency_key(), body.clicked_at)
    if isinstance(outcome.answer, Done):
        return answer(outcome, {"preorder": _preorder_view(outcome, body.asset), "state": whole_state()}, 201)
    if not isinstance(outcome.answer, OrderTaken) or outcome.answer.order is None:
        return answer(outcome, {})
    return answer(outcome, {"order": order_view(outcome.answer.order), "state": whole_state()}, 201)


def _preorder_view(outcome: Outcome, symbol: str) -> Json:
    preorder = outcome.desk.assets[symbol].preorder
    return {"asset": symbol, "direction": preorder.direction, "status": preorder.status} if preorder else {}


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        raise InvalidRequest("Idempotency-Key", f"must be 1 to {LONGEST_KEY} characters")
    return key


@orders.get("/api/orders/pending")
@guarded_by("bridge")
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
    return jsonify({"ok": True, "orders": handed})


def _wait_and_claim(owner: str, limit: int, patience: float) -> list[Json]:
    parts, deadline = app_services(), time.monotonic() + patience

    def may_go_on(snapshot: Snapshot) -> bool:
        return parts.is_stopping() or _has_work(snapshot, owner)

    handed: list[Json] = []
    while not handed and (left := deadline - time.monotonic()) > 0 and not parts.is_stopping():
        if parts.manager.wait_until(may_go_on, min(left, LEASES_CHECKED_EVERY_SECONDS)):
            handed = _claim(owner, limit)
    return handed


def _has_work(snapshot: Snapshot, owner: str) -> bool:
    now = app_services().manager.now
    return any(is_claimable(order, owner, now) for order in snapshot.desk.orders.values())


def _claim(owner: str, limit: int) -> list[Json]:
    """Claim only when there is something: an empty answer costs no turn of the writer."""
    manager = app_services().manager
    if not _has_work(manager.snapshot, owner):
        return []
    taken = manager.submit(ClaimOrders(owner, limit)).answer
    handovers = taken.handovers if isinstance(taken, OrdersHandedOver) else ()
    return [handover_view(handover.order, handover.redelivered) for handover in handovers]


@orders.post("/api/orders/<order_id>/execution-report")
@guarded_by("bridge")
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
    return answer(outcome, {"duplicate": True} if duplicate else {})
