"""Committed events as they travel: in ``GET /api/events`` and as the stream's message ``event``."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from wire.types import Env, Instant, OrderKind, Side


class EventOrder(Struct, frozen=True):
    """The order that an event is about. None of this changes after the order was queued."""

    kind: OrderKind
    side: Side
    contract: str
    """The broker's symbol, such as ``MESZ6``."""
    qty: int
    """All that was asked for; how much an event filled is in its own ``qty``."""
    env: Env
    source: str
    """Who asked: ``entry``, ``scale_in``, ``manual``, ``exit_all`` or the exit rule."""
    mode: str


class EventRow(Struct, frozen=True):
    """One committed event. The same id always has the same body, whichever process answers and whenever."""

    id: int
    """Strictly growing: the journal row's number times 1000, plus the event's place in its row."""
    ts: Instant
    """The time of the journal row."""
    type: str
    asset: str | None
    data: dict[str, Any]
    """The event's own fields; ``order`` (``EventOrder``) besides where the event has an ``order_id``."""


class EventsAnswer(Struct, frozen=True):
    """Events behind ``since_id``, oldest first. Ask again from ``next``; while it stays, there is nothing newer."""

    ok: bool
    events: list[EventRow]
    next: int


class EventsPruned(Struct, frozen=True):
    """The events behind ``since_id`` are no longer in the journal; ``oldest`` is the first id that is."""

    ok: bool
    error: str
    oldest: int
