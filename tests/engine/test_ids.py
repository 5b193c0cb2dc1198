"""Ids sort by creation, also within a millisecond, and open orders keep their order over a restart (SPEC 8.1).

``fixtures/sqlite_before_counted_ids.sql`` was written by a program whose ids carry no counter: three positions
were adopted, and the three exits of one instant are at the bridge.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.engine.model.order import Order
from services.history.replay import replay_store
from services.stores.firestore.store import FirestoreStore
from services.stores.sqlite.store import SqliteStore
from tests.support.paths import FIXTURES
from tests.support.read_only import read_only
from tests.support.stored_trader import StoredTrader
from wire.types import OrderStatus

OLD_JOURNAL = FIXTURES / "sqlite_before_counted_ids.sql"
ASSETS = ("ES", "NQ", "YM", "EURUSD")


@pytest.fixture(params=["sqlite", "firestore"])
def trader(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoredTrader]:
    """A trader with a position in each of four assets, on either store."""
    opens = None
    if request.param == "firestore":
        host, project = request.getfixturevalue("firestore_host"), f"ids-{uuid.uuid4().hex[:12]}"
        opens = lambda: FirestoreStore(project, emulator_host=host)  # noqa: E731
    trader = StoredTrader(tmp_path / "desk.sqlite", assets=ASSETS, opens=opens)
    for asset in ASSETS:
        trader.turns_to(asset).adopts(2, 5250)
    yield trader
    trader.stops()


def open_orders(trader: StoredTrader) -> list[Order]:
    return list(trader.desk.orders.values())


def test_orders_of_one_millisecond_keep_their_order_over_a_restart(trader: StoredTrader) -> None:
    before = open_orders(trader.exits_all(force=True))
    assert [order.asset for order in before] == list(ASSETS)
    assert open_orders(trader.restarts()) == before


def test_an_id_handed_out_after_a_restart_in_the_same_millisecond_sorts_last(trader: StoredTrader) -> None:
    for asset in ASSETS[:2]:
        trader.turns_to(asset).exits(force=True)
    trader.restarts()
    for asset in ASSETS[2:]:
        trader.turns_to(asset).exits(force=True)
    before = open_orders(trader)
    assert [order.asset for order in before] == list(ASSETS)
    assert open_orders(trader.restarts()) == before


def test_what_the_restarted_desk_decided_is_replayed_with_the_same_ids(trader: StoredTrader) -> None:
    trader.exits_all(force=True).keeps_snapshot().restarts().filled_at(5250)
    replay = trader.replays()
    assert replay.is_equal, replay.sentences


# -- a journal of before the counter ---------------------------------------------------------------------------------


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The file as the program without the counter left it, brought to today's schema."""
    path = tmp_path / "desk.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(OLD_JOURNAL.read_text("utf-8"))
    connection.close()
    SqliteStore(path).close()  # brings the file to today's schema
    return path


def ids_in(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return [name for (name,) in connection.execute("SELECT id FROM orders ORDER BY created_at")]
    finally:
        connection.close()


def test_a_journal_of_before_the_counter_is_replayed_to_the_ids_of_then(old: Path) -> None:
    reader = read_only(old)
    replay = replay_store(reader)
    reader.close()
    assert replay.is_equal, replay.sentences
    assert (replay.last, replay.snapshots, replay.reached_store) == (20, 1, True)


def test_a_desk_of_before_the_counter_goes_on_with_counted_ids_and_replays_from_its_first_row(old: Path) -> None:
    earlier = ids_in(old)
    trader = StoredTrader(old, at="09:45:00", assets=ASSETS[:3])
    for asset, price in (("ES", 5251), ("NQ", 18251), ("YM", 42001)):
        trader.filled_at(price, asset)
    for asset in ("ES", "NQ", "YM"):
        trader.later(seconds=3).turns_to(asset).adopts(2)
    before = open_orders(trader.exits_all(force=True))
    assert [order.asset for order in before] == ["ES", "NQ", "YM"]
    assert open_orders(trader.restarts()) == before
    replay = trader.filled_at(5252, "ES").replays()
    assert (replay.is_equal, replay.first) == (True, 1), replay.sentences
    assert set(earlier) < set(ids_in(old))
    assert all(order.status is OrderStatus.CLAIMED for order in open_orders(trader))
    trader.stops()
