"""The port that every store implements: load the desk, commit all or nothing, read the past (SPEC 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from services.stores.records import FAR_AHEAD, LONG_AGO, Kind, Record, Scalar

REPLIES_KEPT_FOR = timedelta(hours=24)  # SPEC 4: an Idempotency-Key answers the first result for 24 h
ENDED_SESSIONS_KEPT_FOR = timedelta(hours=25)  # a session lasts 24 h, and clocks may differ by an hour


class StoreError(Exception):
    """The store failed. ``retry_helps`` is true when the same call may succeed later."""

    retry_helps = True


class StoreDown(StoreError):
    """The store could not be reached or could not write. Nothing was committed."""


class OutcomeUnknown(StoreError):
    """The write may have taken effect, or may still do so. Read the store before deciding anything (DESIGN 7)."""


class NotTheWriter(StoreError):
    """This process is a standby: the process ``writer`` holds the desk. Nothing was changed."""

    def __init__(self, writer: str) -> None:
        super().__init__(f"{writer or 'nobody yet'} holds the desk, this process only reads")
        self.writer = writer


class VersionConflict(StoreError):
    """Another process has written since; this one must stop writing (DESIGN 3)."""

    retry_helps = False


class StoreUnreadable(StoreError):
    """The stored data is not a Lockstep store, or is of a newer version than this program knows."""

    retry_helps = False


class StoreState(Struct, frozen=True):
    """How far a store has been written, and which process may write to it.

    ``sequence`` is the last journal row, ``version`` the last stored version. ``epoch`` counts the writers so far.
    ``holder`` names the current writer and is empty after the last one released the desk.
    """

    sequence: int
    version: int
    epoch: int
    holder: str


class Head(StoreState, frozen=True):
    """The state that every write is checked against.

    ``mark`` changes with every write. Equal heads mean that nothing was written in between. So a write of an overtaken
    writer is refused, and a standby sees that the writer still writes.
    """

    mark: str


class JournalRow(Struct, frozen=True):
    """One decided command: the ``command`` and its ``events``, both JSON.

    ``observed`` holds the prices and ages that changed since the previous row, so that replay decides on the same desk.
    ``schema`` is the format of the three (``services/stores/codec/documents.py``).
    """

    sequence: int
    at: datetime
    origin: str
    kind: str
    asset: str | None
    command: bytes
    events: bytes
    observed: bytes | None = None
    schema: int = 2


class StoredReply(Struct, frozen=True):
    """The answer to an ``Idempotency-Key``, kept for 24 h (SPEC 4)."""

    key: str
    fingerprint: str
    answered_at: datetime
    answer: bytes


class Commit(Struct, frozen=True):
    """One decision or a group of them: everything in it is stored, or nothing.

    ``expected`` is the head it was decided on (None in a new store), ``becomes`` the store's state after it. A document
    that is None is deleted: its asset is no longer listed. ``records`` come from the table of projections
    (``services/projections/table.py``).
    """

    expected: Head | None
    becomes: StoreState
    documents: Mapping[str, bytes | None]
    rows: Sequence[JournalRow] = ()
    records: Sequence[Record] = ()
    replies: Sequence[StoredReply] = ()


class Stored(Struct, frozen=True):
    """The data that a start needs: the documents and the open orders, without the journal, all as of one head."""

    head: Head
    documents: Mapping[str, bytes]
    open_orders: Sequence[bytes]


class SnapshotMark(Struct, frozen=True):
    """The position of a snapshot: after the row ``sequence``, taken ``at``, within ``trading_day``."""

    sequence: int
    at: datetime
    trading_day: str


class DeskSnapshot(Struct, frozen=True):
    """The desk's documents and open orders as of a journal row. Replay can begin here instead of at the first row."""

    mark: SnapshotMark
    documents: Mapping[str, bytes]
    open_orders: Sequence[bytes]


class StoredKey(Struct, frozen=True):
    """An API key. Only a digest of its secret is stored (``services/access/keys.py``)."""

    id: str
    body: bytes


class EndedSession(Struct, frozen=True):
    """A session that was logged out, stored by a digest of its id (``services/access/sessions.py``)."""

    digest: str
    ended_at: datetime


class Snapshots(Protocol):
    """Snapshots, at which replay can begin. A write that takes a ``Head`` is checked against it, see ``Store``."""

    def keep_snapshot(self, snapshot: DeskSnapshot, head: Head) -> Head:
        """Store the desk as of a journal row."""

    def snapshot_marks(self) -> list[SnapshotMark]:
        """Return the positions of the stored snapshots, oldest first."""

    def snapshot(self, sequence: int) -> DeskSnapshot | None:
        """Return the snapshot taken after that row, None without one."""


