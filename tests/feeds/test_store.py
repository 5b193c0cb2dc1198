"""The file of feeds: ids that never repeat, one process at a time, bounds, and the schema as its steps make it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from feeds import store as module
from feeds.store import Cursor, FeedsStore, StoredCandle, StoreUnusable

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
SCHEMA = Path(module.__file__).with_name("schema.sql")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FeedsStore]:
    store = FeedsStore(tmp_path / "feeds.sqlite")
    yield store
    store.close()


def candle(minute: int, timeframe: str = "1m", body: str = "{}") -> StoredCandle:
    start = (NOON + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return StoredCandle("ES", "MESZ6", "ticks", 0, timeframe, start, body)


OBJECTS = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"


def spelled(rows: list[tuple[Any, ...]]) -> dict[str, str]:
    """Return what a file consists of, whatever the spaces in its text."""
    return {name: " ".join(sql.split()) for name, sql in rows}


def test_the_steps_make_the_schema_that_is_written_down(store: FeedsStore, tmp_path: Path) -> None:
    whole = sqlite3.connect(":memory:")
    whole.executescript(SCHEMA.read_text("utf-8"))
    assert spelled(store.rows(OBJECTS)) == spelled(whole.execute(OBJECTS).fetchall())


def test_an_id_of_an_alert_never_repeats_also_when_the_clock_goes_back(store: FeedsStore) -> None:
    first = store.add_alert("in_force", NOON, "{}", NOON)
    second = store.add_alert("simultaneous_break", NOON, "{}", NOON - timedelta(days=1))
    third = store.add_alert("in_force", NOON, "{}", NOON + timedelta(seconds=1))
    assert first == int(NOON.timestamp() * 1_000_000)
    assert first < second < third
    assert second == first + 1


def test_no_id_repeats_after_old_alerts_were_deleted_and_the_file_was_opened_anew(tmp_path: Path) -> None:
    store = FeedsStore(tmp_path / "feeds.sqlite")
    last = [store.add_alert("in_force", NOON, "{}", NOON + timedelta(seconds=n)) for n in range(5)][-1]
    assert store.prune(NOON + timedelta(days=31)) == 4
    store.close()
    again = FeedsStore(tmp_path / "feeds.sqlite")
    assert again.add_alert("in_force", NOON, "{}", NOON) == last + 1
    again.close()


def test_alerts_are_read_from_an_id_on_and_the_newest_without_one(store: FeedsStore) -> None:
    ids = [store.add_alert("in_force", NOON, str(n), NOON) for n in range(5)]
    store.add_alert("simultaneous_break", NOON, "other", NOON)
    assert [one.id for one in store.alerts("in_force", ids[1], 2)] == ids[2:4]
    assert [one.id for one in store.newest_alerts("in_force", 2)] == ids[3:]
    assert store.alerts("in_force", ids[4], 10) == []


def test_prune_bounds_alerts_signals_and_candles(store: FeedsStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ALERTS", 3)
    monkeypatch.setattr(module, "CANDLES_OF_A_TIMEFRAME", 2)
    ids = [store.add_alert("in_force", NOON, "{}", NOON) for _ in range(6)]
    store.keep_candles([candle(n) for n in range(4)] + [candle(0, "1d")])
    store.prune(NOON)
    assert [one.id for one in store.alerts("in_force", 0, 10)] == ids[3:]
    assert [one.start[11:16] for one in store.candles() if one.timeframe == "1m"] == ["17:02", "17:03"]
    assert [one.timeframe for one in store.candles()].count("1d") == 1
    store.prune(NOON + timedelta(days=121))
    assert [one.id for one in store.alerts("in_force", 0, 10)] == ids[5:]
    assert store.candles() == []


def test_a_candle_of_the_same_key_is_replaced(store: FeedsStore) -> None:
    store.keep_candles([candle(0, body="1"), candle(1, body="2")])
    store.keep_candles([candle(0, body="3")])
    assert [one.body for one in store.candles()] == ["3", "2"]


def test_what_fails_within_a_transaction_leaves_nothing(store: FeedsStore) -> None:
    store.move_cursor(Cursor(1000, 1000, "a"))

    def breaks() -> None:
        with store.transaction():
            store.add_alert("in_force", NOON, "{}", NOON)
            store.move_cursor(Cursor(2000, 2000, "b"))
            raise ValueError("the last of them fails")

    with pytest.raises(ValueError, match="the last"):
        breaks()
    assert store.cursor() == Cursor(1000, 1000, "a")
    assert store.newest_alerts("in_force", 5) == []
    store.move_cursor(Cursor(3000, 3000, "c"))


def test_a_second_process_is_refused_while_the_first_one_runs(tmp_path: Path) -> None:
    first = FeedsStore(tmp_path / "feeds.sqlite")
    with pytest.raises(StoreUnusable, match="already running"):
        FeedsStore(tmp_path / "feeds.sqlite")
    first.close()
    FeedsStore(tmp_path / "feeds.sqlite").close()


def test_a_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    FeedsStore(tmp_path / "feeds.sqlite").close()
    with sqlite3.connect(tmp_path / "feeds.sqlite") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StoreUnusable, match="99"):
        FeedsStore(tmp_path / "feeds.sqlite")


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    FeedsStore(tmp_path / "new" / "feeds.sqlite").close()
    assert (tmp_path / "new" / "feeds.sqlite").stat().st_mode & 0o077 == 0
