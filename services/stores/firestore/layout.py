"""How each thing of the port lies in Firestore: its collection, its name, its fields.

A body is JSON text in one string field. Every document has an int ``schema``: how its fields are laid out
(``LAYOUT``), in the journal how the row's three bodies are written (``services/stores/codec/documents.py``).

collection        name                          fields beside ``schema``
console_state     {asset}, _global              body; _global also: sequence version epoch holder beat
orders            {id}                          asset status is_open created_at body
journal           {sequence, 12 digits}         sequence at origin kind asset command events observed
trades            {id}                          asset closed_at stop_points body
trade_notes       {trade id}                    trade_id at body
attempts          {sequence}.{place}            at body
gates_at_entry    {trade id}                    trade_id at body
trade_fills       {sequence}.{place}            trade_id at body
replies           {hash of the key}             key fingerprint answered_at answer
dead_letters      {sequence, 12 digits}         sequence at path reason body
notices           {number, 16 digits}           the notice's own; waits (target and next try, while it waits),
                                                waiting_slot (the slot, while it waits), sent_at, last_error
pnl_snapshots     {trading day}                 body
api_keys          {id}                          body
ended_sessions    {digest}                      ended_at
snapshots         {sequence, 12 digits}         sequence part=mark at trading_day
                  {sequence}.document.{name}    sequence part=document name body; orders likewise
backups           {label}, {label}.document.{name}, {label}.order.{place}
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import blake2b

from services.stores.firestore.wire import Found, Scalar, Write
from services.stores.store import (
    Commit,
    DeadLetter,
    EndedSession,
    Head,
    JournalRow,
    NoticeMark,
    StoredKey,
    StoredNotice,
    StoredReply,
)
from services.stores.trade_rows import StoredAttempt, StoredFill, StoredGates, StoredNote, StoredTrade

LAYOUT = 1
GLOBAL = "_global"
HEAD = f"console_state/{GLOBAL}"
HEAD_FIELDS = ("schema", "sequence", "version", "epoch", "holder")
NOTICES_PER_COMMIT = 10_000
Fields = dict[str, Scalar]


def text(at: datetime) -> str:
    """Write an instant so that texts sort as instants do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


# -- the head -----------------------------------------------------------------------------------------------------


def head_write(expected: Head | None, fields: Fields, mask: tuple[str, ...] = ()) -> Write:
    """Write ``_global`` where it still stands at ``expected``. ``beat`` differs every time: a write that changes
    nothing would leave the document's time as it was, and the mark with it."""
    beat: Fields = {"beat": time.time_ns()}
    mask = (*mask, "beat") if mask else ()
    if expected is None:
        return Write(HEAD, fields | beat, mask, is_new=True)
    return Write(HEAD, fields | beat, mask, stands_at=expected.mark)


def beat_write(expected: Head) -> Write:
    """Move the mark alone."""
    return head_write(expected, {}, ("beat",))


def release_write(expected: Head) -> Write:
    return head_write(expected, {"holder": ""}, ("holder",))


# -- a commit -----------------------------------------------------------------------------------------------------


def commit_writes(commit: Commit, outdated: Iterable[Write]) -> list[Write]:
    """Return a commit as a batch, the head first."""
    head: Fields = {
        "schema": LAYOUT,
        "sequence": commit.sequence,
        "version": commit.version,
        "epoch": commit.epoch,
        "holder": commit.holder,
    }
    documents = dict(commit.documents)
    body = documents.pop(GLOBAL, None)
    is_whole = body is not None or commit.expected is None
    fields = head if body is None else head | {"body": body.decode()}
    tables = list(_table_writes(commit))
    written = {write.path for write in tables}
    return [
        head_write(commit.expected, fields, () if is_whole else HEAD_FIELDS),
        *(Write(f"console_state/{name}", _body(body)) for name, body in documents.items()),
        *(Write(f"console_state/{name}") for name in commit.dropped),
        *tables,
        *(write for write in outdated if write.path not in written),
        *(notice_write(notice, commit.sequence, place) for place, notice in enumerate(commit.notices)),
        *(Write(f"pnl_snapshots/{day}", _body(body)) for day, body in commit.pnl_days.items()),
    ]


def _table_writes(commit: Commit) -> Iterator[Write]:
    for row in commit.rows:
        yield Write(f"journal/{row.sequence:012d}", _row_fields(row), is_new=True)
    for order in commit.orders:
        facts: Fields = {"asset": order.asset, "status": order.status, "is_open": order.is_open}
        yield Write(f"orders/{order.id}", _body(order.body) | facts | {"created_at": text(order.created_at)})
    for trade in commit.trades:
        facts = {"asset": trade.asset, "closed_at": text(trade.closed_at), "stop_points": trade.stop_points}
        yield Write(f"trades/{trade.id}", _body(trade.body) | facts, is_new=True)
    for note in commit.notes:
        facts = {"trade_id": note.trade_id, "at": text(note.at)}
        yield Write(f"trade_notes/{note.trade_id}", _body(note.body) | facts)
    for attempt in commit.attempts:
        yield Write(f"attempts/{attempt.id}", _body(attempt.body) | {"at": text(attempt.at)}, is_new=True)
    for gates in commit.gates:
        facts = {"trade_id": gates.trade_id, "at": text(gates.at)}
        yield Write(f"gates_at_entry/{gates.trade_id}", _body(gates.body) | facts, is_new=True)
    for fill in commit.fills:
        facts = {"trade_id": fill.trade_id, "at": text(fill.at)}
        yield Write(f"trade_fills/{fill.id}", _body(fill.body) | facts, is_new=True)
    for reply in commit.replies:
        facts = {"schema": LAYOUT, "key": reply.key, "fingerprint": reply.fingerprint}
        facts |= {"answered_at": text(reply.answered_at), "answer": reply.answer.decode()}
        yield Write(f"replies/{blake2b(reply.key.encode(), digest_size=20).hexdigest()}", facts)
    for letter in commit.dead_letters:
        facts = {"schema": LAYOUT, "sequence": letter.sequence, "at": text(letter.at), "path": letter.path}
        facts |= {"reason": letter.reason, "body": letter.body}
        yield Write(f"dead_letters/{letter.sequence:012d}", facts, is_new=True)


