"""A page of committed events, read from the journal: it survives a restart and is the same from every process."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from msgspec import Struct

from services.stores.codec.committed_events import IDS_OF_A_ROW, committed_events
from services.stores.store import JournalRow, Store
from services.views.event_rows import EventViews
from wire.events import EventRow
from wire.types import Instant

ROWS_AT_MOST = 5_000  # journal rows read for one page, even when few of their events match


class NotInJournal(Exception):
    """The journal does not hold what follows the requested id. It begins with the id ``oldest``."""

    def __init__(self, sentence: str, oldest: int) -> None:
        super().__init__(sentence)
        self.oldest = oldest


class EventPage(Struct, frozen=True):
    """Events, oldest first; the next page begins after the id ``next``."""

    events: list[EventRow]
    next: int


def events_after(
    store: Store, views: EventViews, since_id: int, limit: int, types: frozenset[str] = frozenset()
) -> EventPage:
    """Return at most ``limit`` events with an id above ``since_id``; an empty ``types`` means every type.

    Raises NotInJournal, StoreDown, StoreUnreadable.
    """
    found: list[EventRow] = []
    last = since_id
    for row in _rows_from(store, since_id // IDS_OF_A_ROW):
        events = committed_events(row)
        for one in events:
            if one.id <= since_id:
                continue
            last = one.id
            if not types or one.event.kind_name() in types:
                found.append(views.row(one))
            if len(found) == limit:
                return EventPage(found, last)
        if not events:
            last = max(last, _last_id_of(row.sequence))
    return EventPage(found, last)


def id_before(store: Store, at: Instant) -> int:
    """Return the ``since_id`` whose page begins with the first event at or after ``at``."""
    return _last_id_of(store.sequence_before(at))


def _last_id_of(sequence: int) -> int:
    """Return the highest id that an event of this row may have. A row that cannot be read is passed with it."""
    return sequence * IDS_OF_A_ROW + IDS_OF_A_ROW - 1


def _rows_from(store: Store, sequence: int) -> Iterator[JournalRow]:
    """Yield a bounded number of rows, beginning with the last one that the caller has read. Raises NotInJournal."""
    rows = islice(store.journal(max(0, sequence - 1)), ROWS_AT_MOST)
    first = next(rows, None)
    if first is None:
        _refuse_other_journal(store, sequence)
        return
    _refuse_gap(sequence, first.sequence)
    yield from chain((first,), rows)


def _refuse_other_journal(store: Store, sequence: int) -> None:
    """Raise NotInJournal: no row is as new as the one the caller names, or all such rows were pruned."""
    head = store.head()
    newest = 0 if head is None else head.sequence
    _refuse_gap(sequence, newest + 1)
    if sequence > newest:
        first = next(store.journal(), None)
        oldest = (newest + 1 if first is None else first.sequence) * IDS_OF_A_ROW
        raise NotInJournal(f"since_id is of another journal: this one ends with row {newest}", oldest)


def _refuse_gap(sequence: int, first: int) -> None:
    """Raise NotInJournal when rows are missing between the last row the caller read and the first row kept.

    The sequence of rows has gaps only where the journal was pruned. The number of events in a pruned row is unknown,
    so a caller that read some of them counts as having read all of them.
    """
    if sequence < first - 1:
        oldest = first * IDS_OF_A_ROW
        raise NotInJournal(f"the journal begins with event {oldest}: what came before was pruned", oldest)
