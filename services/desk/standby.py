"""The standby: show what another process commits."""

from __future__ import annotations

from services.desk.committed import stored_past, with_newer
from services.desk.continuity import require_continuation
from services.desk.process_name import shown
from services.desk.publication import Past, Publication
from services.desk.subscribers import Subscriptions
from services.engine.model.state import Desk
from services.engine.model.trade_events import closed_trades
from services.engine.rules.alert_times import ends_after
from services.projections.attempts import is_try
from services.stores.codec import documents
from services.stores.store import Head, Store, StoreDown


class Follower:
    """Publishes the stored desk, and passes each journal row to the subscribers once."""

    def __init__(self, store: Store, published: Publication, subscriptions: Subscriptions) -> None:
        self._store = store
        self._published = published
        self._subscriptions = subscriptions

    def has_news(self, head: Head | None) -> bool:
        """Return whether the head differs from what is shown. A renewed lease alone is no difference."""
        seen = self._published.snapshot
        is_known = head is not None and (head.sequence, shown(head.holder)) == (seen.desk.sequence, seen.writer)
        return not is_known or seen.store != "up"

    def follow(self) -> None:
        """Show what the writer has committed since the last call. Raises StoreError."""
        stored = self._store.load()
        if stored is None:
            raise StoreDown("the store is empty, though it held a desk before: restore it, or restart to begin anew")
        desk = documents.read_desk(stored)
        require_continuation(self._published, desk)
        self._published.pass_by(stored.head.version)
        self._published.open(desk, self._past(desk), "standby", shown(stored.head.holder))

    def _past(self, desk: Desk) -> Past:
        """Pass on the rows committed since the last look, and return the past including them.

        The shown past is extended only when it ends exactly where these rows begin; else it is read from the store.
        """
        self._subscriptions.begin(desk.sequence)
        last_row = self._subscriptions.last_row
        events = self._subscriptions.catch_up(self._store, desk)
        if self._published.is_empty or events is None or last_row != self._published.snapshot.desk.sequence:
            return stored_past(self._store)
        current = self._published.snapshot
        history = with_newer(current.history, closed_trades(e.event for e in events))
        tries = [one.at for one in events if is_try(one.event)]
        ended = ends_after(current.ended, desk, [(one.at, one.event) for one in events])
        return Past(history, tries[-1] if tries else current.tried_at, ended)
