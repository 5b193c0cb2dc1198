"""The reading half of the Firestore store, for any process (``services/stores/store.py``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice

from google.protobuf.timestamp_pb2 import Timestamp

from services.stores.firestore import copies, layout
from services.stores.firestore.wire import NAME, PAGE, READ_SECONDS, Found, Is, Query, Wire, is_name
from services.stores.records import FAR_AHEAD, LONG_AGO, ORDERS, Kind, Record, Scalar, text_of
from services.stores.store import (
    DeskSnapshot,
    EndedSession,
    Head,
    JournalRow,
    SnapshotMark,
    Stored,
    StoredKey,
    StoredReply,
    StoreUnreadable,
)

MOST_DOCUMENTS = 100  # of console_state: one per asset and _global
ROW_PAGE = 200
ROW_PAGES = 5


class FirestoreReader:
    """Reads one project's store, from any thread. Every call raises StoreDown or StoreUnreadable."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    # -- the head and the desk --------------------------------------------------------------------------------

    def head(self) -> Head | None:
        return self._head(READ_SECONDS)

    def _head(self, seconds: float) -> Head | None:
        found = self._wire.get(layout.HEAD, layout.HEAD_FIELDS, seconds)
        return None if found is None else _head_of(found)

    def load(self) -> Stored | None:
        """Return the data as of the time at which the head was read, so that all of it belongs together."""
        head = self._wire.get(layout.HEAD, ("schema",))
        if head is None:
            return None
        self._wire.let_settle()
        at = head.read_at
        documents = self._wire.page(Query("console_state", limit=MOST_DOCUMENTS, as_of=at))
        orders = self._wire.walk(_with(ORDERS, True, True, at))
        found = {document.id: document for document in documents}
        with _readable("console_state and orders"):
            bodies = {name: layout.body_of(one) for name, one in found.items() if "body" in one.fields}
            return Stored(_head_of(found[layout.GLOBAL]), bodies, [layout.body_of(order) for order in orders])

    # -- records and the journal ------------------------------------------------------------------------------

    def record(self, kind: Kind, record_id: str) -> Record | None:
        found = self._wire.get(f"{kind.name}/{record_id}") if is_name(record_id) else None
        return None if found is None else _records(kind, [found])[0]

    def records_by_id(self, kind: Kind, first_id: str, last_id: str) -> list[Record]:
        """An id that cannot be a document name is no lower bound; as the upper bound it gives no records."""
        if not is_name(last_id):
            return []
        below = ((NAME, Is.GREATER_THAN_OR_EQUAL, first_id),) if is_name(first_id) else ()
        between = (*below, (NAME, Is.LESS_THAN_OR_EQUAL, last_id))
        return _records(kind, self._wire.walk(Query(kind.name, between)))

    def records_with(
        self, kind: Kind, value: Scalar, through: Scalar | None = None, limit: int | None = None
    ) -> list[Record]:
        found = self._wire.walk(_with(kind, value, value if through is None else through, limit=limit))
        return _records(kind, islice(found, limit))

    def newest_records(
        self, kind: Kind, limit: int, since: datetime = LONG_AGO, until: datetime = FAR_AHEAD
    ) -> list[Record]:
        """A range and an order on the same field need no index of our own."""
        if limit <= 0:
            return []
        span = (
            (kind.time, Is.GREATER_THAN_OR_EQUAL, text_of(since)),
            (kind.time, Is.LESS_THAN, text_of(until)),
        )
        newest = Query(kind.name, span, kind.time, descending=True, limit=min(limit, PAGE))
        return _records(kind, islice(self._wire.walk(newest), limit))

    def last_rows(self, origin: str, limit: int) -> list[JournalRow]:
        """Return the newest rows of one origin, found among the newest thousand rows only."""
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
        earlier = (("at", Is.LESS_THAN, text_of(at)),)
        newest = Query("journal", earlier, "at", descending=True, limit=1, only=("sequence",))  # of two at once by name
        with _readable("journal"):
            return next((int(found.fields["sequence"]) for found in self._wire.page(newest)), 0)

    def replies_since(self, since: datetime) -> list[StoredReply]:
        younger = Query("replies", (("answered_at", Is.GREATER_THAN, text_of(since)),), "answered_at")
        with _readable("replies"):
            return [layout.reply_of(found) for found in self._wire.walk(younger)]

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
        younger = (("ended_at", Is.GREATER_THAN_OR_EQUAL, text_of(since)),)
        with _readable("ended_sessions"):
            found = self._wire.walk(Query("ended_sessions", younger, "ended_at"))
            return [layout.ended_session_of(one) for one in found]


def _with(kind: Kind, first: Scalar, last: Scalar, as_of: Timestamp | None = None, limit: int | None = None) -> Query:
    """Return the query for records by their kind's ``found_by`` fact, in the order of the fact and their ids."""
    if kind.found_by is None:
        raise ValueError(f"{kind.name} are found by no fact")
    between = ((kind.found_by, Is.GREATER_THAN_OR_EQUAL, first), (kind.found_by, Is.LESS_THAN_OR_EQUAL, last))
    return Query(kind.name, between, kind.found_by, limit=min(limit or PAGE, PAGE), as_of=as_of)


def _records(kind: Kind, found: Iterable[Found]) -> list[Record]:
    with _readable(kind.name):
        return [layout.record_of(kind, one) for one in found]


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
    """Turn a missing or wrong field of a document into StoreUnreadable."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise StoreUnreadable(f"Firestore: {where} could not be read: {type(error).__name__}: {error}") from error
