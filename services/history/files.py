"""Files that are whole or not there: written beside their place, synced, and only then given their name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast


class FileStands(Exception):
    """A file of that name is there already; nothing was written over it."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} stands already: it is not written over")


@contextmanager
def durable_file(path: Path, *, replaces: bool = False) -> Iterator[BinaryIO]:
    """Let a new file be written; it gets its name when all of it is on disk. Raises FileStands, OSError.

    An error, one of the caller's too, leaves what stood there before, and nothing beside it.
    """
    if path.exists() and not replaces:
        raise FileStands(path)
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            yield cast(BinaryIO, file)
            file.flush()
            os.fsync(file.fileno())
        _give_name(part, path, replaces=replaces)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def _give_name(part: Path, path: Path, *, replaces: bool) -> None:
    """Rename; without ``replaces`` not even onto a file that came while this one was written."""
    if replaces:
        part.replace(path)
        return
    try:
        os.link(part, path)
    except FileExistsError:
        raise FileStands(path) from None
    except OSError:  # a file system without links
        if path.exists():
            raise FileStands(path) from None
        part.replace(path)


def sync_folder(folder: Path) -> None:
    """Make names that were given in a folder durable."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
