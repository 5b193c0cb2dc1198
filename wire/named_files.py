"""The files of an open SQLite database: does its path still name them, and may nobody else read them?

SQLite goes on with a file that was deleted or replaced, because the system keeps an open file until it is closed. What
is written there is lost. These functions open none of the files: closing a file ends every lock that the process holds
on it, also SQLite's.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

PARTS = ("", "-wal", "-shm")
WITHOUT_INDEX = PARTS[:2]
PRIVATE = 0o600


Parts = dict[str, os.stat_result]
"""What was seen of each part: which file it is, its length, the time of its last change."""


class FilesChanged(Exception):
    """The path names other files than those that are open; the message is one sentence that names the file."""


class NamedFiles:
    """The database, its log and its index as they were when the database was opened (``note``)."""

    def __init__(self, path: Path) -> None:
        beside = os.path.realpath(path)  # log and index lie beside the database, also where the path is a link to it
        self._names = {part: f"{beside}{part}" if part else str(path) for part in PARTS}
        self._seen: Parts = {}

    def note(self) -> None:
        """Take the files that the path names now as those that are open. Raises FilesChanged when one is missing."""
        self._seen = {part: self._find(part) for part in PARTS}

    def accept(self, found: Parts) -> None:
        """Take what ``require_same`` has found as the new state of the same files."""
        self._seen.update(found)

    def require_same(self, parts: tuple[str, ...] = PARTS) -> Parts:
        """Return what is seen of these files. Raises FilesChanged when the path does not name the open ones any more.

        Each part costs one look at its entry in the folder.
        """
        found: Parts = {}
        for part in parts:
            seen = self._seen[part]
            here = found[part] = self._find(part)
            if here.st_ino != seen.st_ino or here.st_dev != seen.st_dev:
                raise FilesChanged(f"{self._names[part]} was replaced: it is not the file that this process has open")
        return found

    def may_be_overwritten(self, found: Parts) -> bool:
        """Return whether the database's length or time is another than at ``note``, or the log is shorter.

        The index changes all the time, and the log grows.
        """
        here, seen = found[""], self._seen[""]
        is_touched = here.st_mtime_ns != seen.st_mtime_ns or here.st_size != seen.st_size
        return is_touched or found["-wal"].st_size < self._seen["-wal"].st_size

    def is_shorter(self, found: Parts) -> bool:
        """Return whether the database is shorter than at ``note``."""
        return found[""].st_size < self._seen[""].st_size

    def has_only_lost_its_log(self) -> bool:
        """Return whether the database is in its place and its log is gone, so that nobody else has begun a new one."""
        try:
            is_in_place = os.path.samestat(self._find(""), self._seen[""])
        except FilesChanged:
            return False
        return is_in_place and not os.path.lexists(self._names["-wal"])

    def _find(self, part: str) -> os.stat_result:
        try:
            return os.stat(self._names[part])
        except OSError as error:
            raise FilesChanged(f"{self._names[part]} is gone ({error.strerror})") from None


def create_private(path: Path) -> None:
    """Create an empty file that only its owner may read, unless there is one. SQLite gives log and index its mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, PRIVATE))
    except FileExistsError:
        return


def make_private(path: Path) -> list[str]:
    """Take from others what they may do with the database's files. Return the names of those that stay open to them."""
    still_open = []
    for part in PARTS:
        name = f"{os.path.realpath(path)}{part}"
        try:
            if stat.S_IMODE(os.stat(name).st_mode) & ~PRIVATE:
                os.chmod(name, PRIVATE)
        except FileNotFoundError:
            continue
        except OSError:
            still_open.append(name)
    return still_open
