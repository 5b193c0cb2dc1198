"""A page of committed events, read from the journal: it survives a restart and is the same from every process."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from msgspec import Struct

from services.stores.codec.committed_events import IDS_OF_A_ROW, CommittedEvent, committed_events
from services.stores.store import Store
from services.views.event_rows import EventViews
from wire.events import EventRow
from wire.types import Instant

ROWS_AT_MOST = 5_000  # journal rows read for one page, even when few of their events match


class Pruned(Exception):
    """The requested events were pruned from the journal, which now begins with the id ``oldest``."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"the journal begins with event {oldest}: what came before was pruned")
        self.oldest = oldest


class EventPage(Struct, frozen=True):
    """Events, oldest first; the next page begins after the id ``next``."""

    events: list[EventRow]
    next: int


def events_after(
    store: Store, views: EventViews, since_id: int, limit: int, committed: int, types: frozenset[str] = frozenset()
) -> EventPage:
    """Return at most ``limit`` events with an id above ``since_id``; an empty ``types`` means every type.

    ``committed`` is the sequence of the last committed row. Raises Pruned, StoreDown, StoreUnreadable.
    """
    found: list[EventRow] = []
    last = since_id
    for one in _walk(store, since_id, committed):
        last = one.id
        if not types or one.event.kind_name() in types:
            found.append(views.row(one))
        if len(found) == limit:
            break
    return EventPage(found, last)


def id_before(store: Store, at: Instant) -> int:
    """Return the ``since_id`` whose page begins with the first event at or after ``at``."""
    return store.sequence_before(at) * IDS_OF_A_ROW + IDS_OF_A_ROW - 1


def _walk(store: Store, since_id: int, committed: int) -> Iterator[CommittedEvent]:
    """Yield the events above an id, from a bounded number of rows. Raises Pruned."""
    row_of_id = since_id // IDS_OF_A_ROW
    rows = islice(store.journal(max(0, row_of_id - 1)), ROWS_AT_MOST)
    first = next(rows, None)
    _refuse_gap(row_of_id, committed + 1 if first is None else first.sequence)
    for row in rows if first is None else chain((first,), rows):
        yield from (one for one in committed_events(row) if one.id > since_id)


def _refuse_gap(row_of_id: int, first: int) -> None:
    """Raise Pruned when rows are missing between the last row the caller read and the first row kept.

    The sequence of rows has gaps only where the journal was pruned. The number of events in a pruned row is unknown,
    so a caller that read some of them counts as having read all of them.
    """
    if row_of_id < first - 1:
        raise Pruned(first * IDS_OF_A_ROW)
