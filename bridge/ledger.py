"""The ledger: one SQLite file that outlives every crash (SPEC 8.6).

WAL with ``synchronous=FULL``: what a transaction wrote is on disk when it ends. One connection and one lock
serve all threads, so a reader never sees half of what another thread is writing.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1
SCHEMA = Path(__file__).with_name("schema.sql")


class LedgerUnusable(Exception):
    """The ledger cannot be opened; the message says why in one sentence."""


class InstanceLock:
    """The right to be the only bridge on a ledger, held until the process ends, however it ends."""

    def __init__(self, ledger_path: Path) -> None:
        """Take the lock ``<ledger>.lock``; raises `LedgerUnusable` when another bridge holds it."""
        self.path = ledger_path.with_name(ledger_path.name + ".lock")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise LedgerUnusable(f"Another bridge is already running on the ledger {ledger_path}.") from None

    def release(self) -> None:
        """Let another bridge have the ledger."""
        os.close(self._descriptor)


class Ledger:
    """An open ledger file. All access goes through `transaction` and `rows`."""

    def __init__(self, path: Path) -> None:
        """Open `path`, creating it when it is new; raises `LedgerUnusable`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._last_write_worked = True
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=2000;"
            )
            self._lay_out()
        except sqlite3.Error as error:
            raise LedgerUnusable(f"The ledger {path} cannot be used: {error}.") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing. Inside another transaction of the same thread it joins that one."""
        with self._lock:
            if self._depth:
                yield self._connection
                return
            self._begin()
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException as error:
                self._roll_back(error)
                raise
            finally:
                self._depth = 0
            self._last_write_worked = True

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read what is committed, or what the own transaction has written so far."""
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Read the first column of the first row, None when there is none."""
        rows = self.rows(sql, parameters)
        return rows[0][0] if rows else None

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Keep other threads from writing for a moment."""
        with self._lock:
            yield

    def is_healthy(self) -> bool:
        """Say whether the last write worked and the file can be read (``repoOk`` of the heartbeat)."""
        try:
            self.rows("SELECT count(*) FROM reports WHERE settled_at IS NULL")
        except sqlite3.Error:
            return False
        return self._last_write_worked

    def close(self) -> None:
        """Close the file after a transaction in progress has ended, waiting half a second at most."""
        if self._lock.acquire(timeout=0.5):
            self._connection.close()
            self._lock.release()

    def _begin(self) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            self._last_write_worked = False
            raise
        self._depth = 1

    def _roll_back(self, error: BaseException) -> None:
        if isinstance(error, sqlite3.Error):
            self._last_write_worked = False
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _lay_out(self) -> None:
        version = self.value("PRAGMA user_version")
        if version == SCHEMA_VERSION:
            return
        if version != 0:
            raise sqlite3.DatabaseError(f"its schema is version {version}, this bridge knows {SCHEMA_VERSION}")
        script = SCHEMA.read_text(encoding="utf-8")
        self._connection.executescript(f"BEGIN; {script}; PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
