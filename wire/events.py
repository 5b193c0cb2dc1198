"""Committed events in ``GET /api/events`` and in the stream's message ``event``."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from wire.answers import OkAnswer
from wire.types import AwareTime, Env, OrderKind, Side, says


class EventOrder(Struct, frozen=True):
    """The order of an event. These fields never change after the order was queued."""

    kind: OrderKind
    side: Side
    contract: Annotated[str, says("the broker's symbol, such as MESZ6")]
    qty: Annotated[int, says("all that was asked for; how much an event filled is in its own `qty`")]
    env: Env
    source: Annotated[str, says("who asked: `entry`, `scale_in`, `manual`, `exit_all` or the exit rule")]
    mode: str


class EventFill(Struct, frozen=True):
    """Contracts that were bought or sold, by which the position changed."""

    side: Side
    qty: int
    price: Annotated[Decimal | None, says("null when nobody told it; the desk counts with an estimate")]
    contract: Annotated[str, says("the broker's symbol")]


FILL_SCHEMA = msgspec.json.schema_components((EventFill,))[1][EventFill.__name__]
ORDER_SCHEMA = msgspec.json.schema_components((EventOrder,))[1][EventOrder.__name__]
DATA = Meta(
    description="the event's own fields; `order` besides where it has an `order_id`, `fills` where it moved a position",
    extra_json_schema={
        "properties": {
            "order_id": {"type": ["string", "null"]},
            "order": ORDER_SCHEMA,
            "fills": {"type": ["array", "null"], "items": FILL_SCHEMA},
        },
        "additionalProperties": True,
    },
)


class EventRow(Struct, frozen=True):
    """One committed event. An id always has the same body, at any time and from any process."""

    id: Annotated[int, says("strictly growing: the journal row's number times 1000, plus the place in the row")]
    ts: Annotated[AwareTime, says("the time of the journal row")]
    type: str
    asset: Annotated[str | None, says("null when it is about the desk")]
    data: Annotated[dict[str, Any], DATA]


class EventsAnswer(OkAnswer, frozen=True, kw_only=True):
    """Events after `since_id`, oldest first."""

    events: tuple[EventRow, ...]
    next: Annotated[int, says("ask again from here; while it stays the same, there is nothing newer")]
