"""A fill that is told after the desk has closed the trade by the broker's position corrects it (SPEC 8.3, 8.4)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from services.desk.committed import with_newer
from services.engine.model.bridge_commands import BookFills, Execution
from services.engine.model.trade_events import TradeClosed, TradeCorrected, closed_trades
from services.engine.rules.beliefs import day_result
from services.projections.trades import TRADES
from services.stores.codec import documents
from tests.support.trader import Trader


def closed_by_the_broker(**broker: Any) -> Trader:
    """Return a trader long 5 from 5250 whose broker is flat; nobody has told at what price, 5249 is the last one."""
    trader = Trader().hears(5250).is_long(5250).hears(5249)
    for _ in range(2):
        trader.later(3).broker_says(position=0, **broker)
    assert trader.trades[-1].reason == "BROKER_FLAT"
    return trader.later(2)


def sends(trader: Trader, **more: Any) -> Trader:
    facts: dict[str, Any] = {"exec_id": "s1", "side": "SELL", "qty": 5, "price": Decimal(5235), "kind": "STOP"}
    told = Execution(**{"at": trader.now - timedelta(seconds=6), "symbol": "MESZ6", "asset": "ES", **facts, **more})
    return trader.asks(BookFills("DEMO", "A1", "ledger of bridge", (told,)))


def exit_of(trader: Trader) -> tuple[float, float, bool]:
    """Return exit price, USD and whether it is estimated of the last closed trade."""
    closed = trader.trades[-1]
    return float(closed.exit_price), float(closed.pnl_usd), closed.estimated


def test_the_stops_fill_gives_the_trade_its_true_price_and_reason() -> None:
    trader = closed_by_the_broker()
    before = trader.trades[-1]
    assert exit_of(trader) == (5249, -25, True)
    sends(trader)
    (closed,) = trader.trades
    assert exit_of(trader) == (5235, -375, False)
    assert (closed.reason, closed.pnl_points, closed.mae_points) == ("PROTECTIVE_STOP", Decimal(-15), Decimal(-15))
    assert (closed.id, closed.entry_ts, closed.exit_ts) == (before.id, before.entry_ts, before.exit_ts)
    assert trader.position == 0
    assert trader.replays_equal()


def test_the_days_books_hold_the_true_price() -> None:
    trader = closed_by_the_broker()
    assert day_result(trader.desk).books == -25
    assert day_result(sends(trader).desk).books == -375


def test_a_fill_that_the_snapshot_had_told_already_gives_its_reason_alone() -> None:
    trader = sends(closed_by_the_broker(last_fill_price=5235))
    assert exit_of(trader) == (5235, -375, False)
    assert trader.trades[-1].reason == "PROTECTIVE_STOP"
    assert day_result(trader.desk).books == -375


def test_fills_in_parts_each_correct_their_part() -> None:
    trader = sends(closed_by_the_broker(), qty=2)
    assert exit_of(trader) == (5243.4, -165, True)
    sends(trader, qty=3, exec_id="s2", price=Decimal(5230))
    assert exit_of(trader) == (5232, -450, False)
    assert trader.replays_equal()


@pytest.mark.parametrize("more", [{"exec_id": "s1"}, {"exec_id": "s2", "price": Decimal(5000)}])
def test_what_was_corrected_is_corrected_once(more: dict[str, Any]) -> None:
    trader = sends(closed_by_the_broker())
    sends(trader, side="BUY" if "price" in more else "SELL", **more)
    assert trader.trades[0].exit_price == 5235
    assert len(trader.told(TradeCorrected)) == 1


def test_a_fill_without_a_price_corrects_nothing() -> None:
    trader = sends(closed_by_the_broker(), price=Decimal(0))
    assert exit_of(trader) == (5249, -25, True)


def test_the_report_of_an_exit_whose_fate_the_snapshots_had_settled_corrects_it() -> None:
    trader = Trader().hears(5250).is_long(5250).bricks(6, "green").exits().claims()
    order = trader.open_order
    trader.later(60).ticks()
    for _ in range(3):
        trader.later(2).broker_says(position=0)
    assert exit_of(trader) == (5250, 0, False)
    trader.reports("FILLED", 5247, order, qty=5, exec_id="late")
    assert trader.is_duplicate
    assert exit_of(trader) == (5247, -75, False)
    assert [closed.reason for closed in trader.trades] == ["manual"]
    assert day_result(trader.desk).books == -75
    assert trader.replays_equal()


def test_a_correction_after_the_roll_leaves_the_new_days_books_alone() -> None:
    trader = Trader(at="17:59:40").hears(5250).is_long(5250)
    for _ in range(2):
        trader.later(3).broker_says(position=0)
    sends(trader.at("18:00:05").ticks(), at=trader.now - timedelta(seconds=20))
    assert trader.trades[-1].exit_price == 5235
    assert day_result(trader.desk).books == 0


def test_it_survives_a_restart() -> None:
    trader = sends(closed_by_the_broker().restarts())
    assert [closed.exit_price for closed in trader.trades] == [5235]


def test_the_store_holds_the_corrected_trade_alone() -> None:
    trader = sends(closed_by_the_broker())
    (stored,) = [documents.read_trade(record.body) for record in trader.records if record.kind == TRADES]
    assert stored == trader.trades[-1]


def test_the_pages_list_holds_it_in_the_place_of_the_first_form() -> None:
    trader = sends(closed_by_the_broker())
    (told,) = trader.told(TradeClosed)
    newer = replace(told, id="newer")
    corrected = closed_trades(trader.told(TradeCorrected))
    assert [trade.exit_price for trade in with_newer((newer, told), corrected)] == [Decimal(5249), Decimal(5235)]
    assert with_newer((), [told, *corrected]) == tuple(corrected)
