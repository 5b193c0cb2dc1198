"""A stored desk of generation 4 is opened by today's program: what it had under way goes on by the rules of today.

``fixtures/desk_of_generation_4.sql`` was written by the last program of generation 4, in the afternoon: ES won, NQ is
long, looser limits wait for the next trading day, and a pre-order of ES waits for its brick.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from services.engine.model.state import GENERATION
from services.stores.codec import documents
from services.stores.sqlite.reader import SqliteReader
from tests.support.narrow import known
from tests.support.paths import FIXTURES
from tests.support.stored_trader import StoredTrader

STORED_ROWS = 26
STORED = (FIXTURES / "desk_of_generation_4.sql").read_text("utf-8")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store as the program of generation 4 left it."""
    path = tmp_path / "desk.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(STORED)
    return path


@pytest.fixture
def trader(path: Path) -> Iterator[StoredTrader]:
    """The same afternoon, two minutes after the pre-order was placed, by today's program."""
    trader = StoredTrader(path, assets=("ES", "NQ"), at="14:47:00")
    yield trader
    trader.stops()


def test_what_was_stored_is_of_generation_4_and_has_all_of_it_under_way(path: Path) -> None:
    with closing(SqliteReader(path)) as reader:
        desk = documents.read_desk(known(reader.load()))
    assert (desk.generation, desk.assets["NQ"].position) == (4, 5)
    assert known(desk.assets["ES"].preorder).status == "WAITING"
    assert (desk.rules.max_trades_per_day, desk.wanted.max_trades_per_day) == (6, 8)
    assert desk.wanted_from == {}, "generation 4 told no day"


def test_the_desk_stands_where_it_stood_and_replays_equal(trader: StoredTrader) -> None:
    desk = trader.desk
    assert desk.generation == GENERATION == 5
    assert (desk.assets["NQ"].position, desk.assets["ES"].position, desk.day.trades_taken) == (5, 0, 2)
    assert known(desk.assets["ES"].preorder).status == "WAITING"
    assert (desk.rules.max_trades_per_day, desk.wanted.max_trades_per_day) == (6, 8)
    replay = trader.replays()
    assert replay.is_equal, replay.sentences
    assert replay.rows == len(trader.rows) > STORED_ROWS


def test_looser_limits_wait_for_a_day_that_is_8_hours_away(trader: StoredTrader) -> None:
    """Generation 4 would have let them in at 18:00, three hours after the upgrade."""
    trader.at("18:00:00").ticks()
    assert (trader.desk.rules.max_trades_per_day, trader.desk.rules.cooldown_seconds) == (6, 180)
    trader.at("18:00:00", on="2026-11-18").ticks()
    assert (trader.desk.rules.max_trades_per_day, trader.desk.rules.cooldown_seconds) == (8, 60)
    assert trader.replays().is_equal


def test_the_pre_order_is_asked_for_dollars_beside_the_open_trade(trader: StoredTrader) -> None:
    """Generation 4 would have entered: it counted trades. NQ may give back 640 USD, which leaves 360 of the day."""
    trader.turns_to("ES").bricks(6, "green")
    preorder = known(trader.asset.preorder)
    assert (preorder.status, trader.order) == ("CANCELLED", None)
    assert "5 MESZ6 risk 375.00 USD, 1000.00 are left of the day, 640.00 of it at risk" in known(preorder.reason)
    assert trader.replays().is_equal


def test_the_pre_order_enters_once_the_trade_is_over(trader: StoredTrader) -> None:
    trader.turns_to("NQ").bricks(6, "green").exits().filled_at(18010)
    trader.at("14:51:00").turns_to("ES").bricks(6, "green")
    assert (known(trader.asset.preorder).status, known(trader.order).kind) == ("FIRED", "ENTRY")
    trader.filled_at("5252.25")
    assert (trader.desk.assets["ES"].position, known(trader.asset.trade).risk_usd) == (5, Decimal(375))
    assert trader.replays().is_equal


def test_the_pre_order_ends_half_an_hour_after_it_was_placed(trader: StoredTrader) -> None:
    """Generation 4 knew no end; its age counts from the click, not from the upgrade."""
    assert known(trader.at("15:15:00").ticks().desk.assets["ES"].preorder).status == "WAITING"
    assert known(trader.at("15:15:01").ticks().desk.assets["ES"].preorder).status == "CANCELLED"
    assert trader.replays().is_equal


def test_the_open_trade_is_left_and_told_without_a_risk_that_nobody_kept(trader: StoredTrader) -> None:
    trader.turns_to("NQ").bricks(6, "green").exits().filled_at(18010)
    closed = trader.trades_closed[-1]
    assert (closed.pnl_points, closed.pnl_usd, closed.pnl_net_usd) == (Decimal("2.5"), Decimal(100), Decimal(100))
    assert (closed.risk_usd, closed.r) == (None, None)
    assert not closed.commission_known
    assert trader.replays().is_equal


def test_a_changed_row_of_generation_4_is_noticed(trader: StoredTrader) -> None:
    """Equal above means compared: what is recorded otherwise is named by its row."""
    [won] = [row.sequence for row in trader.rows if b"5251.5" in row.events]
    with closing(sqlite3.connect(trader.path)) as connection, connection:
        changed = "CAST(replace(CAST(events AS TEXT), '5251.5', '5252.5') AS BLOB)"
        connection.execute(f"UPDATE journal SET events = {changed} WHERE sequence = ?", (won,))  # noqa: S608
    assert trader.replays().unequal_rows == (won,)
