"""The desk decided again: equal where nothing was touched, and where something was, it is named (DESIGN 1)."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.engine.model.commands import CloseBrick
from services.history import display
from services.history.prune import prune
from services.history.replay import replay_store
from services.stores.codec import documents
from services.stores.firestore.store import FirestoreStore
from services.stores.store import StoreDown, StoreError, StoreUnreadable
from tests.support.desk_process import eventually
from tests.support.read_only import read_only
from tests.support.stored_trader import StoredTrader
from wire.program import VERSION
from wire.types import Stream


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[StoredTrader]:
    trader = StoredTrader(tmp_path / "desk.sqlite", assets=("ES", "NQ"))
    yield trader
    trader.stops()


@pytest.fixture(params=["sqlite", "firestore"])
def opens(request: pytest.FixtureRequest) -> Any:
    """What opens the store: None for the file, else a project of the emulator."""
    if request.param == "sqlite":
        return None
    host, project = request.getfixturevalue("firestore_host"), f"desk-{uuid.uuid4().hex[:12]}"
    return partial(FirestoreStore, project, emulator_host=host)


def tampered(trader: StoredTrader, statement: str, *values: object) -> None:
    with sqlite3.connect(trader.path) as connection:
        assert connection.execute(statement, values).rowcount == 1


WHERE = {"documents": ("documents", "body", "name = ?"), "journal": ("journal", "events", "sequence = ?")}


def changed(
    trader: StoredTrader, table: str, key: str | int | None, name: str, change: Callable[[Any], object]
) -> None:
    """Change a stored JSON body behind the desk's back; whatever is no table of its own is a kind of record."""
    table, body, where = WHERE.get(table, ("records", "body", f"kind = '{table}' AND id = ?"))
    with sqlite3.connect(trader.path) as connection:
        (text,) = connection.execute(f"SELECT {body} FROM {table} WHERE {where}", (key,)).fetchone()  # noqa: S608
        plain = msgspec.json.decode(text)
        change(plain)
        connection.execute(f"UPDATE {table} SET {body} = ? WHERE {where}", (msgspec.json.encode(plain), key))  # noqa: S608
    assert name in str(plain)


def a_day(trader: StoredTrader) -> StoredTrader:
    """A trade that is won, one that is blocked, one that is open."""
    trader.trades_once("ES")
    trader.keeps_snapshot()
    trader.at("09:40:00").is_long(5250, "ES").with_structure("red", "NQ").enters("SELL", "NQ")
    return trader


def test_what_nobody_touched_is_equal(trader: StoredTrader) -> None:
    replay = a_day(trader).replays()
    assert replay.is_equal
    assert (replay.first, replay.snapshots, replay.reached_store) == (1, 1, True)
    assert replay.rows == replay.last == trader.desk.sequence
    assert replay.programs == ((2, VERSION),)
    assert replay.strangers == []


def test_assets_keep_the_order_of_the_settings_over_a_restart(tmp_path: Path, opens: Any) -> None:
    """Two feeds fall silent in one decision, in the order of the assets: after a restart as in the replay."""
    trader = StoredTrader(tmp_path / "desk.sqlite", assets=("NQ", "YM", "ES"), opens=opens)
    trader.brick(6, "green").goes_silent().keeps_snapshot().restarts()
    assert list(trader.desk.assets) == ["NQ", "YM", "ES"]
    silent = [alert.asset for alert in trader.later(600).ticks().desk.alerts if alert.code == "tradingview_silent"]
    assert silent == ["NQ", "YM", "ES"]
    assert trader.replays().is_equal, trader.replays().sentences
    trader.stops()


def test_an_asset_that_is_held_but_no_longer_listed_comes_first_as_before_the_restart(tmp_path: Path) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite", assets=("NQ", "YM", "ES"))
    trader.is_long(5250, "YM")
    trader.assets = ("NQ", "ES")
    trader.restarts()
    assert list(trader.desk.assets) == ["YM", "NQ", "ES"]
    assert list(trader.restarts().desk.assets) == ["YM", "NQ", "ES"]
    trader.goes_silent().later(600).ticks()
    assert trader.replays().is_equal, trader.replays().sentences
    trader.stops()


