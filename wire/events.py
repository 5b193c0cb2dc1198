"""Committed events as they travel: in ``GET /api/events`` and as the stream's message ``event``."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Struct

from wire.answers import OkAnswer
from wire.types import AwareTime, Env, OrderKind, Side, says


class EventOrder(Struct, frozen=True):
    """The order that an event is about. None of this changes after the order was queued."""

    kind: OrderKind
    side: Side
    contract: Annotated[str, says("the broker's symbol, such as MESZ6")]
    qty: Annotated[int, says("all that was asked for; how much an event filled is in its own `qty`")]
    env: Env
    source: Annotated[str, says("who asked: `entry`, `scale_in`, `manual`, `exit_all` or the exit rule")]
    mode: str


class EventRow(Struct, frozen=True):
    """One committed event. The same id always has the same body, whichever process answers and whenever."""

    id: Annotated[int, says("strictly growing: the journal row's number times 1000, plus the place in the row")]
    ts: Annotated[AwareTime, says("the time of the journal row")]
    type: str
    asset: str | None
    data: Annotated[dict[str, Any], says("the event's own fields; `order` besides where it has an `order_id`")]


class EventsAnswer(OkAnswer, frozen=True, kw_only=True):
    """Events behind ``since_id``, oldest first."""

    events: list[EventRow]
    next: Annotated[int, says("ask again from here; while it stays the same, there is nothing newer")]


class EventsPruned(Struct, frozen=True):
    """The events behind ``since_id`` are no longer in the journal; ``oldest`` is the first id that is."""

    ok: bool
    error: str
    oldest: int
