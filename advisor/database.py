"""The advisor's file (SQLite, WAL): opened by each part that keeps something in it, brought to the newest schema once.

The steps are the numbered files of ``migrations`` in their order; ``schema.sql`` is what comes out of all of them.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from wire.named_files import create_private, make_private

MIGRATIONS = Path(__file__).with_name("migrations")
SCHEMA = Path(__file__).with_name("schema.sql")
BUSY_MILLISECONDS = 1_000
Synchronous = Literal["NORMAL", "FULL"]
"""NORMAL: a power cut may lose the last moments. FULL: what was stored is stored."""


class SchemaUnknown(Exception):
    """A newer program has written the file."""


class FileTaken(Exception):
    """Another advisor is running on the file."""


def take_lock(path: Path) -> int | None:
    """Take the lock beside the file, which the system releases however the process ends.

    Return its descriptor, None where no lock can be made: a folder that cannot be written is told when it is used.
    Raises `FileTaken`: two advisors on one file would do the same things to it twice.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise FileTaken(f"Another advisor is already running on the file {path}.") from None
    return descriptor


def open_database(path: Path, synchronous: Synchronous) -> sqlite3.Connection:
    """Open the file, creating it when it is new. Raises ``sqlite3.Error``, ``OSError``, `SchemaUnknown`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    create_private(path)
    make_private(path)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous};")
        _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that are missing. Two who open the file at one time take them one after the other."""
    steps = sorted(MIGRATIONS.glob("*.sql"))
    schema = _schema_of(connection)
    if schema > len(steps):
        raise SchemaUnknown(f"It has schema {schema}, this program knows {len(steps)}: start the newer program.")
    for number in range(schema + 1, len(steps) + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _schema_of(connection) < number:
                for statement in _statements_of(steps[number - 1].read_text("utf-8")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def _schema_of(connection: sqlite3.Connection) -> int:
    ((schema,),) = connection.execute("PRAGMA user_version").fetchall()
    return int(schema)


def _statements_of(script: str) -> Iterator[str]:
    """Yield the statements of a script one by one: `executescript` would end the transaction that it is in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
