"""The SQLite store: all or nothing, one writer, and nothing acknowledged is ever lost (SPEC 9, DESIGN 3)."""

import json
import random
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from services.projections.dead_letters import DeadLetter, dead_letter_record, last_dead_letters
from services.projections.trades import TRADES
from services.stores.records import ORDERS, Record
from services.stores.sqlite.file import MIGRATIONS
from services.stores.sqlite.reader import SqliteReader
from services.stores.sqlite.store import SqliteStore
from services.stores.store import (
    Commit,
    Head,
    JournalRow,
    StoreDown,
    StoredReply,
    StoreState,
    StoreUnreadable,
    VersionConflict,
)
from tests.support.clock_ends import a_candle_lasts
from tests.support.desk_process import (
    PATIENCE_SECONDS,
    QUICK,
    DeskProcess,
    closing_connection,
    eventually,
    without_the_clock,
)
from tests.support.narrow import known

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
SCHEMA = MIGRATIONS.with_name("schema.sql")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    yield store
    store.close()


def a_commit(expected: Any, **more: Any) -> Commit:
    number = expected + 1
    row = JournalRow(number, NOON, "operator", "EnterMarket", "ES", b"{}", b"[]")
    head = None if expected == 0 else Head(expected, expected * 10, 1, "a writer", str(expected))
    becomes = StoreState(number, number * 10, 1, "a writer")
    return Commit(head, becomes, {"_global": b'{"n": %d}' % number}, [row], **more)


def everything_in(path: Path) -> dict[str, list[Any]]:
    tables = ("desk", "documents", "journal", "records", "replies")
    with closing_connection(path) as connection:
        return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}  # noqa: S608


# -- schema ----------------------------------------------------------------------------------------------------------


def schema_after(script: str) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(script)
    ours = "WHERE name <> 'sqlite_sequence'"  # SQLite's own, which stays after the last AUTOINCREMENT is gone
    rows = connection.execute(f"SELECT type, name, tbl_name, sql FROM sqlite_master {ours} ORDER BY name").fetchall()  # noqa: S608
    connection.close()
    return [(*names, re.sub(r"\s*([,()])\s*", r"\1 ", re.sub(r"\s+", " ", sql or ""))) for *names, sql in rows]


def test_the_schema_is_all_migrations_in_order() -> None:
    steps = sorted(MIGRATIONS.glob("*.sql"))
    assert [int(step.name[:4]) for step in steps] == list(range(1, len(steps) + 1))
    assert schema_after(SCHEMA.read_text("utf-8")) == schema_after("\n".join(step.read_text("utf-8") for step in steps))


def test_a_store_is_durable_by_its_settings(store: SqliteStore, path: Path) -> None:
    pragma = store._writer.execute
    assert pragma("PRAGMA journal_mode").fetchone() == ("wal",)
    assert pragma("PRAGMA synchronous").fetchone() == (2,)


def test_a_newer_schema_is_refused(store: SqliteStore, path: Path) -> None:
    store.close()
    with closing_connection(path) as connection:
        connection.execute("PRAGMA user_version = 999")
    with pytest.raises(StoreUnreadable, match=r"schema 999.*start the newer program"):
        SqliteStore(path)


def test_a_file_that_is_no_database_is_refused_untouched(path: Path) -> None:
    path.write_bytes(b"my diary, page one\n" * 500)
    with pytest.raises(StoreUnreadable, match=r"desk\.sqlite could not be opened"):
        SqliteStore(path)
    assert path.read_bytes().startswith(b"my diary")


def test_another_programs_database_is_refused_with_a_sentence(path: Path) -> None:
    with closing_connection(path) as connection:
        connection.execute("CREATE TABLE orders (x)")
    with pytest.raises(StoreUnreadable):
        SqliteStore(path)


def test_a_path_that_cannot_be_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnreadable):
        SqliteStore(tmp_path / "file" / "desk.sqlite")


# -- one writer ------------------------------------------------------------------------------------------------------


