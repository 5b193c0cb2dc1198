"""The embedded store: SQLite, WAL, synchronous=FULL (docs/explanation/architecture.md, chosen parts).

Several processes may open the file; one of them writes. Each of its writes updates the single row of ``desk``, on the
condition that ``beat`` still has the value it saw last. A writer that was overtaken updates no row, and its transaction
is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from services.stores.records import Kind, Record, expiring, row_id, text_of
from services.stores.sqlite.file import store_errors
from services.stores.sqlite.reader import HEAD_COLUMNS, SnapshotBody, SqliteReader, fact_text, head_of
from services.stores.store import (
    ENDED_SESSIONS_KEPT_FOR,
    REPLIES_KEPT_FOR,
    Commit,
    DeskSnapshot,
    EndedSession,
    Head,
    StoredKey,
    VersionConflict,
)

FIRST_HEAD = "INSERT INTO desk VALUES (1, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING"
MOVE_HEAD = "UPDATE desk SET sequence = ?, version = ?, epoch = ?, holder = ?, beat = beat + 1 WHERE beat = ?"
ADD_ROW = (
    "INSERT INTO journal (sequence, at, origin, kind, asset, command, events, observed, schema) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
PUT_DOCUMENT = "INSERT OR REPLACE INTO documents (name, body) VALUES (?, ?)"
RECORD = "INTO records (kind, id, at, found_by, facts, body) VALUES (?, ?, ?, ?, ?, ?)"
PUT_RECORD = f"INSERT OR REPLACE {RECORD}"
ADD_RECORD = f"INSERT {RECORD}"
PUT_REPLY = "INSERT OR REPLACE INTO replies (key, fingerprint, answered_at, answer) VALUES (?, ?, ?, ?)"
OLDEST_ROWS = (
    "DELETE FROM journal WHERE sequence IN (SELECT sequence FROM journal WHERE sequence <= ? ORDER BY sequence LIMIT ?)"
)
OLDEST_RECORDS = (
    "DELETE FROM records WHERE kind = ? AND id IN "
    "(SELECT id FROM records WHERE kind = ? AND id <= ? ORDER BY id LIMIT ?)"
)
PRUNED_AT_ONCE = 2000  # rows of one transaction, because the writer has to wait for it


class SqliteStore(SqliteReader):
    """A store in one file. Opening it upgrades it to the newest schema."""

    group_at_most = 256

    def __init__(self, path: Path | str) -> None:
        super().__init__(path, migrates=True)

    # -- for the writer only ----------------------------------------------------------------------------------

    def commit(self, commit: Commit) -> Head:
        state = commit.becomes
        moved_to = (state.sequence, state.version, state.epoch, state.holder)
        with self._transaction():
            if commit.expected is None:
                self._move(FIRST_HEAD, moved_to)
            else:
                self._move(MOVE_HEAD, (*moved_to, int(commit.expected.mark)))
            self._write(commit)
            return self._moved_head()

    def check(self, head: Head) -> None:
        self._require_whole()
        with store_errors():
            found = self._writer.execute("SELECT beat FROM desk").fetchone()
        if found is None or str(found[0]) != head.mark:
            raise VersionConflict("another process has written to the store since")

    def renew(self, head: Head) -> Head:
        with self._moving_on(head):
            return self._moved_head()

    def release(self, head: Head) -> Head:
        with self._moving_on(head, holder=""):
            return self._moved_head()

    def mark_records(self, records: Sequence[Record], head: Head) -> Head:
        with self._moving_on(head):
            self._put(PUT_RECORD, [_columns(record) for record in records])
            return self._moved_head()

    def keep_snapshot(self, snapshot: DeskSnapshot, head: Head) -> Head:
        mark = snapshot.mark
        documents = {name: body.decode() for name, body in snapshot.documents.items()}
        body = msgspec.json.encode(SnapshotBody(documents, [order.decode() for order in snapshot.open_orders]))
        with self._moving_on(head):
            self._writer.execute(
                "INSERT OR REPLACE INTO snapshots (sequence, at, trading_day, body) VALUES (?, ?, ?, ?)",
                (mark.sequence, text_of(mark.at), mark.trading_day, body),
            )
            return self._moved_head()

    @contextmanager
    def _moving_on(self, head: Head, holder: str | None = None) -> Iterator[None]:
        """Run a small write. Of the head it changes only ``beat``, and ``holder`` when one is given."""
        named = head.holder if holder is None else holder
        with self._transaction():
            self._move(MOVE_HEAD, (head.sequence, head.version, head.epoch, named, int(head.mark)))
            yield

    def _move(self, statement: str, values: tuple[Any, ...]) -> None:
        if self._writer.execute(statement, values).rowcount != 1:
            raise VersionConflict("another process has written to the store since")

    def _moved_head(self) -> Head:
        moved = head_of(self._writer.execute(f"SELECT {HEAD_COLUMNS} FROM desk").fetchone())  # noqa: S608
        self._moved_to = int(moved.mark)
        return moved

    def _write(self, commit: Commit) -> None:
        documents = commit.documents.items()
        self._put("DELETE FROM documents WHERE name = ?", [(name,) for name, body in documents if body is None])
        self._put(PUT_DOCUMENT, [(name, body) for name, body in documents if body is not None])
        self._put(
            ADD_ROW,
            [
                (r.sequence, text_of(r.at), r.origin, r.kind, r.asset, r.command, r.events, r.observed, r.schema)
                for r in commit.rows
            ],
        )
        self._put(PUT_RECORD, [_columns(record) for record in commit.records if record.kind.is_replaced])
        self._put(ADD_RECORD, [_columns(record) for record in commit.records if not record.kind.is_replaced])
        for kind, horizon in expiring(commit.records).items():
            self._writer.execute("DELETE FROM records WHERE kind = ? AND at < ?", (kind.name, text_of(horizon)))
        if commit.replies:
            horizon = commit.replies[0].answered_at - REPLIES_KEPT_FOR
            self._writer.execute("DELETE FROM replies WHERE answered_at < ?", (text_of(horizon),))
        self._put(PUT_REPLY, [(r.key, r.fingerprint, text_of(r.answered_at), r.answer) for r in commit.replies])

    def _put(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            self._writer.executemany(statement, rows)

    # -- housekeeping, on a connection beside the writer's ----------------------------------------------------

    def prune_journal(self, through: int, kinds: Sequence[Kind] = ()) -> int:
        for kind in kinds:
            self._delete(OLDEST_RECORDS, (kind.name, kind.name, row_id(through)))
        return self._delete(OLDEST_ROWS, (through,))

    def _delete(self, statement: str, values: tuple[Any, ...]) -> int:
        """Delete in several short transactions, so that the writer never waits long. Return the number of rows."""
        deleted = 0
        while True:
            with self._transaction(self._reader()) as aside:
                gone = aside.execute(statement, (*values, PRUNED_AT_ONCE)).rowcount
            deleted += gone
            if gone < PRUNED_AT_ONCE:
                return deleted

    def put_api_key(self, key: StoredKey) -> None:
        with self._transaction(self._reader()) as aside:
            aside.execute("INSERT OR REPLACE INTO api_keys (id, body) VALUES (?, ?)", (key.id, key.body))

    def revoke_api_key(self, key_id: str) -> bool:
        with self._transaction(self._reader()) as aside:
            return aside.execute("DELETE FROM api_keys WHERE id = ?", (key_id,)).rowcount == 1

    def put_ended_session(self, ended: EndedSession) -> None:
        horizon = text_of(ended.ended_at - ENDED_SESSIONS_KEPT_FOR)
        ended_at = text_of(ended.ended_at)
        with self._transaction(self._reader()) as aside:
            aside.execute("DELETE FROM ended_sessions WHERE ended_at < ?", (horizon,))
            aside.execute("INSERT OR REPLACE INTO ended_sessions VALUES (?, ?)", (ended.digest, ended_at))


def _columns(record: Record) -> tuple[Any, ...]:
    facts = msgspec.json.encode(dict(record.facts)).decode() if record.facts else None
    return (record.kind.name, record.id, text_of(record.at), fact_text(record.found_by), facts, record.body)