def test_it_is_equal_across_restarts_and_changed_rules(trader: StoredTrader) -> None:
    a_day(trader).restarts(cooldown_seconds=240, max_trades_per_day=9).at("09:31:00", on="2026-11-18")
    trader.filled_at(5260, "ES") if trader.order else trader
    replay = trader.restarts().replays()
    assert replay.is_equal, replay
    assert len(replay.programs) == 1


def test_a_field_of_a_document_that_was_touched_is_named(trader: StoredTrader) -> None:
    a_day(trader).stops()
    changed(trader, "documents", "ES", "trade", lambda body: body["asset"]["trade"].update(quantity=3))
    replay = trader.replays()
    assert replay.unequal_documents == ("ES",)
    assert replay.sentences == ("ES.trade.quantity: the journal says 5, the store says 3",)
    assert replay.unequal_rows == ()


def test_a_lock_that_was_lifted_by_hand_is_named(trader: StoredTrader) -> None:
    trader.trades_once("ES").stops()
    changed(trader, "documents", "_global", "locks", lambda body: body["desk"]["locks"].update(cooldown_until=None))
    (sentence,) = trader.replays().sentences
    assert sentence.startswith("_global.locks.cooldown_until: the journal says 2026-11-17T14:34:10Z, the store says")


def test_an_order_and_a_trade_that_were_touched_are_named(trader: StoredTrader) -> None:
    a_day(trader).stops()
    trade = trader.trades_closed[0]
    changed(trader, "trades", trade.id, "pnl_usd", lambda body: body.update(pnl_usd="5000"))
    changed(trader, "orders", trade.id, "qty", lambda body: body.update(qty=50))
    replay = trader.replays()
    assert replay.unequal_documents == (f"trade {trade.id}", f"order {trade.id}")
    assert f"trade {trade.id}.pnl_usd: the journal says 0, the store says 5000" in replay.sentences


def test_an_order_that_a_late_fill_changed_is_compared_as_it_is_now(trader: StoredTrader) -> None:
    trader.with_structure("green", "ES").enters("BUY", "ES").claims()
    entry = trader.open_order
    trader.reports("PARTIALLY_FILLED", 5250, entry, qty=3, exec_id="first").reports("CANCELLED", order=entry)
    trader.later(3).reports("PARTIALLY_FILLED", 5250, entry, qty=2, exec_id="late")
    assert trader.position == 5
    assert trader.replays().is_equal


def test_an_order_that_was_removed_is_named(trader: StoredTrader) -> None:
    a_day(trader).turns_to("ES").bricks(6, "red").exits().stops()
    open_id = next(iter(trader.desk.orders))
    tampered(trader, "DELETE FROM records WHERE kind = 'orders' AND id = ?", open_id)
    (sentence,) = trader.replays().sentences
    assert sentence.startswith(f"order {open_id}: the journal says {{")
    assert sentence.endswith("the store says nothing")


def test_an_event_that_was_rewritten_is_named_by_row_and_field(trader: StoredTrader) -> None:
    a_day(trader).stops()
    row = next(row for row in trader.rows if b"TradeClosed" in row.events)
    changed(trader, "journal", row.sequence, "pnl", lambda told: _closed(told).update(pnl_usd="100"))
    replay = trader.replays()
    assert (replay.unequal_rows, replay.unequal_documents) == ((row.sequence,), ())
    (sentence,) = replay.sentences
    where = f"row {row.sequence} (ReportExecution): TradeClosed.pnl_usd"
    assert sentence == f"{where}: decided again it is 0, the journal recorded 100"


def _closed(told: list[dict[str, Any]]) -> dict[str, Any]:
    return next(event for event in told if event["type"] == "TradeClosed")


def test_a_command_that_was_rewritten_shows_in_its_row_the_next_snapshot_and_the_store(trader: StoredTrader) -> None:
    trader.bricks(4, "green").keeps_snapshot().bricks(6, "green").stops()
    row = next(row for row in trader.rows if row.kind == "CloseBrick")
    command = documents.write_command(CloseBrick("ES", Stream.FOUR, "red"))
    tampered(trader, "UPDATE journal SET command = ? WHERE sequence = ?", command, row.sequence)
    replay = trader.replays()
    assert replay.unequal_rows == (row.sequence,)
    assert any("the snapshot behind row" in sentence for sentence in replay.sentences)
    assert "ES.stack.four.color: the journal says red, the store says green" in replay.sentences


