"""Committed events as models: what ``wire/events.py`` holds, described for the API's document."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from routes.http.words import Instant
from wire.types import Env, OrderKind, Side


class EventOrderRow(BaseModel):
    """The order that an event is about; none of this changes after it was queued."""

    kind: OrderKind
    side: Side
    contract: str = Field(description="the broker's symbol")
    qty: int = Field(description="all that was asked for; how much an event filled is in its own `qty`")
    env: Env
    source: str = Field(description="who asked: `entry`, `scale_in`, `manual`, `exit_all` or the exit rule")
    mode: str


class EventData(BaseModel):
    """The event's own fields, and its order where it has an `order_id`."""

    model_config = {"extra": "allow"}

    order_id: str | None = None
    order: EventOrderRow | None = None


class EventRow(BaseModel):
    """One committed event. The same id always has the same body, whichever process answers and whenever."""

    id: int = Field(description="strictly growing: the journal row's number times 1000, plus the place in the row")
    ts: Instant = Field(description="the time of the journal row")
    type: str
    asset: str | None
    data: EventData


class EventsAnswer(BaseModel):
    """Events behind `since_id`, oldest first."""

    ok: Literal[True]
    events: list[EventRow]
    next: int = Field(description="ask again from here; while it stays the same, there is nothing newer")
