"""History handed out and put away: nothing is lost, nothing is written over, and damage is found and named."""

from __future__ import annotations

import csv
import gzip
import sqlite3
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import Result
from msgspec.structs import replace

from cli import create_cli
from services.history.archive import Archive, read_line
from services.history.export import export
from services.history.files import FileAlreadyExists, durable_file
from services.history.prune import NothingToPrune, Pruned, prune
from services.stores.store import StoreUnreadable
from tests.support.builders import new_york
from tests.support.desk_process import BRIDGE_SECRET, FLASK_KEY, REPOSITORY, TV_SECRET
from tests.support.stored_trader import StoredTrader

DAYS = ("2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19")
LATER = new_york("2026-11-30", "12:00")


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[StoredTrader]:
    trader = four_days(StoredTrader(tmp_path / "desk.sqlite", on=DAYS[0]))
    yield trader
    trader.stops()


def four_days(trader: StoredTrader) -> StoredTrader:
    """One trade and one refusal a day, a snapshot at each day's beginning, a refused order on the last."""
    for day in DAYS:
        trader.at("09:31:10", on=day).ticks().keeps_snapshot()
        trader.is_long("5250.25").bricks(6, "green").exits().filled_at("5252.50").enters("SELL")
        assert trader.refused_by == "cooldown"
    return trader.at("09:40:00").with_structure("green").enters("BUY").rejected("=no margin")


@pytest.fixture
def flask(trader: StoredTrader, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command of ``flask desk`` on the trader's file."""
    secrets = {"TV_WEBHOOK_SECRET": TV_SECRET, "BRIDGE_HEARTBEAT_SECRET": BRIDGE_SECRET, "FLASK_SECRET_KEY": FLASK_KEY}
    for name, value in {**secrets, "STORE": "sqlite", "SQLITE_PATH": str(trader.path)}.items():
        monkeypatch.setenv(name, value)
    runner = create_cli().test_cli_runner()
    return lambda *words: runner.invoke(args=["desk", *map(str, words)])


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# -- export -----------------------------------------------------------------------------------------------------


def test_jsonl_is_the_journal_itself(trader: StoredTrader, flask: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    answer = flask("export", "--format", "jsonl", "--to", path)
    assert answer.exit_code == 0, answer.output
    assert [read_line(line) for line in path.read_bytes().splitlines(keepends=True)] == trader.rows
    assert answer.output == f"{len(trader.rows)} records of journal are in {path}.\n"


def test_trades_in_csv_are_the_trades_to_the_cent(
    trader: StoredTrader, flask: Callable[..., Result], tmp_path: Path
) -> None:
    flask("export", "--format", "csv", "--what", "trades", "--to", tmp_path / "trades.csv")
    rows = cells(tmp_path / "trades.csv")
    assert [row["id"] for row in rows] == [trade.id for trade in trader.trades_closed]
    assert {(row["entry_price"], row["exit_price"], row["pnl_points"], row["pnl_usd"]) for row in rows} == {
        ("5250.25", "5252.50", "2.25", "56.25")
    }
    assert rows[0]["exit_ts"] == "2026-11-16T14:31:10.000000+00:00"


def test_refusals_tell_time_gate_and_sentence(
    trader: StoredTrader, flask: Callable[..., Result], tmp_path: Path
) -> None:
    flask("export", "--format", "csv", "--what", "refusals", "--day", "2026-11-17", "--to", tmp_path / "refusals.csv")
    (row,) = cells(tmp_path / "refusals.csv")
    assert (row["asset"], row["direction"], row["gate"]) == ("ES", "SELL", "cooldown")
    assert "COOLDOWN" in row["sentence"]
    assert row["at"] == "2026-11-17T14:31:10.000000+00:00"


def test_orders_are_told_once_with_their_end(
    trader: StoredTrader, flask: Callable[..., Result], tmp_path: Path
) -> None:
    flask("export", "--format", "csv", "--what", "orders", "--to", tmp_path / "orders.csv")
    rows = cells(tmp_path / "orders.csv")
    assert [row["status"] for row in rows] == ["FILLED"] * 8 + ["REJECTED"]
    assert (rows[0]["kind"], rows[0]["filled_qty"], rows[0]["price"]) == ("ENTRY", "5", "5250.25")
    assert rows[-1]["reason"] == "'=no margin"  # no spreadsheet may take it for a formula


@pytest.mark.parametrize("what", ["trades", "refusals", "orders", "journal"])
def test_parquet_holds_what_csv_holds(
    trader: StoredTrader, flask: Callable[..., Result], tmp_path: Path, what: str
) -> None:
    for form in ("csv", "parquet"):
        answer = flask("export", "--format", form, "--what", what, "--to", tmp_path / f"it.{form}")
        assert answer.exit_code == 0, answer.output
    from pyarrow import parquet  # here: every worker of a run reads this file, one uses it

    table, rows = parquet.read_table(tmp_path / "it.parquet"), cells(tmp_path / "it.csv")
    assert table.num_rows == len(rows) > 0
    assert table.column_names == list(rows[0])
    if what == "trades":
        assert {Decimal(value) for value in table["pnl_usd"].to_pylist()} == {Decimal("56.25")}
        assert table["exit_ts"][0].as_py() == datetime(2026, 11, 16, 14, 31, 10, tzinfo=UTC)
    if what == "journal":
        assert table["command"].to_pylist() == [row.command.decode() for row in trader.rows]


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        (("--day", "2026-11-18"), ["2026-11-18"]),
        (("--from", "2026-11-18"), ["2026-11-18", "2026-11-19"]),
        (("--until", "2026-11-17"), ["2026-11-16", "2026-11-17"]),
        (("--from", "2026-11-17", "--until", "2026-11-18"), ["2026-11-17", "2026-11-18"]),
        (("--from", "2026-12-01"), []),
    ],
)
def test_only_the_days_asked_for(
    flask: Callable[..., Result], tmp_path: Path, asked: tuple[str, ...], days: list[Any]
) -> None:
    flask("export", "--format", "csv", "--what", "trades", *asked, "--to", tmp_path / "trades.csv")
    assert [row["exit_ts"][:10] for row in cells(tmp_path / "trades.csv")] == days


