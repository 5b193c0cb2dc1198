"""The tables of MT4 in the advisor's file. Nothing waits for it: while it cannot be used, calls are refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from advisor.database import SchemaUnknown, open_database
from sidecar.problems import RETRY_SECONDS, ServiceRefused

logger = structlog.get_logger(__name__)
Connected = str | None


class Mt4File:
    """Opened when it is first needed, and tried again after a failure. Everything runs on one thread."""

    def __init__(self, path: Path) -> None:
        """Keep everything at `path`."""
        self._path = path
        self._open: sqlite3.Connection | None = None
        self._is_in_trouble = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read. Raises `ServiceRefused` (503) while the file cannot be used."""
        try:
            yield self._connection()
        except sqlite3.Error as error:
            raise self._refusal(error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Change what is stored: all of it, or nothing. Raises `ServiceRefused` (503) while that cannot be done."""
        try:
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._refusal(error) from error
        self._is_in_trouble = False

    def connected(self) -> Connected:
        """Return which account of a route is connected."""
        with self.reading() as file:
            ((name,),) = file.execute("SELECT connected FROM mt4_account").fetchall()
        return None if name is None else str(name)

    def connect(self, name: Connected) -> None:
        """Store which account of a route is connected: ``paper``, ``desk``, or none."""
        with self.writing() as file:
            file.execute("UPDATE mt4_account SET connected = ?", (name,))

    def close(self) -> None:
        """Close the file."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            try:
                self._open = open_database(self._path, "FULL")
            except (OSError, SchemaUnknown) as error:
                raise self._refusal(error) from error
        return self._open

    def _refusal(self, error: Exception) -> ServiceRefused:
        if not self._is_in_trouble:
            logger.error("the MT4 account cannot be kept; that is tried again", file=str(self._path), reason=str(error))
        self._is_in_trouble = True
        return ServiceRefused("not_available", "the account cannot be stored now", RETRY_SECONDS)
