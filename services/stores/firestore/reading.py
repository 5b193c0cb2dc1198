"""What anybody may ask a Firestore store (the reading half of ``services/stores/store.py``)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice

from services.stores.firestore import copies, layout
from services.stores.firestore.wire import PAGE, READ_SECONDS, Found, Is, Query, Wire, is_name
from services.stores.store import (
    DeadLetter,
    DeskSnapshot,
    EndedSession,
    Head,
    JournalRow,
    SnapshotMark,
    Stored,
    StoredKey,
    StoredNotice,
    StoredReply,
    StoreUnreadable,
)
from services.stores.trade_rows import StoredAttempt, StoredFill, StoredGates, StoredNote, StoredTrade

MOST_DOCUMENTS = 100  # of console_state: one per asset and _global
ROW_PAGE, ROW_PAGES = 200, 5
DUE_PAGE, DUE_PAGES = 200, 5


class FirestoreReader:
    """Reads one project's store, from any thread. Every call raises StoreDown or StoreUnreadable."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    # -- where it stands --------------------------------------------------------------------------------------

    def head(self) -> Head | None:
        return self._head(READ_SECONDS)

    def _head(self, seconds: float) -> Head | None:
        found = self._wire.get(layout.HEAD, layout.HEAD_FIELDS, seconds)
        return None if found is None else _head_of(found)

    def load(self) -> Stored | None:
        """Return what was stored when the head was read: all answers as of one time belong together."""
        head = self._wire.get(layout.HEAD, ("schema",))
        if head is None:
            return None
        self._wire.let_settle()
        at, open_orders = head.read_at, (("is_open", Is.EQUAL, True),)
        documents = self._wire.page(Query("console_state", limit=MOST_DOCUMENTS, as_of=at))
        orders = self._wire.walk(Query("orders", open_orders, as_of=at))
        found = {document.id: document for document in documents}
        with _readable("console_state and orders"):
            bodies = {name: layout.body_of(one) for name, one in found.items() if "body" in one.fields}
            return Stored(_head_of(found[layout.GLOBAL]), bodies, [layout.body_of(order) for order in orders])

    # -- what was ---------------------------------------------------------------------------------------------

    def order(self, order_id: str) -> bytes | None:
        return self._body("orders", order_id)

    def pnl_day(self, trading_day: str) -> bytes | None:
        return self._body("pnl_snapshots", trading_day)

    def _body(self, collection: str, name: str) -> bytes | None:
        found = self._wire.get(f"{collection}/{name}", ("body",)) if is_name(name) else None
        with _readable(f"{collection}/{name}"):
            return None if found is None else layout.body_of(found)

    def last_trades(self, limit: int) -> list[bytes]:
        with _readable("trades"):
            return [layout.body_of(found) for found in self._newest("trades", "closed_at", limit)]

    def trade(self, trade_id: str) -> StoredTrade | None:
        found = self._wire.get(f"trades/{trade_id}") if is_name(trade_id) else None
        with _readable(f"trades/{trade_id}"):
            return None if found is None else layout.trade_of(found)

    def trades_between(self, since: datetime, until: datetime, limit: int) -> list[StoredTrade]:
        with _readable("trades"):
            return [layout.trade_of(found) for found in self._between("trades", "closed_at", since, until, limit)]

    def trade_notes(self, first_id: str, last_id: str) -> list[StoredNote]:
        between = (("trade_id", Is.GREATER_THAN_OR_EQUAL, first_id), ("trade_id", Is.LESS_THAN_OR_EQUAL, last_id))
        with _readable("trade_notes"):
            return [layout.note_of(found) for found in self._wire.walk(Query("trade_notes", between, "trade_id"))]

    def gates_at_entry(self, first_id: str, last_id: str) -> list[StoredGates]:
        between = (("trade_id", Is.GREATER_THAN_OR_EQUAL, first_id), ("trade_id", Is.LESS_THAN_OR_EQUAL, last_id))
        with _readable("gates_at_entry"):
            return [layout.gates_of(found) for found in self._wire.walk(Query("gates_at_entry", between, "trade_id"))]

    def trade_fills(self, trade_id: str) -> list[StoredFill]:
        of_it = Query("trade_fills", (("trade_id", Is.EQUAL, trade_id),))
        with _readable("trade_fills"):
            return sorted((layout.fill_of(found) for found in self._wire.walk(of_it)), key=lambda fill: fill.id)

    def attempts_between(self, since: datetime, until: datetime, limit: int) -> list[StoredAttempt]:
        with _readable("attempts"):
            return [layout.attempt_of(found) for found in self._between("attempts", "at", since, until, limit)]

    def _between(self, collection: str, field: str, since: datetime, until: datetime, limit: int) -> Iterator[Found]:
        """Find the newest of a span of time, newest first: range and order on one field need no index of ours."""
        span = ((field, Is.GREATER_THAN_OR_EQUAL, layout.text(since)), (field, Is.LESS_THAN, layout.text(until)))
        page = min(limit, PAGE)
        newest = Query(collection, span, field, descending=True, limit=page)
        return islice(self._wire.walk(newest), limit) if page > 0 else iter(())

    def last_rows(self, origin: str, limit: int) -> list[JournalRow]:
        """Return the newest rows of one origin among the newest thousand: further back it does not look."""
        newest = Query("journal", order="sequence", descending=True, limit=ROW_PAGE)
        rows: list[JournalRow] = []
        with _readable("journal"):
            for found in self._wire.walk(newest, ROW_PAGES):
                if len(rows) >= limit:
                    break
                if found.fields["origin"] == origin:
                    rows.append(layout.row_of(found))
        return rows

    def journal(self, after: int = 0) -> Iterator[JournalRow]:
        behind = Query("journal", (("sequence", Is.GREATER_THAN, after),), "sequence")
        for found in self._wire.walk(behind):
            with _readable(f"journal/{found.id}"):
                row = layout.row_of(found)
            yield row

    def sequence_before(self, at: datetime) -> int:
        earlier = (("at", Is.LESS_THAN, layout.text(at)),)
        newest = Query("journal", earlier, "at", descending=True, limit=1, only=("sequence",))  # of two at once by name
        with _readable("journal"):
            return next((int(found.fields["sequence"]) for found in self._wire.page(newest)), 0)

    def replies_since(self, since: datetime) -> list[StoredReply]:
        younger = Query("replies", (("answered_at", Is.GREATER_THAN, layout.text(since)),), "answered_at")
        with _readable("replies"):
            return [layout.reply_of(found) for found in self._wire.walk(younger)]

    def last_dead_letters(self, limit: int) -> list[DeadLetter]:
        with _readable("dead_letters"):
            return [layout.dead_letter_of(found) for found in self._newest("dead_letters", "sequence", limit)]

    def _newest(self, collection: str, order: str, limit: int) -> list[Found]:
        if limit <= 0:
            return []
        return self._wire.page(Query(collection, order=order, descending=True, limit=limit))

    # -- the outbox -------------------------------------------------------------------------------------------

    def next_notice(self, target: int, now: datetime) -> StoredNotice | None:
        """Return the notice to send now: among a thousand that are due the least tried one, then the oldest."""
        due = self._waiting(target, layout.waits(target, now), DUE_PAGE)
        with _readable("notices"):
            notices = [layout.notice_of(found) for found in self._wire.walk(due, DUE_PAGES)]
        return min(notices, key=lambda notice: (notice.attempts, notice.number), default=None)

    def next_notice_at(self, target: int) -> datetime | None:
        found = self._wire.page(self._waiting(target, layout.waits(target) + "~", limit=1))
        with _readable("notices"):
            return layout.due_of(found[0]) if found else None

    def _waiting(self, target: int, through: str, limit: int) -> Query:
        conditions = (
            ("waits", Is.GREATER_THAN, layout.waits(target)),
            ("waits", Is.LESS_THAN_OR_EQUAL, through),
        )
        return Query("notices", conditions, "waits", limit=limit)

    # -- snapshots and keys -----------------------------------------------------------------------------------

    def snapshot_marks(self) -> list[SnapshotMark]:
        marks = Query("snapshots", (("part", Is.EQUAL, "mark"),))
        with _readable("snapshots"):
            return [copies.mark_of(found) for found in self._wire.walk(marks)]  # by name, and a name is a sequence

    def snapshot(self, sequence: int) -> DeskSnapshot | None:
        parts = Query("snapshots", (("sequence", Is.EQUAL, sequence),))
        with _readable(f"snapshots/{sequence}"):
            return copies.snapshot_of(self._wire.walk(parts))

    def api_keys(self) -> list[StoredKey]:
        with _readable("api_keys"):
            return [StoredKey(found.id, layout.body_of(found)) for found in self._wire.walk(Query("api_keys"))]

    def ended_sessions(self, since: datetime) -> list[EndedSession]:
        younger = (("ended_at", Is.GREATER_THAN_OR_EQUAL, layout.text(since)),)
        with _readable("ended_sessions"):
            found = self._wire.walk(Query("ended_sessions", younger, "ended_at"))
            return [layout.ended_session_of(one) for one in found]


def _head_of(found: Found) -> Head:
    fields = found.fields
    schema = fields.get("schema")
    if not isinstance(schema, int) or not 1 <= schema <= layout.LAYOUT:
        raise StoreUnreadable(
            f"Firestore: {layout.HEAD} has schema {schema}, "
            f"this program knows 1 to {layout.LAYOUT}: start the newer program"
        )
    with _readable(layout.HEAD):
        return Head(fields["sequence"], fields["version"], fields["epoch"], fields["holder"], found.mark)


@contextmanager
def _readable(where: str) -> Iterator[None]:
    """Say StoreUnreadable of a document that has not the fields it should have."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise StoreUnreadable(f"Firestore: {where} could not be read: {type(error).__name__}: {error}") from error
