"""The distributed store: Google Firestore, one batched write per commit, fenced by ``_global``'s update time.

Every write of the writer also writes ``console_state/_global``, on the condition that this document is unchanged since
the writer's last write. So two desks on one project cannot both write (DESIGN 3). The time of ``_global``'s last write
is the head's mark. ``services/stores/firestore/layout.py`` describes collections and fields.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import timedelta

import structlog
from msgspec.structs import replace

from services.stores.firestore import copies, layout
from services.stores.firestore.failures import Refused
from services.stores.firestore.reading import FirestoreReader
from services.stores.firestore.wire import NAME, WRITE_SECONDS, Is, Query, Wire, Write, is_name
from services.stores.records import Kind, row_id
from services.stores.store import (
    ENDED_SESSIONS_KEPT_FOR,
    NOTICES_KEPT_FOR,
    REPLIES_KEPT_FOR,
    Commit,
    DeskSnapshot,
    EndedSession,
    Head,
    NoticeMark,
    StoredKey,
    StoreDown,
    StoreError,
    VersionConflict,
)

log = structlog.get_logger(__name__)

COMMIT_SECONDS = 1.7  # a commit and the read before it; with 1.2 s of waiting this stays below TradingView's 3 s
LOOK_SECONDS = 0.4  # the read before a commit
PURGE_LOOK_SECONDS = 0.2
PURGE_AT_ONCE = 50
PURGE_EVERY = timedelta(hours=1)
PURGE_AGAIN = timedelta(minutes=1)
DELETES_AT_ONCE = 400
RETRIED_AT_ONCE = 400
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
        self._purge_due_at: float = 0.0

    # -- for the writer only ----------------------------------------------------------------------------------

    def commit(self, commit: Commit) -> Head:
        """Store all of it in one batch. Withdrawn notices are looked up before.

        Both calls share ``COMMIT_SECONDS``: the batch gets the time that the lookup left.
        """
        begun = time.monotonic()
        outdated = self._withdrawn(commit) if commit.outbox.withdrawn_slots else self._outdated(commit)
        left = COMMIT_SECONDS - (time.monotonic() - begun)
        mark = self._write(commit.expected, layout.commit_writes(commit, outdated), min(WRITE_SECONDS, left))
        state = commit.becomes
        return Head(state.sequence, state.version, state.epoch, state.holder, mark)

    def renew(self, head: Head) -> Head:
        return replace(head, mark=self._write(head, [layout.beat_write(head)]))

    def release(self, head: Head) -> Head:
        return replace(head, holder="", mark=self._write(head, [layout.release_write(head)]))

    def mark_notice(self, mark: NoticeMark, head: Head) -> Head:
        """Store the result of a try. A notice that was withdrawn meanwhile stays deleted."""
        retries = self._failed_ones(mark) if mark.sent else []
        others = [write for write in retries if write.path != layout.mark_write(mark).path]
        beat = layout.beat_write(head)
        try:
            moved = self._write(head, [beat, layout.mark_write(mark), *others])
        except Refused:
            if self._wire.get(layout.mark_write(mark).path, ("number",), LOOK_SECONDS) is not None:
                raise
            moved = self._write(head, [beat, *others])
        return replace(head, mark=moved)

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

    def _withdrawn(self, commit: Commit) -> list[Write]:
        """Return the deletions of the waiting notices in the withdrawn slots."""
        waiting = Query("notices", (("waiting_slot", Is.IN, tuple(commit.outbox.withdrawn_slots)),), only=("number",))
        return [Write(f"notices/{found.id}") for found in self._wire.page(waiting, LOOK_SECONDS)]

    def _outdated(self, commit: Commit) -> list[Write]:
        """Return the deletions of some expired replies and notices, once every ``PURGE_EVERY``."""
        if not commit.rows or commit.rows[-1].at.timestamp() < self._purge_due_at:
            return []
        now = commit.rows[-1].at
        found = []
        for collection, field, kept_for in (
            ("replies", "answered_at", REPLIES_KEPT_FOR),
            ("notices", "due_at", NOTICES_KEPT_FOR),
        ):
            old = ((field, Is.LESS_THAN, layout.text(now - kept_for)),)
            found += self._deletions(Query(collection, old, field, limit=PURGE_AT_ONCE // 2, only=("schema",)))
        again = PURGE_AGAIN if len(found) >= PURGE_AT_ONCE // 2 else PURGE_EVERY
        self._purge_due_at = (now + again).timestamp()
        return found

    def _deletions(self, outdated: Query) -> list[Write]:
        """Return the deletions of the documents found, none when the store does not answer quickly."""
        try:
            found = self._wire.page(outdated, PURGE_LOOK_SECONDS)
        except StoreError as error:
            log.info("old documents were left for later", collection=outdated.collection, error=str(error))
            return []
        return [Write(f"{outdated.collection}/{one.id}") for one in found]

    def _failed_ones(self, mark: NoticeMark) -> list[Write]:
        """Return the writes that make the target's failed notices due now, because it accepts notices again."""
        later = (
            ("waits", Is.GREATER_THAN, layout.waits(mark.target, mark.at)),
            ("waits", Is.LESS_THAN, layout.waits(mark.target) + "~"),
        )
        waiting = self._wire.page(Query("notices", later, "waits", limit=RETRIED_AT_ONCE), LOOK_SECONDS)
        return [layout.retry_write(one, mark.target, mark.at) for one in waiting if one.fields["attempts"] > 0]

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
        old = (("ended_at", Is.LESS_THAN, layout.text(ended.ended_at - ENDED_SESSIONS_KEPT_FOR)),)
        query = Query("ended_sessions", old, "ended_at", limit=PURGE_AT_ONCE, only=("schema",))
        written = layout.ended_session_write(ended)
        outdated = [write for write in self._deletions(query) if write.path != written.path]
        self._wire.commit([written, *outdated])

    def close(self) -> None:
        self._wire.close()
