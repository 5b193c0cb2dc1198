"""Refuses work on a database file that was deleted, replaced, cut short or written over under this process.

A file that is missing or another one may come back: then work goes on. A file whose content is not what this process
left there is refused until the end of the process.
"""

from __future__ import annotations

import ctypes
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from services.stores.store import StoreDown
from wire.named_files import PARTS, WITHOUT_INDEX, FilesChanged, NamedFiles, Parts

log = structlog.get_logger(__name__)

LAST_ROWS = (
    "SELECT count(*), min(sequence), max(sequence) FROM (SELECT sequence FROM journal ORDER BY sequence DESC LIMIT ?)"
)
ROWS_LOOKED_AT = 10_000  # more than the log holds: a row that is in neither file is among them

INDEX_EVERY_SECONDS = 1.0  # a second writer could begin without it only after the lease


class WatchedFile:
    """The database file that a store has open. The writer's thread proves its content, every thread its name."""

    def __init__(self, path: Path) -> None:
        self._files = NamedFiles(path)
        self._damage: str | None = None
        self._is_kept_open = False
        self._is_saved = False
        self._index_due_at = 0.0

    def note(self) -> None:
        """Take the files that the path names now as those that are open. Raises StoreDown."""
        try:
            self._files.note()
        except FilesChanged as error:
            raise StoreDown(f"SQLite: {error}") from error

    def require_named(self, parts: tuple[str, ...] = PARTS) -> Parts:
        """Return what is seen of the files. Raises StoreDown when the path does not name them, or one is damaged."""
        if self._damage is not None:
            raise StoreDown(self._damage)
        try:
            return self._files.require_same(parts)
        except FilesChanged as error:
            raise StoreDown(f"SQLite: {error}; put it back, or stop every web and restore") from error

    def require_whole(self, writer: sqlite3.Connection, connect: Callable[[], sqlite3.Connection], beat: int) -> None:
        """Raise StoreDown unless the path names the open files and their content is what this process left there.

        ``connect`` opens a connection that remembers nothing: ``writer`` has pages in memory. ``beat`` is the head's
        after the last write of this process.
        """
        try:
            found = self._look()
        except StoreDown:
            self._save(writer)
            raise
        if not self._files.may_be_overwritten(found):
            return
        damage = self._damage_of(found, writer, connect, beat)
        if damage is not None:
            self._damage = f"SQLite: {damage}; stop every web and restore"
            self._keep_open(writer)
            raise StoreDown(self._damage)
        self._files.accept(found)

    def note_own_write(self) -> None:
        """Take what the writer has just written as the files' state. Raises StoreDown."""
        self._files.accept(self.require_named(WITHOUT_INDEX))

    def _look(self) -> Parts:
        """Look at the files before a write: at the index, in which no data is, once a second. Raises StoreDown."""
        now = time.monotonic()
        if now < self._index_due_at:
            return self.require_named(WITHOUT_INDEX)
        found = self.require_named()
        self._index_due_at = now + INDEX_EVERY_SECONDS
        return found

    def must_stay_open(self, writer: sqlite3.Connection) -> bool:
        """Return whether the writer's connection must not be closed, because the files lost their names."""
        try:
            self.require_named()
        except StoreDown:
            self._keep_open(writer)
            return True
        return False

    def _damage_of(
        self, found: Parts, writer: sqlite3.Connection, connect: Callable[[], sqlite3.Connection], beat: int
    ) -> str | None:
        """Return what is wrong with a file that another program wrote to, None when it only moved pages.

        A checkpoint or a VACUUM of another program changes length and time, too.
        """
        if self._files.is_shorter(found) and found[""].st_size < _length(writer):
            return "the database file was cut short"
        try:
            fresh = connect()
            try:
                return _missing_in(fresh, beat)
            finally:
                fresh.close()
        except (sqlite3.Error, OSError) as error:
            return f"the database file was written over ({error})"

    def _save(self, writer: sqlite3.Connection) -> None:
        """Move what was committed from a log that lost its name into the database, if that is in its place.

        Whoever opens the database next then finds all of it. Where a new log exists, somebody has opened it already.
        """
        self._keep_open(writer)
        if self._is_saved or writer.in_transaction or not self._files.has_only_lost_its_log():
            return
        self._is_saved = True
        try:
            _, pages, moved = writer.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
            log.warning("the log was removed: its pages were moved into the database", pages=pages, moved=moved)
        except sqlite3.Error as error:
            log.error("the log was removed and its pages could not be moved into the database", error=str(error))

    def _keep_open(self, writer: sqlite3.Connection) -> None:
        """Leave the connection to the end of the process: closing it would move pages and delete files by name.

        By then another process may have its own files under these names.
        """
        if self._is_kept_open:
            return
        self._is_kept_open = True
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(writer))


def _length(writer: sqlite3.Connection) -> int:
    """Return how long the database is by its own account, in bytes."""
    [pages], [page] = (writer.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    return int(pages) * int(page)


def _missing_in(fresh: sqlite3.Connection, beat: int) -> str | None:
    """Return what of the last commits cannot be read from the files, None when all of it can."""
    head = fresh.execute("SELECT sequence, beat FROM desk").fetchone()
    if beat and (head is None or head[1] < beat):
        return "the database file does not hold the last commit"
    if head is None:
        return None
    rows, first, last = fresh.execute(LAST_ROWS, (ROWS_LOOKED_AT,)).fetchone()
    if rows and (last - first + 1 != rows or last != head[0]):
        return "journal rows are missing in the database file"
    return None
