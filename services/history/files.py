"""Durable files: write to a temporary file, sync it, then rename it. So a file is complete or does not exist."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast


class FileAlreadyExists(Exception):
    """A file of that name exists already. It was not overwritten."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already: it is not overwritten")


@contextmanager
def durable_file(path: Path, *, replaces: bool = False) -> Iterator[BinaryIO]:
    """Open a new file for writing; it gets its name once all of it is on disk. Raises FileAlreadyExists, OSError.

    After an error, also one of the caller, the old file is unchanged and the temporary file is removed.
    """
    if path.exists() and not replaces:
        raise FileAlreadyExists(path)
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
    """Rename the file. Without ``replaces`` this fails also for a file that was created in the meantime."""
    if replaces:
        part.replace(path)
        return
    try:
        os.link(part, path)
    except FileExistsError:
        raise FileAlreadyExists(path) from None
    except OSError:  # the file system has no hard links
        if path.exists():
            raise FileAlreadyExists(path) from None
        part.replace(path)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
