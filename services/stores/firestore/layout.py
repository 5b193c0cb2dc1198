"""The layout of the port's data in Firestore: collections, names and fields.

A body is JSON text in one string field. Every document has an int ``schema``: the layout of its fields (``LAYOUT``); in
the journal the format of the row's three bodies (``services/stores/codec/documents.py``).

collection        name                          fields beside ``schema``
console_state     {asset}, _global              body; _global also: sequence version epoch holder beat
journal           {sequence, 12 digits}         sequence at origin kind asset command events observed
{kind}            {record's id}                 body, the record's time under the name that its kind gives it, its facts
replies           {hash of the key}             key fingerprint answered_at answer
api_keys          {id}                          body
ended_sessions    {digest}                      ended_at
snapshots         {sequence, 12 digits}         sequence part=mark at trading_day
                  {sequence}.document.{name}    sequence part=document name body; orders likewise
backups           {label}, {label}.document.{name}, {label}.order.{place}

The kinds of records (orders, trades, fills, notices, ...) are those of ``services/projections/table.py``.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import blake2b

from services.stores.firestore.wire import Found, Scalar, Write
from services.stores.records import Kind, Record, text_of
from services.stores.store import (
    Commit,
    EndedSession,
    Head,
    JournalRow,
    StoredKey,
    StoredReply,
)

LAYOUT = 1
GLOBAL = "_global"
HEAD = f"console_state/{GLOBAL}"
HEAD_FIELDS = ("schema", "sequence", "version", "epoch", "holder")
Fields = dict[str, Scalar]


def instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


# -- the head -----------------------------------------------------------------------------------------------------


def head_write(expected: Head | None, fields: Fields, mask: tuple[str, ...] = ()) -> Write:
    """Return the write of ``_global``, on the condition that it is unchanged since ``expected``.

    ``beat`` differs every time, because Firestore does not change a document's update time, and so the mark, when a
    write changes no field.
    """
    beat: Fields = {"beat": time.time_ns()}
    mask = (*mask, "beat") if mask else ()
    if expected is None:
        return Write(HEAD, fields | beat, mask, is_new=True)
    return Write(HEAD, fields | beat, mask, expected_mark=expected.mark)


def beat_write(expected: Head) -> Write:
    """Return a write that changes only the mark."""
    return head_write(expected, {}, ("beat",))


def release_write(expected: Head) -> Write:
    return head_write(expected, {"holder": ""}, ("holder",))


# -- a commit -----------------------------------------------------------------------------------------------------


def commit_writes(commit: Commit, outdated: Iterable[Write]) -> list[Write]:
    """Return the batch of a commit. The head is its first write."""
    state = commit.becomes
    head: Fields = {
        "schema": LAYOUT,
        "sequence": state.sequence,
        "version": state.version,
        "epoch": state.epoch,
        "holder": state.holder,
    }
    documents = dict(commit.documents)
    body = documents.pop(GLOBAL, None)
    is_whole = body is not None or commit.expected is None
    fields = head if body is None else head | {"body": body.decode()}
    rows = list(_row_writes(commit))
    written = {write.path for write in rows}
    return [
        head_write(commit.expected, fields, () if is_whole else HEAD_FIELDS),
        *(Write(f"console_state/{name}", None if body is None else _body(body)) for name, body in documents.items()),
        *rows,
        *(write for write in outdated if write.path not in written),  # a batch may name a document only once
    ]


def _row_writes(commit: Commit) -> Iterator[Write]:
    for row in commit.rows:
        yield Write(f"journal/{row.sequence:012d}", _row_fields(row), is_new=True)
    for record in commit.records:
        yield record_write(record)
    for reply in commit.replies:
        facts: Fields = {"schema": LAYOUT, "key": reply.key, "fingerprint": reply.fingerprint}
        facts |= {"answered_at": text_of(reply.answered_at), "answer": reply.answer.decode()}
        yield Write(f"replies/{blake2b(reply.key.encode(), digest_size=20).hexdigest()}", facts)


def record_write(record: Record) -> Write:
    """Return the write of a record. A record that may be written only once must not exist yet."""
    kind = record.kind
    fields: Fields = {**_body(record.body), kind.time: text_of(record.at), **record.facts}
    return Write(f"{kind.name}/{record.id}", fields, is_new=None if kind.is_replaced else True)


def record_of(kind: Kind, found: Found) -> Record:
    """Read a record. Without a time field its time is that of its last write: old account days have none."""
    facts = {name: value for name, value in found.fields.items() if name not in {"schema", "body", kind.time}}
    return Record(kind, found.id, instant(found.fields.get(kind.time, found.mark)), body_of(found), facts)


def _body(body: bytes) -> Fields:
    return {"schema": LAYOUT, "body": body.decode()}


def key_write(key: StoredKey) -> Write:
    return Write(f"api_keys/{key.id}", _body(key.body))


def ended_session_write(ended: EndedSession) -> Write:
    return Write(f"ended_sessions/{ended.digest}", {"schema": LAYOUT, "ended_at": text_of(ended.ended_at)})


def ended_session_of(found: Found) -> EndedSession:
    return EndedSession(found.id, instant(found.fields["ended_at"]))


def body_of(found: Found) -> bytes:
    body: str = found.fields["body"]
    return body.encode()


def _row_fields(row: JournalRow) -> Fields:
    return {
        "schema": row.schema,
        "sequence": row.sequence,
        "at": text_of(row.at),
        "origin": row.origin,
        "kind": row.kind,
        "asset": row.asset,
        "command": row.command.decode(),
        "events": row.events.decode(),
        "observed": None if row.observed is None else row.observed.decode(),
    }


def row_of(found: Found) -> JournalRow:
    fields = found.fields
    observed = fields.get("observed")
    return JournalRow(
        sequence=fields["sequence"],
        at=instant(fields["at"]),
        origin=fields["origin"],
        kind=fields["kind"],
        asset=fields.get("asset"),
        command=fields["command"].encode(),
        events=fields["events"].encode(),
        observed=None if observed is None else observed.encode(),
        schema=fields["schema"],
    )


def reply_of(found: Found) -> StoredReply:
    fields = found.fields
    at = instant(fields["answered_at"])
    answer = fields["answer"].encode()
    return StoredReply(fields["key"], fields["fingerprint"], at, answer)