def test_a_row_that_makes_the_program_fail_is_a_finding_and_not_the_end(trader: StoredTrader) -> None:
    a_day(trader).stops()
    row = next(row for row in trader.rows if row.kind == "EnterMarket")
    broken = b'{"type":"SetProtect","asset":"ES","enabled":true,"threshold":"NaN"}'
    tampered(trader, "UPDATE journal SET command = ? WHERE sequence = ?", broken, row.sequence)
    assert row.sequence in trader.replays().unequal_rows


@pytest.mark.parametrize("broken", [b"{", b'{"type":"Nothing"}', b"\xff"])
def test_a_row_that_is_no_command_cannot_be_read(trader: StoredTrader, broken: bytes) -> None:
    a_day(trader).stops()
    tampered(trader, "UPDATE journal SET command = ? WHERE sequence = 5", broken)
    with pytest.raises(StoreUnreadable, match=r"row 5 \("):
        trader.replays()


def test_a_row_of_a_newer_program_cannot_be_read(trader: StoredTrader) -> None:
    a_day(trader).stops()
    tampered(trader, "UPDATE journal SET schema = ? WHERE sequence = 5", documents.SCHEMA + 1)
    with pytest.raises(StoreUnreadable, match=r"row 5 \(\w+\) has schema"):
        trader.replays()


def test_progress_of_a_long_replay_is_printed_on_stderr_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "PROGRESS_EVERY_SECONDS", 0)
    print_progress = display.progress_printer()
    for row in (1000, 2000):
        print_progress(row, 50_000)
    captured = capsys.readouterr()
    assert (captured.out, captured.err.splitlines()[1].startswith("row 2000 of 50000, ")) == ("", True)
    display.progress_printer()(1000, 5_000)
    assert capsys.readouterr().err == ""


def test_a_missing_row_is_named(trader: StoredTrader) -> None:
    a_day(trader).stops()
    tampered(trader, "DELETE FROM journal WHERE sequence = 5")
    with pytest.raises(StoreUnreadable, match="row 5 is missing: row 6 comes next"):
        trader.replays()


def test_a_missing_end_is_named(trader: StoredTrader) -> None:
    a_day(trader).stops()
    last = trader.desk.sequence
    tampered(trader, "DELETE FROM journal WHERE sequence = ?", last)
    with pytest.raises(StoreUnreadable, match=f"row {last} is missing at the end"):
        trader.replays()


def test_a_pruned_journal_is_replayed_from_its_snapshot(trader: StoredTrader) -> None:
    trader.trades_once("ES").keeps_snapshot()
    kept = trader.desk.sequence
    trader.at("09:40:00").is_long(5250, "ES")
    trader.manager.store.prune_journal(kept)
    replay = trader.replays()
    assert replay.is_equal
    assert replay.first == kept + 1
    trader.manager.store.prune_journal(kept + 1)
    with pytest.raises(StoreUnreadable, match="there is no snapshot before it"):
        trader.replays()


def test_a_journal_pruned_to_its_end_is_compared_by_its_snapshot(trader: StoredTrader) -> None:
    a_day(trader).keeps_snapshot()
    trader.manager.store.prune_journal(trader.desk.sequence)
    replay = trader.replays()
    assert (replay.rows, replay.is_equal) == (0, True)
    trader.stops()
    changed(trader, "documents", "ES", "trade", lambda body: body["asset"]["trade"].update(quantity=3))
    assert not trader.replays().is_equal


def three_days(trader: StoredTrader) -> StoredTrader:
    for day in ("2026-11-17", "2026-11-18", "2026-11-19"):
        trader.at("09:31:10", on=day).ticks().keeps_snapshot()
        trader.at("09:32:00").trades_once("ES")
    return trader


def test_a_day_is_replayed_from_the_snapshot_before_it(trader: StoredTrader) -> None:
    three_days(trader)
    replay = trader.replays(day="2026-11-18")
    assert replay.is_equal
    days = {row.sequence: row.at.date().isoformat() for row in trader.rows}
    of_the_day = [sequence for sequence, day in days.items() if day == "2026-11-18"]
    assert (replay.first, replay.last, replay.rows) == (of_the_day[0], of_the_day[-1], len(of_the_day))
    assert (replay.snapshots, replay.reached_store) == (2, False)
    assert trader.replays(day="2026-11-19").reached_store
    assert trader.replays(day="2026-11-17").first == 1
    with pytest.raises(StoreUnreadable, match="no row of the trading day 2026-11-20"):
        trader.replays(day="2026-11-20")