class AccessLists(Protocol):
    """API keys and ended sessions. Any process may write them, because the desk's decisions do not depend on them."""

    def api_keys(self) -> list[StoredKey]:
        """Return every API key that was not revoked."""

    def put_api_key(self, key: StoredKey) -> None:
        """Store an API key, new or changed."""

    def revoke_api_key(self, key_id: str) -> bool:
        """Delete an API key. Return False when there was none."""

    def ended_sessions(self, since: datetime) -> list[EndedSession]:
        """Return the sessions that were logged out from an instant on, oldest first."""

    def put_ended_session(self, ended: EndedSession) -> None:
        """Store a session that was logged out, and delete those that would have expired by now."""


class Store(Snapshots, AccessLists, Protocol):
    """The store of the desk.

    Only the state manager's writer thread calls ``commit`` and the methods that take a ``Head``. Each of these writes
    raises VersionConflict when the store's head has changed, and else returns the new head. A write that may have
    happened or not raises OutcomeUnknown; every other StoreError means that nothing was written.
    """

    group_at_most: int
    """How many commands one commit may hold."""

    # -- for the writer only ----------------------------------------------------------------------------------

    def commit(self, commit: Commit) -> Head:
        """Store all of it durably, or nothing. Raises StoreDown, VersionConflict, OutcomeUnknown."""

    def renew(self, head: Head) -> Head:
        """Renew the writer's lease: only the mark changes. Earlier writes that are still under way are refused then."""

    def release(self, head: Head) -> Head:
        """Release the desk: the holder becomes empty, and a standby may take over at once."""

    def mark_records(self, records: Sequence[Record], head: Head) -> Head:
        """Store records in place of those with their ids, without a journal row; only kinds with ``is_replaced``.

        Notices are marked so, and what belongs to no decision is kept so.
        """

    def check(self, head: Head) -> None:
        """Raise StoreDown when the store is not the one that was opened any more, VersionConflict at another head.

        It is asked between two groups and costs microseconds: where that cannot be, the next write finds out.
        """

    # -- for any process --------------------------------------------------------------------------------------

    def head(self) -> Head | None:
        """Return the head, None in a new store. This is the cheapest read. Raises StoreDown."""

    def load(self) -> Stored | None:
        """Return the desk's data as of one head, None in a new store. Raises StoreDown, StoreUnreadable."""

    def record(self, kind: Kind, record_id: str) -> Record | None:
        """Return the record with that id. This and the next three raise StoreDown, StoreUnreadable."""

    def records_by_id(self, kind: Kind, first_id: str, last_id: str) -> list[Record]:
        """Return the records with ids from ``first_id`` to ``last_id``, both included, in the order of their ids."""

    def records_with(
        self, kind: Kind, value: Scalar, through: Scalar | None = None, limit: int | None = None
    ) -> list[Record]:
        """Return the records whose ``found_by`` fact has that value, or lies between it and ``through``, both included.

        They come in the order of that fact, equal ones in the order of their ids; at most ``limit`` of them.
        """

    def newest_records(
        self, kind: Kind, limit: int, since: datetime = LONG_AGO, until: datetime = FAR_AHEAD
    ) -> list[Record]:
        """Return the newest records from ``since`` on and before ``until``, newest first; equal times by id."""

    def last_rows(self, origin: str, limit: int) -> list[JournalRow]:
        """Return the newest journal rows of one origin, newest first."""

    def journal(self, after: int = 0) -> Iterator[JournalRow]:
        """Yield the journal rows after the sequence ``after``, in order."""

    def sequence_before(self, at: datetime) -> int:
        """Return the sequence of the last row committed before an instant, 0 without one."""

    def replies_since(self, since: datetime) -> list[StoredReply]:
        """Return the stored answers that are newer than ``since``."""

    # -- housekeeping, for any process: the desk's decisions do not depend on it -------------------------------

    def back_up(self, label: str) -> str:
        """Copy the stored data and return the name of the copy. Raises StoreDown."""

    def prune_journal(self, through: int, kinds: Sequence[Kind] = ()) -> int:
        """Delete the journal rows up to a sequence, and the records of these kinds that belong to them.

        Returns how many rows it deleted. Archive them first.
        """

    def close(self) -> None:
        """Close files and connections."""