def test_a_reader_makes_no_file_and_takes_none_of_another_schema(path: Path) -> None:
    with pytest.raises(StoreUnreadable, match="does not exist: start the desk once"):
        SqliteReader(path)
    assert not path.exists()
    with closing_connection(path) as connection:
        connection.executescript((MIGRATIONS / "0001_the_desk.sql").read_text("utf-8"))
        connection.execute("PRAGMA user_version = 1")
    with pytest.raises(StoreUnreadable, match="has schema 1, not 7: start the desk once"):
        SqliteReader(path)


def test_a_commit_onto_another_sequence_is_a_conflict_and_stores_nothing(store: SqliteStore, path: Path) -> None:
    store.commit(a_commit(0))
    before = everything_in(path)
    for expected in (0, 2, 99):
        with pytest.raises(VersionConflict):
            store.commit(a_commit(expected))
    assert everything_in(path) == before
    store.commit(a_commit(1))


def test_many_who_open_a_new_file_at_once_find_it_whole_and_copy_nothing(path: Path) -> None:
    with ThreadPoolExecutor(6) as openers:
        stores = list(openers.map(lambda _: SqliteStore(path), range(6)))
    for store in stores:
        assert store.head() is None
        store.close()
    assert [file.name for file in path.parent.iterdir() if "schema-" in file.name] == []


def test_a_copy_ends_though_somebody_writes_all_the_time(path: Path) -> None:
    store = SqliteStore(path)
    ended, head = threading.Event(), store.commit(a_commit(0))
    with closing_connection(path) as filler:
        filler.execute("CREATE TABLE filler (bytes BLOB)")
        filler.executemany("INSERT INTO filler VALUES (zeroblob(1000000))", [()] * 60)

    def write() -> None:
        with closing_connection(path) as busy:
            while not ended.is_set():
                busy.execute("INSERT INTO filler VALUES (x'00')")

    with ThreadPoolExecutor(1) as writer:
        writing = writer.submit(write)
        try:
            name = store.back_up("busy")
        finally:
            ended.set()
        writing.result(PATIENCE_SECONDS)
    copy = SqliteReader(path.with_name(name))
    assert copy.head() == head
    copy.close()
    store.close()


def test_a_copy_on_a_medium_that_takes_no_writes_is_read(path: Path) -> None:
    SqliteStore(path).close()
    path.chmod(0o444)
    reader = SqliteReader(path)
    assert reader.head() is None
    reader.close()


# -- all or nothing --------------------------------------------------------------------------------------------------


def a_full_commit(expected: Any) -> Commit:
    return a_commit(
        expected,
        records=[
            Record(ORDERS, "o", NOON, b"{}", {"asset": "ES", "status": "PENDING", "is_open": True}),
            Record(TRADES, "t", NOON, b"{}", {"asset": "ES"}),
            dead_letter_record(DeadLetter(expected + 1, NOON, "/tv_renko", "why", "what")),
        ],
        replies=[StoredReply("k", "f", NOON, b"{}")],
    )


def test_what_is_committed_is_read_back(store: SqliteStore, path: Path) -> None:
    store.commit(a_full_commit(0))
    stored = known(store.load())
    assert stored.head == Head(1, 10, 1, "a writer", "1")
    assert stored.open_orders == [b"{}"]
    assert known(store.record(ORDERS, "o")).body == b"{}"
    assert store.record(ORDERS, "'; DROP TABLE records; --") is None
    assert [row.at for row in store.journal()] == [NOON]
    assert [reply.key for reply in store.replies_since(NOON.replace(year=2025))] == ["k"]
    assert store.replies_since(NOON) == []
    assert last_dead_letters(store, 5)[0].reason == "why"


FAULTS = {
    "trades": "records WHEN NEW.kind = 'trades'",
    "dead_letters": "records WHEN NEW.kind = 'dead_letters'",
    "journal": "journal",
}


