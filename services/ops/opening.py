"""Which store the settings name."""

from __future__ import annotations

from typing import cast

from services.ops.config import Config
from services.stores.sqlite.reader import SqliteReader
from services.stores.sqlite.store import SqliteStore
from services.stores.store import Store


def open_store(config: Config) -> Store:
    """Open the store that is configured. Raises StoreUnreadable.

    Firestore's library is loaded when it is chosen and no sooner: a desk on SQLite does not carry it in memory.
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
    """Open the configured store to read what is there: nothing is created or upgraded. Raises StoreUnreadable."""
    if config.store != "firestore":
        return cast(Store, SqliteReader(config.sqlite_path))  # the half of the port that reads
    return open_store(config)
