"""What the operator says of broker and bridge: an order's fate, a foreign position, who claims (SPEC 7.3, 8.1, 8.2)."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from routes.http.describing import answers
from routes.http.parsing import MOST_CONTRACTS, Money, OperatorBody, Quantity, Symbol, WholeNumber, accepts
from routes.http.replies import answer, app_services
from routes.operator import operator_calls
from services.engine.model.bridge_commands import AcceptPosition, ResolveOrder, TakeOverBridge
from wire.answers import VersionAnswer

broker = operator_calls("broker", __name__)

Reason = Annotated[str, Field(min_length=1, max_length=300)]


class ResolveBody(OperatorBody):
    outcome: Literal["filled", "not_filled"]
    qty: Quantity | None = Field(default=None, description="contracts that filled; without it the order's whole rest")
    price: Money | None = Field(default=None, description="price of the fill; without it the last price")
    reason: Reason


class TakeoverBody(OperatorBody):
    reason: Reason | None = None


class AcceptBody(OperatorBody):
    symbol: Symbol
    position: Annotated[WholeNumber, Field(ge=-MOST_CONTRACTS, le=MOST_CONTRACTS)]
    reason: Reason


@broker.post("/api/orders/<order_id>/resolve")
@answers(VersionAnswer, errors=(404, 409))
@accepts(ResolveBody)
def resolve(body: ResolveBody, order_id: str) -> Response:
    """Say what became of an order whose fate is unknown; `reconcile` stays closed until a snapshot agrees."""
    command = ResolveOrder(order_id[:64], body.outcome, body.reason, body.qty, body.price)
    outcome = app_services().manager.submit(command)
    return answer(outcome, VersionAnswer(version=outcome.version))


@broker.post("/api/bridge/takeover")
@answers(VersionAnswer)
@accepts(TakeoverBody, may_be_empty=True)
def take_over(body: TakeoverBody) -> Response:
    """Let the second bridge claim at once, or the next one that asks; the first one's leases end (SPEC 8.2)."""
    outcome = app_services().manager.submit(TakeOverBridge(body.reason))
    return answer(outcome, VersionAnswer(version=outcome.version))


@broker.post("/api/positions/accept")
@answers(VersionAnswer, errors=(409,))
@accepts(AcceptBody)
def accept(body: AcceptBody) -> Response:
    """Accept a position in a contract that the desk does not trade; it closes no gate until it changes."""
    outcome = app_services().manager.submit(AcceptPosition(body.symbol, body.position, body.reason))
    return answer(outcome, VersionAnswer(version=outcome.version))