@pytest.mark.parametrize("where", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_in_the_middle_stores_nothing_of_it(store: SqliteStore, path: Path, where: str) -> None:
    store.commit(a_full_commit(0))
    before = everything_in(path)
    with closing_connection(path) as other:
        other.execute(f"CREATE TRIGGER fault BEFORE INSERT ON {where} BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(StoreDown):
        store.commit(a_full_commit(1))
    assert everything_in(path) == before
    with closing_connection(path) as other:
        other.execute("DROP TRIGGER fault")
    store.commit(a_commit(1))


def test_a_fact_of_a_kind_that_is_not_replaced_is_never_written_twice(store: SqliteStore, path: Path) -> None:
    letter = dead_letter_record(DeadLetter(7, NOON, "/tv_renko", "why", "what"))
    store.commit(a_commit(0, records=[letter]))
    before = everything_in(path)
    with pytest.raises(StoreDown):
        store.commit(a_commit(1, records=[letter]))
    assert everything_in(path) == before


def test_a_locked_file_is_down_and_then_up_again(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store._writer.execute("PRAGMA busy_timeout = 100")
    with closing_connection(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreDown, match="locked"):
            store.commit(a_commit(0))
        other.execute("ROLLBACK")
    store.commit(a_commit(0))


# -- the file at the start of a real desk ----------------------------------------------------------------------------


def a_failed_start(desk: DeskProcess, within: float = PATIENCE_SECONDS) -> tuple[int | None, str]:
    """Start a desk that cannot; return its exit status (None when it never gave up) and its words."""
    process = desk.spawn()
    deadline = time.monotonic() + within
    while process.poll() is None and time.monotonic() < deadline and desk.log().count("Booting worker") < 4:
        time.sleep(0.05)
    status = process.poll()
    desk.kill()
    return status, desk.log()


def used_desk(folder: Path) -> DeskProcess:
    with DeskProcess(folder, **QUICK) as desk:
        desk.tradingview().opens_the_ladder()
        operator, bridge = desk.operator(), desk.bridge()
        bridge.fills(operator.enters_when_the_candle_allows(), 5250.25)
        exit_order = operator.post("/api/exit", json={"asset": "ES", "force": True}).json()["order"]
        bridge.fills(exit_order, 5251)
    return desk


def spoil(desk: DeskProcess, statement: str) -> None:
    with closing_connection(desk.database) as connection:
        connection.execute(statement)


SPOILT = {
    "no database": lambda desk: desk.database.write_bytes(b"garbage" * 1000),
    "a newer schema": lambda desk: spoil(desk, "PRAGMA user_version = 999"),
    "a broken document": lambda desk: spoil(desk, "UPDATE documents SET body = x'7b'"),
    "a newer document": lambda desk: spoil(desk, """UPDATE documents SET body = CAST('{"schema": 99}' AS BLOB)"""),
}


@pytest.mark.processes
@pytest.mark.parametrize("spoils", SPOILT.values(), ids=SPOILT.keys())
def test_a_spoilt_file_is_said_in_one_sentence(tmp_path: Path, spoils: Callable[..., Any]) -> None:
    desk = used_desk(tmp_path)
    for leftover in ("-wal", "-shm"):
        if spoils is SPOILT["no database"]:
            desk.database.with_name(desk.database.name + leftover).unlink(missing_ok=True)
    spoils(desk)
    _, words = a_failed_start(desk)
    assert "Traceback" not in words
    assert re.search(r"desk\.sqlite|stored d", words)


@pytest.mark.processes
def test_a_spoilt_file_ends_the_start(tmp_path: Path) -> None:
    desk = DeskProcess(tmp_path)
    desk.database.write_bytes(b"garbage" * 1000)
    status, _ = a_failed_start(desk)
    assert status not in (0, None)


@pytest.mark.processes
def test_a_spoilt_trade_is_said_in_one_sentence(tmp_path: Path) -> None:
    desk = used_desk(tmp_path)
    spoil(desk, "UPDATE records SET body = x'7b' WHERE kind = 'trades'")
    _, words = a_failed_start(desk)
    assert "Traceback" not in words


# -- under load, and killed ------------------------------------------------------------------------------------------


@pytest.mark.processes
def test_sixteen_at_once_are_journaled_each_once_without_a_gap(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        names = [f"brick {number}" for number in range(640)]

        def sends(thread: Any) -> bool:
            alerts = desk.tradingview()
            for name in names[thread::16]:
                assert alerts.brick(2.5, "green", bar_id=name).status_code == 200
            return True

        with ThreadPoolExecutor(16) as threads:
            assert all(threads.map(sends, range(16)))
        journaled = [json.loads(body)["bar_id"] for (body,) in bricks_in(desk)]
        assert sorted(journaled) == sorted(names)
        sequences = [sequence for (sequence,) in desk.rows("SELECT sequence FROM journal ORDER BY sequence")]
        assert sequences == list(range(1, len(sequences) + 1))
        assert desk.rows("SELECT sequence FROM desk") == [(sequences[-1],)]


def bricks_in(desk: DeskProcess) -> list[tuple[Any, ...]]:
    return desk.rows("SELECT CAST(command AS TEXT) FROM journal WHERE kind = 'CloseBrick' ORDER BY sequence")


@pytest.mark.processes
def test_what_was_acknowledged_survives_five_kills(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    numbers = iter(range(1_000_000))
    desk = DeskProcess(tmp_path, **QUICK)
    with desk:
        for round_number in range(5):
            threads = [threading.Thread(target=send_until_dead, args=(desk, numbers, acknowledged)) for _ in range(6)]
            before = len(acknowledged)
            for thread in threads:
                thread.start()
            eventually(partial(has_more_than, acknowledged, before + 20))
            time.sleep(random.Random(round_number).random() * 0.2)
            desk.kill()
            for thread in threads:
                thread.join(PATIENCE_SECONDS)
            desk.start()
            journaled = {json.loads(body)["bar_id"] for (body,) in bricks_in(desk)}
            lost = set(acknowledged) - journaled
            assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged bricks were lost"
        assert len(acknowledged) > 100
        assert len(bricks_in(desk)) == len({body for (body,) in bricks_in(desk)}), "a brick was journaled twice"
        assert desk.rows("PRAGMA integrity_check") == [("ok",)]


def has_more_than(found: list[str], number: int) -> bool:
    return len(found) > number


def send_until_dead(desk: DeskProcess, numbers: Iterator[int], acknowledged: list[str]) -> None:
    alerts = desk.tradingview()
    while True:
        name = f"brick {next(numbers)}"
        try:
            answer = alerts.brick(2.5, "green", bar_id=name)
        except (requests.RequestException, ValueError):
            return
        if answer.status_code == 200:
            acknowledged.append(name)


@pytest.mark.processes
@pytest.mark.parametrize("way", ["terminate", "kill"])
def test_a_restart_changes_no_lock(tmp_path: Path, way: str) -> None:
    with DeskProcess(tmp_path, COOLDOWN_SECONDS="3600", CANDLE_SECONDS="3600") as desk:
        a_candle_lasts(60, 3_600)
        operator, bridge, alerts = desk.operator(), desk.bridge(), desk.tradingview()
        alerts.opens_the_ladder("ES")
        alerts.opens_the_ladder("NQ", "red")
        bridge.snapshots(50_000)
        bridge.fills(operator.enters().json()["order"], 5250.25)
        bridge.fills(operator.post("/api/exit", json={"asset": "ES", "force": True}).json()["order"], 5251)
        bridge.snapshots(49_000)
        time.sleep(2.1)  # the second reading of the loss
        bridge.snapshots(49_000)
        before = operator.state()
        assert before["global"]["daily_stop_triggered"]
        assert before["global"]["post_exit_lock_active"]
        assert before["global"]["five_min_trade_lock_active"]
        assert not before["assets"]["ES"]["tempo_ready"]
        getattr(desk, way)()
        desk.start()
        after = desk.operator().state()
        assert locks_of(after) == locks_of(before)
        assert without_the_clock(after)["history"] == without_the_clock(before)["history"]
        told = [alert["code"] for alert in after["alerts"] if alert not in before["alerts"]]
        assert told == (["writer_lost"] if way == "kill" else [])


def locks_of(document: Any) -> tuple[Any, Any]:
    """Return what SPEC 5 calls locks, counters and tokens; prices and ages may be up to 30 s old after a kill."""
    everything = without_the_clock(document)["global"]
    shared = {
        name: value
        for name, value in everything.items()
        if name.startswith(("five_min", "post_exit", "daily_stop", "daily_start", "trades_", "trading_day"))
    }
    per_asset = {
        symbol: {name: asset[name] for name in ("tempo_ready", "position", "zone_type", "initial_exit_lock_active")}
        for symbol, asset in document["assets"].items()
    }
    return shared, per_asset
