"""What the operator wrote about a trade: the last note of each."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from services.engine.model.events import TradeNoted
from services.projections.projection import Decided, Projection, decoded
from services.stores.records import Kind, Record
from services.stores.store import Store
from wire.types import Instant

TRADE_NOTES = Kind("trade_notes", is_replaced=True)


class Note(Struct, frozen=True):
    """What the operator wrote about a trade last."""

    text: str = ""
    tags: tuple[str, ...] = ()
    at: Instant | None = None


class NoteBody(Struct, frozen=True):
    """A note as stored."""

    text: str
    tags: tuple[str, ...]


def note_records(decided: Decided) -> Iterator[Record]:
    """Yield what a decision noted."""
    for event in decided.decision.events:
        if isinstance(event, TradeNoted):
            yield note_record(event, decided.now)


# -- as stored ------------------------------------------------------------------------------------------------------


def note_record(noted: TradeNoted, at: Instant) -> Record:
    """Return a note as it is stored."""
    body = msgspec.json.encode(NoteBody(noted.note, noted.tags))
    return Record(TRADE_NOTES, noted.trade_id, at, body, {"trade_id": noted.trade_id})


def notes_between(store: Store, first_id: str, last_id: str) -> dict[str, Note]:
    """Return, by trade, the notes of trades whose ids lie between these two, both included.

    Ids sort by time. Raises StoreDown, StoreUnreadable.
    """
    return {record.id: _read(record) for record in store.records_by_id(TRADE_NOTES, first_id, last_id)}


def _read(record: Record) -> Note:
    kept = decoded(record, NoteBody, f"the note on {record.id}")
    return Note(kept.text, kept.tags, record.at)


PROJECTION = Projection(TRADE_NOTES, note_records)
