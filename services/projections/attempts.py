"""Tries against the rules: an entry that was blocked or overrode, an exit that was locked."""

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
    """Tell whether a rule was tried: a refused entry, an override, an exit that the initial exit lock held."""
    return isinstance(event, EntryBlocked | ExitBlocked) or (isinstance(event, EntryAccepted) and event.override)


def attempt_records(decided: Decided) -> Iterator[Record]:
    """Yield the tries among a decision's events."""
    for place, event in enumerate(decided.decision.events):
        if is_try(event):
            yield Record(ATTEMPTS, row_id(decided.sequence, place), decided.now, documents.write_event(event))


# -- as stored ------------------------------------------------------------------------------------------------------


def attempts_between(store: Store, since: Instant, until: Instant, limit: int) -> list[tuple[Instant, Attempt]]:
    """Return tries from ``since`` on and before ``until``, newest first. Raises StoreDown, StoreUnreadable."""
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
    """Return when a rule was tried last, None when never. Raises StoreDown, StoreUnreadable."""
    newest = store.newest_records(ATTEMPTS, 1)
    return newest[0].at if newest else None


PROJECTION = Projection(ATTEMPTS, attempt_records)
