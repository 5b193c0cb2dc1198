"""The distributed store: Google Firestore, one batched write per commit, fenced by ``_global``'s update time.

Every write of the writer also writes ``console_state/_global``, on the condition that this document is unchanged since
the writer's last write. So two desks on one project cannot both write (DESIGN 3). The time of ``_global``'s last write
is the head's mark. ``services/stores/firestore/layout.py`` describes collections and fields.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace

from services.stores.firestore import copies, layout
from services.stores.firestore.failures import Refused
from services.stores.firestore.reading import FirestoreReader
from services.stores.firestore.wire import NAME, WRITE_SECONDS, Is, Query, Wire, Write, is_name
from services.stores.records import Kind, Record, expiring, row_id, text_of
from services.stores.store import (
    ENDED_SESSIONS_KEPT_FOR,
    REPLIES_KEPT_FOR,
    Commit,
    DeskSnapshot,
    EndedSession,
    Head,
    StoredKey,
    StoreDown,
    StoreError,
    VersionConflict,
)

log = structlog.get_logger(__name__)

COMMIT_SECONDS = 1.7  # a commit and the read before it; with 1.2 s of waiting this stays below TradingView's 3 s
LOOK_SECONDS = 0.4  # the read before a commit
PURGE_LOOK_SECONDS = 0.2
PURGE_AT_ONCE = 25
PURGE_EVERY = timedelta(hours=1)
PURGE_AGAIN = timedelta(minutes=1)
DELETES_AT_ONCE = 400
NAME_BREAKERS = re.compile(r"[^\w.+-]+")


class FirestoreStore(FirestoreReader):
    """A store in one Google Cloud project.

    Parameters: the project's id; the text of a service account's JSON key, None for this machine's own credentials;
    ``host:port`` of an emulator, which needs none. Nothing is sent before the first call.
    Raises StoreUnreadable for unusable credentials.
    """

    group_at_most = 64

    def __init__(self, project: str, credentials_json: str | None = None, *, emulator_host: str | None = None) -> None:
        super().__init__(Wire(project, credentials_json, emulator_host))
        self._purge_due_at: dict[str, float] = {}

    # -- for the writer only ----------------------------------------------------------------------------------

    def commit(self, commit: Commit) -> Head:
        """Store all of it in one batch. Now and then, expired replies and records are looked up before.

        Both calls share ``COMMIT_SECONDS``: the batch gets the time that the lookup left.
        """
        begun = time.monotonic()
        outdated = self._outdated(commit)
        left = COMMIT_SECONDS - (time.monotonic() - begun)
        mark = self._write(commit.expected, layout.commit_writes(commit, outdated), min(WRITE_SECONDS, left))
        state = commit.becomes
        return Head(state.sequence, state.version, state.epoch, state.holder, mark)

    def check(self, head: Head) -> None:
        """Do nothing: every write names the head that it was decided on, and Firestore compares it."""

    def renew(self, head: Head) -> Head:
        return replace(head, mark=self._write(head, [layout.beat_write(head)]))

    def release(self, head: Head) -> Head:
        return replace(head, holder="", mark=self._write(head, [layout.release_write(head)]))

    def mark_records(self, records: Sequence[Record], head: Head) -> Head:
        marked = [layout.record_write(record) for record in records]
        return replace(head, mark=self._write(head, [layout.beat_write(head), *marked]))

    def keep_snapshot(self, snapshot: DeskSnapshot, head: Head) -> Head:
        return replace(head, mark=self._write(head, [layout.beat_write(head), *copies.snapshot_writes(snapshot)]))

    def _write(self, expected: Head | None, writes: Sequence[Write], seconds: float = WRITE_SECONDS) -> str:
        """Send a batch whose first write is the head's. Return the head's new mark.

        The precondition that failed may be the head's or another document's; Firestore does not say which. So the head
        is read again. In both cases nothing was written.
        """
        try:
            return self._wire.commit(writes, seconds)[0]
        except Refused as refusal:
            current = self._head(LOOK_SECONDS)
            if (current and current.mark) == (expected and expected.mark):
                raise
            where = f"at sequence {expected.sequence} as this writer left it" if expected else "a new one"
            raise VersionConflict(f"the store is no longer {where}") from refusal

    # -- what a commit deletes --------------------------------------------------------------------------------

    def _outdated(self, commit: Commit) -> list[Write]:
        """Return the deletions of some expired replies and records, of each collection once every ``PURGE_EVERY``."""
        if not commit.rows:
            return []
        now = commit.rows[-1].at
        found = self._expired("replies", "answered_at", now - REPLIES_KEPT_FOR, now)
        for kind, horizon in expiring(commit.records).items():
            found += self._expired(kind.name, kind.time, horizon, now)
        return found

    def _expired(self, collection: str, field: str, horizon: datetime, now: datetime) -> list[Write]:
        if now.timestamp() < self._purge_due_at.get(collection, 0.0):
            return []
        old = ((field, Is.LESS_THAN, text_of(horizon)),)
        found = self._deletions(Query(collection, old, field, limit=PURGE_AT_ONCE, only=("schema",)))
        again = PURGE_AGAIN if len(found) >= PURGE_AT_ONCE else PURGE_EVERY
        self._purge_due_at[collection] = (now + again).timestamp()
        return found

    def _deletions(self, outdated: Query) -> list[Write]:
        """Return the deletions of the documents found, none when the store does not answer quickly."""
        try:
            found = self._wire.page(outdated, PURGE_LOOK_SECONDS)
        except StoreError as error:
            log.info("old documents were left for later", collection=outdated.collection, error=str(error))
            return []
        return [Write(f"{outdated.collection}/{one.id}") for one in found]

    # -- housekeeping -----------------------------------------------------------------------------------------

    def back_up(self, label: str) -> str:
        """Copy the desk and its open orders. The journal is not copied, because it only grows."""
        stored = self.load()
        if stored is None:
            raise StoreDown("there is nothing to back up yet")
        name = f"backups/{NAME_BREAKERS.sub('-', label)}"
        self._wire.commit(copies.backup_writes(name, stored))
        return name

    def prune_journal(self, through: int, kinds: Sequence[Kind] = ()) -> int:
        for kind in kinds:
            self._delete_all(Query(kind.name, ((NAME, Is.LESS_THAN_OR_EQUAL, row_id(through)),), limit=DELETES_AT_ONCE))
        old = (("sequence", Is.LESS_THAN_OR_EQUAL, through),)
        return self._delete_all(Query("journal", old, "sequence", limit=DELETES_AT_ONCE, only=("sequence",)))

    def _delete_all(self, outdated: Query) -> int:
        deleted = 0
        while found := self._wire.page(outdated):
            self._wire.commit([Write(f"{outdated.collection}/{one.id}") for one in found])
            deleted += len(found)
        return deleted

    def put_api_key(self, key: StoredKey) -> None:
        self._wire.commit([layout.key_write(key)])

    def revoke_api_key(self, key_id: str) -> bool:
        path = f"api_keys/{key_id}"
        if not is_name(key_id) or self._wire.get(path, ("schema",)) is None:
            return False
        self._wire.commit([Write(path)])
        return True

    def put_ended_session(self, ended: EndedSession) -> None:
        old = (("ended_at", Is.LESS_THAN, text_of(ended.ended_at - ENDED_SESSIONS_KEPT_FOR)),)
        query = Query("ended_sessions", old, "ended_at", limit=PURGE_AT_ONCE, only=("schema",))
        written = layout.ended_session_write(ended)
        outdated = [write for write in self._deletions(query) if write.path != written.path]
        self._wire.commit([written, *outdated])

    def close(self) -> None:
        self._wire.close()
