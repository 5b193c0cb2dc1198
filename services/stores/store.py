"""The port every store keeps: load what stands, commit all or nothing, read what was (SPEC 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from services.stores.records import FAR_AHEAD, LONG_AGO, Kind, Record, Scalar

NOTICES_KEPT_FOR = timedelta(days=7)
REPLIES_KEPT_FOR = timedelta(hours=24)  # SPEC 4: an Idempotency-Key answers the first result for 24 h
ENDED_SESSIONS_KEPT_FOR = timedelta(hours=25)  # as long as a session lasts, and an hour for clocks that differ


class StoreError(Exception):
    """The store did not do what it was asked; ``retry_helps`` says whether asking again may."""

    retry_helps = True


class StoreDown(StoreError):
    """The store could not be reached or could not write. Nothing was committed."""


class OutcomeUnknown(StoreError):
    """The write may have taken effect or not, or may yet. Ask the store, then decide (DESIGN 7)."""


class NotTheWriter(StoreError):
    """This process is the standby: another one, ``writer``, holds the desk. Nothing was changed."""

    def __init__(self, writer: str) -> None:
        super().__init__(f"{writer or 'nobody yet'} holds the desk, this process only reads")
        self.writer = writer


class VersionConflict(StoreError):
    """Another writer has written since; this one must stop writing (DESIGN 3)."""

    retry_helps = False


class StoreUnreadable(StoreError):
    """What is stored is not a Lockstep store, or a newer one than this program knows."""

    retry_helps = False


class Stand(Struct, frozen=True):
    """Where a store stands, and who may write to it.

    ``epoch`` counts the writers there have been; ``holder`` names the present one and is empty when the last one
    let go.
    """

    sequence: int
    version: int
    epoch: int
    holder: str


class Head(Stand, frozen=True):
    """The one line that every write is checked against.

    ``mark`` changes with every write: two equal heads mean that nobody has written in between, which is
    how a write is fenced and how a standby sees that the writer lives.
    """

    mark: str


class JournalRow(Struct, frozen=True):
    """One decided command: asked with ``command``, answered with ``events``, both JSON.

    ``observed`` holds the prices and ages that changed since the row before, so that replay decides on what
    the desk saw. ``schema`` says how the three are written (``services/stores/codec/documents.py``).
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


class StoredNotice(Struct, frozen=True):
    """One message on its way to one target: a row of the outbox, written with the events that caused it.

    ``target`` is a place in NOTIFY_URLS, from 1: the URLs themselves hold tokens and are never stored. ``number``
    is 0 until the store has given one. A ``slot`` names an announcement that a newer one replaces.
    """

    sequence: int
    target: int
    at: datetime
    due_at: datetime
    kind: str
    level: str
    title: str
    body: str
    slot: str | None = None
    number: int = 0
    attempts: int = 0


class NoticeMark(Struct, frozen=True):
    """What became of one try: sent, to be tried again at ``next_try_at``, or given up (neither)."""

    number: int
    target: int
    at: datetime
    attempts: int
    sent: bool = False
    next_try_at: datetime | None = None
    error: str | None = None


class OutboxChange(Struct, frozen=True):
    """What a commit does to the outbox: withdraw what waits in some slots, then let new notices wait."""

    notices: Sequence[StoredNotice] = ()
    withdrawn_slots: Sequence[str] = ()


class Commit(Struct, frozen=True):
    """One decision or a group of them: everything in it is stored, or nothing.

    ``expected`` is the head it was decided on (None in a new store), ``becomes`` where the store stands behind it.
    A document that is None is no more: an asset that was taken off the list. ``records`` come from the table of
    projections (``services/projections/table.py``).
    """

    expected: Head | None
    becomes: Stand
    documents: Mapping[str, bytes | None]
    rows: Sequence[JournalRow] = ()
    records: Sequence[Record] = ()
    replies: Sequence[StoredReply] = ()
    outbox: OutboxChange = OutboxChange()


class Stored(Struct, frozen=True):
    """What a start needs: the documents and the open orders, not the journal. All of it as of one head."""

    head: Head
    documents: Mapping[str, bytes]
    open_orders: Sequence[bytes]


class SnapshotMark(Struct, frozen=True):
    """Where a kept snapshot stands: behind the row ``sequence``, taken ``at``, within ``trading_day``."""

    sequence: int
    at: datetime
    trading_day: str


class DeskSnapshot(Struct, frozen=True):
    """The desk's documents and open orders as of a journal row: replay begins here instead of at the first row."""

    mark: SnapshotMark
    documents: Mapping[str, bytes]
    open_orders: Sequence[bytes]


class StoredKey(Struct, frozen=True):
    """An API key, of which only a digest is kept (``services/access/keys.py``)."""

    id: str
    body: bytes


