"""Dead letters: webhooks that could not be read, kept unchanged as long as their journal row."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from services.engine.model.events import DeadLetterKept
from services.projections.projection import Decided, Projection
from services.stores.records import Kind, Record, Scalar, row_id
from services.stores.store import Store, StoreUnreadable
from wire.types import Instant

DEAD_LETTERS = Kind("dead_letters", is_pruned=True)


class DeadLetter(Struct, frozen=True):
    """A webhook that could not be read, kept with journal row ``sequence``. ``body`` is its text."""

    sequence: int
    at: Instant
    path: str
    reason: str
    body: str


def dead_letter_records(decided: Decided) -> Iterator[Record]:
    """Yield the dead letters of a decision. A journal row has at most one."""
    for event in decided.decision.events:
        if isinstance(event, DeadLetterKept):
            yield dead_letter_record(DeadLetter(decided.sequence, decided.now, event.path, event.reason, event.body))


# -- as stored ------------------------------------------------------------------------------------------------------


def dead_letter_record(letter: DeadLetter) -> Record:
    """Return a dead letter as it is stored."""
    facts: dict[str, Scalar] = {"sequence": letter.sequence, "path": letter.path, "reason": letter.reason}
    return Record(DEAD_LETTERS, row_id(letter.sequence), letter.at, letter.body.encode(), facts)


def last_dead_letters(store: Store, limit: int) -> list[DeadLetter]:
    """Return the newest dead letters, newest first. Raises StoreDown, StoreUnreadable."""
    return [_read(record) for record in store.newest_records(DEAD_LETTERS, limit)]


def _read(record: Record) -> DeadLetter:
    facts = record.facts
    try:
        path = str(facts["path"])
        reason = str(facts["reason"])
        return DeadLetter(int(record.id), record.at, path, reason, record.body.decode())
    except (KeyError, ValueError) as error:
        raise StoreUnreadable(f"the dead letter {record.id} could not be read: {error}") from error


PROJECTION = Projection(DEAD_LETTERS, dead_letter_records)
