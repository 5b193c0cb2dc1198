"""A desk's file opened for reading alone, as the commands of a shell open it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from services.stores.sqlite.reader import SqliteReader
from services.stores.store import Store


def read_only(path: Path) -> Store:
    """Open the file; nothing is created or upgraded. Raises StoreUnreadable."""
    return cast(Store, SqliteReader(path))  # it has only the reading methods of the port
