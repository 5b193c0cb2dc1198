"""What every store keeps (services/stores/store.py): the same stories for SQLite and Firestore."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from services.notifications.stored import NOTICES
from services.projections.attempts import ATTEMPTS
from services.projections.dead_letters import DEAD_LETTERS, DeadLetter, dead_letter_record, last_dead_letters
from services.projections.entry_gates import GATES_AT_ENTRY
from services.projections.equity import ACCOUNT_DAYS
from services.projections.notes import TRADE_NOTES
from services.projections.table import PROJECTIONS, PRUNED_KINDS
from services.projections.trade_fills import TRADE_FILLS
from services.projections.trades import TRADES
from services.stores.firestore.store import FirestoreStore
from services.stores.records import FAR_AHEAD, ORDERS, Record
from services.stores.sqlite.store import SqliteStore
from services.stores.store import (
    Commit,
    DeskSnapshot,
    EndedSession,
    Head,
    JournalRow,
    SnapshotMark,
    Store,
    StoredKey,
    StoreDown,
    StoredReply,
    StoreState,
    VersionConflict,
)
from tests.support.narrow import known

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LONG_AGO = NOON - timedelta(days=400)


class Shelf:
    """A place where one store is kept, and any number of handles on it."""

    def __init__(self, open_one: Callable[[], Store]) -> None:
        self._open_one = open_one
        self._handles: list[Store] = []

    def open(self) -> Store:
        self._handles.append(self._open_one())
        return self._handles[-1]

    def close(self) -> None:
        for handle in self._handles:
            handle.close()


@pytest.fixture(params=["sqlite", "firestore"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    if request.param == "sqlite":
        shelf = Shelf(lambda: SqliteStore(tmp_path / "desk.sqlite"))
    else:
        host, project = request.getfixturevalue("firestore_host"), f"desk-{uuid.uuid4().hex[:12]}"
        shelf = Shelf(lambda: FirestoreStore(project, emulator_host=host))
    yield shelf
    shelf.close()


@pytest.fixture
def store(shelf: Shelf) -> Store:
    return shelf.open()


# -- builders --------------------------------------------------------------------------------------------------------


def a_row(sequence: int, origin: str = "operator", **more: Any) -> JournalRow:
    facts = {"kind": "EnterMarket", "asset": "ES", "command": b'{"n":1}', "events": b"[]", **more}
    return JournalRow(sequence, NOON, origin, **facts)


def a_commit(
    head: Head | None,
    rows: int = 1,
    journal: list[JournalRow] | None = None,
    epoch: int | None = None,
    holder: str = "first",
    version: int | None = None,
    **more: Any,
) -> Commit:
    """A commit of that many rows onto a head, made by a writer called "first" unless ``more`` says otherwise."""
    before = head.sequence if head else 0
    after = before + rows
    body = b'{"schema":2,"n":%d}' % after
    facts = {
        "documents": {"_global": body, "ES": body},
        "rows": [a_row(number) for number in range(before + 1, after + 1)] if journal is None else journal,
        **more,
    }
    becomes = StoreState(after, version or after * 10, epoch or (head.epoch if head else 1), holder)
    return Commit(head, becomes, **facts)


def an_order(name: str = "o1", is_open: bool = True, body: Any = b'{"o":1}') -> Record:
    facts = {"asset": "ES", "status": "PENDING" if is_open else "FILLED", "is_open": is_open}
    return Record(ORDERS, name, NOON, body, facts)


def a_trade(name: str = "t", closed_at: datetime = NOON, body: Any = b"{}", **facts: Any) -> Record:
    return Record(TRADES, name, closed_at, body, {"asset": "ES", **facts})


def a_note(name: str = "t", at: datetime = NOON, body: Any = b"{}") -> Record:
    return Record(TRADE_NOTES, name, at, body, {"trade_id": name})


def an_attempt(number: int = 1, at: datetime = NOON, body: Any = b"{}") -> Record:
    return Record(ATTEMPTS, f"{number:012d}.0000", at, body)


def some_gates(name: str = "t", at: datetime = NOON, body: Any = b"{}") -> Record:
    return Record(GATES_AT_ENTRY, name, at, body, {"trade_id": name})


def a_fill(trade_id: str = "t", number: int = 1, at: datetime = NOON, body: Any = b"{}") -> Record:
    return Record(TRADE_FILLS, f"{number:012d}.0000", at, body, {"trade_id": trade_id})


def a_letter(sequence: int = 1, reason: str = "why") -> DeadLetter:
    return DeadLetter(sequence, NOON, "/tv_renko", reason, "what")


def an_account_day(name: str = "2026-11-20", body: Any = b"[1,2]") -> Record:
    return Record(ACCOUNT_DAYS, name, NOON, body)


def a_notice(number: int = 1, at: datetime = NOON, **facts: Any) -> Record:
    return Record(NOTICES, f"{number:016d}", at, b"what", {"number": number, **facts})


def everything(store: Store) -> tuple[Any, ...]:
    """Return all that can be read, to compare."""
    return (
        store.load(),
        list(store.journal()),
        [store.newest_records(projection.kind, 50) for projection in PROJECTIONS],
        [store.records_by_id(projection.kind, "", "~") for projection in PROJECTIONS],
        [store.records_with(ORDERS, True), store.records_with(TRADE_FILLS, "t")],
        store.replies_since(LONG_AGO),
        [store.snapshot_marks(), store.api_keys()],
        store.ended_sessions(LONG_AGO),
    )


# -- head and commit -------------------------------------------------------------------------------------------------


def test_a_new_store_is_empty(store: Store) -> None:
    assert (store.head(), store.load(), list(store.journal())) == (None, None, [])
    for kind in (projection.kind for projection in PROJECTIONS):
        assert (store.record(kind, "none"), store.newest_records(kind, 5)) == (None, [])
        assert (store.records_by_id(kind, "", "~"), store.newest_records(kind, 5, LONG_AGO, NOON)) == ([], [])
    assert (store.records_with(ORDERS, True), store.records_with(TRADE_FILLS, "none")) == ([], [])
    assert (store.replies_since(LONG_AGO), store.last_rows("operator", 5)) == ([], [])
    assert store.records_with(NOTICES, "", "~") == []
    assert (store.snapshot_marks(), store.snapshot(1)) == ([], None)
    assert (store.api_keys(), store.revoke_api_key("none"), store.prune_journal(9)) == ([], False, 0)
    assert store.sequence_before(NOON) == 0
    assert store.group_at_most >= 64


def test_the_first_commit_makes_the_store(store: Store) -> None:
    head = store.commit(a_commit(None, epoch=4, holder="web-1"))
    assert (head.sequence, head.version, head.epoch, head.holder) == (1, 10, 4, "web-1")
    assert store.head() == head
    assert known(store.load()).head == head


def test_everything_committed_is_read_back(store: Store) -> None:
    observed = '{"price":"5250.25","note":"an em dash — and \U0001f4c8"}'.encode()
    row = a_row(1, asset=None, observed=observed, schema=3)
    orders = [an_order("o2", body=b'{"o":2}'), an_order("o1"), an_order("o0", is_open=False)]
    trades = [a_trade("t", body=b'{"t":1}', stop_points="15.5"), a_trade("s", body=b'{"s":1}')]
    note, attempt = a_note(body=b'{"text":"why"}'), an_attempt(body=b'{"type":"EntryBlocked"}')
    gates, fill, letter = some_gates(), a_fill(), dead_letter_record(a_letter())
    days = [an_account_day(), an_account_day("2026-11-23", b"[]")]
    store.commit(
        a_commit(
            None,
            documents={"_global": b'{"g":1}', "ES": b'{"e":1}', "NQ": observed},
            journal=[row],
            records=[*orders, *trades, note, attempt, gates, fill, letter, *days],
            replies=[StoredReply("a key / of .. any kind", "f", NOON, b'{"r":1}')],
        )
    )
    stored = known(store.load())
    assert dict(stored.documents) == {"_global": b'{"g":1}', "ES": b'{"e":1}', "NQ": observed}
    assert list(stored.open_orders) == [b'{"o":1}', b'{"o":2}']
    assert list(store.journal()) == [row]
    assert store.last_rows("operator", 5) == [row]
    assert store.newest_records(TRADES, 5) == trades
    assert store.record(TRADES, "t") == trades[0]
    assert store.record(TRADES, "s") == trades[1]
    assert store.records_by_id(TRADE_NOTES, "t", "t") == [note]
    assert store.newest_records(ATTEMPTS, 5, NOON, NOON + MINUTE) == [attempt]
    assert (store.record(GATES_AT_ENTRY, "t"), store.records_with(TRADE_FILLS, "t")) == (gates, [fill])
    assert store.replies_since(LONG_AGO) == [StoredReply("a key / of .. any kind", "f", NOON, b'{"r":1}')]
    assert last_dead_letters(store, 5) == [DeadLetter(1, NOON, "/tv_renko", "why", "what")]
    assert store.record(DEAD_LETTERS, "000000000001") == letter
    assert [store.record(ACCOUNT_DAYS, name) for name in ("2026-11-20", "2026-11-23")] == days


def test_a_commit_replaces_the_documents_it_names_and_no_other(store: Store) -> None:
    head = store.commit(a_commit(None, documents={"_global": b'{"g":1}', "ES": b'{"e":1}'}))
    head = store.commit(a_commit(head, documents={"_global": b'{"g":2}', "NQ": b'{"n":2}'}))
    assert dict(known(store.load()).documents) == {"_global": b'{"g":2}', "ES": b'{"e":1}', "NQ": b'{"n":2}'}
    store.commit(a_commit(head, documents={}, rows=0, records=[an_account_day()]))
    assert known(store.load()).documents["_global"] == b'{"g":2}'


def test_a_dropped_document_is_gone(store: Store) -> None:
    head = store.commit(a_commit(None, documents={"_global": b"{}", "ES": b"{}", "NQ": b"{}"}))
    store.commit(a_commit(head, documents={"_global": b"{}", "NQ": None}))
    assert set(known(store.load()).documents) == {"_global", "ES"}


def test_every_write_moves_the_mark(store: Store) -> None:
    heads = [store.commit(a_commit(None))]
    heads.append(store.renew(heads[-1]))
    heads.append(store.renew(heads[-1]))
    heads.append(store.mark_records([a_notice(5)], heads[-1]))
    heads.append(store.keep_snapshot(DeskSnapshot(SnapshotMark(1, NOON, "2026-11-20"), {}, []), heads[-1]))
    heads.append(store.release(heads[-1]))
    heads.append(store.release(heads[-1]))
    heads.append(store.commit(a_commit(heads[-1], rows=0)))
    assert len({head.mark for head in heads}) == len(heads)
    assert store.head() == heads[-1]


def test_renewing_changes_nothing_but_the_mark(store: Store) -> None:
    head = store.commit(a_commit(None, records=[an_order()]))
    before = known(store.load())
    renewed = store.renew(head)
    assert replace(renewed, mark=head.mark) == head
    assert store.load() == replace(before, head=renewed)


def test_letting_go_empties_the_holder(store: Store) -> None:
    head = store.commit(a_commit(None))
    released = store.release(head)
    assert (released.holder, released.sequence, released.epoch) == ("", 1, 1)
    assert store.head() == released
    taken = store.commit(a_commit(released, epoch=2, holder="second"))
    assert (taken.holder, taken.epoch) == ("second", 2)


# -- one writer ------------------------------------------------------------------------------------------------------

WRITES = {
    "commit": lambda store, head: store.commit(a_commit(head, records=[an_order("late")])),
    "renew": lambda store, head: store.renew(head),
    "release": lambda store, head: store.release(head),
    "mark_records": lambda store, head: store.mark_records([a_notice(1, sent_at="now")], head),
    "keep_snapshot": lambda store, head: store.keep_snapshot(
        DeskSnapshot(SnapshotMark(1, NOON, "2026-11-20"), {"_global": b"{}"}, []), head
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_who_was_overtaken_writes_nothing(shelf: Shelf, write: Callable[..., Any]) -> None:
    first, second = shelf.open(), shelf.open()
    old = first.commit(a_commit(None, records=[a_notice()]))
    new = second.commit(a_commit(second.head(), epoch=2, holder="second"))
    before = everything(second)
    with pytest.raises(VersionConflict):
        write(first, old)
    assert everything(second) == before
    assert first.head() == new
    write(second, new)


def test_renewing_fences_what_was_under_way(shelf: Shelf) -> None:
    first, second = shelf.open(), shelf.open()
    old = first.commit(a_commit(None))
    second.renew(known(second.head()))
    with pytest.raises(VersionConflict):
        first.commit(a_commit(old))
    assert [row.sequence for row in second.journal()] == [1]


def test_only_one_of_two_opens_a_new_store(shelf: Shelf) -> None:
    first, second = shelf.open(), shelf.open()
    first.commit(a_commit(None))
    before = everything(first)
    with pytest.raises(VersionConflict):
        second.commit(a_commit(None, holder="second", rows=3))
    assert everything(first) == before


def test_of_many_who_take_over_at_once_one_does(shelf: Shelf) -> None:
    head = shelf.open().commit(a_commit(None))
    handles = [shelf.open() for _ in range(6)]

    def takes_over(place: int) -> Head | None:
        try:
            return handles[place].commit(a_commit(head, epoch=2, holder=f"web-{place}"))
        except (VersionConflict, StoreDown):
            return None

    with ThreadPoolExecutor(6) as threads:
        taken = [head for head in threads.map(takes_over, range(6)) if head]
    assert taken == [handles[0].head()]


BAD_PARTS = {
    "gates twice": {"records": [some_gates()]},
    "a fill twice": {"records": [a_fill()]},
    "a dead letter twice": {"records": [dead_letter_record(a_letter())]},
    "an attempt twice": {"records": [an_attempt()]},
    "a row twice": {"journal": [a_row(2), a_row(1)]},
}


@pytest.mark.parametrize("bad", BAD_PARTS.values(), ids=BAD_PARTS.keys())
def test_all_or_nothing_when_a_later_part_is_bad(store: Store, bad: dict[str, Any]) -> None:
    once = [a_trade(), some_gates(), a_fill(), dead_letter_record(a_letter()), an_attempt()]
    head = store.commit(a_commit(None, records=[an_order(), *once]))
    before = everything(store)
    orders = [an_order("o9"), an_order(body=b'{"o":9}')]
    with pytest.raises(StoreDown):
        store.commit(a_commit(head, **{**bad, "records": [*orders, *bad.get("records", ())]}))
    assert everything(store) == before
    assert (store.record(ORDERS, "o9"), store.head()) == (None, head)
    store.commit(a_commit(head))


# -- orders, trades, replies, dead letters ---------------------------------------------------------------------------


def test_a_corrected_trade_replaces_its_first_form(store: Store) -> None:
    first = a_trade()
    head = store.commit(a_commit(None, records=[first]))
    store.commit(a_commit(head, records=[a_trade(body=b'{"corrected":1}')]))
    assert known(store.record(first.kind, first.id)).body == b'{"corrected":1}'
    assert [record.id for record in store.newest_records(first.kind, 5)] == [first.id]


def test_a_final_order_leaves_the_desk_and_is_still_found(store: Store) -> None:
    head = store.commit(a_commit(None, records=[an_order("o1"), an_order("o2")]))
    store.commit(a_commit(head, records=[an_order("o1", is_open=False, body=b'{"filled":1}')]))
    assert list(known(store.load()).open_orders) == [b'{"o":1}']
    assert known(store.record(ORDERS, "o1")).body == b'{"filled":1}'


def test_open_orders_come_in_the_order_of_their_ids(store: Store) -> None:
    names = ["o2", "o4", "o1", "o3"]
    head = store.commit(a_commit(None, records=[an_order(name, body=b'"%s"' % name.encode()) for name in names]))
    store.commit(a_commit(head, records=[an_order("o2", is_open=False), an_order("o1", body=b'"o1 claimed"')]))
    assert list(known(store.load()).open_orders) == [b'"o1 claimed"', b'"o3"', b'"o4"']


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "__x__", "'; DROP TABLE orders; --", "x" * 5000, "ä"])
def test_an_order_id_that_cannot_be_is_not_found(store: Store, name: str) -> None:
    store.commit(a_commit(None, records=[an_order()]))
    assert store.record(ORDERS, name) is None
    assert store.revoke_api_key(name) is False


def test_trades_come_newest_first(store: Store) -> None:
    trades = [a_trade(f"t{n}", NOON + n // 2 * MINUTE + timedelta(microseconds=n // 2), b"%d" % n) for n in range(7)]
    store.commit(a_commit(None, records=trades))
    assert [trade.body for trade in store.newest_records(TRADES, 100)] == [b"6", b"5", b"4", b"3", b"2", b"1", b"0"]
    assert [trade.body for trade in store.newest_records(TRADES, 2)] == [b"6", b"5"]


def test_trades_of_a_span_come_newest_first_the_end_left_out(store: Store) -> None:
    trades = [a_trade(f"t{n}", NOON + n // 2 * MINUTE, b"%d" % n) for n in range(8)]
    store.commit(a_commit(None, records=trades))
    newest_first = trades[::-1]
    assert store.newest_records(TRADES, 100, LONG_AGO, NOON + 9 * MINUTE) == newest_first
    assert store.newest_records(TRADES, 100, NOON + MINUTE, NOON + 3 * MINUTE) == newest_first[2:6]
    assert store.newest_records(TRADES, 3, NOON + MINUTE, NOON + 3 * MINUTE) == newest_first[2:5]
    assert store.newest_records(TRADES, 100, NOON, NOON) == []
    assert store.newest_records(TRADES, 0, LONG_AGO, NOON + 9 * MINUTE) == []


@pytest.mark.parametrize("name", ["", ".", "a/b", "__trade__", "x" * 2000])
def test_a_trade_id_that_cannot_be_is_not_found(store: Store, name: str) -> None:
    assert store.record(TRADES, name) is None


def test_the_last_note_of_a_trade_stands(store: Store) -> None:
    head = store.commit(a_commit(None, records=[a_note(f"t{n}", body=b"%d" % n) for n in range(4)]))
    later = a_note("t2", NOON + MINUTE, b"anew")
    store.commit(a_commit(head, records=[later]))
    assert store.records_by_id(TRADE_NOTES, "t1", "t2") == [a_note("t1", body=b"1"), later]
    assert store.records_by_id(TRADE_NOTES, "t2", "t9") == [later, a_note("t3", body=b"3")]
    assert store.records_by_id(TRADE_NOTES, "u", "v") == []


def test_gates_at_entry_are_found_by_a_stretch_of_trades(store: Store) -> None:
    gates = [some_gates(f"t{n}", NOON + n * MINUTE, b'{"n":%d}' % n) for n in range(5)]
    store.commit(a_commit(None, records=gates))
    assert store.records_by_id(GATES_AT_ENTRY, "t1", "t3") == gates[1:4]
    assert store.records_by_id(GATES_AT_ENTRY, "t4", "t4") == gates[4:]
    assert store.records_by_id(GATES_AT_ENTRY, "u", "v") == []


@pytest.mark.parametrize("name", ["", ".", "a/b", "__trade__", "'; DROP TABLE records; --"])
def test_a_stretch_that_ends_before_every_trade_is_empty(store: Store, name: str) -> None:
    store.commit(a_commit(None, records=[some_gates("t1")]))
    assert store.records_by_id(GATES_AT_ENTRY, name, name) == []


def test_the_fills_of_one_trade_come_as_they_happened(store: Store) -> None:
    fills = [a_fill(f"t{n % 2}", n, NOON + n * MINUTE, b'{"n":%d}' % n) for n in range(6)]
    head = store.commit(a_commit(None, records=fills[:3]))
    store.commit(a_commit(head, records=fills[3:]))
    assert store.records_with(TRADE_FILLS, "t0") == fills[0::2]
    assert store.records_with(TRADE_FILLS, "t1") == fills[1::2]
    assert store.records_with(TRADE_FILLS, "t2") == []


@pytest.mark.parametrize("name", ["", ".", "a/b", "__trade__", "'; DROP TABLE orders; --", "ä"])
def test_a_trade_id_that_cannot_be_has_no_fills(store: Store, name: str) -> None:
    assert store.records_with(TRADE_FILLS, name) == []


def test_tries_of_a_span_come_newest_first(store: Store) -> None:
    tries = [an_attempt(n, NOON + n // 2 * MINUTE, b"%d" % n) for n in range(6)]
    store.commit(a_commit(None, records=tries))
    assert store.newest_records(ATTEMPTS, 100, LONG_AGO, NOON + 9 * MINUTE) == tries[::-1]
    assert store.newest_records(ATTEMPTS, 100, NOON + MINUTE, NOON + 2 * MINUTE) == tries[3:1:-1]
    assert store.newest_records(ATTEMPTS, 2, LONG_AGO, NOON + 9 * MINUTE) == tries[:3:-1]


def test_kinds_are_kept_apart(store: Store) -> None:
    """A record of one kind is found under no other, though they share their ids and times."""
    same = {projection.kind: Record(projection.kind, "x", NOON, b"%d" % n) for n, projection in enumerate(PROJECTIONS)}
    store.commit(a_commit(None, records=list(same.values())))
    for kind, record in same.items():
        assert store.record(kind, "x") == record
        assert store.records_by_id(kind, "", "~") == store.newest_records(kind, 9, NOON, FAR_AHEAD) == [record]


def test_replies_are_those_after_a_moment_oldest_first(store: Store) -> None:
    replies = [StoredReply(f"k{9 - n}", "f", NOON + n * MINUTE, b"%d" % n) for n in range(5)]
    head = store.commit(a_commit(None, replies=replies))
    assert store.replies_since(NOON + MINUTE) == replies[2:]
    again = replace(replies[4], answer=b'"again"')
    store.commit(a_commit(head, replies=[again]))
    assert store.replies_since(NOON + 3 * MINUTE) == [again]


def test_replies_are_kept_for_a_day(store: Store) -> None:
    """Older ones may go when a new one comes; the rest must stay."""
    head = None
    for hours in (0, 2, 23, 26, 50):
        at = NOON + timedelta(hours=hours)
        head = store.commit(a_commit(head, replies=[StoredReply(f"after {hours} h", "f", at, b"1")]))
        kept = {reply.key for reply in store.replies_since(LONG_AGO)}
        assert {f"after {earlier} h" for earlier in (0, 2, 23, 26, 50) if hours - 24 < earlier <= hours} <= kept


def test_dead_letters_come_newest_first(store: Store) -> None:
    letters = [a_letter(n, f"why {n}") for n in range(1, 6)]
    store.commit(a_commit(None, rows=5, records=[dead_letter_record(letter) for letter in letters]))
    assert last_dead_letters(store, 2) == [letters[4], letters[3]]
    assert last_dead_letters(store, 50) == letters[::-1]


# -- the journal -----------------------------------------------------------------------------------------------------


def test_the_journal_is_walked_in_order_from_any_row(store: Store) -> None:
    head = None
    for _ in range(13):
        head = store.commit(a_commit(head, rows=100))
    assert [row.sequence for row in store.journal()] == list(range(1, 1301))
    assert [row.sequence for row in store.journal(after=1290)] == list(range(1291, 1301))
    assert [row.sequence for row in store.journal(after=499)] == list(range(500, 1301))
    assert list(store.journal(after=1300)) == []


@pytest.mark.parametrize("pruned", [0, 1, 6, 13])
def test_the_last_row_before_a_moment_is_found(store: Store, pruned: int) -> None:
    """Thirteen rows, two a minute as a group commit writes them, the oldest of them put away."""
    rows = [replace(a_row(n), at=NOON + n // 2 * MINUTE) for n in range(1, 14)]
    store.commit(a_commit(None, rows=13, journal=rows))
    store.prune_journal(pruned)
    for minute in range(9):
        for at in (NOON + minute * MINUTE, NOON + minute * MINUTE + timedelta(microseconds=1)):
            left = [row.sequence for row in rows if row.at < at and row.sequence > pruned]
            assert store.sequence_before(at) == max(left, default=0)


def test_the_last_row_before_a_moment_is_found_among_many(store: Store) -> None:
    head = None
    for hundred in range(13):
        rows = [replace(a_row(100 * hundred + n), at=NOON + hundred * MINUTE) for n in range(1, 101)]
        head = store.commit(a_commit(head, rows=100, journal=rows))
    assert [store.sequence_before(NOON + n * MINUTE) for n in (0, 1, 7, 12, 99)] == [0, 100, 700, 1200, 1300]


def test_the_last_rows_of_one_origin_come_newest_first(store: Store) -> None:
    rows = [a_row(n, origin="operator" if n % 40 == 0 else "tradingview") for n in range(1, 301)]
    store.commit(a_commit(None, rows=300, journal=rows))
    assert [row.sequence for row in store.last_rows("operator", 3)] == [280, 240, 200]
    assert [row.sequence for row in store.last_rows("operator", 99)] == [280, 240, 200, 160, 120, 80, 40]
    assert store.last_rows("bridge", 5) == []


def test_pruning_takes_rows_and_dead_letters_up_to_a_sequence(store: Store) -> None:
    letters = [dead_letter_record(a_letter(n)) for n in (1, 450, 900)]
    head = store.commit(a_commit(None, rows=450, records=[*letters[:2], an_order(), an_attempt(450)]))
    head = store.commit(a_commit(head, rows=450, records=letters[2:]))
    assert store.prune_journal(850, PRUNED_KINDS) == 850
    assert [row.sequence for row in store.journal()] == list(range(851, 901))
    assert store.newest_records(DEAD_LETTERS, 9) == [letters[2]]
    assert store.prune_journal(850, PRUNED_KINDS) == 0
    assert (store.head(), store.record(ORDERS, "o1")) == (head, an_order())
    assert store.newest_records(ATTEMPTS, 9) == [an_attempt(450)]


# -- records that are found by a fact, marked, and kept for a while --------------------------------------------------


def test_records_are_found_by_a_stretch_of_their_fact(store: Store) -> None:
    facts = ["001.c", "001.a", "002.a", "001.b", "001.b"]
    notices = [a_notice(number, waits=waits) for number, waits in enumerate(facts, 1)]
    store.commit(a_commit(None, records=[*notices, a_notice(6)]))
    a, first_b, second_b, c = notices[1], notices[3], notices[4], notices[0]
    assert store.records_with(NOTICES, "001.", "001.~") == [a, first_b, second_b, c]
    assert store.records_with(NOTICES, "001.", "001.b") == [a, first_b, second_b]
    assert store.records_with(NOTICES, "001.", "001.~", 2) == [a, first_b]
    assert store.records_with(NOTICES, "001.b") == [first_b, second_b]
    assert store.records_with(NOTICES, "003.", "003.~") == []


def test_a_stretch_longer_than_a_page_is_found_whole_and_in_order(store: Store) -> None:
    notices = [a_notice(number, waits=f"001.{number % 7}") for number in range(1, 531)]
    store.commit(a_commit(None, records=notices))
    in_order = sorted(notices, key=lambda notice: (notice.facts["waits"], notice.id))
    assert store.records_with(NOTICES, "001.", "001.~") == in_order
    assert store.records_with(NOTICES, "001.", "001.~", 510) == in_order[:510]


def test_marking_replaces_records_and_nothing_else(store: Store) -> None:
    first, second = a_notice(1, waits="001.a"), a_notice(2, waits="001.b")
    head = store.commit(a_commit(None, records=[first, second, an_order()]))
    rows, marked = list(store.journal()), [a_notice(1, sent_at="now"), a_notice(2, waits="001.c")]
    after = store.mark_records(marked, head)
    assert replace(after, mark=head.mark) == head
    assert [store.record(NOTICES, one.id) for one in marked] == marked
    assert store.records_with(NOTICES, "001.", "001.~") == marked[1:]
    assert (list(store.journal()), known(store.load()).open_orders) == (rows, [b'{"o":1}'])


def test_a_kind_that_is_kept_for_a_week_loses_older_ones_when_a_new_one_comes(store: Store) -> None:
    """Older ones may go when a new one comes; the rest must stay, and no other kind is touched."""
    kinds = [projection.kind for projection in PROJECTIONS if projection.kind.kept_for]
    assert kinds == [NOTICES]
    days = (0, 6, 8, 14)
    head, letter = None, dead_letter_record(a_letter())
    for number, day in enumerate(days, 1):
        older = [letter] if number == 1 else []
        records = [a_notice(number, at=NOON + timedelta(days=day)), *older]
        row = replace(a_row(number), at=NOON + timedelta(days=day))
        head = store.commit(a_commit(head, journal=[row], records=records))
    assert [record.id for record in store.newest_records(NOTICES, 9)] == [f"{n:016d}" for n in (4, 3)]
    assert store.newest_records(DEAD_LETTERS, 9) == [letter]


# -- snapshots, keys, backups ----------------------------------------------------------------------------------------


def test_snapshots_are_kept_beside_each_other(store: Store) -> None:
    head = store.commit(a_commit(None))
    kept = [
        DeskSnapshot(SnapshotMark(200, NOON, "2026-11-20"), {"_global": b'{"g":1}', "ES": b"{}"}, [b'{"o":1}', b"[]"]),
        DeskSnapshot(SnapshotMark(90, NOON - MINUTE, "2026-11-19"), {"_global": b'{"g":0}'}, []),
    ]
    for snapshot in kept:
        head = store.keep_snapshot(snapshot, head)
    assert store.snapshot_marks() == [kept[1].mark, kept[0].mark]
    for snapshot in kept:
        again = known(store.snapshot(snapshot.mark.sequence))
        assert (again.mark, dict(again.documents), list(again.open_orders)) == (
            snapshot.mark,
            snapshot.documents,
            snapshot.open_orders,
        )
    assert store.snapshot(91) is None


def test_api_keys_are_kept_changed_and_revoked(store: Store) -> None:
    head = store.commit(a_commit(None))
    store.put_api_key(StoredKey("b", b'{"k":1}'))
    store.put_api_key(StoredKey("a", b'{"k":2}'))
    store.put_api_key(StoredKey("b", b'{"k":3}'))
    assert store.api_keys() == [StoredKey("a", b'{"k":2}'), StoredKey("b", b'{"k":3}')]
    assert (store.revoke_api_key("b"), store.revoke_api_key("b")) == (True, False)
    assert store.api_keys() == [StoredKey("a", b'{"k":2}')]
    assert store.head() == head


def test_ended_sessions_are_kept_as_long_as_one_could_hold(store: Store) -> None:
    head = store.commit(a_commit(None))
    first, second, third = (
        EndedSession(digit * 64, NOON + hours * HOUR) for digit, hours in (("a", 0), ("b", 20), ("c", 26))
    )
    for ended in (second, first, second):
        store.put_ended_session(ended)
    assert store.ended_sessions(LONG_AGO) == [first, second]
    assert store.ended_sessions(second.ended_at) == [second]
    store.put_ended_session(third)
    assert store.ended_sessions(LONG_AGO) == [second, third]
    assert store.head() == head


def test_a_course_of_the_day_is_replaced(store: Store) -> None:
    head = store.commit(a_commit(None, records=[an_account_day(body=b"[1]")]))
    store.commit(a_commit(head, records=[an_account_day(body=b"[1,2]")]))
    assert known(store.record(ACCOUNT_DAYS, "2026-11-20")).body == b"[1,2]"


def test_a_backup_changes_nothing_and_is_named(store: Store) -> None:
    store.commit(a_commit(None, records=[an_order()]))
    before = everything(store)
    name = store.back_up("before-the-upgrade")
    assert "before-the-upgrade" in name
    assert store.back_up("another") != name
    assert everything(store) == before


# -- many at once ----------------------------------------------------------------------------------------------------


def test_what_is_loaded_is_of_one_moment(shelf: Shelf) -> None:
    """While a writer moves documents and orders together, nobody ever sees one without the other."""
    writer, reader = shelf.open(), shelf.open()

    def moves(head: Head | None, number: int) -> Head:
        body = b"%d" % number
        orders = [an_order("odd", number % 2 == 1, body), an_order("even", number % 2 == 0, body)]
        documents = {"_global": body, "ES": body, "NQ": body}
        return writer.commit(a_commit(head, version=number, documents=documents, records=orders))

    def writes() -> None:
        head = moves(None, 1)
        for number in range(2, 600):
            head = moves(head, number)

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(writes)
        seen = set()
        while not writing.done():
            stored = reader.load()
            if stored is not None:
                told = {*stored.documents.values(), *stored.open_orders, b"%d" % stored.head.version}
                assert len(told) == len(stored.open_orders) == 1, told
                seen.add(stored.head.version)
        writing.result()
    assert len(seen) > 5


def test_many_threads_read_while_one_writes(store: Store) -> None:
    head = store.commit(a_commit(None, rows=50, records=[an_order(), a_trade()]))

    def reads(_: object) -> bool:
        assert known(store.record(ORDERS, "o1")).body == b'{"o":1}'
        assert len(list(store.journal())) >= 50
        assert store.newest_records(TRADES, 5) == [a_trade()]
        assert known(store.load()).head.sequence >= 50
        return True

    with ThreadPoolExecutor(16) as threads:
        answers = [threads.submit(reads, number) for number in range(64)]
        for _ in range(20):
            head = store.commit(a_commit(head))
        assert all(answer.result(30) for answer in answers)
    assert store.head() == head
