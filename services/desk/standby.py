"""What a standby does: show what another process commits, as it is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

import structlog

from services.desk.committed import stored_past, with_newer
from services.desk.process_name import shown
from services.desk.publication import Past, Publication
from services.engine.model.events import TradeClosed
from services.engine.model.state import Desk
from services.engine.rules.alerts import ends_after
from services.projections.attempts import is_try
from services.stores.codec import documents
from services.stores.store import Head, JournalRow, Store, StoreDown

log = structlog.get_logger(__name__)

ROWS_FOLLOWED = 500  # a standby that is further behind reads the history anew


class Follower:
    """Publishes the stored desk; journal rows go to ``on_followed``, each once."""

    def __init__(
        self, store: Store, published: Publication, on_followed: Callable[[Sequence[JournalRow]], None]
    ) -> None:
        self._store = store
        self._published = published
        self._on_followed = on_followed

    def has_news(self, head: Head | None) -> bool:
        """Tell whether the head says anything that is not shown: a lease that was renewed is no news."""
        seen = self._published.snapshot
        is_known = head is not None and (head.sequence, shown(head.holder)) == (seen.desk.sequence, seen.writer)
        return not is_known or seen.store != "up"

    def follow(self) -> None:
        """Show what the writer has committed since. Raises StoreError."""
        stored = self._store.load()
        if stored is None:
            raise StoreDown("the store is empty, though a desk stood in it: restore it, or restart to begin anew")
        if not self._published.is_empty and stored.head.sequence < self._published.snapshot.desk.sequence:
            log.error("the store went back behind what was seen of it", sequence=stored.head.sequence)
        self._published.pass_by(stored.head.version)
        desk = documents.read_desk(stored)
        past = self._past(desk, stored.head.sequence)
        self._published.open(desk, past, "standby", shown(stored.head.holder))

    def _past(self, desk: Desk, until: int) -> Past:
        """Return the past with what the rows since the last look have added to it, up to the loaded one."""
        if self._published.is_empty:
            return stored_past(self._store)
        shown_before = self._published.snapshot
        newer = islice(self._store.journal(shown_before.desk.sequence), ROWS_FOLLOWED)
        rows = [row for row in newer if row.sequence <= until]
        self._on_followed(rows)
        if until - shown_before.desk.sequence >= ROWS_FOLLOWED:
            return stored_past(self._store)
        told = [(row.at, event) for row in rows for event in documents.read_events(row.events)]
        closed = [event for _, event in told if isinstance(event, TradeClosed)]
        tries = [at for at, event in told if is_try(event)]
        history = with_newer(shown_before.history, closed)
        ended = ends_after(shown_before.ended, desk, told)
        return Past(history, tries[-1] if tries else shown_before.tried_at, ended)
