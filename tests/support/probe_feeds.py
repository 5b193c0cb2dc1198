"""Feeds with one more part, which writes down every fact it hears: ``python -m tests.support.probe_feeds``.

The table has no key: a fact that is heard twice is there twice.
"""

from __future__ import annotations

import sys

from feeds.__main__ import main
from feeds.assembly import Feeds
from feeds.hub import Hears, Part
from feeds.store import FeedsStore
from wire.events import EventRow

TABLE = "CREATE TABLE IF NOT EXISTS heard (place INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER, type TEXT) STRICT"


class Probe(Part):
    """Writes down facts in the transaction of the cursor."""

    def __init__(self, store: FeedsStore) -> None:
        self._store = store
        with store.transaction() as connection:
            connection.execute(TABLE)

    def on_fact(self, event: EventRow) -> None:
        """Write down a fact."""
        with self._store.transaction() as connection:
            connection.execute("INSERT INTO heard (id, type) VALUES (?, ?)", (event.id, event.type))


class ProbedFeeds(Feeds):
    """Feeds with the probe."""

    def _parts(self) -> tuple[Hears, ...]:
        return (*super()._parts(), Probe(self._store))


if __name__ == "__main__":
    sys.exit(main(ProbedFeeds))
