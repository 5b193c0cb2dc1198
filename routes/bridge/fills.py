"""The bridge's call for executions at the broker (SPEC 8.3)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from flask import Response
from msgspec import UNSET
from pydantic import Field

from routes.bridge import alerts_unreadable, bridge_calls
from routes.http.describing import answers
from routes.http.parsing import MOST_CONTRACTS, BridgeBody, Instance, Moment, Money, Symbol, WholeNumber, accepts
from routes.http.replies import answer, app_services
from services.engine.model.bridge_commands import BookFills, Execution
from services.engine.model.replies import FillsTaken
from services.live.activity import FILLS, fills_text
from services.market.instruments import contract_named
from wire.answers import FillsAnswer, RefusedFillRow

fills = bridge_calls("bridge_fills", __name__)

MOST_FILLS = 200
Account = Annotated[str, Field(min_length=1, max_length=120)]
Contracts = Annotated[WholeNumber, Field(ge=1, le=MOST_CONTRACTS)]


class FillBody(BridgeBody):
    """One execution at the broker. A price of 0 is unknown."""

    exec_id: Annotated[str, Field(min_length=1, max_length=120)]
    ts: Moment
    symbol: Symbol
    side: Literal["BUY", "SELL"]
    qty: Contracts
    price: Money
    kind: Literal["STOP", "LIQUIDATION", "MANUAL", "FLATTEN", "ORDER"]
    order_id: Annotated[str, Field(max_length=64)] | None = None
    commission: Money | None = None


class FillsBody(BridgeBody):
    instance: Instance
    env: Literal["DEMO", "LIVE"]
    account: Account
    fills: Annotated[list[FillBody], Field(max_length=MOST_FILLS)]


@fills.post("/api/bridge/fills")
@answers(FillsAnswer)
@alerts_unreadable(tells_fills=True)
@accepts(FillsBody)
def take_fills(body: FillsBody) -> Response:
    """Book what was executed at the broker, each execution once (SPEC 8.3)."""
    today = app_services().manager.now.date()
    command = BookFills(body.env, body.account, body.instance, tuple(_execution(fill, today) for fill in body.fills))
    outcome = app_services().manager.submit(command)
    app_services().note_bridge(FILLS, fills_text(command), outcome)
    booked = outcome.answer if isinstance(outcome.answer, FillsTaken) else FillsTaken()
    return answer(
        outcome,
        FillsAnswer(
            version=outcome.version,
            taken=booked.taken,
            duplicates=booked.duplicates,
            refused=tuple([RefusedFillRow(exec_id=fill.exec_id, code=fill.code) for fill in booked.refused]),
        ),
    )


def _execution(fill: FillBody, today: date) -> Execution:
    named = contract_named(fill.symbol, today)
    return Execution(
        exec_id=fill.exec_id,
        at=fill.ts,
        symbol=fill.symbol if named is None else named.symbol,
        side=fill.side,
        qty=fill.qty,
        price=fill.price,
        kind=fill.kind,
        asset=UNSET if named is None else named.asset,
        order_id=fill.order_id,
        commission=UNSET if fill.commission is None else fill.commission,
    )
