"""The operator's controls of an open trade: exit and exit all (SPEC 5.3, 7.3)."""

from __future__ import annotations

from flask import Blueprint, Response

from routes.guards import guarded_by
from routes.parsing import OperatorBody, Symbol, accepts
from routes.replies import answer, house
from services.engine.answers import ExitsTaken, OrderTaken
from services.engine.commands import ExitAll, ExitPosition
from services.view import order_view

controls = Blueprint("controls", __name__)


class ExitBody(OperatorBody):
    asset: Symbol
    force: bool = False


class ExitAllBody(OperatorBody):
    force: bool = False


@controls.post("/api/exit")
@guarded_by("operator")
@accepts(ExitBody)
def exit_position(body: ExitBody) -> Response:
    """Exit one asset; ``force`` breaks the initial exit lock and is journaled."""
    outcome = house().manager.submit(ExitPosition(body.asset.upper(), body.force))
    if not isinstance(outcome.answer, OrderTaken):
        return answer(outcome, {})
    taken = outcome.answer
    order = order_view(taken.order) if taken.order else None
    return answer(outcome, {"order": order, "latched": taken.latched, "already_pending": taken.already_pending})


@controls.post("/api/exit-all")
@guarded_by("operator")
@accepts(ExitAllBody)
def exit_all(body: ExitAllBody) -> Response:
    """Flatten every asset; what is locked is skipped and said, unless forced."""
    outcome = house().manager.submit(ExitAll(body.force))
    if not isinstance(outcome.answer, ExitsTaken):
        return answer(outcome, {})
    taken = outcome.answer
    orders = [{"order_id": order.id, **order_view(order)} for order in taken.orders]
    cancelled = [order_view(order) for order in taken.cancelled]
    skipped = [{"asset": skip.asset, "reason": skip.reason} for skip in taken.skipped]
    report = {"orders": orders, "cancelled": cancelled, "latched": list(taken.latched), "skipped": skipped}
    return answer(outcome, report)
