"""One SQLite file as a Lockstep store: open it with durable settings, migrate its schema, copy it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from services.stores.sqlite.watched_file import WatchedFile
from services.stores.store import OutcomeUnknown, StoreDown, StoreUnreadable
from wire.named_files import PARTS, create_private, make_private

log = structlog.get_logger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
LEASED_SINCE = 3  # the schema with the lease; older programs locked a file beside the database instead
LOOK_SECONDS = 0.25  # a look at a file that another program wrote to: a log lets readers in at once
BUSY_SECONDS = 1.0  # TradingView gives up after 3 s, and a command may also wait for the group before its own
WAL_AGAIN_SECONDS = 0.01
PRIVATE_FOLDER = 0o700
LOCK_WAIT_SECONDS = 8.0  # an older program that is stopping releases the lock within its graceful timeout


class SqliteFile:
    """The file and its connections: one for the writer, one for each thread that reads."""

    def __init__(self, path: Path | str, *, migrates: bool) -> None:
        self._path = Path(path)
        self._readers = threading.local()
        self._migrates = migrates
        self._is_closed = False
        self._beat = self._moved_to = 0  # the head's, after the last write of this process, and of the one under way
        self._watched: WatchedFile | None = None  # a program that only reads for a moment watches nothing
        try:
            if migrates:
                self._prepare()
            elif not self._path.exists():
                raise StoreUnreadable(f"{self._path} does not exist: start the desk once")
            self._writer = self._connect()
            self._migrate() if migrates else self._refuse_other_schemas()
            if migrates:
                self._watch()
        except (sqlite3.Error, OSError, StoreDown) as error:
            self.close()
            raise StoreUnreadable(f"{self._path} could not be opened as a Lockstep store: {error}") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the writer's connection and the caller's. Other threads may still be reading on theirs."""
        self._is_closed = True
        if self._watched is not None and self._watched.must_stay_open(self._writer):
            return
        for connection in (getattr(self, "_writer", None), getattr(self._readers, "connection", None)):
            if connection is not None:
                connection.close()

    def _require_whole(self) -> None:
        """Raise StoreDown when the path does not name the open file any more, or its content was changed."""
        if self._watched is not None:
            with store_errors():
                self._watched.require_whole(self._writer, self._look_anew, self._beat)

    def _prepare(self) -> None:
        """Create folder and file for their owner alone; take from others what they may do with an existing file."""
        self._path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        create_private(self._path)
        open_to_others = make_private(self._path)
        if open_to_others:
            log.warning("others may read the store: its owner should set mode 0600", files=open_to_others)

    def _watch(self) -> None:
        watched = WatchedFile(self._path)
        watched.note()
        self._watched = watched

    def _look_anew(self) -> sqlite3.Connection:
        return self._connect(LOOK_SECONDS)

    def _connect(self, patience: float = BUSY_SECONDS) -> sqlite3.Connection:
        writable = f"{self._path.absolute().as_uri()}?mode=rwc"
        where = writable if self._migrates else self._read_only()
        connection = sqlite3.connect(where, uri=True, timeout=patience, isolation_level=None, check_same_thread=False)
        if self._migrates:
            _enter_wal(connection, patience)
            connection.execute("PRAGMA synchronous=FULL")
        return connection

    def _read_only(self) -> str:
        """Return the URI to open the file read-only; as immutable when its folder cannot be written."""
        cannot_change = "" if os.access(self._path.parent, os.W_OK) else "&immutable=1"
        return f"{self._path.absolute().as_uri()}?mode=ro{cannot_change}"

    # -- schema -------------------------------------------------------------------------------------------

    def _refuse_other_schemas(self) -> None:
        schema = self._schema()
        newest = len(migration_steps())
        if schema != newest:
            raise StoreUnreadable(f"{self._path} has schema {schema}, not {newest}: start the desk once")

    def _migrate(self) -> None:
        """Copy the file, then upgrade it to the newest schema, one numbered step at a time.

        A step never removes a table that an older program writes to, unless a view takes those writes. So an older
        program that is still running can write until this one takes over.
        """
        steps = migration_steps()
        schema = self._schema()
        if schema > len(steps):
            raise StoreUnreadable(
                f"{self._path} has schema {schema}, this program knows {len(steps)}: start the newer program"
            )
        if 0 < schema < len(steps):
            if schema < LEASED_SINCE:
                self._wait_for_older_program()
            log.info("store is upgraded", schema=len(steps), backup=self.back_up(f"schema-{schema}"))
        with self._transaction():  # one for all steps: another process finds the old or the new schema, none between
            for number, step in list(enumerate(steps, 1))[self._schema() :]:
                self._take_step(number, step.read_text("utf-8"))

    def _take_step(self, number: int, script: str) -> None:
        for statement in _statements(script):
            self._writer.execute(statement)
        self._writer.execute(f"PRAGMA user_version = {number}")

    def _schema(self) -> int:
        schema: int = self._writer.execute("PRAGMA user_version").fetchone()[0]
        return schema

    def _wait_for_older_program(self) -> None:
        """Wait until no program older than the lease runs: nothing would stop it from writing too."""
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        with self._path.with_name(self._path.name + ".lock").open("w") as lock_file:
            while True:
                try:
                    fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise StoreUnreadable(f"{self._path} is in use by an older Lockstep: stop that first") from None
                    time.sleep(0.1)

    # -- copies -------------------------------------------------------------------------------------------

    def back_up(self, label: str) -> str:
        """Copy the file, as of one instant, to a new file beside it. Raises StoreDown."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        place = self._path.with_name(f"{self._path.stem}.{label}.{stamp}.sqlite")
        with store_errors():
            create_private(place)
            copy = sqlite3.connect(place)
            try:
                self._reader().backup(copy)  # in one step: a copy in several starts over after every write
            finally:
                copy.close()
        return place.name

    # -- transactions -------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection | None = None) -> Iterator[sqlite3.Connection]:
        """Run a transaction, on the writer's connection unless another is given.

        Raises StoreDown, and OutcomeUnknown when the disk failed during COMMIT or the file lost its name by then.
        """
        connection = connection or self._writer
        with store_errors():
            connection.execute("BEGIN IMMEDIATE")
            try:
                if connection is self._writer:
                    self._require_whole()  # within the lock: from here on nobody else writes to this file
                yield connection
            except BaseException:
                _roll_back(connection)
                raise
            try:
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                _roll_back(connection)
                if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_IOERR:
                    raise OutcomeUnknown(f"SQLite: {error}") from error
                raise
            self._require_kept(connection)

    def _require_kept(self, connection: sqlite3.Connection) -> None:
        """Raise OutcomeUnknown when the file to which a commit went has lost its name meanwhile."""
        if self._watched is None:
            return
        try:
            if connection is self._writer:
                self._beat = self._moved_to
                self._watched.note_own_write()
            else:
                self._watched.require_named()
        except StoreDown as error:
            raise OutcomeUnknown(f"{error}: what was written may be lost") from error

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with store_errors():
            return self._reader().execute(query, values).fetchall()

    def _reader(self) -> sqlite3.Connection:
        if self._is_closed:
            raise StoreDown("SQLite: the store was closed")
        is_new = not hasattr(self._readers, "connection")
        if self._watched is not None:  # a new connection would open what is there now
            self._watched.require_named(PARTS if is_new else PARTS[:1])
        if is_new:
            self._readers.connection = self._connect()
        connection: sqlite3.Connection = self._readers.connection
        return connection


def _enter_wal(connection: sqlite3.Connection, patience: float) -> None:
    """Switch to the write-ahead log. SQLite's own timeout does not apply here when two processes open a new file."""
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                connection.close()
                raise
            time.sleep(WAL_AGAIN_SECONDS)


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def migration_steps() -> list[Path]:
    return sorted(MIGRATIONS.glob("[0-9]*.sql"))


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn SQLite's errors into StoreDown: the transaction was rolled back, nothing was written."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreDown(f"SQLite: {error}") from error


def _statements(script: str) -> Iterator[str]:
    """Split a script into statements. SQLite decides where a statement is complete."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
