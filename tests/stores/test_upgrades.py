"""A store of every earlier version is opened by today's program: nothing is lost, and a copy of it stays (SPEC 9).

``fixtures/sqlite_schema_<n>.sql`` were written by the programs of that time: ES was long and won, an entry was
refused, then NQ went short; its manual exit is at the bridge.
"""

from __future__ import annotations

import fcntl
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct, field
from msgspec.structs import replace

from services.desk.manager import StateManager
from services.engine.model.bridge_commands import ReportExecution
from services.engine.model.commands import EnterMarket
from services.engine.model.replies import Refusal
from services.history.replay import replay_store
from services.notifications.delivery import NoticeCounter, NoticeSender, Target
from services.notifications.kinds import Notifying
from services.notifications.stored import NOTICES, StoredNotice, notice_record, waiting_notices
from services.projections.attempts import ATTEMPTS, attempts_between
from services.projections.dead_letters import DeadLetter, last_dead_letters
from services.projections.entry_gates import GATES_AT_ENTRY
from services.projections.equity import ACCOUNT_DAYS
from services.projections.notes import TRADE_NOTES
from services.projections.trade_fills import TRADE_FILLS, are_whole, fills_of
from services.projections.trades import TRADES, last_trades
from services.stores.codec import documents
from services.stores.records import ORDERS, Record, Scalar, text_of
from services.stores.sqlite import file as sqlite_file
from services.stores.sqlite.reader import SqliteReader
from services.stores.sqlite.store import SqliteStore
from services.stores.store import StoreUnreadable
from tests.support.desk_process import REPOSITORY
from tests.support.narrow import known, of_type
from tests.support.paths import FIXTURES
from tests.support.read_only import read_only
from wire.types import OrderStatus

SCHEMAS = (1, 2, 3, 4, 5, 6)
WITH_NOTES, WITH_GATES, WITH_WAITING = 4, 5, 6
NEWEST = len(sqlite_file.migration_steps())
NEXT_MORNING = datetime(2026, 11, 17, 14, 36, 10, tzinfo=UTC)
OPENS = "import sys; from services.stores.sqlite.store import SqliteStore; SqliteStore(sys.argv[1]).close()"


def test_every_earlier_schema_has_a_fixture() -> None:
    assert tuple(range(1, NEWEST)) == SCHEMAS
    for schema in SCHEMAS:
        assert (FIXTURES / f"sqlite_schema_{schema}.sql").exists()


