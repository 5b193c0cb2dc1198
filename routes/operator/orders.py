"""Entries of the operator (SPEC 4)."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from msgspec import UNSET, UnsetType, structs
from pydantic import Field, model_validator

from routes.http.describing import answers, takes_header
from routes.http.errors import InvalidRequest
from routes.http.idempotency import LONGEST_KEY, idempotency_key
from routes.http.parsing import ClickBody, WholeNumber, accepts
from routes.http.replies import answer, app_services, reply, whole_state
from routes.operator import operator_calls
from services.desk.commit_batch import Outcome
from services.engine.model.commands import EnterMarket, PlacePreOrder
from services.engine.model.replies import Done, OrderTaken
from services.views.rows import order_view
from wire.answers import EntryAnswer, PreOrderRow, VersionAnswer

orders = operator_calls("orders", __name__)

OF_A_PROPOSAL = "proposal-"
"""An Idempotency-Key that begins so is the click on the proposal whose id follows."""


class EntryBody(ClickBody):
    """``POST /api/orders``: a market entry now, or a pre-order for the next 6pt brick."""

    trade_mode: Literal["SCALP", "RUNNER"]
    order_type: Literal["market", "preorder"] = "market"
    direction: Literal["BUY", "SELL"] | None = None
    entry_size_mode: Literal["6pt", "9pt"] = "6pt"
    qty: Annotated[WholeNumber, Field(ge=1)] | None = Field(
        default=None, description="fewer contracts than those of the size; without it all of them"
    )
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
    """Enter at the market if every gate is open, or place a pre-order for the next 6pt brick.

    With `Idempotency-Key: proposal-<id>` it is the click on that proposal.
    """
    key = idempotency_key()
    command = _command_of(body, _proposal_of(key, body))
    outcome = app_services().manager.submit(command, key, body.clicked_at)
    taken = outcome.answer
    if isinstance(taken, Done):
        preorder = _preorder_row(outcome, body.asset)
        return reply(EntryAnswer(version=outcome.version, preorder=preorder, state=whole_state()), 201)
    if not isinstance(taken, OrderTaken) or taken.order is None:
        return answer(outcome, VersionAnswer(version=outcome.version))
    return reply(EntryAnswer(version=outcome.version, order=order_view(taken.order), state=whole_state()), 201)


def _command_of(body: EntryBody, proposal: str | None) -> EnterMarket | PlacePreOrder:
    terms = PlacePreOrder(
        asset=body.asset,
        trade_mode=body.trade_mode,
        size_mode=body.entry_size_mode,
        direction=body.direction,
        override=body.entry_override,
        override_reason=body.override_reason or None,
        qty=body.qty,
    )
    return terms if body.order_type == "preorder" else EnterMarket(**structs.asdict(terms), proposal=proposal)


def _proposal_of(key: str | None, body: EntryBody) -> str | None:
    """Return the id of the proposal that is clicked, None for an entry without one."""
    if key is None or not key.startswith(OF_A_PROPOSAL):
        return None
    if body.order_type == "preorder":
        raise InvalidRequest("order_type", "was preorder, a proposal is taken at the market")
    return key.removeprefix(OF_A_PROPOSAL)


def _preorder_row(outcome: Outcome, symbol: str) -> PreOrderRow | UnsetType:
    preorder = outcome.desk.assets[symbol].preorder
    return PreOrderRow(asset=symbol, direction=preorder.direction, status=preorder.status) if preorder else UNSET
