"""What the operator says of the account: money that was paid in or out, and in which store the day goes on (SPEC 5)."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from routes.http.describing import answers
from routes.http.parsing import Money, OperatorBody, accepts
from routes.http.replies import answer, app_services
from routes.operator import operator_calls
from services.engine.model.bridge_commands import ConfirmTransfer
from services.engine.model.store_doubts import ConfirmStore
from wire.answers import VersionAnswer

account = operator_calls("account", __name__)


class TransferBody(OperatorBody):
    amount: Money = Field(description="USD, positive paid in, negative paid out; at most what is unexplained")
    reason: Annotated[str, Field(min_length=1, max_length=300)]


@account.post("/api/account/transfer")
@answers(VersionAnswer, errors=(409,))
@accepts(TransferBody)
def transfer(body: TransferBody) -> Response:
    """Confirm a transfer that explains a suspect balance; the day's start moves by it."""
    outcome = app_services().manager.submit(ConfirmTransfer(body.amount, body.reason))
    return answer(outcome, VersionAnswer(version=outcome.version))


class StoreBody(OperatorBody):
    reason: Annotated[str, Field(min_length=1, max_length=300)]


@account.post("/api/account/store")
@answers(VersionAnswer, errors=(409,))
@accepts(StoreBody)
def confirm_store(body: StoreBody) -> Response:
    """Go on with this store although this machine opened another one for the account today (SPEC 5.9)."""
    outcome = app_services().manager.submit(ConfirmStore(body.reason))
    return answer(outcome, VersionAnswer(version=outcome.version))
