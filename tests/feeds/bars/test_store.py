"""The bar store: who knows a minute best, what is refused, what a second sync changes, and the file itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from feeds.bars import store as module
from feeds.bars.store import BATCH, BarStore, BarsUnusable
from feeds.bars.types import RANKS, Bar, BarRefused, SymbolRow
from tests.feeds.bars.market import T0, bar, walk

SCHEMA = Path(module.__file__).with_name("schema.sql")
OBJECTS = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BarStore]:
    store = BarStore(tmp_path / "bars.sqlite")
    yield store
    store.close()


def all_of(store: BarStore, symbol: str = "ES", *, simulated: bool = False) -> list[Bar]:
    return store.minutes(symbol, None, None, 1_000_000, simulated=simulated)


def priced(symbol: str, prices: str, volume: Decimal | None) -> Bar:
    opened, high, low, closed = (Decimal(price) for price in prices.split())
    return Bar(symbol, T0, opened, high, low, closed, volume, "provider")


# -- one bar a minute ------------------------------------------------------------------------------------------------


def test_what_was_stored_comes_back_digit_for_digit(store: BarStore) -> None:
    euro = priced("EURUSD", "1.08123 1.08130 1.08119 1.08124", None)
    coins = priced("BTCUSD", "61234.57 61300.1 61234.57 61299", Decimal("12.3456789"))
    assert store.put([bar(), euro, coins]) == 3
    assert all_of(store) == [bar()]
    assert all_of(store, "EURUSD") == [euro]
    assert all_of(store, "BTCUSD") == [coins]
    assert isinstance(all_of(store)[0].volume, int)


def test_a_second_sync_changes_no_row(store: BarStore) -> None:
    bars = walk("ES", [T0 + 60 * minute for minute in range(3 * BATCH + 17)])
    assert store.put(bars) == len(bars)
    assert store.put(iter(bars)) == 0
    assert store.put([*bars[:10], replace(bars[10], volume=901)]) == 1


@pytest.mark.parametrize("order", list(permutations(("ticks", "provider", "heartbeat", "sampled"))), ids="-".join)
def test_the_source_that_knows_a_minute_best_stays_whatever_the_order(store: BarStore, order: tuple[Any, ...]) -> None:
    for source in order:
        store.put([bar(price=str(5000 + RANKS[source]), source=source)])
    assert all_of(store) == [bar(price="5001", source="ticks")]


def test_a_correction_by_the_same_source_replaces_the_minute(store: BarStore) -> None:
    store.put([bar(price="5000")])
    assert store.put([bar(price="5001")]) == 1
    assert store.put([bar(price="5001", volume=None)]) == 1
    assert all_of(store) == [bar(price="5001", volume=None)]


def test_a_minute_that_comes_twice_in_one_batch_is_one_row_and_a_second_sync_changes_none(store: BarStore) -> None:
    twice = [bar(price="5000"), bar(price="5001"), bar(price="5002", source="sampled")]
    assert store.put(twice) == 1
    assert all_of(store) == [bar(price="5001")]
    assert store.put(twice) == 0


def test_simulated_bars_lie_apart_and_replace_no_real_one(store: BarStore) -> None:
    store.put([bar(price="5000", source="sampled"), bar(price="9000", source="simulated")])
    assert [one.source for one in all_of(store)] == ["sampled"]
    assert all_of(store, simulated=True) == [bar(price="9000", source="simulated")]
    assert store.candles("ES", "1d", None, None, 10)[0].high == 5001
    assert store.candles("ES", "1d", None, None, 10, simulated=True)[0].high == 9001


# -- reading ---------------------------------------------------------------------------------------------------------


def test_without_a_start_the_newest_bars_come_with_it_the_first_both_oldest_first(store: BarStore) -> None:
    bars = [bar(minute) for minute in range(10)]
    store.put(reversed(bars))
    assert store.minutes("ES", None, None, 3) == bars[-3:]
    assert store.minutes("ES", None, bars[5].t, 3) == bars[2:5]
    assert store.minutes("ES", bars[4].t, None, 3) == bars[4:7]
    assert store.minutes("ES", bars[4].t, bars[6].t, 100) == bars[4:6]
    assert store.minutes("ES", 0, None, 2) == bars[:2]
    assert store.minutes("NQ", None, None, 3) == []
    assert store.minutes("ES", None, None, 0) == []
    assert store.last("ES") == bars[-1]
    assert store.last("NQ") is None


def test_the_symbols_are_counted_as_they_are_stored(store: BarStore) -> None:
    store.put([*map(bar, range(5)), bar(2, source="ticks"), bar(9, source="simulated"), bar(symbol="CL", price="70")])
    store.put([bar(3), bar(7)])
    assert store.symbols() == [
        SymbolRow("CL", 1, T0, T0, simulated=False),
        SymbolRow("ES", 6, T0, T0 + 7 * 60, simulated=False),
        SymbolRow("ES", 1, T0 + 9 * 60, T0 + 9 * 60, simulated=True),
    ]


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"close": Decimal("5001.25")}, "outside"),
        ({"open": Decimal("NaN")}, "outside"),
        ({"high": Decimal("Infinity")}, "prices"),
        ({"low": Decimal(0)}, "prices"),
        ({"t": T0 + 1}, "minute"),
        ({"t": T0 * 1000}, "minute"),
        ({"volume": -1}, "volume"),
        ({"volume": Decimal("NaN")}, "volume"),
        ({"symbol": "AAPL"}, "known symbols"),
    ],
    ids=str,
)
def test_a_bar_that_no_market_makes_is_refused_with_its_batch(
    store: BarStore, wrong: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BarRefused, match=reason):
        store.put([bar(1), replace(bar(2), **wrong)])
    assert all_of(store) == []


def test_crude_oil_may_trade_below_zero(store: BarStore) -> None:
    assert store.put([bar(price="-37.63", symbol="CL")]) == 1
    assert store.minutes("CL", None, None, 1)[0].low == Decimal("-38.63")


# -- the file --------------------------------------------------------------------------------------------------------


def test_the_steps_make_the_schema_that_is_written_down(store: BarStore, tmp_path: Path) -> None:
    def spelled(file: sqlite3.Connection) -> dict[str, str]:
        return {name: " ".join(sql.split()) for name, sql in file.execute(OBJECTS)}

    whole = sqlite3.connect(":memory:")
    whole.executescript(SCHEMA.read_text("utf-8"))
    assert spelled(sqlite3.connect(tmp_path / "bars.sqlite")) == spelled(whole)


def test_two_programs_write_the_same_file(store: BarStore, tmp_path: Path) -> None:
    other = BarStore(tmp_path / "bars.sqlite")
    assert store.put([bar(0)]) == 1
    assert other.put([bar(0), bar(1)]) == 1
    assert len(all_of(store)) == 2
    other.close()


def test_nobody_else_may_read_the_file(store: BarStore, tmp_path: Path) -> None:
    store.put([bar()])
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_file_that_is_none_of_bars_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bars.sqlite"
    path.write_bytes(b"not a database at all, but somebody's text " * 100)
    before = path.read_bytes()
    with pytest.raises(BarsUnusable, match=r"bars\.sqlite of bars cannot be used"):
        BarStore(path)
    assert path.read_bytes() == before


def test_a_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.sqlite"
    BarStore(path).close()
    file = sqlite3.connect(path)
    file.execute("PRAGMA user_version=99")
    file.close()
    with pytest.raises(BarsUnusable, match="schema 99"):
        BarStore(path)