def test_a_day_tells_of_its_own_rows_alone(trader: StoredTrader) -> None:
    three_days(trader).stops()
    rows = [row for row in trader.rows if b"TradeClosed" in row.events]
    changed(trader, "journal", rows[1].sequence, "pnl", lambda told: _closed(told).update(pnl_usd="100"))
    assert trader.replays(day="2026-11-17").is_equal
    assert trader.replays(day="2026-11-18").unequal_rows == (rows[1].sequence,)
    assert trader.replays(day="2026-11-19").is_equal


def test_a_running_desk_is_never_told_unequal(tmp_path: Path) -> None:
    trader = StoredTrader(tmp_path / "desk.sqlite")
    ended = threading.Event()

    def trades() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            trader.later(seconds=1).bricks(4, ("green", "red")[number % 2])

    with ThreadPoolExecutor(1) as worker:
        trading = worker.submit(trades)
        try:
            replays = [trader.replays() for _ in range(12)]
            eventually(lambda: trader.manager.snapshot.desk.sequence > replays[0].last)
            replays.append(trader.replays())
        finally:
            ended.set()
    trading.result(60)
    trader.stops()
    assert [sentence for replay in replays for sentence in replay.sentences] == []
    assert all(replay.is_equal for replay in replays)
    assert replays[-1].last > replays[0].last


def test_rows_of_another_version_are_said_to_be(trader: StoredTrader, monkeypatch: pytest.MonkeyPatch) -> None:
    a_day(trader).stops()
    with monkeypatch.context() as older:
        older.setattr("services.desk.leadership.VERSION", "0.3.9")
        trader.starts().stops()
    replay = trader.starts().replays()
    assert replay.is_equal
    assert [version for _, version in replay.programs] == [VERSION, "0.3.9", VERSION]
    assert replay.strangers == ["0.3.9"]


def test_a_store_without_a_desk_is_equal_to_nothing(tmp_path: Path) -> None:
    StoredTrader(tmp_path / "desk.sqlite").stops()
    with sqlite3.connect(tmp_path / "desk.sqlite") as connection:
        connection.execute("DELETE FROM desk")
    reader = read_only(tmp_path / "desk.sqlite")
    assert replay_store(reader).rows == 0
    reader.close()


def test_an_asset_that_was_taken_off_the_list_is_gone(trader: StoredTrader) -> None:
    trader.bricks(6, "green")
    trader.assets = ("ES",)
    replay = trader.restarts().restarts().replays()
    assert replay.is_equal, replay.sentences


def patiently(question: Callable[..., Any]) -> Any:
    """Ask an emulator again that an overloaded machine keeps from answering in time."""
    for _ in range(20):
        with suppress(StoreDown):
            return question()
    return question()


def test_a_desk_on_firestore_is_replayed_pruned_and_replayed_from_its_archive(
    tmp_path: Path, firestore_host: str
) -> None:
    project = f"history-{uuid.uuid4().hex[:12]}"
    trader = StoredTrader(tmp_path, opens=lambda: FirestoreStore(project, emulator_host=firestore_host))
    try:
        for day in ("2026-11-17", "2026-11-18", "2026-11-19"):
            with suppress(StoreError):  # an emulator on an overloaded machine may be late: that is another test
                trader.at("09:31:10", on=day).ticks().bricks(6, "green", "red").keeps_snapshot().bricks(8, "green")
        before, store = patiently(lambda: trader.rows), trader.manager.store
        assert patiently(trader.replays).is_equal
        done = patiently(lambda: prune(store, tmp_path / "archive", 1, trader.now + timedelta(days=3)))
        assert 0 < done.through < len(before)
        replay = patiently(lambda: trader.replays(archive=tmp_path / "archive"))
        assert (replay.is_equal, replay.first, replay.last) == (True, 1, before[-1].sequence)
        assert patiently(trader.replays).first == done.through + 1
    finally:
        trader.stops()
