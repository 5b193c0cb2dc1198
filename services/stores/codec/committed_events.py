"""Committed events: the events of a journal row, each with its id and time.

An id is ``sequence * 1000 + place``. It depends only on the row, so it is the same after a restart, on a standby and
after a takeover, and it grows with every event of the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import structlog
from msgspec import MsgspecError, Struct

from services.engine.model.events import AnyEvent
from services.stores.codec.documents import read_events
from services.stores.store import JournalRow
from wire.types import Instant

IDS_OF_A_ROW = 1000

log = structlog.get_logger(__name__)


class CommittedEvent(Struct, frozen=True):
    """An event of the journal, with its id and the time of its row."""

    id: int
    at: Instant
    event: AnyEvent


def numbered(sequence: int, at: Instant, events: Sequence[AnyEvent]) -> list[CommittedEvent]:
    """Return the events of one row with their ids."""
    return [CommittedEvent(sequence * IDS_OF_A_ROW + place, at, event) for place, event in enumerate(events)]


def committed_events(row: JournalRow) -> list[CommittedEvent]:
    """Return the events of a row. A row that cannot be read is logged and gives no events."""
    try:
        return numbered(row.sequence, row.at, read_events(row.events))
    except MsgspecError as error:
        log.warning("a journal row could not be read", sequence=row.sequence, error=str(error))
        return []


def events_of(rows: Iterable[JournalRow]) -> list[CommittedEvent]:
    """Return the events of several rows, in order."""
    return [one for row in rows for one in committed_events(row)]
