"""The stored form of notices: one record for each notice and target (``services/projections/notices.py`` makes them).

The fact is what the notice says, to which target, and when. It is written once, with the commit of the events that
caused it. The mark is how far its delivery is: ``attempts``, ``next_try_at``, ``sent_at``, ``last_error``. Only the
target's sender changes it, by replacing the record (``Store.mark_records``).

The fields are those of the documents and the table that programs before file schema 7 wrote, so each finds the other's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.state import Desk
from services.notifications.texts import lock_ends
from services.stores.records import Kind, Record, Scalar, text_of
from services.stores.store import StoreUnreadable
from wire.types import Instant

NOTICES = Kind("notices", found_by="waits", is_replaced=True, kept_for=timedelta(days=7))
NOTICES_PER_ROW = 10_000
WAITING_AT_ONCE = 500

BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600))  # the last one repeats
GIVEN_UP_AFTER = timedelta(hours=24)


class StoredNotice(Struct, frozen=True):
    """One notice to one target, and the mark of its delivery. It waits while it has a ``next_try_at``.

    ``number`` grows with the journal and is never used twice. ``target`` is a position in NOTIFY_URLS, from 1: the URLs
    themselves hold tokens and are never stored. A notice with a ``slot`` announces the end of a lock.
    """

    number: int
    sequence: int
    target: int
    at: Instant
    due_at: Instant
    kind: str
    level: str
    title: str
    body: str
    slot: str | None = None
    attempts: int = 0
    next_try_at: Instant | None = None
    sent_at: Instant | None = None
    last_error: str | None = None


def notice_number(sequence: int, place: int) -> int:
    """Return the number of the notice at a place within a journal row."""
    return sequence * NOTICES_PER_ROW + place


# -- the mark of its delivery ---------------------------------------------------------------------------------------


def next_notice(waiting: Iterable[StoredNotice], now: Instant) -> StoredNotice | None:
    """Return the notice to send now, None when none is due. Notices that were never tried come first."""
    due = [notice for notice in waiting if notice.next_try_at is not None and notice.next_try_at <= now]
    return min(due, key=lambda notice: (notice.attempts, notice.number), default=None)


def is_outdated(notice: StoredNotice, waiting: Iterable[StoredNotice], desk: Desk) -> bool:
    """Return whether a notice announces a lock's end that has changed since, or that a newer notice announces.

    A desk from before the notice says nothing about it: after a write in doubt, the desk may be older than the store.
    """
    if notice.slot is None:
        return False
    is_replaced = any(other.slot == notice.slot and other.number > notice.number for other in waiting)
    is_known = desk.sequence >= notice.sequence
    return is_replaced or (is_known and lock_ends(desk).get(notice.slot) != notice.due_at)


def withdrawn(notice: StoredNotice) -> StoredNotice:
    """Return an outdated notice, marked so that it is not sent."""
    return replace(notice, next_try_at=None, last_error="withdrawn: the lock ends at another time")


def taken(notice: StoredNotice, now: Instant) -> StoredNotice:
    """Return the notice, marked as sent."""
    return replace(notice, attempts=notice.attempts + 1, next_try_at=None, sent_at=now, last_error=None)


def not_taken(notice: StoredNotice, now: Instant, error: str) -> StoredNotice:
    """Return the notice, marked to be tried again later, or given up when it is a day old."""
    again = now + BACKOFF[min(notice.attempts, len(BACKOFF) - 1)]
    is_too_old = again > notice.due_at + GIVEN_UP_AFTER
    return replace(notice, attempts=notice.attempts + 1, next_try_at=None if is_too_old else again, last_error=error)


def due_again(notice: StoredNotice, waiting: Iterable[StoredNotice], now: Instant) -> list[StoredNotice]:
    """Return the other notices that failed before, due at once: the target has taken ``notice``, so it works again."""
    failed = [other for other in waiting if other.attempts > 0 and other.number != notice.number]
    return [replace(other, next_try_at=now) for other in failed if other.next_try_at and other.next_try_at > now]


# -- as stored ------------------------------------------------------------------------------------------------------


def notice_record(notice: StoredNotice) -> Record:
    """Return the record of a notice."""
    facts: dict[str, Scalar | None] = {
        "number": notice.number,
        "sequence": notice.sequence,
        "target": notice.target,
        "due_at": text_of(notice.due_at),
        "kind": notice.kind,
        "level": notice.level,
        "title": notice.title,
        "slot": notice.slot,
        "attempts": notice.attempts,
        "sent_at": None if notice.sent_at is None else text_of(notice.sent_at),
        "last_error": notice.last_error,
    }
    if notice.next_try_at is not None:
        facts["waits"] = _waits(notice.target) + text_of(notice.next_try_at)
        facts["waiting_slot"] = notice.slot  # by this an older program withdraws it
    known = {name: value for name, value in facts.items() if value is not None}
    return Record(NOTICES, f"{notice.number:016d}", notice.at, notice.body.encode(), known)


class FindsRecords(Protocol):
    """The part of a store that finds records by a fact."""

    def records_with(
        self, kind: Kind, value: Scalar, through: Scalar | None = None, limit: int | None = None
    ) -> list[Record]: ...


def waiting_notices(store: FindsRecords, target: int) -> list[StoredNotice]:
    """Return the target's notices that wait, in the order in which they are due, at most ``WAITING_AT_ONCE``.

    Raises StoreDown, StoreUnreadable.
    """
    of_target = _waits(target)
    return [_read(record) for record in store.records_with(NOTICES, of_target, of_target + "~", WAITING_AT_ONCE)]


def _waits(target: int) -> str:
    """Return the beginning of the fact by which the waiting notices of a target are found."""
    return f"{target:03d}."


def _read(record: Record) -> StoredNotice:
    waits = str(record.facts.get("waits", "")).partition(".")[2] or None
    fields = {**record.facts, "at": record.at, "body": record.body.decode(), "next_try_at": waits}
    try:
        return msgspec.convert(fields, StoredNotice)
    except msgspec.ValidationError as error:
        raise StoreUnreadable(f"the notice {record.id} could not be read: {error}") from error
