"""Committed events with their ids and times: what a journal row holds, one by one.

An id is ``sequence * 1000 + place``: it follows from the row alone, so that it is the same after a restart, on a
standby and after a takeover, and it grows with every event of the journal.
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
    """An event that is in the journal: its id, and the time of its row."""

    id: int
    at: Instant
    event: AnyEvent


def numbered(sequence: int, at: Instant, events: Sequence[AnyEvent]) -> list[CommittedEvent]:
    """Return the events of one row with their ids."""
    return [CommittedEvent(sequence * IDS_OF_A_ROW + place, at, event) for place, event in enumerate(events)]


def committed_events(row: JournalRow) -> list[CommittedEvent]:
    """Read the events of a row. One that cannot be read is logged and holds none."""
    try:
        return numbered(row.sequence, row.at, read_events(row.events))
    except MsgspecError as error:
        log.warning("a journal row could not be read", sequence=row.sequence, error=str(error))
        return []


def events_of(rows: Iterable[JournalRow]) -> list[CommittedEvent]:
    """Read the events of several rows, in order."""
    return [one for row in rows for one in committed_events(row)]
