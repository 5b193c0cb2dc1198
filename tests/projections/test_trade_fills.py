"""Every fill of a trade is kept beside its commit: entry, scale-in, exit, and what the broker did by itself."""

from __future__ import annotations

import sqlite3
import uuid
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from services.engine.model.bridge_commands import ResolveOrder
from services.engine.model.events import OrderReported
from services.journal.trades import Selection, page_of
from services.projections.entry_gates import gates_between
from services.projections.table import PROJECTIONS
from services.projections.trade_fills import TradeFill, are_whole, fills_of
from services.stores.firestore.store import FirestoreStore
from services.stores.records import Kind, Record, Scalar
from services.stores.sqlite.file import migration_steps
from services.stores.sqlite.store import SqliteStore
from services.stores.store import StoreUnreadable
from tests.support.narrow import known
from tests.support.stored_trader import StoredTrader
from wire.types import Side


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[StoredTrader]:
    equity = Decimal(200_000)  # both markets scaled in at once fit into the day
    trader = StoredTrader(tmp_path / "desk.sqlite", at="09:31:10", assets=("ES", "NQ"), demo_equity=equity)
    yield trader
    trader.stops()


@pytest.fixture(params=["sqlite", "firestore"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoredTrader]:
    """A trader whose desk is kept in either store."""
    opens = None
    if request.param == "firestore":
        host, project = request.getfixturevalue("firestore_host"), f"desk-{uuid.uuid4().hex[:12]}"
        opens = partial(FirestoreStore, project, emulator_host=host)
    trader = StoredTrader(tmp_path / "desk.sqlite", at="09:31:10", opens=opens)
    yield trader
    trader.stops()


def kept(trader: StoredTrader, place: int = -1) -> list[TradeFill]:
    """Return the fills of a closed trade."""
    return fills_of(trader.manager.store, trader.trades_closed[place].id)


def told(fills: list[TradeFill]) -> list[tuple[str, str, int, Decimal]]:
    return [(one.fill.kind, one.fill.side, one.fill.quantity, one.fill.price) for one in fills]


def scaled(trader: StoredTrader) -> StoredTrader:
    """Go in with 5 at 5250, add 5 at 5256 a minute later, be out of all at 5260.5 another minute on."""
    trader.is_long(5250).later(seconds=60).bricks(6, "green").hears(5256).scales_in().filled_at(5256)
    return trader.later(seconds=60).exits().filled_at("5260.5")


def test_in_added_and_out_are_told_with_their_instants(trader: StoredTrader) -> None:
    begun = trader.now
    scaled(trader)
    fills = kept(trader)
    assert told(fills) == [
        ("ENTRY", "BUY", 5, Decimal(5250)),
        ("SCALE_IN", "BUY", 5, Decimal(5256)),
        ("EXIT", "SELL", 10, Decimal("5260.5")),
    ]
    assert [(one.at - begun).total_seconds() for one in fills] == [0, 60, 120]
    [closed] = trader.trades_closed
    assert (fills[0].at, fills[-1].at) == (closed.entry_ts, closed.exit_ts)
    assert are_whole(fills, closed)


def test_each_partial_fill_is_one(trader: StoredTrader) -> None:
    trader.with_structure("green").enters("BUY").partly_filled(2, 5250).later(seconds=1).filled_at(5251)
    trader.bricks(6, "green").exits().partly_filled(4, 5253).filled_at(5254)
    assert told(kept(trader)) == [
        ("ENTRY", "BUY", 2, Decimal(5250)),
        ("ENTRY", "BUY", 3, Decimal(5251)),
        ("EXIT", "SELL", 4, Decimal(5253)),
        ("EXIT", "SELL", 1, Decimal(5254)),
    ]
    assert are_whole(kept(trader), trader.trades_closed[0])


def test_each_trade_keeps_its_own(trader: StoredTrader) -> None:
    trader.is_long(5250).at("09:36:00").with_structure("red", "NQ").enters("SELL").filled_at(5300)
    trader.bricks(6, "red").exits().filled_at(5299)
    trader.turns_to("ES").bricks(6, "green").exits().filled_at(5251)
    assert told(kept(trader, 0)) == [("ENTRY", "SELL", 5, Decimal(5300)), ("EXIT", "BUY", 5, Decimal(5299))]
    assert told(kept(trader, 1)) == [("ENTRY", "BUY", 5, Decimal(5250)), ("EXIT", "SELL", 5, Decimal(5251))]


def test_a_rejected_scale_in_and_a_repeated_report_leave_no_fill(trader: StoredTrader) -> None:
    trader.is_long(5250).bricks(6, "green").hears(5250).scales_in().rejected()
    order = trader.exits().order
    trader.claims().reports("FILLED", 5252, qty=5, exec_id="x-9").reports("FILLED", 5252, order, qty=5, exec_id="x-9")
    assert trader.is_duplicate
    assert told(kept(trader)) == [("ENTRY", "BUY", 5, Decimal(5250)), ("EXIT", "SELL", 5, Decimal(5252))]


def test_a_stop_at_the_broker_is_an_exit_without_an_order(trader: StoredTrader) -> None:
    trader.is_long(5250).later(2).hears(5240)
    trader.broker_says(position=0, last_fill_price="5235.25")
    trader.later(seconds=2).broker_says(position=0, last_fill_price="5235.25")
    entry, stop = kept(trader)
    assert told([stop]) == [("EXIT", "SELL", 5, Decimal("5235.25"))]
    assert (entry.fill.order_id, stop.fill.order_id) == (trader.trades_closed[0].id, None)


def test_the_brokers_exit_behind_a_partial_one_has_its_own_price(trader: StoredTrader) -> None:
    """Three contracts went at 5251, two at 5235: the average of five must not be booked twice."""
    trader.is_long(5250).bricks(6, "green").exits().partly_filled(3, 5251).cancelled().later(2).hears(5240)
    trader.broker_says(position=0, last_fill_price=5235)
    trader.later(seconds=2).broker_says(position=0, last_fill_price=5235)
    assert told(kept(trader))[1:] == [("EXIT", "SELL", 3, Decimal(5251)), ("EXIT", "SELL", 2, Decimal(5235))]


@pytest.mark.parametrize(("held", "side", "quantity"), [(8, "BUY", 3), (2, "SELL", 3)])
def test_another_size_at_the_broker_is_a_resize(trader: StoredTrader, held: int, side: Side, quantity: int) -> None:
    trader.is_long(5250).later(2).hears(5252).broker_says(position=held).later(seconds=2).broker_says(position=held)
    trader.bricks(6, "green").exits().filled_at(5254)
    assert told(kept(trader))[1:] == [("RESIZE", side, quantity, Decimal(5252)), ("EXIT", "SELL", held, Decimal(5254))]
    assert are_whole(kept(trader), trader.trades_closed[0])


def test_an_adopted_position_begins_with_what_the_broker_paid(trader: StoredTrader) -> None:
    trader.adopts(-4, 5250).bricks(6, "red").exits().filled_at(5249)
    entry, left = kept(trader)
    assert told([entry, left]) == [("ENTRY", "SELL", 4, Decimal(5250)), ("EXIT", "BUY", 4, Decimal(5249))]
    assert entry.fill.order_id is None


def test_a_trade_that_turned_at_the_broker_is_two(trader: StoredTrader) -> None:
    trader.is_long(5250).later(2).hears(5252).broker_says(position=-5, avg_price=5253)
    trader.later(seconds=2).broker_says(position=-5, avg_price=5253)
    assert told(kept(trader)) == [("ENTRY", "BUY", 5, Decimal(5250)), ("EXIT", "SELL", 5, Decimal(5252))]
    trader.bricks(6, "red").exits().filled_at(5249)
    assert told(kept(trader)) == [("ENTRY", "SELL", 5, Decimal(5253)), ("EXIT", "BUY", 5, Decimal(5249))]


def test_fills_are_whole_only_when_as_much_went_in_and_out_as_the_trade_had(trader: StoredTrader) -> None:
    scaled(trader)
    fills, [closed] = kept(trader), trader.trades_closed
    for missing in range(3):
        assert not are_whole([one for place, one in enumerate(fills) if place != missing], closed)
    assert not are_whole([], closed)


def test_fills_and_gates_outlast_a_restart_and_replay_stays_equal(anywhere: StoredTrader) -> None:
    scaled(anywhere)
    fills, [entry] = kept(anywhere), page_of(anywhere.manager.store, Selection(), "18:00", 10).trades
    assert [one.fill.kind for one in fills] == ["ENTRY", "SCALE_IN", "EXIT"]
    gates = known(entry.gates)
    assert (gates.trade_of_day, gates.entered_by) == (1, "click")
    anywhere.restarts()
    assert kept(anywhere) == fills
    assert page_of(anywhere.manager.store, Selection(), "18:00", 10).trades == [entry]
    assert anywhere.replays().is_equal


def test_a_fill_that_cannot_be_read_is_named(trader: StoredTrader) -> None:
    class Broken(SqliteStore):
        def records_with(
            self, kind: Kind, value: Scalar, through: Scalar | None = None, limit: int | None = None
        ) -> list[Record]:
            return [Record(kind, "7.0000", trader.now, b'{"kind":"GIFT"}', {"trade_id": value})]

    with pytest.raises(StoreUnreadable, match=r"the fill 7\.0000"):
        fills_of(Broken(trader.path), "t")


def test_an_older_file_gets_the_fills_that_its_journal_remembers(trader: StoredTrader) -> None:
    """The step to schema 5 tells of past trades what the desk writes of new ones; an open one included."""
    scaled(trader).at("09:40:00").is_short(5300, "NQ").later(seconds=9).bricks(6, "red")
    trader.hears(5294).scales_in().filled_at(5294)
    written, remembered = migrated_again(trader)
    assert remembered == written
    assert len(written) == len([1 for event in trader.told(OrderReported) if event.qty]) == 5
    trader.starts()


def test_an_older_file_gives_each_of_an_assets_trades_its_own_fills(trader: StoredTrader) -> None:
    """Twice a trade of NQ inside one of ES; only what the broker did by itself is not in the journal of commands."""
    for hour in ("10", "11"):
        for asset, minute in (("ES", "00"), ("NQ", "06")):
            trader.turns_to(asset).at(f"{hour}:{minute}:00").is_long(5250)
            trader.later(seconds=30).bricks(6, "green").hears(5256).scales_in().filled_at(5256)
        for asset in ("NQ", "ES"):
            trader.turns_to(asset).later(seconds=30).bricks(6, "green")
            trader.exits().partly_filled(4, 5253).later(seconds=3).filled_at(5254)
    trader.turns_to("ES").at("13:00:00").is_long(5250).later(2).hears(5240).broker_says(
        position=0, last_fill_price=5235
    )
    trader.later(seconds=2).broker_says(position=0, last_fill_price=5235)
    written, remembered = migrated_again(trader)
    assert remembered == written[:-1]
    *traded, stopped = (closed.id for closed in trader.trades_closed)
    assert Counter(trade_id for trade_id, *_ in remembered) == {**dict.fromkeys(traded, 4), stopped: 1}
    assert len(traded) == 4


def migrated_again(trader: StoredTrader) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Stop the desk, take schema 5 back and make the step again: the fills before, and those that the step wrote."""
    trader.stops()
    connection = sqlite3.connect(trader.path)
    query = "SELECT trade_id, at, json(CAST(body AS TEXT)) FROM trade_fills ORDER BY id"
    written = connection.execute(query).fetchall()
    connection.executescript("DROP VIEW gates_at_entry; DROP VIEW trade_fills; DROP TABLE ended_sessions;")
    connection.executescript(migration_steps()[4].read_text("utf-8"))
    remembered = connection.execute(query).fetchall()
    connection.close()
    return written, remembered


@pytest.mark.parametrize(("fact", "fills", "gates"), [("trade_fills", 0, 1), ("gates_at_entry", 3, 0)])
def test_a_fact_that_cannot_be_written_never_stops_a_trade(
    trader: StoredTrader, monkeypatch: pytest.MonkeyPatch, fact: str, fills: int, gates: int
) -> None:
    """It is lost alone: the other is kept whole."""

    def fails(*_: object) -> None:
        raise KeyError("a fault of ours")

    table = [replace(one, records=fails) if one.kind.name == fact else one for one in PROJECTIONS]
    monkeypatch.setattr("services.desk.commit_batch.PROJECTIONS", table)
    scaled(trader)
    assert trader.asset.trade is None
    assert [one.pnl_points for one in trader.trades_closed] == [Decimal("7.5")]
    assert len(kept(trader)) == fills
    assert len(gates_between(trader.manager.store, "", "~")) == gates


@pytest.mark.parametrize("by", ["broker", "operator"])
def test_an_order_that_nobody_reported_leaves_its_fill_when_its_fate_is_settled(trader: StoredTrader, by: str) -> None:
    trader.hears(5250).with_structure("green").enters("BUY").claims().later(60).ticks()
    order = trader.open_order
    if by == "operator":
        trader.asks(ResolveOrder(order.id, "filled", "the platform shows it", None, Decimal(5251)))
    for _ in range(3):
        trader.later(3).broker_says(position=5, avg_price=5251)
    trader.bricks(6, "green").exits().filled_at(5254)
    assert told(kept(trader)) == [("ENTRY", "BUY", 5, Decimal(5251)), ("EXIT", "SELL", 5, Decimal(5254))]
    assert kept(trader)[0].fill.order_id == order.id
    assert are_whole(kept(trader), trader.trades_closed[0])
