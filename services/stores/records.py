"""Records: facts of one kind, stored beside the journal with the commit that they belong to.

A store knows nothing of a kind but what its ``Kind`` says. So a new kind needs no change in any store.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from msgspec import Struct

Scalar = str | int | bool
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(2100, 1, 1, tzinfo=UTC)


class Kind(Struct, frozen=True):
    """What all records of one kind have in common.

    ``name`` is their collection in Firestore and stands in the column ``kind`` in SQLite. ``time`` names the Firestore
    field that holds a record's time. ``found_by`` names the fact by which records are looked up besides id and time.
    A record that ``is_replaced`` gives way to a later one with its id; any other id may be written only once, and a
    commit that writes it again fails as a whole. Records that are pruned go with their journal row: ``row_id`` makes
    their ids.
    """

    name: str
    time: str = "at"
    found_by: str | None = None
    is_replaced: bool = False
    is_pruned: bool = False


class Record(Struct, frozen=True):
    """One stored fact: ``body`` is text, usually JSON. ``facts`` stand beside it and none of them is None."""

    kind: Kind
    id: str
    at: datetime
    body: bytes
    facts: Mapping[str, Scalar] = MappingProxyType({})

    @property
    def found_by(self) -> Scalar | None:
        """The fact by which records of this kind are looked up, None where this one has none."""
        return None if self.kind.found_by is None else self.facts.get(self.kind.found_by)


ORDERS = Kind("orders", time="created_at", found_by="is_open", is_replaced=True)
"""The one kind that stores know: open orders are loaded with the desk, as of the same head."""


def row_id(sequence: int, place: int | None = None) -> str:
    """Return the id of what a journal row recorded, at a place in it; such ids sort as things happened."""
    return f"{sequence:012d}" if place is None else f"{sequence:012d}.{place:04d}"