class EndedSession(Struct, frozen=True):
    """A session that was logged out, by a digest of its id (``services/access/sessions.py``)."""

    digest: str
    ended_at: datetime


class Outbox(Protocol):
    """Notices on their way. A write that takes a ``Head`` is fenced as ``Store`` says."""

    def mark_notice(self, mark: NoticeMark, head: Head) -> Head:
        """Write down what became of a notice. One that arrived calls the target's failed ones at once."""

    def next_notice(self, target: int, now: datetime) -> StoredNotice | None:
        """Return the notice to send to that target now: what was never tried comes first."""

    def next_notice_at(self, target: int) -> datetime | None:
        """Return when the target's next notice is due, None when nothing waits."""


class Snapshots(Protocol):
    """Where replay may begin. A write that takes a ``Head`` is fenced as ``Store`` says."""

    def keep_snapshot(self, snapshot: DeskSnapshot, head: Head) -> Head:
        """Keep the desk as it stands at a journal row."""

    def snapshot_marks(self) -> list[SnapshotMark]:
        """Return where snapshots were kept, oldest first."""

    def snapshot(self, sequence: int) -> DeskSnapshot | None:
        """Return the snapshot kept behind that row."""


class AccessLists(Protocol):
    """Who may come in. Any process may write: nothing here touches what the desk decides on."""

    def api_keys(self) -> list[StoredKey]:
        """Return every API key that was not revoked."""

    def put_api_key(self, key: StoredKey) -> None:
        """Keep an API key, new or changed."""

    def revoke_api_key(self, key_id: str) -> bool:
        """Forget an API key; False when there was none."""

    def ended_sessions(self, since: datetime) -> list[EndedSession]:
        """Return the sessions that were logged out from an instant on, oldest first."""

    def put_ended_session(self, ended: EndedSession) -> None:
        """Remember a session that was logged out, and forget those that would have run out by now."""


class Store(Outbox, Snapshots, AccessLists, Protocol):
    """Where the desk is kept.

    Only the state manager's writer thread calls what takes a ``Head``, and ``commit``. Each of those writes is refused
    with VersionConflict unless the store still stands at that head, and returns the new one. A write that may have
    happened or not raises OutcomeUnknown; every other StoreError means that nothing was written.
    """

    group_at_most: int
    """How many commands one commit may hold."""

    # -- the writer's -----------------------------------------------------------------------------------------

    def commit(self, commit: Commit) -> Head:
        """Store all of it durably, or nothing. Raises StoreDown, VersionConflict, OutcomeUnknown."""

    def renew(self, head: Head) -> Head:
        """Say that the writer lives: nothing but the mark changes. Fences whatever was under way before."""

    def release(self, head: Head) -> Head:
        """Let go of the desk: the holder becomes empty, a standby may take over at once."""

    # -- anybody's --------------------------------------------------------------------------------------------

    def head(self) -> Head | None:
        """Return where the store stands, None in a new one: the cheapest question there is. Raises StoreDown."""

    def load(self) -> Stored | None:
        """Return what is stored as of one head, None in a new store. Raises StoreDown, StoreUnreadable."""

    def record(self, kind: Kind, record_id: str) -> Record | None:
        """Return the record of that id. Raises StoreDown, StoreUnreadable, as do the next three."""

    def records_by_id(self, kind: Kind, first_id: str, last_id: str) -> list[Record]:
        """Return the records whose ids lie between these two, both included, in the order of their ids."""

    def records_with(self, kind: Kind, value: Scalar) -> list[Record]:
        """Return the records with that value of the fact they are ``found_by``, in the order of their ids."""

    def newest_records(
        self, kind: Kind, limit: int, since: datetime = LONG_AGO, until: datetime = FAR_AHEAD
    ) -> list[Record]:
        """Return the newest records from ``since`` on and before ``until``, newest first (of two at once by id)."""

    def last_rows(self, origin: str, limit: int) -> list[JournalRow]:
        """Return the newest journal rows of one origin, newest first."""

    def journal(self, after: int = 0) -> Iterator[JournalRow]:
        """Walk the journal in order, from the row behind sequence ``after``."""

    def sequence_before(self, at: datetime) -> int:
        """Return the sequence of the last row committed before an instant, 0 when the journal begins later."""

    def replies_since(self, since: datetime) -> list[StoredReply]:
        """Return the kept answers that are younger than ``since``."""

    # -- housekeeping, from any process: nothing here touches what the desk decides on --------------------------

    def back_up(self, label: str) -> str:
        """Copy what is stored to a place beside it and return that place's name. Raises StoreDown."""

    def prune_journal(self, through: int, kinds: Sequence[Kind] = ()) -> int:
        """Delete journal rows up to a sequence and the records of these kinds that go with them.

        Returns how many rows it deleted. Export them first.
        """

    def close(self) -> None:
        """Let go of files and connections."""
