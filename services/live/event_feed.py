"""Committed events waiting for the stream: queued by each commit, turned into rows on the broadcaster's thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import structlog

from services.engine.model.state import Desk
from services.stores.codec.committed_events import CommittedEvent
from services.stores.store import JournalRow, StoreError
from services.views.event_rows import EventViews
from wire.events import EventRow

EVENTS_WAITING = 10_000  # far more than one commit holds; the broadcaster empties the queue after each commit

log = structlog.get_logger(__name__)


class EventFeed:
    """Committed events that were not sent yet, oldest first."""

    def __init__(self, views: EventViews) -> None:
        self._views = views
        self._waiting: deque[CommittedEvent] = deque(maxlen=EVENTS_WAITING)

    def on_commit(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        """Queue committed events, and cache the open orders that they may name."""
        for order in desk.orders.values():
            self._views.remember(order)
        self._waiting.extend(events)

    def take_fresh(self) -> list[EventRow]:
        """Return the events committed since the last call. Only the broadcaster calls this.

        When an event's order cannot be read now, that event and all later ones wait for the next call.
        """
        rows: list[EventRow] = []
        while self._waiting:
            try:
                rows.append(self._views.row(self._waiting[0]))
            except StoreError as error:
                log.warning("an event waits for the store", error=str(error))
                break
            self._waiting.popleft()
        return rows
