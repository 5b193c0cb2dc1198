"""Entries that wait: intent and pre-order for the next 6pt brick, a proposal for the operator (SPEC 4)."""

from __future__ import annotations

from flask import Response

from routes.http.describing import answers
from routes.http.parsing import AssetBody, ClickBody, accepts
from routes.http.replies import answer, answer_with_asset, app_services
from routes.operator import operator_calls
from services.engine.model.commands import CancelIntent, CancelPreOrder, PlaceIntent
from services.engine.model.proposal_commands import DismissProposal
from wire.answers import AssetAnswer, VersionAnswer

waiting = operator_calls("waiting", __name__)


@waiting.post("/api/intent")
@answers(AssetAnswer, errors=(409,))
@accepts(ClickBody)
def place_intent(body: ClickBody) -> Response:
    """Place the intent to enter after the next 6pt brick."""
    outcome = app_services().manager.submit(PlaceIntent(body.asset), clicked_at=body.clicked_at)
    return answer_with_asset(outcome, body.asset)


@waiting.post("/api/intent/cancel")
@answers(AssetAnswer, errors=(409,))
@accepts(AssetBody)
def cancel_intent(body: AssetBody) -> Response:
    """Cancel the intent."""
    return answer_with_asset(app_services().manager.submit(CancelIntent(body.asset)), body.asset)


@waiting.post("/api/preorder/cancel")
@answers(AssetAnswer, errors=(409,))
@accepts(AssetBody)
def cancel_preorder(body: AssetBody) -> Response:
    """Cancel the pre-order."""
    return answer_with_asset(app_services().manager.submit(CancelPreOrder(body.asset)), body.asset)


@waiting.post("/api/proposals/<proposal_id>/dismiss")
@answers(VersionAnswer, errors=(409,))
def dismiss_proposal(proposal_id: str) -> Response:
    """Put an open proposal aside."""
    outcome = app_services().manager.submit(DismissProposal(proposal_id))
    return answer(outcome, VersionAnswer(version=outcome.version))
