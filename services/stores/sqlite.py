"""The embedded store: SQLite, WAL, synchronous=FULL, one writer per file (DESIGN, chosen parts)."""

from __future__ import annotations

import fcntl
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from services.stores.store import (
    NOTICES_KEPT_FOR,
    REPLIES_KEPT_FOR,
    Commit,
    DeadLetter,
    JournalRow,
    NoticeMark,
    Stored,
    StoredNotice,
    StoreDown,
    StoredReply,
    StoreUnreadable,
    VersionConflict,
)

MIGRATIONS = Path(__file__).parent / "migrations"
NOTICE_COLUMNS = "number, sequence, target, at, due_at, kind, level, title, body, slot, attempts"
ADD_NOTICE = (
    "INSERT INTO notices (sequence, target, at, due_at, kind, level, title, body, slot, attempts, next_try_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?4)"
)
MARK_NOTICE = "UPDATE notices SET attempts = ?, sent_at = ?, next_try_at = ?, last_error = ? WHERE number = ?"
CALL_FAILED_NOTICES = (
    "UPDATE notices SET next_try_at = ? "
    "WHERE target = ? AND attempts > 0 AND next_try_at IS NOT NULL AND next_try_at > ?"
)
BUSY_SECONDS = 1.0  # TradingView hangs up after 3 s, and a command may wait for the group before its own
LOCK_WAIT_SECONDS = 8.0  # a worker that is ending lets go within its graceful timeout


