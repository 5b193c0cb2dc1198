"""Committed events on their way to the stream: taken with each commit, made into rows on the broadcaster's thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import structlog

from services.engine.model.state import Desk
from services.stores.codec.committed_events import CommittedEvent
from services.stores.store import JournalRow, StoreError
from services.views.event_rows import EventViews
from wire.events import EventRow

EVENTS_WAITING = 10_000  # far more than a commit holds: the broadcaster looks after each

log = structlog.get_logger(__name__)


class EventFeed:
    """Events that were committed and not yet sent, oldest first."""

    def __init__(self, views: EventViews) -> None:
        self._views = views
        self._waiting: deque[CommittedEvent] = deque(maxlen=EVENTS_WAITING)

    def on_commit(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        """Take committed events, and remember the open orders that they may be about."""
        for order in desk.orders.values():
            self._views.remember(order)
        self._waiting.extend(events)

    def take_fresh(self) -> list[EventRow]:
        """Return what was committed since the last call, for one listener: the broadcaster.

        An event whose order cannot be read just now waits, and those behind it wait with it.
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
