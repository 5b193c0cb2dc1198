"""Entries that wait for the next 6pt brick: intent and pre-order (SPEC 4)."""

from __future__ import annotations

from flask import Response

from routes.http.describing import answers
from routes.http.parsing import AssetBody, ClickBody, accepts
from routes.http.replies import answer_with_asset, app_services
from routes.operator import operator_calls
from services.engine.model.commands import CancelIntent, CancelPreOrder, PlaceIntent
from wire.answers import AssetAnswer

waiting = operator_calls("waiting", __name__)


@waiting.post("/api/intent")
@answers(AssetAnswer, errors=(409,))
@accepts(ClickBody)
def place_intent(body: ClickBody) -> Response:
    """Note the wish to enter after the next 6pt brick."""
    outcome = app_services().manager.submit(PlaceIntent(body.asset), clicked_at=body.clicked_at)
    return answer_with_asset(outcome, body.asset)


@waiting.post("/api/intent/cancel")
@answers(AssetAnswer, errors=(409,))
@accepts(AssetBody)
def cancel_intent(body: AssetBody) -> Response:
    """Take the intent back."""
    return answer_with_asset(app_services().manager.submit(CancelIntent(body.asset)), body.asset)


@waiting.post("/api/preorder/cancel")
@answers(AssetAnswer, errors=(409,))
@accepts(AssetBody)
def cancel_preorder(body: AssetBody) -> Response:
    """Take the pre-order back."""
    return answer_with_asset(app_services().manager.submit(CancelPreOrder(body.asset)), body.asset)