class SqliteStore:
    """A store in one file. ``writes`` takes the file's lock, so a second writer never starts."""

    def __init__(self, path: Path | str, *, writes: bool = True) -> None:
        self._path = Path(path)
        self._lock_file: IO[str] | None = None
        self._readers = threading.local()
        self._opened: list[sqlite3.Connection] = []
        try:
            self._lock_file = self._take_lock() if writes else None
            self._writer = self._connect()
            self._migrate(writes)
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise StoreUnreadable(f"{self._path} could not be opened as a Lockstep store: {error}") from error
        except BaseException:
            self.close()
            raise

    # -- opening ------------------------------------------------------------------------------------------

    def _take_lock(self) -> IO[str]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock_file = self._path.with_name(self._path.name + ".lock").open("w")
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        while True:
            try:
                fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock_file
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    lock_file.close()
                    raise StoreUnreadable(
                        f"{self._path} is in use by another Lockstep process; stop it or set another SQLITE_PATH"
                    ) from None
                time.sleep(0.1)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._opened.append(connection)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        return connection

    def _migrate(self, writes: bool) -> None:
        """Bring the file to the newest schema, one numbered step at a time."""
        steps = sorted(MIGRATIONS.glob("[0-9]*.sql"))
        stands_at = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if stands_at > len(steps):
            raise StoreUnreadable(
                f"{self._path} has schema {stands_at}, this program knows {len(steps)}: start the newer program"
            )
        if not writes and stands_at < len(steps):
            raise StoreUnreadable(f"{self._path} has schema {stands_at}, not {len(steps)}: start the desk once")
        for number, step in enumerate(steps[stands_at:], stands_at + 1):
            script = step.read_text("utf-8")
            self._writer.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")

    # -- writing ------------------------------------------------------------------------------------------

    def load(self) -> Stored | None:
        with _store_errors():
            head = self._writer.execute("SELECT sequence, version FROM desk").fetchone()
            if head is None:
                return None
            documents = dict(self._writer.execute("SELECT name, body FROM documents").fetchall())
            orders = self._writer.execute("SELECT body FROM orders WHERE is_open = 1 ORDER BY id").fetchall()
        return Stored(head[0], head[1], documents, [body for (body,) in orders])

    def commit(self, commit: Commit) -> None:
        with self._transaction():
            self._move_head(commit)
            self._write(commit)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _store_errors():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def _move_head(self, commit: Commit) -> None:
        if commit.expected_sequence == 0:
            insert = "INSERT INTO desk VALUES (1, ?, ?) ON CONFLICT DO NOTHING"
            moved = self._writer.execute(insert, (commit.sequence, commit.version))
        else:
            moved = self._writer.execute(
                "UPDATE desk SET sequence = ?, version = ? WHERE sequence = ?",
                (commit.sequence, commit.version, commit.expected_sequence),
            )
        if moved.rowcount != 1:
            raise VersionConflict(f"the store is no longer at sequence {commit.expected_sequence}")

    def _write(self, commit: Commit) -> None:
        self._put("INSERT OR REPLACE INTO documents VALUES (?, ?)", list(commit.documents.items()))
        self._put(
            "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?, ?)",
            [(o.id, o.asset, o.status, o.is_open, _text(o.created_at), o.body) for o in commit.orders],
        )
        self._put(
            "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (r.sequence, _text(r.at), r.origin, r.kind, r.asset, r.command, r.events, r.observed)
                for r in commit.rows
            ],
        )
        self._put(
            "INSERT INTO trades VALUES (?, ?, ?, ?)",
            [(t.id, t.asset, _text(t.closed_at), t.body) for t in commit.trades],
        )
        if commit.replies:
            horizon = commit.replies[0].answered_at - REPLIES_KEPT_FOR
            self._writer.execute("DELETE FROM replies WHERE answered_at < ?", (_text(horizon),))
        self._put(
            "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)",
            [(r.key, r.fingerprint, _text(r.answered_at), r.answer) for r in commit.replies],
        )
        self._put(
            "INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?)",
            [(d.sequence, _text(d.at), d.path, d.reason, d.body) for d in commit.dead_letters],
        )
        self._write_notices(commit)

    def _write_notices(self, commit: Commit) -> None:
        """Take back what was announced and is no longer true, then let the new ones wait."""
        withdraw = "DELETE FROM notices WHERE slot = ? AND next_try_at IS NOT NULL"
        self._put(withdraw, [(slot,) for slot in commit.withdrawn_slots])
        if commit.notices:
            horizon = commit.notices[0].at - NOTICES_KEPT_FOR
            self._writer.execute("DELETE FROM notices WHERE due_at < ?", (_text(horizon),))
        self._put(
            ADD_NOTICE,
            [
                (n.sequence, n.target, _text(n.at), _text(n.due_at), n.kind, n.level, n.title, n.body, n.slot)
                for n in commit.notices
            ],
        )

    def mark_notice(self, mark: NoticeMark) -> None:
        at, again = _text(mark.at), mark.next_try_at
        moved = (mark.attempts, at if mark.sent else None, _text(again) if again else None, mark.error, mark.number)
        with self._transaction():
            self._writer.execute(MARK_NOTICE, moved)
            if mark.sent:
                self._writer.execute(CALL_FAILED_NOTICES, (at, mark.target, at))

    def _put(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            self._writer.executemany(statement, rows)

    # -- reading, from any thread -----------------------------------------------------------------------------

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with _store_errors():
            return self._reader().execute(query, values).fetchall()

    def _reader(self) -> sqlite3.Connection:
        if not hasattr(self._readers, "connection"):
            self._readers.connection = self._connect()
        connection: sqlite3.Connection = self._readers.connection
        return connection

    def order(self, order_id: str) -> bytes | None:
        found = self._read("SELECT body FROM orders WHERE id = ?", order_id)
        return found[0][0] if found else None

    def last_trades(self, limit: int) -> list[bytes]:
        rows = self._read("SELECT body FROM trades ORDER BY closed_at DESC, id DESC LIMIT ?", limit)
        return [body for (body,) in rows]

    def last_rows(self, origin: str, limit: int) -> list[JournalRow]:
        query = "SELECT * FROM journal WHERE origin = ? ORDER BY sequence DESC LIMIT ?"
        return [_journal_row(row) for row in self._read(query, origin, limit)]

    def journal(self, after: int = 0) -> Iterator[JournalRow]:
        query = "SELECT * FROM journal WHERE sequence > ? ORDER BY sequence LIMIT 1000"
        while rows := self._read(query, after):
            yield from (_journal_row(row) for row in rows)
            after = rows[-1][0]

    def replies_since(self, since: datetime) -> list[StoredReply]:
        rows = self._read("SELECT * FROM replies WHERE answered_at > ?", _text(since))
        return [StoredReply(key, fingerprint, _instant(at), answer) for key, fingerprint, at, answer in rows]

    def last_dead_letters(self, limit: int) -> list[DeadLetter]:
        rows = self._read("SELECT * FROM dead_letters ORDER BY sequence DESC LIMIT ?", limit)
        return [DeadLetter(number, _instant(at), path, reason, body) for number, at, path, reason, body in rows]

    def next_notice(self, target: int, now: datetime) -> StoredNotice | None:
        query = (
            f"SELECT {NOTICE_COLUMNS} FROM notices WHERE target = ? AND next_try_at <= ? "  # noqa: S608 - our constant
            "ORDER BY attempts, number LIMIT 1"
        )
        found = self._read(query, target, _text(now))
        return _notice(found[0]) if found else None

    def next_notice_at(self, target: int) -> datetime | None:
        query = "SELECT MIN(next_try_at) FROM notices WHERE target = ? AND next_try_at IS NOT NULL"
        (earliest,) = self._read(query, target)[0]
        return None if earliest is None else _instant(earliest)

    def close(self) -> None:
        for connection in self._opened:
            connection.close()
        if self._lock_file is not None:
            self._lock_file.close()


@contextmanager
def _store_errors() -> Iterator[None]:
    """Turn SQLite's own errors into the port's: whatever it could not do, nothing of it was done."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreDown(f"SQLite: {error}") from error


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _journal_row(row: tuple[Any, ...]) -> JournalRow:
    sequence, at, *rest = row
    return JournalRow(sequence, _instant(at), *rest)


def _notice(row: tuple[Any, ...]) -> StoredNotice:
    number, sequence, target, at, due_at, kind, level, title, body, slot, attempts = row
    return StoredNotice(
        sequence, target, _instant(at), _instant(due_at), kind, level, title, body, slot, number, attempts
    )