def _body(body: bytes) -> Fields:
    return {"schema": LAYOUT, "body": body.decode()}


def key_write(key: StoredKey) -> Write:
    return Write(f"api_keys/{key.id}", _body(key.body))


def ended_session_write(ended: EndedSession) -> Write:
    return Write(f"ended_sessions/{ended.digest}", {"schema": LAYOUT, "ended_at": text(ended.ended_at)})


def ended_session_of(found: Found) -> EndedSession:
    return EndedSession(found.id, instant(found.fields["ended_at"]))


def body_of(found: Found) -> bytes:
    body: str = found.fields["body"]
    return body.encode()


def _row_fields(row: JournalRow) -> Fields:
    return {
        "schema": row.schema,
        "sequence": row.sequence,
        "at": text(row.at),
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
    at, answer = instant(fields["answered_at"]), fields["answer"].encode()
    return StoredReply(fields["key"], fields["fingerprint"], at, answer)


def trade_of(found: Found) -> StoredTrade:
    fields = found.fields
    closed_at = instant(fields["closed_at"])
    return StoredTrade(found.id, fields["asset"], closed_at, body_of(found), fields.get("stop_points"))


def note_of(found: Found) -> StoredNote:
    return StoredNote(found.fields["trade_id"], instant(found.fields["at"]), body_of(found))


def attempt_of(found: Found) -> StoredAttempt:
    return StoredAttempt(found.id, instant(found.fields["at"]), body_of(found))


def gates_of(found: Found) -> StoredGates:
    return StoredGates(found.fields["trade_id"], instant(found.fields["at"]), body_of(found))


def fill_of(found: Found) -> StoredFill:
    return StoredFill(found.fields["trade_id"], found.id, instant(found.fields["at"]), body_of(found))


def dead_letter_of(found: Found) -> DeadLetter:
    fields = found.fields
    return DeadLetter(fields["sequence"], instant(fields["at"]), fields["path"], fields["reason"], fields["body"])


# -- notices ------------------------------------------------------------------------------------------------------


def waits(target: int, next_try_at: datetime | None = None) -> str:
    """Return what a waiting notice is found by: one field with the target and the time, so one index serves both."""
    return f"{target:03d}." + ("" if next_try_at is None else text(next_try_at))


def notice_write(notice: StoredNotice, sequence: int, place: int) -> Write:
    """Let a notice wait. Its number is the commit's and its place in it: a withdrawn one never comes again."""
    number = sequence * NOTICES_PER_COMMIT + place
    fields: Fields = {
        "schema": LAYOUT,
        "number": number,
        "sequence": notice.sequence,
        "target": notice.target,
        "at": text(notice.at),
        "due_at": text(notice.due_at),
        "kind": notice.kind,
        "level": notice.level,
        "title": notice.title,
        "body": notice.body,
        "slot": notice.slot,
        "attempts": 0,
        "waits": waits(notice.target, notice.due_at),
        "waiting_slot": notice.slot,
    }
    return Write(_notice_path(number), fields, is_new=True)


def notice_of(found: Found) -> StoredNotice:
    fields = found.fields
    return StoredNotice(
        sequence=fields["sequence"],
        target=fields["target"],
        at=instant(fields["at"]),
        due_at=instant(fields["due_at"]),
        kind=fields["kind"],
        level=fields["level"],
        title=fields["title"],
        body=fields["body"],
        slot=fields.get("slot"),
        number=fields["number"],
        attempts=fields["attempts"],
    )


def due_of(found: Found) -> datetime:
    written: str = found.fields["waits"]
    return instant(written.partition(".")[2])


def mark_write(mark: NoticeMark) -> Write:
    """Write down one try. What no longer waits loses the fields by which it would be found."""
    again = mark.next_try_at
    fields: Fields = {
        "attempts": mark.attempts,
        "sent_at": text(mark.at) if mark.sent else None,
        "last_error": mark.error,
        "waits": None if again is None else waits(mark.target, again),
    }
    mask = (*fields, *(() if again is not None else ("waiting_slot",)))
    return Write(_notice_path(mark.number), fields, mask, is_new=False)


def call_write(found: Found, target: int, at: datetime) -> Write:
    """Let a notice that failed before be tried now."""
    return Write(f"notices/{found.id}", {"waits": waits(target, at)}, ("waits",))


def _notice_path(number: int) -> str:
    return f"notices/{number:016d}"
