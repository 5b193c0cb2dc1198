"""Records: facts of one kind, stored beside the journal with the commit that they belong to.

A store knows of a kind only its ``Kind``, so a new kind needs no change in any store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from msgspec import Struct

Scalar = str | int | bool
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(2100, 1, 1, tzinfo=UTC)


class Kind(Struct, frozen=True):
    """The properties that all records of one kind share.

    ``name`` is the collection in Firestore and the value of the column ``kind`` in SQLite. ``time`` names the Firestore
    field of a record's time. ``found_by`` names the fact by which records are looked up, besides id and time. With
    ``is_replaced`` a later record replaces the one with the same id; else an id may be written only once, and a commit
    that writes it again fails as a whole. With ``is_pruned`` records are deleted together with their journal row, and
    ``row_id`` makes their ids. With ``kept_for`` a record is deleted when one comes that is so much newer.
    """

    name: str
    time: str = "at"
    found_by: str | None = None
    is_replaced: bool = False
    is_pruned: bool = False
    kept_for: timedelta | None = None


class Record(Struct, frozen=True):
    """One stored fact. ``body`` is text, usually JSON. ``facts`` are stored beside it, and none of them is None."""

    kind: Kind
    id: str
    at: datetime
    body: bytes
    facts: Mapping[str, Scalar] = MappingProxyType({})

    @property
    def found_by(self) -> Scalar | None:
        """The value of the fact by which records of this kind are looked up, None without one."""
        return None if self.kind.found_by is None else self.facts.get(self.kind.found_by)


ORDERS = Kind("orders", time="created_at", found_by="is_open", is_replaced=True)
"""The only kind that stores know by name: open orders are loaded with the desk, as of the same head."""


def expiring(records: Iterable[Record]) -> dict[Kind, datetime]:
    """Return the kinds among these records that are kept for a limited time, and before which time theirs go."""
    return {record.kind: record.at - record.kind.kept_for for record in records if record.kind.kept_for is not None}


def text_of(at: datetime) -> str:
    """Format an instant for storage: UTC, RFC 3339, microseconds. These texts sort in the order of time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def row_id(sequence: int, place: int | None = None) -> str:
    """Return the id of a record of a journal row, at a place within the row. Such ids sort in the order of events."""
    return f"{sequence:012d}" if place is None else f"{sequence:012d}.{place:04d}"
