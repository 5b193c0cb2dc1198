"""The ledger: one SQLite file that keeps the bridge's orders and reports over every crash (SPEC 8.6).

A ledger that was deleted, replaced or cut short under the bridge is lost until a restart: nothing is written to it.

WAL with ``synchronous=FULL``: when a transaction ends, its writes are on disk. All threads share one connection and one
lock, so that no reader sees half of another thread's transaction.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from wire.named_files import FilesChanged, NamedFiles, create_private, make_private

logger = structlog.get_logger(__name__)

SCHEMAS = (Path(__file__).with_name("schema.sql"), Path(__file__).with_name("schema_2.sql"))
"""The SQL of each version, which is added to the one before."""

SCHEMA_VERSION = len(SCHEMAS)


class LedgerUnusable(Exception):
    """The ledger cannot be opened; the message is one sentence with the reason."""


class LedgerLost(Exception):
    """The path does not name the open ledger any more; the message is one sentence that says what to do."""


class InstanceLock:
    """Keeps a second bridge off the ledger; the system releases the lock however the process ends."""

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
        """Release the lock for another bridge."""
        os.close(self._descriptor)


class Ledger:
    """An open ledger file, upgraded when an earlier bridge laid it out. Write with `transaction`, read with `rows`."""

    def __init__(self, path: Path) -> None:
        """Open `path`, creating it when it is new; raises `LedgerUnusable`."""
        self._lock = threading.RLock()
        self._depth = 0
        self._last_write_worked = True
        self._loss: str | None = None
        self._files = NamedFiles(path)
        try:
            _prepare(path)
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=2000;"
            )
            self._lay_out()
            ((instance, account),) = self.rows("SELECT instance, paper_account FROM identity")
            self._instance, self._paper_account = str(instance), str(account)
            self._files.note()
        except (sqlite3.Error, OSError, FilesChanged) as error:
            raise LedgerUnusable(f"The ledger {path} cannot be used: {error}.") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing. A transaction inside another one of the same thread joins the outer one."""
        with self._lock:
            if self._depth:
                yield self._connection
                return
            self._begin()
            try:
                yield self._connection
                self._connection.execute("COMMIT")
                self.require_kept()
            except BaseException as error:
                self._roll_back(error)
                raise
            finally:
                self._depth = 0
            self._last_write_worked = True

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read committed rows, and those that the thread's own transaction has written."""
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row, None without a row."""
        rows = self.rows(sql, parameters)
        return rows[0][0] if rows else None

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Block the writes of other threads inside the block."""
        with self._lock:
            yield

    def is_healthy(self) -> bool:
        """Return whether the last write worked and the file can be read (``repoOk`` of the heartbeat)."""
        try:
            self.require_kept()
            self.rows("SELECT count(*) FROM reports WHERE settled_at IS NULL")
        except (sqlite3.Error, LedgerLost):
            return False
        return self._last_write_worked

    @property
    def instance(self) -> str:
        """The id that was made with the ledger: it tells two bridges of one name apart (SPEC 8.2)."""
        return self._instance

    @property
    def paper_account(self) -> str:
        """The name of the paper account whose books are in this ledger."""
        return self._paper_account

    def close(self) -> None:
        """Close the file after a running transaction has ended; give up after half a second."""
        if self._lock.acquire(timeout=0.5):
            self._connection.close()
            self._lock.release()

    def require_kept(self) -> None:
        """Raise `LedgerLost` when the open file is not the one that the path names, or was ever not: see the module."""
        with self._lock:
            if self._loss is None:
                self._loss = self._find_loss()
            if self._loss is not None:
                raise LedgerLost(f"{self._loss}: no order is claimed; restore the ledger and restart the bridge.")

    def _find_loss(self) -> str | None:
        try:
            found = self._files.require_same()
            if self._files.is_shorter(found) and found[""].st_size < self._length():
                return "The ledger was cut short"
            self._files.accept(found)
        except FilesChanged as error:
            self._save_log()
            return f"The ledger is lost, {error}"
        return None

    def _length(self) -> int:
        """Return how long the ledger is by its own account, in bytes."""
        return int(self.value("PRAGMA page_count")) * int(self.value("PRAGMA page_size"))

    def _save_log(self) -> None:
        """Move what was committed from a log that lost its name into the ledger, if that is in its place."""
        if self._connection.in_transaction or not self._files.has_only_lost_its_log():
            return
        try:
            self.rows("PRAGMA wal_checkpoint(FULL)")
        except sqlite3.Error as error:
            logger.error("the log's pages could not be moved into the ledger", alert=True, error=str(error))

    def _begin(self) -> None:
        self.require_kept()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            self._last_write_worked = False
            raise
        self._depth = 1

    def _roll_back(self, error: BaseException) -> None:
        if isinstance(error, sqlite3.Error | LedgerLost):
            self._last_write_worked = False
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _lay_out(self) -> None:
        version = self.value("PRAGMA user_version")
        if not 0 <= version <= SCHEMA_VERSION:
            raise sqlite3.DatabaseError(f"its schema is version {version}, this bridge knows {SCHEMA_VERSION}")
        for number, schema in enumerate(SCHEMAS[version:], start=version + 1):
            script = schema.read_text(encoding="utf-8")
            self._connection.executescript(f"BEGIN; {script}; PRAGMA user_version={number}; COMMIT;")


def _prepare(path: Path) -> None:
    """Create folder and file for their owner alone; take from others what they may do with an existing ledger."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    create_private(path)
    open_to_others = make_private(path)
    if open_to_others:
        logger.warning("others may read the ledger: its owner should set mode 0600", files=open_to_others)
