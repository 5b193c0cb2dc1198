"""Orders as the operator asks for them (SPEC 4)."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response, request
from msgspec import UNSET, UnsetType
from pydantic import Field, model_validator

from routes.http.describing import answers, takes_header
from routes.http.errors import InvalidRequest
from routes.http.parsing import ClickBody, accepts
from routes.http.replies import answer, app_services, reply, whole_state
from routes.operator import operator_calls
from services.desk.commit_batch import Outcome
from services.engine.model.commands import EnterMarket, PlacePreOrder
from services.engine.model.replies import Done, OrderTaken
from services.views.rows import order_view
from wire.answers import EntryAnswer, PreOrderRow, VersionAnswer

orders = operator_calls("orders", __name__)

LONGEST_KEY = 200


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


@orders.post("/api/orders")
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
    taken = outcome.answer
    if isinstance(taken, Done):
        preorder = _preorder_row(outcome, body.asset)
        return reply(EntryAnswer(version=outcome.version, preorder=preorder, state=whole_state()), 201)
    if not isinstance(taken, OrderTaken) or taken.order is None:
        return answer(outcome, VersionAnswer(version=outcome.version))
    return reply(EntryAnswer(version=outcome.version, order=order_view(taken.order), state=whole_state()), 201)


def _preorder_row(outcome: Outcome, symbol: str) -> PreOrderRow | UnsetType:
    preorder = outcome.desk.assets[symbol].preorder
    return PreOrderRow(asset=symbol, direction=preorder.direction, status=preorder.status) if preorder else UNSET


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        raise InvalidRequest("Idempotency-Key", f"must be 1 to {LONGEST_KEY} characters")
    return key
