"""Attempts against the rules: a blocked entry, an entry by override, a locked exit."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from services.engine.model.events import AnyEvent, EntryAccepted, EntryBlocked, ExitBlocked
from services.projections.projection import Decided, Projection
from services.stores.codec import documents
from services.stores.records import Kind, Record, row_id
from services.stores.store import Store, StoreUnreadable
from wire.types import Instant

ATTEMPTS = Kind("attempts")
Attempt = EntryBlocked | EntryAccepted | ExitBlocked


def is_try(event: AnyEvent) -> bool:
    """Return whether the event is an attempt: a refused entry, an override, an exit that the lock refused."""
    return isinstance(event, EntryBlocked | ExitBlocked) or (isinstance(event, EntryAccepted) and event.override)


def attempt_records(decided: Decided) -> Iterator[Record]:
    """Yield the attempts among a decision's events."""
    for place, event in enumerate(decided.decision.events):
        if is_try(event):
            yield Record(ATTEMPTS, row_id(decided.sequence, place), decided.now, documents.write_event(event))


# -- as stored ------------------------------------------------------------------------------------------------------


def attempts_between(store: Store, since: Instant, until: Instant, limit: int) -> list[tuple[Instant, Attempt]]:
    """Return attempts from ``since`` on and before ``until``, newest first. Raises StoreDown, StoreUnreadable."""
    found = []
    for record in store.newest_records(ATTEMPTS, limit, since, until):
        try:
            event = documents.read_event(record.body)
        except msgspec.MsgspecError as error:
            raise StoreUnreadable(f"the attempt {record.id} could not be read: {error}") from error
        if isinstance(event, Attempt):
            found.append((record.at, event))
    return found


def tried_last_at(store: Store) -> Instant | None:
    """Return the instant of the last attempt, None without one. Raises StoreDown, StoreUnreadable."""
    newest = store.newest_records(ATTEMPTS, 1)
    return newest[0].at if newest else None


PROJECTION = Projection(ATTEMPTS, attempt_records)
