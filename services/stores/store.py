"""The port every store keeps: load what stands, commit all or nothing, read what was (SPEC 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

NOTICES_KEPT_FOR = timedelta(days=7)
REPLIES_KEPT_FOR = timedelta(hours=24)  # SPEC 4: an Idempotency-Key answers the first result for 24 h


class StoreError(Exception):
    """The store did not do what it was asked; ``retry_helps`` says whether asking again may."""

    retry_helps = True


class StoreDown(StoreError):
    """The store could not be reached or could not write. Nothing was committed."""


class OutcomeUnknown(StoreError):
    """The commit is still under way after a long time: it may take effect or not. Ask the state, then decide."""


class VersionConflict(StoreError):
    """Another writer has committed since; this one must stop writing (DESIGN 3)."""

    retry_helps = False


class StoreUnreadable(StoreError):
    """What is stored is not a Lockstep store, or a newer one than this program knows."""

    retry_helps = False


class StoredOrder(Struct, frozen=True):
    """An order as stored; the columns beside ``body`` are there to be searched."""

    id: str
    asset: str
    status: str
    is_open: bool
    created_at: datetime
    body: bytes


class JournalRow(Struct, frozen=True):
    """One decided command: asked with ``command``, answered with ``events``, both JSON.

    ``observed`` holds the prices and ages that changed since the row before, so that replay decides on what
    the desk saw.
    """

    sequence: int
    at: datetime
    origin: str
    kind: str
    asset: str | None
    command: bytes
    events: bytes
    observed: bytes | None = None


class StoredTrade(Struct, frozen=True):
    id: str
    asset: str
    closed_at: datetime
    body: bytes


class StoredReply(Struct, frozen=True):
    """The answer to an ``Idempotency-Key``, kept for 24 h (SPEC 4)."""

    key: str
    fingerprint: str
    answered_at: datetime
    answer: bytes


class DeadLetter(Struct, frozen=True):
    sequence: int
    at: datetime
    path: str
    reason: str
    body: str


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


class Commit(Struct, frozen=True):
    """One decision or a group of them: everything in it is stored, or nothing."""

    expected_sequence: int
    sequence: int
    version: int
    documents: Mapping[str, bytes]
    rows: Sequence[JournalRow]
    orders: Sequence[StoredOrder] = ()
    trades: Sequence[StoredTrade] = ()
    replies: Sequence[StoredReply] = ()
    dead_letters: Sequence[DeadLetter] = ()
    notices: Sequence[StoredNotice] = ()
    withdrawn_slots: Sequence[str] = ()


class Stored(Struct, frozen=True):
    """What a start needs: the documents and the open orders, not the journal."""

    sequence: int
    version: int
    documents: Mapping[str, bytes]
    open_orders: Sequence[bytes]


class Store(Protocol):
    """Where the desk is kept. Only the state manager's writer thread calls ``commit`` and ``mark_notice``."""

    def load(self) -> Stored | None:
        """Return what is stored, None in a new store. Raises StoreDown, StoreUnreadable."""

    def commit(self, commit: Commit) -> None:
        """Store all of it durably, or nothing. Raises StoreDown, VersionConflict."""

    def order(self, order_id: str) -> bytes | None:
        """Return any order ever stored. Raises StoreDown."""

    def last_trades(self, limit: int) -> list[bytes]:
        """Return the newest closed trades, newest first."""

    def last_rows(self, origin: str, limit: int) -> list[JournalRow]:
        """Return the newest journal rows of one origin, newest first."""

    def journal(self, after: int = 0) -> Iterator[JournalRow]:
        """Walk the journal in order, from the row behind sequence ``after``."""

    def replies_since(self, since: datetime) -> list[StoredReply]:
        """Return the kept answers that are younger than ``since``."""

    def last_dead_letters(self, limit: int) -> list[DeadLetter]:
        """Return the newest dead letters, newest first."""

    def next_notice(self, target: int, now: datetime) -> StoredNotice | None:
        """Return the notice to send to that target now: what was never tried comes first."""

    def next_notice_at(self, target: int) -> datetime | None:
        """Return when the target's next notice is due, None when nothing waits."""

    def mark_notice(self, mark: NoticeMark) -> None:
        """Write down what became of a notice. One that arrived calls the target's failed ones at once."""

    def close(self) -> None:
        """Let go of files and locks."""
