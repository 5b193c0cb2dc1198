"""The reading half of the SQLite store, for any thread and any process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from services.stores.records import FAR_AHEAD, LONG_AGO, ORDERS, Kind, Record, Scalar, text_of
from services.stores.sqlite.file import SqliteFile, store_errors
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

HEAD_COLUMNS = "sequence, version, epoch, holder, beat"
JOURNAL_COLUMNS = "sequence, at, origin, kind, asset, command, events, observed, schema"
RECORD_COLUMNS = "id, at, facts, body"
ROWS_AT_ONCE = 1000

_facts = msgspec.json.Decoder(dict[str, Scalar])


class SnapshotBody(msgspec.Struct, frozen=True):
    """The body of a snapshot's row: the texts of the documents and orders."""

    documents: dict[str, str]
    open_orders: list[str]


class SqliteReader(SqliteFile):
    """Implements the reading methods of the port."""

    def __init__(self, path: Path | str, *, migrates: bool = False) -> None:
        super().__init__(path, migrates=migrates)

    def head(self) -> Head | None:
        found = self._read(f"SELECT {HEAD_COLUMNS} FROM desk")  # noqa: S608 - our constant
        return head_of(found[0]) if found else None

    def load(self) -> Stored | None:
        reader = self._reader()
        with store_errors():
            reader.execute("BEGIN")  # so that head, documents and orders belong together
            try:
                head = self.head()
                documents = dict(self._read("SELECT name, body FROM documents"))
                orders = self.records_with(ORDERS, True)
            finally:
                reader.execute("ROLLBACK")
        return None if head is None else Stored(head, documents, [order.body for order in orders])

    def record(self, kind: Kind, record_id: str) -> Record | None:
        found = self._records(kind, "id = ?", record_id)
        return found[0] if found else None

    def records_by_id(self, kind: Kind, first_id: str, last_id: str) -> list[Record]:
        return self._records(kind, "id BETWEEN ? AND ? ORDER BY id", first_id, last_id)

    def records_with(
        self, kind: Kind, value: Scalar, through: Scalar | None = None, limit: int | None = None
    ) -> list[Record]:
        last = value if through is None else through
        between = "found_by BETWEEN ? AND ? ORDER BY found_by, id LIMIT ?"
        return self._records(kind, between, fact_text(value), fact_text(last), -1 if limit is None else limit)

    def newest_records(
        self, kind: Kind, limit: int, since: datetime = LONG_AGO, until: datetime = FAR_AHEAD
    ) -> list[Record]:
        newest = "at >= ? AND at < ? ORDER BY at DESC, id DESC LIMIT ?"
        return self._records(kind, newest, text_of(since), text_of(until), limit)

    def _records(self, kind: Kind, where: str, *values: object) -> list[Record]:
        query = f"SELECT {RECORD_COLUMNS} FROM records WHERE kind = ? AND {where}"  # noqa: S608 - our constants
        return [_record(kind, row) for row in self._read(query, kind.name, *values)]

    def last_rows(self, origin: str, limit: int) -> list[JournalRow]:
        query = f"SELECT {JOURNAL_COLUMNS} FROM journal WHERE origin = ? ORDER BY sequence DESC LIMIT ?"  # noqa: S608
        return [_journal_row(row) for row in self._read(query, origin, limit)]

    def journal(self, after: int = 0) -> Iterator[JournalRow]:
        query = f"SELECT {JOURNAL_COLUMNS} FROM journal WHERE sequence > ? ORDER BY sequence LIMIT ?"  # noqa: S608
        while rows := self._read(query, after, ROWS_AT_ONCE):
            yield from (_journal_row(row) for row in rows)
            after = rows[-1][0]

    def sequence_before(self, at: datetime) -> int:
        """Find the row by binary search: the journal has no index on time, but its rows are in the order of time."""
        ends = self._read("SELECT (SELECT MIN(sequence) FROM journal), (SELECT MAX(sequence) FROM journal)")
        first, last = ends[0]
        found = 0
        before = text_of(at)
        while first is not None and first <= last:
            middle = (first + last) // 2
            probe = self._read("SELECT sequence, at FROM journal WHERE sequence >= ? ORDER BY sequence LIMIT 1", middle)
            if probe and probe[0][1] < before:
                found = int(probe[0][0])
                first = found + 1
            else:
                last = middle - 1
        return found

    def replies_since(self, since: datetime) -> list[StoredReply]:
        rows = self._read("SELECT * FROM replies WHERE answered_at > ? ORDER BY answered_at", text_of(since))
        return [StoredReply(key, fingerprint, instant_of(at), answer) for key, fingerprint, at, answer in rows]

    def snapshot_marks(self) -> list[SnapshotMark]:
        rows = self._read("SELECT sequence, at, trading_day FROM snapshots ORDER BY sequence")
        return [SnapshotMark(sequence, instant_of(at), day) for sequence, at, day in rows]

    def snapshot(self, sequence: int) -> DeskSnapshot | None:
        found = self._read("SELECT sequence, at, trading_day, body FROM snapshots WHERE sequence = ?", sequence)
        if not found:
            return None
        number, at, day, body = found[0]
        kept = msgspec.json.decode(body, type=SnapshotBody)
        documents = {name: text.encode() for name, text in kept.documents.items()}
        mark = SnapshotMark(number, instant_of(at), day)
        return DeskSnapshot(mark, documents, [text.encode() for text in kept.open_orders])

    def api_keys(self) -> list[StoredKey]:
        return [StoredKey(key_id, body) for key_id, body in self._read("SELECT id, body FROM api_keys ORDER BY id")]

    def ended_sessions(self, since: datetime) -> list[EndedSession]:
        query = "SELECT digest, ended_at FROM ended_sessions WHERE ended_at >= ? ORDER BY ended_at, digest"
        return [EndedSession(digest, instant_of(at)) for digest, at in self._read(query, text_of(since))]


def instant_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def fact_text(value: Scalar | None) -> str | None:
    """Format a fact for lookup: text unchanged, true and false as 1 and 0."""
    if value is None or isinstance(value, str):
        return value
    return str(int(value))


def head_of(row: tuple[Any, ...]) -> Head:
    sequence, version, epoch, holder, beat = row
    return Head(sequence, version, epoch, holder, str(beat))


def _journal_row(row: tuple[Any, ...]) -> JournalRow:
    sequence, at, *rest = row
    return JournalRow(sequence, instant_of(at), *rest)


def _record(kind: Kind, row: tuple[Any, ...]) -> Record:
    record_id, at, facts, body = row
    try:
        return Record(kind, record_id, instant_of(at), body, {} if facts is None else _facts.decode(facts))
    except (msgspec.MsgspecError, ValueError) as error:
        raise StoreUnreadable(f"SQLite: {kind.name} {record_id} could not be read: {error}") from error