@pytest.fixture(params=SCHEMAS, ids=lambda schema: f"schema {schema}")
def schema(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def old(tmp_path: Path, schema: int) -> Path:
    """A file as the program of that schema left it."""
    path = tmp_path / "desk.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript((FIXTURES / f"sqlite_schema_{schema}.sql").read_text("utf-8"))
    connection.close()
    return path


def asked(path: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def content(path: Path) -> list[Any]:
    """Everything a file holds, its schema's number included."""
    connection = sqlite3.connect(path)
    try:
        return [connection.execute("PRAGMA user_version").fetchone()[0], *connection.iterdump()]
    finally:
        connection.close()


def backups(path: Path, label: str = "schema") -> list[Path]:
    return sorted(path.parent.glob(f"desk.{label}-*.sqlite" if label == "schema" else f"desk.{label}.*.sqlite"))


def opened(path: Path) -> None:
    SqliteStore(path).close()


OLD_TRADE = "id, asset, closed_at, body"
SINCE_SCHEMA_4 = ("trade_notes", "attempts", "pnl_snapshots")
SINCE_SCHEMA_5 = ("gates_at_entry", "trade_fills")
OLD_COLUMNS = "sequence, at, origin, kind, asset, command, events, observed"


def test_it_is_of_the_newest_schema_and_loses_nothing(old: Path, schema: int) -> None:
    tables = dict.fromkeys(("documents", "orders", "replies", "dead_letters"), "*") | {"trades": OLD_TRADE}
    tables |= dict.fromkeys(SINCE_SCHEMA_4 if schema >= 4 else (), "*")
    tables |= dict.fromkeys(SINCE_SCHEMA_5 if schema >= WITH_GATES else (), "*")
    tables |= {"notices": "*"} if schema >= WITH_WAITING else {}
    before = {table: asked(old, f"SELECT {names} FROM {table}") for table, names in tables.items()}  # noqa: S608
    journal = asked(old, f"SELECT {OLD_COLUMNS} FROM journal")  # noqa: S608
    opened(old)
    assert asked(old, "PRAGMA user_version") == [(NEWEST,)]
    after = {table: asked(old, f"SELECT {names} FROM {table}") for table, names in tables.items()}  # noqa: S608
    assert after == before
    assert asked(old, f"SELECT {OLD_COLUMNS} FROM journal") == journal  # noqa: S608
    assert len(journal) > 20
    assert len(before["trades"]) == 1
    assert all(before[table] for table in tables)


def test_tries_against_the_rules_are_taken_from_the_journal(old: Path) -> None:
    opened(old)
    reader = read_only(old)
    told = [
        (row.at, event)
        for row in reader.journal()
        for event in documents.read_events(row.events)
        if type(event).__name__ in ("EntryBlocked", "ExitBlocked") or getattr(event, "override", False)
    ]
    kept = attempts_between(reader, told[0][0], NEXT_MORNING, 50)
    reader.close()
    assert kept[::-1] == told
    assert len(told) == 2


def test_fills_are_taken_from_the_journal_and_nobody_invents_gates(old: Path, schema: int) -> None:
    kept = dict(asked(old, "SELECT trade_id, body FROM gates_at_entry")) if schema >= WITH_GATES else {}
    opened(old)
    reader = read_only(old)
    [closed] = last_trades(reader, 50)
    fills = fills_of(reader, closed.id)
    assert [(one.at, one.fill.kind, one.fill.quantity, one.fill.price) for one in fills] == [
        (closed.entry_ts, "ENTRY", 5, closed.entry_price),
        (closed.exit_ts, "EXIT", 5, closed.exit_price),
    ]
    assert are_whole(fills, closed)
    assert {one.id: one.body for one in reader.records_by_id(GATES_AT_ENTRY, "", "~")} == kept
    assert len(kept) == (2 if schema >= WITH_GATES else 0)
    reader.close()


def test_an_upgraded_file_has_the_tables_of_a_new_one(old: Path, tmp_path: Path) -> None:
    opened(old)
    opened(tmp_path / "new.sqlite")
    query = "SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m, pragma_table_info(m.name) c ORDER BY 1, 2"
    assert asked(old, query) == asked(tmp_path / "new.sqlite", query)
    assert asked(old, "PRAGMA integrity_check") == [("ok",)]


def test_a_copy_of_the_old_file_is_made_first(old: Path, schema: int) -> None:
    before = content(old)
    opened(old)
    (backup,) = backups(old)
    assert backup.name.startswith(f"desk.schema-{schema}.")
    assert content(backup) == before
    assert before[0] == schema


def test_the_copy_can_be_put_back(old: Path) -> None:
    opened(old)
    (backup,) = backups(old)
    backup.replace(old)
    opened(old)
    assert asked(old, "PRAGMA user_version") == [(NEWEST,)]


def test_a_second_start_makes_no_second_copy(old: Path) -> None:
    for _ in range(3):
        opened(old)
    assert len(backups(old)) == 1


def started(path: Path, notifying: Notifying | None = None) -> tuple[StateManager, dict[str, Any]]:
    store = SqliteStore(path)
    stored = known(store.load())
    plain = msgspec.json.decode(stored.documents["_global"])["desk"]
    rules = documents.read_desk(stored).configured
    return StateManager(store, lambda now: rules, lambda: NEXT_MORNING, notifying), plain


def test_a_desk_starts_on_it_and_stands_where_it_stood(old: Path) -> None:
    manager, plain = started(old)
    desk = manager.snapshot.desk
    for lock in ("candle_used", "cooldown_until"):
        stored, now = plain["locks"][lock], getattr(desk.locks, lock)
        assert now == (stored and datetime.fromisoformat(stored))
    assert desk.locks.candle_until == datetime(2026, 11, 17, 14, 40, tzinfo=UTC)
    (order,) = desk.orders.values()
    assert (order.asset, order.kind, order.status, order.owner) == ("NQ", "EXIT", OrderStatus.CLAIMED, "bridge")
    assert (desk.assets["NQ"].position, desk.assets["ES"].position, desk.day.trades_taken) == (-3, 0, 2)
    assert [trade.pnl_usd for trade in manager.snapshot.history] == [100]
    assert desk.id_key == plain["id_key"]
    manager.stop()


def test_the_day_goes_on_with_its_locks(old: Path) -> None:
    manager, _ = started(old)
    refused = manager.submit(EnterMarket("ES", "SCALP", "6pt", "BUY")).answer
    assert of_type(Refusal, refused).gate == "candle_lock"
    (order,) = manager.snapshot.desk.orders.values()
    manager.submit(ReportExecution(order.id, OrderStatus.FILLED, Decimal(5258), order.qty, "exec-9"))
    assert manager.snapshot.desk.assets["NQ"].position == 0
    assert len(manager.snapshot.history) == 2
    manager.stop()


def test_an_answer_is_remembered_by_its_key(old: Path) -> None:
    manager, _ = started(old)
    again = manager.submit(EnterMarket("NQ", "RUNNER", "9pt", "SELL"), "click-3")
    assert again.repeated is True
    manager.stop()


def test_old_documents_are_copied_before_they_are_written_anew(old: Path) -> None:
    before = asked(old, "SELECT * FROM documents")
    written = min(msgspec.json.decode(body)["schema"] for (body,) in asked(old, "SELECT body FROM documents"))
    manager, _ = started(old)
    manager.stop()
    copies = backups(old, "documents")
    assert len(copies) == (1 if written < documents.SCHEMA else 0)
    for copy in copies:
        assert asked(copy, "SELECT * FROM documents") == before


@pytest.mark.parametrize("schema", range(1, WITH_WAITING), indirect=True)  # later files have the documents of today
def test_old_documents_are_copied_once(old: Path) -> None:
    for _ in range(3):
        manager, _plain = started(old)
        manager.stop()
    assert len(backups(old, "documents")) == 1


def test_an_asset_dropped_from_the_settings_at_the_upgrade_is_deleted(old: Path) -> None:
    store = SqliteStore(old)
    rules = documents.read_desk(known(store.load())).configured
    only_nq = replace(rules, contracts={"NQ": rules.contracts["NQ"]})
    manager = StateManager(store, lambda now: only_nq, lambda: NEXT_MORNING)
    assert set(manager.snapshot.desk.assets) == {"NQ"}
    manager.stop()
    assert {name for (name,) in asked(old, "SELECT name FROM documents")} == {"_global", "NQ"}
    opened_again = SqliteReader(old)
    assert not documents.is_outdated(known(opened_again.load()))
    opened_again.close()


def test_replay_is_equal_or_names_rows_of_the_older_program(old: Path, schema: int) -> None:
    manager, _ = started(old)
    manager.stop()
    reader = read_only(old)
    replay = replay_store(reader)
    reader.close()
    taken_over_at, version = replay.programs[-1]
    assert replay.last == taken_over_at or schema > 2  # from then on rows say who decided them
    assert all(row < taken_over_at for row in replay.unequal_rows)
    assert replay.unequal_of_others == len(replay.unequal_rows)
    assert replay.is_equal is (schema >= 2), replay.sentences
    assert version


def test_real_bricks_after_a_simulated_price_replay_as_the_program_before_generation_4_took_them(
    tmp_path: Path,
) -> None:
    path = tmp_path / "desk.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((FIXTURES / "journal_0_7_0_simulated.sql").read_text("utf-8"))
    store = SqliteStore(path)
    rules = documents.read_desk(known(store.load())).configured
    opened_at = datetime(2026, 11, 30, 20, 15, tzinfo=UTC)
    manager = StateManager(store, lambda now: rules, lambda: opened_at)
    live = manager.snapshot.desk.assets["ES"].live
    manager.stop()
    assert (live.last_price, live.simulated) == (Decimal("5250.25"), False)
    reader = read_only(path)
    replay = replay_store(reader)
    reader.close()
    assert replay.is_equal, replay.sentences
    assert next(version for _, version in replay.programs) == "0.7.0"
    assert replay.rows > 16


# -- notices that wait ------------------------------------------------------------------------------------------------

REFUSED_ONCE = "NQ long blocked: candle_lock"  # by the first target


class Phone(Struct):
    """A service that takes everything."""

    titles: list[str] = field(default_factory=list)

    def notify(self, title: str, body: str, notify_type: str) -> bool:
        self.titles.append(title.removeprefix("[DEMO] "))
        return True


def sent_by(manager: StateManager, target: int) -> list[str]:
    """Send all that is due to a target and return the titles that it took, in order."""
    phone = Phone()
    sender = NoticeSender(manager, Target(target, "json", phone), NoticeCounter(), threading.Event())
    while sender.turn():
        pass
    return phone.titles


@pytest.mark.parametrize("schema", [WITH_WAITING], indirect=True)
def test_notices_that_an_older_program_did_not_deliver_are_delivered_in_order_and_once(old: Path) -> None:
    due = "next_try_at IS NOT NULL AND due_at <= '2026-11-17T14:36:10'"
    waiting = f"SELECT substr(title, 8) FROM notices WHERE {due} AND target = "  # noqa: S608
    first, second = ([title for (title,) in asked(old, f"{waiting}{target} ORDER BY number")] for target in (1, 2))
    assert (len(first), first[0], len(second)) == (12, REFUSED_ONCE, 14)
    manager, _ = started(old)
    assert sent_by(manager, 1) == [*first[1:], REFUSED_ONCE]
    assert sent_by(manager, 2) == second
    assert sent_by(manager, 1) == sent_by(manager, 2) == []
    manager.stop()
    left = "SELECT title, slot, target FROM notices WHERE next_try_at IS NOT NULL ORDER BY number"
    assert asked(old, left) == [("[DEMO] The candle is free", "candle", target) for target in (1, 2)]
    assert asked(old, "SELECT last_error FROM notices WHERE number = 2") == [("the target answered 404",)]


# -- while an older program still holds the desk --------------------------------------------------------------------

OLDER_WRITES = {  # as the programs of schemas 3 to 5 write them
    "an order": (
        "INSERT OR REPLACE INTO orders (id, asset, status, is_open, created_at, body) VALUES (?, ?, ?, ?, ?, ?)",
        ("o1", "ES", "PENDING", True, "2026-11-17T14:36:00.000000+00:00", b'{"o":1}'),
    ),
    "the order, ended": (
        "INSERT OR REPLACE INTO orders (id, asset, status, is_open, created_at, body) VALUES (?, ?, ?, ?, ?, ?)",
        ("o1", "ES", "FILLED", False, "2026-11-17T14:36:00.000000+00:00", b'{"o":2}'),
    ),
    "a trade": (
        "INSERT INTO trades (id, asset, closed_at, body, stop_points) VALUES (?, ?, ?, ?, ?)",
        ("t1", "ES", "2026-11-17T14:36:01.000000+00:00", b'{"t":1}', "15.5"),
    ),
    "a trade, before stops were kept": (
        "INSERT INTO trades (id, asset, closed_at, body) VALUES (?, ?, ?, ?)",
        ("t2", "ES", "2026-11-17T14:36:02.000000+00:00", b'{"t":2}'),
    ),
    "a note": (
        "INSERT OR REPLACE INTO trade_notes (trade_id, at, body) VALUES (?, ?, ?)",
        ("t1", "2026-11-17T14:36:03.000000+00:00", b'{"n":1}'),
    ),
    "the note, changed": (
        "INSERT OR REPLACE INTO trade_notes (trade_id, at, body) VALUES (?, ?, ?)",
        ("t1", "2026-11-17T14:36:04.000000+00:00", b'{"n":2}'),
    ),
    "an attempt": (
        "INSERT INTO attempts (id, at, body) VALUES (?, ?, ?)",
        ("000000000099.0000", "2026-11-17T14:36:05.000000+00:00", b'{"a":1}'),
    ),
    "gates": (
        "INSERT INTO gates_at_entry (trade_id, at, body) VALUES (?, ?, ?)",
        ("t1", "2026-11-17T14:36:06.000000+00:00", b'{"g":1}'),
    ),
    "a fill": (
        "INSERT INTO trade_fills (trade_id, id, at, body) VALUES (?, ?, ?, ?)",
        ("t1", "000000000098.0000", "2026-11-17T14:36:07.000000+00:00", b'{"f":1}'),
    ),
    "a dead letter": (
        "INSERT INTO dead_letters (sequence, at, path, reason, body) VALUES (?, ?, ?, ?, ?)",
        (97, "2026-11-17T14:36:08.000000+00:00", "/tv_renko", "why", "what"),
    ),
    "the account's day": (
        "INSERT OR REPLACE INTO pnl_snapshots (trading_day, body) VALUES (?, ?)",
        ("2026-11-17", b'{"p":1}'),
    ),
}
OLDER_NOTICE = (  # as the programs of schemas 2 to 6 write and mark them
    "INSERT INTO notices (sequence, target, at, due_at, kind, level, title, body, slot, attempts, next_try_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?4)"
)
OLDER_MARK = (
    "UPDATE notices SET attempts = ?, sent_at = ?, next_try_at = ?, last_error = ? WHERE number = ? AND sent_at IS NULL"
)
OLDER_CALL = (
    "UPDATE notices SET next_try_at = ? "
    "WHERE target = ? AND attempts > 0 AND next_try_at IS NOT NULL AND next_try_at > ?"
)
OLDER_NEXT = "SELECT number FROM notices WHERE target = ? AND next_try_at <= ? ORDER BY attempts, number LIMIT 1"
OLDER_WITHDRAWAL = "DELETE FROM notices WHERE slot = ? AND next_try_at IS NOT NULL"
OLDER_PURGE = "DELETE FROM notices WHERE due_at < ?"
SECOND = timedelta(seconds=1)
STARTED = datetime(2026, 11, 17, 14, 36, tzinfo=UTC)


def older_program_writes(path: Path, *writes: str) -> None:
    connection = sqlite3.connect(path)
    for write in writes:
        with connection:
            connection.executemany(OLDER_WRITES[write][0], [OLDER_WRITES[write][1]])
    connection.close()


@pytest.mark.parametrize("schema", range(sqlite_file.LEASED_SINCE, NEWEST), indirect=True)
def test_what_an_older_program_writes_until_it_is_relieved_is_found(old: Path) -> None:
    """A rolling update: today's program has upgraded the file, the older one holds the desk for some seconds more."""
    opened(old)
    older_program_writes(old, *OLDER_WRITES)
    reader = read_only(old)
    order: dict[str, Scalar] = {"asset": "ES", "status": "FILLED", "is_open": False}
    assert reader.record(ORDERS, "o1") == Record(ORDERS, "o1", STARTED, b'{"o":2}', order)
    first = Record(TRADES, "t1", STARTED + SECOND, b'{"t":1}', {"asset": "ES", "stop_points": "15.5"})
    second = Record(TRADES, "t2", STARTED + 2 * SECOND, b'{"t":2}', {"asset": "ES"})
    assert reader.newest_records(TRADES, 2) == [second, first]
    note = Record(TRADE_NOTES, "t1", STARTED + 4 * SECOND, b'{"n":2}', {"trade_id": "t1"})
    assert reader.records_by_id(TRADE_NOTES, "t1", "t1") == [note]
    attempt = Record(ATTEMPTS, "000000000099.0000", STARTED + 5 * SECOND, b'{"a":1}')
    assert reader.newest_records(ATTEMPTS, 1) == [attempt]
    gates = Record(GATES_AT_ENTRY, "t1", STARTED + 6 * SECOND, b'{"g":1}', {"trade_id": "t1"})
    assert reader.record(GATES_AT_ENTRY, "t1") == gates
    fill = Record(TRADE_FILLS, "000000000098.0000", STARTED + 7 * SECOND, b'{"f":1}', {"trade_id": "t1"})
    assert reader.records_with(TRADE_FILLS, "t1") == [fill]
    assert last_dead_letters(reader, 1) == [DeadLetter(97, STARTED + 8 * SECOND, "/tv_renko", "why", "what")]
    assert known(reader.record(ACCOUNT_DAYS, "2026-11-17")).body == b'{"p":1}'
    reader.close()


@pytest.mark.parametrize("schema", range(sqlite_file.LEASED_SINCE, NEWEST), indirect=True)
def test_notices_of_an_older_program_that_still_writes_are_found_with_their_marks(old: Path) -> None:
    """It adds three and a lock's end, sends the first of them, fails with the second, and withdraws the lock's end."""
    opened(old)
    at, later, last = (text_of(STARTED + n * SECOND) for n in (0, 30, 60))
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute(OLDER_PURGE, (at,))  # so that all fixtures begin alike
        notices: list[tuple[object, ...]] = [
            (40, 1, at, at, "k", "info", title, "what", None) for title in ("a", "b", "c")
        ]
        notices.append((41, 1, at, last, "lock_ended", "info", "d", "what", "cooldown"))
        connection.executemany(OLDER_NOTICE, notices)
        for outcome in ((1, at, None, None), (1, None, later, "500")):
            ((number,),) = connection.execute(OLDER_NEXT, (1, at)).fetchall()
            connection.execute(OLDER_MARK, (*outcome, number))
        connection.execute(OLDER_WITHDRAWAL, ("cooldown",))
    reader = SqliteReader(old)
    fact = StoredNotice(400002, 40, 1, STARTED, STARTED, "k", "info", "c", "what", next_try_at=STARTED)
    failed = StoredNotice(400001, 40, 1, STARTED, STARTED, "k", "info", "b", "what", attempts=1, last_error="500")
    failed = replace(failed, next_try_at=STARTED + 30 * SECOND)
    assert [one for one in waiting_notices(reader, 1) if one.sequence >= 40] == [fact, failed]
    assert reader.record(NOTICES, "0000000000400002") == notice_record(fact)
    assert reader.record(NOTICES, "0000000000410000") is None
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute(OLDER_CALL, (at, 1, at))
    assert [one for one in waiting_notices(reader, 1) if one.number == 400001] == [replace(failed, next_try_at=STARTED)]
    reader.close()


@pytest.mark.parametrize("schema", [WITH_WAITING], indirect=True)
def test_an_older_program_finds_and_marks_the_notices_of_todays(old: Path) -> None:
    """A rolling update that is turned back: the older program takes the desk again."""
    manager, _ = started(old, Notifying(frozenset({"gate_blocked"}), 1))
    sent_by(manager, 1)
    manager.submit(EnterMarket("ES", "SCALP", "6pt", "BUY"))
    manager.stop()
    now = text_of(NEXT_MORNING)
    ((number,),) = asked(old, OLDER_NEXT.replace("target = ?", "target = 1").replace("?", f"'{now}'"))
    with closing(sqlite3.connect(old)) as connection, connection:
        connection.execute(OLDER_MARK, (1, now, None, None, number))
    reader = SqliteReader(old)
    record = known(reader.record(NOTICES, f"{number:016d}"))
    assert (record.facts["attempts"], record.facts["sent_at"], record.found_by) == (1, now, None)
    reader.close()


@pytest.mark.parametrize("schema", [WITH_GATES], indirect=True)
@pytest.mark.parametrize("twice", ["a trade", "an attempt", "gates", "a fill", "a dead letter"])
def test_an_older_program_may_not_write_twice_what_is_written_once(old: Path, twice: str) -> None:
    opened(old)
    older_program_writes(old, twice)
    with pytest.raises(sqlite3.IntegrityError):
        older_program_writes(old, twice)


@pytest.mark.parametrize("schema", [WITH_GATES], indirect=True)
def test_an_open_order_of_an_older_program_is_loaded_with_the_desk(old: Path) -> None:
    opened(old)
    before = asked(old, "SELECT body FROM orders WHERE is_open = 1 ORDER BY id")
    older_program_writes(old, "an order")
    assert asked(old, "SELECT body FROM orders WHERE is_open = 1 ORDER BY id") == [*before, (b'{"o":1}',)]
    reader = read_only(old)
    assert known(reader.load()).open_orders == [*(body for (body,) in before), b'{"o":1}']
    reader.close()


# -- when it goes wrong -------------------------------------------------------------------------------------------


@pytest.fixture
def bad_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the last step fail behind its first half."""
    steps = sqlite_file.migration_steps()
    bad = tmp_path / steps[-1].name
    bad.write_text(steps[-1].read_text("utf-8") + "\nINSERT INTO nowhere VALUES (1);\n", "utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(sqlite_file, "migration_steps", lambda: [*steps[:-1], bad])
        yield


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(
    old: Path, schema: int, bad_step: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(old)
    with pytest.raises(StoreUnreadable, match="nowhere"):
        SqliteStore(old)
    assert asked(old, "PRAGMA user_version") == [(schema,)]
    assert content(old) == before
    assert content(backups(old)[0]) == before
    monkeypatch.undo()


def test_after_a_failed_upgrade_the_right_program_goes_on(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = asked(old, f"SELECT {OLD_COLUMNS} FROM journal")  # noqa: S608
    steps = sqlite_file.migration_steps()
    bad = tmp_path / "bad.sql"
    bad.write_text("CREATE TABLE half (a INTEGER);\nSELECT no_such_function();\n", "utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(sqlite_file, "migration_steps", lambda: [*steps[:-1], bad])
        with pytest.raises(StoreUnreadable):
            SqliteStore(old)
    assert asked(old, "SELECT * FROM sqlite_master WHERE name = 'half'") == []
    opened(old)
    assert asked(old, "PRAGMA user_version") == [(NEWEST,)]
    assert asked(old, f"SELECT {OLD_COLUMNS} FROM journal") == journal  # noqa: S608


def test_a_copy_that_cannot_be_made_stops_the_upgrade(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(old)
    with monkeypatch.context() as patched:
        patched.setattr(SqliteStore, "back_up", lambda self, label: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            SqliteStore(old)
    assert content(old) == before


def test_several_processes_may_open_the_old_file_at_once(old: Path) -> None:
    rows = asked(old, "SELECT count(*) FROM journal")
    command = [sys.executable, "-c", OPENS, str(old)]
    opening = [subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    errors = [process.communicate(timeout=60)[1] for process in opening]
    assert [process.returncode for process in opening] == [0] * 4, errors
    assert asked(old, "PRAGMA user_version") == [(NEWEST,)]
    assert asked(old, "PRAGMA integrity_check") == [("ok",)]
    assert asked(old, "SELECT count(*) FROM journal") == rows
    assert content(backups(old)[0])[0] in (*SCHEMAS, NEWEST)


@pytest.mark.parametrize("schema", range(1, sqlite_file.LEASED_SINCE), indirect=True)
def test_an_older_program_that_still_writes_is_waited_for_and_named(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(old)
    with monkeypatch.context() as patched, old.with_name(old.name + ".lock").open("w") as lock:
        patched.setattr(sqlite_file, "LOCK_WAIT_SECONDS", 0.2)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreUnreadable, match="in use by an older Lockstep"):
            SqliteStore(old)
    assert content(old) == before
    assert backups(old) == []
    opened(old)


def test_a_newer_file_is_refused_and_left_alone(old: Path) -> None:
    opened(old)
    connection = sqlite3.connect(old)
    connection.execute(f"PRAGMA user_version = {NEWEST + 1}")
    connection.close()
    before = content(old)
    with pytest.raises(StoreUnreadable, match="start the newer program"):
        SqliteStore(old)
    assert content(old) == before


def test_reading_commands_upgrade_nothing(old: Path) -> None:
    before = content(old)
    with pytest.raises(StoreUnreadable, match="start the desk once"):
        SqliteReader(old)
    assert content(old) == before
    assert backups(old) == []
