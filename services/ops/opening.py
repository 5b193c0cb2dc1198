"""Opens the store that the settings name."""

from __future__ import annotations

from typing import cast

from services.ops.config import Config
from services.stores.sqlite.reader import SqliteReader
from services.stores.sqlite.store import SqliteStore
from services.stores.store import Store


def open_store(config: Config) -> Store:
    """Open the configured store. Raises StoreUnreadable.

    Firestore's library is imported only when it is chosen, which saves its memory on a SQLite desk.
    """
    if config.store != "firestore":
        return SqliteStore(config.sqlite_path)
    from services.stores.firestore.store import FirestoreStore

    return FirestoreStore(
        config.google_cloud_project or "",
        config.google_cloud_credentials,
        emulator_host=config.firestore_emulator_host,
    )


def open_reader(config: Config) -> Store:
    """Open the configured store for reading only: nothing is created or upgraded. Raises StoreUnreadable."""
    if config.store != "firestore":
        return cast(Store, SqliteReader(config.sqlite_path))  # it has only the reading methods of the port
    return open_store(config)
