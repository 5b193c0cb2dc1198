"""The operator's notes on trades: the last note of each trade."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from services.engine.model.trade_events import TradeNoted
from services.projections.projection import Decided, Projection, decoded
from services.stores.records import Kind, Record
from services.stores.store import Store
from wire.types import Instant

TRADE_NOTES = Kind("trade_notes", is_replaced=True)


class Note(Struct, frozen=True):
    """The last note on a trade."""

    text: str = ""
    tags: tuple[str, ...] = ()
    at: Instant | None = None


class NoteBody(Struct, frozen=True):
    """A note as stored."""

    text: str
    tags: tuple[str, ...]


def note_records(decided: Decided) -> Iterator[Record]:
    """Yield the notes that a decision recorded."""
    for event in decided.decision.events:
        if isinstance(event, TradeNoted):
            yield note_record(event, decided.now)


# -- as stored ------------------------------------------------------------------------------------------------------


def note_record(noted: TradeNoted, at: Instant) -> Record:
    """Return the record of a note."""
    body = msgspec.json.encode(NoteBody(noted.note, noted.tags))
    return Record(TRADE_NOTES, noted.trade_id, at, body, {"trade_id": noted.trade_id})


def notes_between(store: Store, first_id: str, last_id: str) -> dict[str, Note]:
    """Return the notes of the trades with ids from ``first_id`` to ``last_id``, both included, by trade id.

    Ids sort by time. Raises StoreDown, StoreUnreadable.
    """
    return {record.id: _read(record) for record in store.records_by_id(TRADE_NOTES, first_id, last_id)}


def _read(record: Record) -> Note:
    kept = decoded(record, NoteBody, f"the note on {record.id}")
    return Note(kept.text, kept.tags, record.at)


PROJECTION = Projection(TRADE_NOTES, note_records)
