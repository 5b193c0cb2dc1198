"""Copies of the desk in Firestore: snapshots for replay, backups before an upgrade."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from services.stores.firestore.layout import LAYOUT, Fields, body_of, instant
from services.stores.firestore.wire import Found, Write
from services.stores.records import text_of
from services.stores.store import DeskSnapshot, SnapshotMark, Stored


def snapshot_writes(snapshot: DeskSnapshot) -> list[Write]:
    """Return the writes of a snapshot: one for its mark, one per document of the desk, one per open order."""
    mark = snapshot.mark
    name = f"snapshots/{mark.sequence:012d}"
    shared: Fields = {"schema": LAYOUT, "sequence": mark.sequence}
    facts: Fields = {"part": "mark", "at": text_of(mark.at), "trading_day": mark.trading_day}
    return [Write(name, shared | facts), *_copies(name, shared, snapshot.documents, snapshot.open_orders)]


def snapshot_of(parts: Iterable[Found]) -> DeskSnapshot | None:
    """Build a snapshot from its documents, None without any."""
    marks = []
    documents = {}
    orders = []
    for found in parts:
        if found.fields["part"] == "mark":
            marks.append(mark_of(found))
        elif found.fields["part"] == "document":
            documents[found.fields["name"]] = body_of(found)
        else:
            orders.append(body_of(found))
    return DeskSnapshot(marks[0], documents, orders) if marks else None


def mark_of(found: Found) -> SnapshotMark:
    return SnapshotMark(found.fields["sequence"], instant(found.fields["at"]), found.fields["trading_day"])


def backup_writes(name: str, stored: Stored) -> list[Write]:
    """Return the writes of a backup. They fail when the name exists already."""
    head: Fields = {"schema": LAYOUT, "sequence": stored.head.sequence, "version": stored.head.version}
    head |= {"epoch": stored.head.epoch, "mark": stored.head.mark}
    copies = _copies(name, {"schema": LAYOUT}, stored.documents, stored.open_orders)
    return [Write(name, head, is_new=True), *copies]


def _copies(name: str, shared: Fields, documents: Mapping[str, bytes], orders: Iterable[bytes]) -> Iterator[Write]:
    for document, body in documents.items():
        facts: Fields = {"part": "document", "name": document, "body": body.decode()}
        yield Write(f"{name}.document.{document}", shared | facts)
    for place, body in enumerate(orders):
        yield Write(f"{name}.order.{place:04d}", shared | {"part": "order", "body": body.decode()})
