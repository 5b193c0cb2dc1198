"""The embedded store: SQLite, WAL, synchronous=FULL (docs/architecture.md, chosen parts).

Several processes may open the file; one of them writes. Each of its writes moves the one row of ``desk`` on, and
only from the ``beat`` that it saw last: whoever was overtaken finds no such row, and its transaction is undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from services.stores.sqlite.reader import HEAD_COLUMNS, SnapshotBody, SqliteReader, head_of, text_of
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
    VersionConflict,
)

FIRST_HEAD = "INSERT INTO desk VALUES (1, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING"
MOVE_HEAD = "UPDATE desk SET sequence = ?, version = ?, epoch = ?, holder = ?, beat = beat + 1 WHERE beat = ?"
ADD_ROW = (
    "INSERT INTO journal (sequence, at, origin, kind, asset, command, events, observed, schema) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
PUT_ORDER = "INSERT OR REPLACE INTO orders (id, asset, status, is_open, created_at, body) VALUES (?, ?, ?, ?, ?, ?)"
ADD_TRADE = "INSERT INTO trades (id, asset, closed_at, body, stop_points) VALUES (?, ?, ?, ?, ?)"
PUT_NOTE = "INSERT OR REPLACE INTO trade_notes (trade_id, at, body) VALUES (?, ?, ?)"
ADD_ATTEMPT = "INSERT INTO attempts (id, at, body) VALUES (?, ?, ?)"
ADD_GATES = "INSERT INTO gates_at_entry (trade_id, at, body) VALUES (?, ?, ?)"
ADD_FILL = "INSERT INTO trade_fills (trade_id, id, at, body) VALUES (?, ?, ?, ?)"
PUT_REPLY = "INSERT OR REPLACE INTO replies (key, fingerprint, answered_at, answer) VALUES (?, ?, ?, ?)"
ADD_DEAD_LETTER = "INSERT INTO dead_letters (sequence, at, path, reason, body) VALUES (?, ?, ?, ?, ?)"
ADD_NOTICE = (
    "INSERT INTO notices (sequence, target, at, due_at, kind, level, title, body, slot, attempts, next_try_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?4)"
)
MARK_NOTICE = (
    "UPDATE notices SET attempts = ?, sent_at = ?, next_try_at = ?, last_error = ? WHERE number = ? AND sent_at IS NULL"
)
CALL_FAILED_NOTICES = (
    "UPDATE notices SET next_try_at = ? "
    "WHERE target = ? AND attempts > 0 AND next_try_at IS NOT NULL AND next_try_at > ?"
)
PRUNED_AT_ONCE = 2000  # rows of one transaction: the writer waits for no more


class SqliteStore(SqliteReader):
    """A store in one file, brought to the newest schema when it is opened."""

    group_at_most = 256

    def __init__(self, path: Path | str) -> None:
        super().__init__(path, migrates=True)

    # -- the writer's -----------------------------------------------------------------------------------------

    def commit(self, commit: Commit) -> Head:
        moved_to = (commit.sequence, commit.version, commit.epoch, commit.holder)
        with self._transaction():
            if commit.expected is None:
                self._move(FIRST_HEAD, moved_to)
            else:
                self._move(MOVE_HEAD, (*moved_to, int(commit.expected.mark)))
            self._write(commit)
            return self._moved_head()

    def renew(self, head: Head) -> Head:
        with self._moving_on(head):
            return self._moved_head()

    def release(self, head: Head) -> Head:
        with self._moving_on(head, holder=""):
            return self._moved_head()

    def mark_notice(self, mark: NoticeMark, head: Head) -> Head:
        at, again = text_of(mark.at), mark.next_try_at
        outcome = (mark.attempts, at if mark.sent else None, text_of(again) if again else None, mark.error)
        with self._moving_on(head):
            self._writer.execute(MARK_NOTICE, (*outcome, mark.number))
            if mark.sent:
                self._writer.execute(CALL_FAILED_NOTICES, (at, mark.target, at))
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
        """Write something small that moves nothing of the head but its beat, and its holder when one is given."""
        named = head.holder if holder is None else holder
        with self._transaction():
            self._move(MOVE_HEAD, (head.sequence, head.version, head.epoch, named, int(head.mark)))
            yield

    def _move(self, statement: str, values: tuple[Any, ...]) -> None:
        if self._writer.execute(statement, values).rowcount != 1:
            raise VersionConflict("another process has written to the store since")

    def _moved_head(self) -> Head:
        return head_of(self._writer.execute(f"SELECT {HEAD_COLUMNS} FROM desk").fetchone())  # noqa: S608

    def _write(self, commit: Commit) -> None:
        self._put("DELETE FROM documents WHERE name = ?", [(name,) for name in commit.dropped])
        self._put("INSERT OR REPLACE INTO documents (name, body) VALUES (?, ?)", list(commit.documents.items()))
        self._put(
            PUT_ORDER,
            [(o.id, o.asset, o.status, o.is_open, text_of(o.created_at), o.body) for o in commit.orders],
        )
        self._put(
            ADD_ROW,
            [
                (r.sequence, text_of(r.at), r.origin, r.kind, r.asset, r.command, r.events, r.observed, r.schema)
                for r in commit.rows
            ],
        )
        self._put(ADD_TRADE, [(t.id, t.asset, text_of(t.closed_at), t.body, t.stop_points) for t in commit.trades])
        self._put(PUT_NOTE, [(n.trade_id, text_of(n.at), n.body) for n in commit.notes])
        self._put(ADD_ATTEMPT, [(a.id, text_of(a.at), a.body) for a in commit.attempts])
        self._put(ADD_GATES, [(g.trade_id, text_of(g.at), g.body) for g in commit.gates])
        self._put(ADD_FILL, [(f.trade_id, f.id, text_of(f.at), f.body) for f in commit.fills])
        self._put(
            "INSERT OR REPLACE INTO pnl_snapshots (trading_day, body) VALUES (?, ?)", list(commit.pnl_days.items())
        )
        if commit.replies:
            horizon = commit.replies[0].answered_at - REPLIES_KEPT_FOR
            self._writer.execute("DELETE FROM replies WHERE answered_at < ?", (text_of(horizon),))
        self._put(PUT_REPLY, [(r.key, r.fingerprint, text_of(r.answered_at), r.answer) for r in commit.replies])
        self._put(
            ADD_DEAD_LETTER,
            [(d.sequence, text_of(d.at), d.path, d.reason, d.body) for d in commit.dead_letters],
        )
        self._write_notices(commit)

    def _write_notices(self, commit: Commit) -> None:
        """Take back what was announced and is no longer true, then let the new ones wait."""
        withdraw = "DELETE FROM notices WHERE slot = ? AND next_try_at IS NOT NULL"
        self._put(withdraw, [(slot,) for slot in commit.withdrawn_slots])
        if commit.notices:
            horizon = commit.notices[0].at - NOTICES_KEPT_FOR
            self._writer.execute("DELETE FROM notices WHERE due_at < ?", (text_of(horizon),))
        self._put(
            ADD_NOTICE,
            [
                (n.sequence, n.target, text_of(n.at), text_of(n.due_at), n.kind, n.level, n.title, n.body, n.slot)
                for n in commit.notices
            ],
        )

    def _put(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            self._writer.executemany(statement, rows)

    # -- housekeeping, on a connection beside the writer's ----------------------------------------------------

    def prune_journal(self, through: int) -> int:
        deleted = 0
        for table in ("dead_letters", "journal"):
            oldest = f"SELECT sequence FROM {table} WHERE sequence <= ? ORDER BY sequence LIMIT ?"  # noqa: S608
            while True:
                with self._transaction(self._reader()) as aside:
                    gone = aside.execute(
                        f"DELETE FROM {table} WHERE sequence IN ({oldest})",  # noqa: S608 - our constants
                        (through, PRUNED_AT_ONCE),
                    ).rowcount
                deleted += gone if table == "journal" else 0
                if gone < PRUNED_AT_ONCE:
                    break
        return deleted

    def put_api_key(self, key: StoredKey) -> None:
        with self._transaction(self._reader()) as aside:
            aside.execute("INSERT OR REPLACE INTO api_keys (id, body) VALUES (?, ?)", (key.id, key.body))

    def revoke_api_key(self, key_id: str) -> bool:
        with self._transaction(self._reader()) as aside:
            return aside.execute("DELETE FROM api_keys WHERE id = ?", (key_id,)).rowcount == 1

    def put_ended_session(self, ended: EndedSession) -> None:
        horizon, ended_at = text_of(ended.ended_at - ENDED_SESSIONS_KEPT_FOR), text_of(ended.ended_at)
        with self._transaction(self._reader()) as aside:
            aside.execute("DELETE FROM ended_sessions WHERE ended_at < ?", (horizon,))
            aside.execute("INSERT OR REPLACE INTO ended_sessions VALUES (?, ?)", (ended.digest, ended_at))