def test_an_existing_file_is_not_overwritten_without_force(flask: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("mine")
    answer = flask("export", "--format", "csv", "--to", path)
    assert (answer.exit_code, path.read_text()) == (1, "mine")
    assert "exists already" in answer.output
    assert flask("export", "--format", "csv", "--to", path, "--force").exit_code == 0
    assert path.read_text().startswith("sequence,")
    assert sorted(p.name for p in tmp_path.iterdir() if ".part" in p.name) == []


def lines_until_the_disk_is_full() -> Iterator[bytes]:
    yield b"half"
    raise OSError("the disk is full")


def test_an_export_that_fails_leaves_what_stood(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(OSError, match="disk is full"), durable_file(path, replaces=True) as file:
        file.writelines(lines_until_the_disk_is_full())
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file", "old")]


def test_a_file_that_came_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(FileAlreadyExists), durable_file(path):
        path.write_text("theirs")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file", "theirs")]


def test_without_pyarrow_one_sentence_says_what_to_install(
    flask: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = flask("export", "--format", "parquet", "--to", tmp_path / "it.parquet")
    assert answer.exit_code == 1
    assert answer.output == "Error: parquet needs pyarrow: .venv/bin/python -m pip install -r requirements-export.txt\n"
    assert not (tmp_path / "it.parquet").exists()


def test_the_desk_does_not_load_what_only_exports_need() -> None:
    code = "import app, services.ops.commands, sys; print('pyarrow' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert loaded.stdout == "False\n"


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_memory_does_not_grow_with_the_journal(trader: StoredTrader, tmp_path: Path, form: str) -> None:
    row = max(trader.rows, key=lambda row: len(row.events))

    def peak_of(count: int) -> int:
        rows = (replace(row, sequence=number) for number in range(count))
        tracemalloc.start()
        try:
            export(rows, "journal", form, tmp_path / f"{count}.{form}", replaces=False)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak_of(11_000), peak_of(26_000)
    assert many < few * 1.3 + 1_000_000


# -- prune ------------------------------------------------------------------------------------------------------


def pruned(trader: StoredTrader, folder: Path, keep_days: int = 1, now: datetime = LATER) -> Pruned:
    return prune(trader.manager.store, folder, keep_days, now)


def test_rows_go_to_the_archive_up_to_the_newest_old_snapshot(trader: StoredTrader, tmp_path: Path) -> None:
    before, marks = trader.rows, trader.manager.store.snapshot_marks()
    done = pruned(trader, tmp_path / "archive")
    assert (done.through, done.rows) == (marks[-1].sequence, marks[-1].sequence)
    assert [row.sequence for row in trader.rows] == [row.sequence for row in before if row.sequence > done.through]
    assert list(Archive(tmp_path / "archive").rows()) == before[: done.through]
    assert [part.head.trading_day for part in done.parts] == list(DAYS)


def test_archive_and_store_replay_from_the_first_row(trader: StoredTrader, tmp_path: Path) -> None:
    before = trader.rows
    pruned(trader, tmp_path / "archive")
    trader.at("09:50:00").trades_once()
    replay = trader.replays(archive=tmp_path / "archive")
    assert replay.is_equal
    assert (replay.first, replay.snapshots) == (1, 4)
    assert trader.replays().is_equal
    assert trader.replays().first > 1
    assert trader.replays(day="2026-11-17", archive=tmp_path / "archive").is_equal
    with trader.history(tmp_path / "archive") as history:
        assert list(history.rows(0))[: len(before)] == before
    assert trader.under("COOLDOWN_SECONDS=180", archive=tmp_path / "archive").entries == 6


def test_a_second_prune_goes_on_where_the_first_ended(trader: StoredTrader, tmp_path: Path) -> None:
    before = trader.rows
    first = pruned(trader, tmp_path / "archive", now=new_york("2026-11-18", "10:00"))
    second = pruned(trader, tmp_path / "archive")
    assert 0 < first.through < second.through
    assert list(Archive(tmp_path / "archive").rows()) == before[: second.through]
    with pytest.raises(NothingToPrune, match="no longer in the store"):
        pruned(trader, tmp_path / "archive")


def test_a_day_cut_by_a_snapshot_lies_in_two_files(trader: StoredTrader, tmp_path: Path) -> None:
    before = trader.rows
    pruned(trader, tmp_path / "archive")
    trader.at("09:31:00", on="2026-11-20").ticks().keeps_snapshot()
    pruned(trader, tmp_path / "archive")
    days = [part.head.trading_day for part in Archive(tmp_path / "archive").parts]
    assert days.count(DAYS[-1]) == 2
    assert list(Archive(tmp_path / "archive").rows())[: len(before)] == before


def test_a_prune_that_was_cut_short_is_repeated(
    trader: StoredTrader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = trader.rows
    with monkeypatch.context() as broken:
        broken.setattr(trader.manager.store, "prune_journal", lambda through, kinds: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pruned(trader, tmp_path / "archive")
    assert trader.rows == before
    assert trader.replays(archive=tmp_path / "archive").is_equal  # the same rows in both
    assert pruned(trader, tmp_path / "archive").parts == ()
    assert trader.replays(archive=tmp_path / "archive").is_equal


def test_without_an_old_snapshot_nothing_is_pruned(trader: StoredTrader, tmp_path: Path) -> None:
    with pytest.raises(NothingToPrune, match="no snapshot is older than 30 days"):
        pruned(trader, tmp_path / "archive", keep_days=30)
    assert trader.rows[0].sequence == 1


def test_another_desks_archive_is_refused(trader: StoredTrader, tmp_path: Path) -> None:
    pruned(trader, tmp_path / "archive", now=new_york("2026-11-17", "10:00"))
    first, second = trader.manager.store.snapshot_marks()[1:3]
    trader.manager.store.prune_journal(second.sequence)
    with pytest.raises(StoreUnreadable, match="another archive"):
        pruned(trader, tmp_path / "archive")
    assert first.sequence < second.sequence


def test_the_desk_trades_on_while_it_is_pruned(trader: StoredTrader, tmp_path: Path) -> None:
    ended = threading.Event()

    def trades() -> None:
        while not ended.is_set():
            trader.later(seconds=1).bricks(4, "green")

    with ThreadPoolExecutor(1) as worker:
        trading = worker.submit(trades)
        try:
            pruned(trader, tmp_path / "archive")
        finally:
            ended.set()
        trading.result(60)
    replay = trader.replays(archive=tmp_path / "archive")
    assert replay.is_equal
    assert replay.first == 1


def files_of(trader: StoredTrader, tmp_path: Path) -> list[Path]:
    pruned(trader, tmp_path / "archive")
    return sorted((tmp_path / "archive").iterdir())


def test_a_missing_file_is_named(trader: StoredTrader, flask: Callable[..., Result], tmp_path: Path) -> None:
    files = files_of(trader, tmp_path)
    files[1].unlink()
    answer = flask("replay", "--archive", tmp_path / "archive")
    assert answer.exit_code == 2
    assert "are missing in the archive, between" in answer.output
    assert files[0].name in answer.output


def test_a_missing_last_file_is_named(trader: StoredTrader, flask: Callable[..., Result], tmp_path: Path) -> None:
    files = files_of(trader, tmp_path)
    last = Archive(tmp_path / "archive").parts[-1]
    files[-1].unlink()
    answer = flask("replay", "--archive", tmp_path / "archive")
    assert answer.exit_code == 2
    assert f"row {last.first} to {last.last} are missing" in answer.output or f"row {last.first} is" in answer.output


def test_a_missing_first_file_leaves_what_a_snapshot_begins(trader: StoredTrader, tmp_path: Path) -> None:
    files = files_of(trader, tmp_path)
    files[0].unlink()
    replay = trader.replays(archive=tmp_path / "archive")
    assert replay.is_equal
    assert replay.first > 1


@pytest.mark.parametrize("place", [5, 60, 200, -5])
def test_a_flipped_byte_is_named(
    trader: StoredTrader, flask: Callable[..., Result], tmp_path: Path, place: int
) -> None:
    damaged = files_of(trader, tmp_path)[1]
    body = bytearray(damaged.read_bytes())
    body[place] ^= 0x40
    damaged.write_bytes(bytes(body))
    answer = flask("export", "--format", "jsonl", "--to", tmp_path / "all.jsonl", "--archive", tmp_path / "archive")
    if place == 5:  # the header's own time: gzip does not vouch for it, and nothing of ours is in it
        assert answer.exit_code == 0
        return
    assert answer.exit_code == 2, answer.output
    assert damaged.name in answer.output
    assert not (tmp_path / "all.jsonl").exists()


def test_a_row_that_was_rewritten_is_found_though_the_file_is_whole(trader: StoredTrader, tmp_path: Path) -> None:
    damaged = files_of(trader, tmp_path)[1]
    text = gzip.decompress(damaged.read_bytes()).replace(b"5252.50", b"5259.50", 1)
    damaged.write_bytes(gzip.compress(text))
    with pytest.raises(StoreUnreadable, match="do not match its first line"):
        trader.replays(archive=tmp_path / "archive")


def test_a_row_that_was_taken_out_is_found(trader: StoredTrader, tmp_path: Path) -> None:
    damaged = files_of(trader, tmp_path)[1]
    lines = gzip.decompress(damaged.read_bytes()).splitlines(keepends=True)
    damaged.write_bytes(gzip.compress(b"".join(lines[:3] + lines[4:])))
    with pytest.raises(StoreUnreadable, match=f"{damaged.name} is damaged"):
        trader.replays(archive=tmp_path / "archive")


def test_a_cut_file_is_found(trader: StoredTrader, tmp_path: Path) -> None:
    damaged = files_of(trader, tmp_path)[1]
    damaged.write_bytes(damaged.read_bytes()[:-40])
    with pytest.raises(StoreUnreadable, match=f"{damaged.name} is damaged"):
        trader.replays(archive=tmp_path / "archive")


# -- the commands -------------------------------------------------------------------------------------------------


def changed(trader: StoredTrader, statement: str) -> None:
    """Change the file behind the desk's back."""
    with sqlite3.connect(trader.path) as connection:
        connection.execute(statement)
    connection.close()


def test_replay_ends_with_0_1_and_2(trader: StoredTrader, flask: Callable[..., Result], tmp_path: Path) -> None:
    answer = flask("replay")
    assert (answer.exit_code, answer.output.splitlines()[-1]) == (0, "EQUAL")
    assert f"{len(trader.rows)} rows decided again (1 to {len(trader.rows)})" in answer.output
    store = trader.manager.store
    changed(
        trader, "UPDATE documents SET body = CAST(replace(body, '\"trades_taken\":1', '\"trades_taken\":0') AS BLOB)"
    )
    answer = flask("replay")
    assert (answer.exit_code, answer.output.splitlines()[-1]) == (1, "UNEQUAL")
    assert "_global.day.trades_taken: the journal says 1, the store says 0" in answer.output
    store.prune_journal(5)
    changed(trader, "DELETE FROM snapshots")
    answer = flask("replay")
    assert answer.exit_code == 2
    assert answer.output.startswith("Error: the kept journal begins at row 6")
    assert answer.output.count("\n") == 1


def test_replay_tells_what_other_rules_would_have_done(flask: Callable[..., Result]) -> None:
    answer = flask("replay", "--set", "MAX_TRADES_PER_DAY=1", "--set", "COOLDOWN_SECONDS=0", "--day", "2026-11-19")
    assert answer.exit_code == 0
    assert "1 of them would have been refused; 0 closed" in answer.output
    answer = flask("replay", "--set", "COOLDOWN_SECONDS=0")
    assert answer.exit_code == 0


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        ("COOLDOWN=300", "COOLDOWN is no rule; these are: CANDLE_SECONDS, COOLDOWN_SECONDS"),
        ("COOLDOWN_SECONDS=soon", "COOLDOWN_SECONDS was 'soon', it must be a whole number from 0 to 86400"),
        ("COOLDOWN_SECONDS", "must look like COOLDOWN_SECONDS=300"),
        ("COOLDOWN_SECONDS=", "must look like COOLDOWN_SECONDS=300"),
        ("CANDLE_SECONDS=7", "it must divide an hour"),
        ("FLASK_SECRET_KEY=abcdefgh", "FLASK_SECRET_KEY is no rule"),
    ],
)
def test_an_unknown_rule_or_a_bad_value_is_said(flask: Callable[..., Result], pair: str, sentence: str) -> None:
    answer = flask("replay", "--set", pair)
    assert answer.exit_code == 2
    assert sentence in answer.output


def test_reading_commands_create_nothing(
    flask: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQLITE_PATH", str(tmp_path / "nothing" / "desk.sqlite"))
    for words in (("replay",), ("export", "--format", "csv", "--to", tmp_path / "x.csv")):
        answer = flask(*words)
        assert answer.exit_code == 2
        assert "does not exist" in answer.output
    assert not (tmp_path / "nothing").exists()


def test_prune_and_replay_by_command(trader: StoredTrader, flask: Callable[..., Result], tmp_path: Path) -> None:
    before = len(trader.rows)
    with time_machine.travel(LATER):
        answer = flask("prune", "--keep-days", "1", "--archive", tmp_path / "archive")
    deleted = before - len(trader.rows)
    assert answer.exit_code == 0, answer.output
    assert answer.output.startswith(f"{deleted} rows, up to row {deleted}, are in ")
    assert f"({before} rows" not in answer.output
    answer = flask("replay", "--archive", tmp_path / "archive")
    assert (answer.exit_code, f"{before} rows decided again (1 to {before})" in answer.output) == (0, True)
    answer = flask("export", "--format", "csv", "--to", tmp_path / "rest.csv")
    assert f"The store's journal begins at row {deleted + 1}; --archive adds what was pruned." in answer.output
    with time_machine.travel(LATER):
        answer = flask("prune", "--keep-days", "30", "--archive", tmp_path / "archive")
    assert (answer.exit_code, "no snapshot is older than 30 days" in answer.output) == (1, True)
