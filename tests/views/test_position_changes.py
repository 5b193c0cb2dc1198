"""Every change of the position is told by one event with side, contracts and price; nothing else moves it (SPEC 8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from services.engine.model.bridge_commands import BookFills, Execution, ResolveOrder
from services.engine.model.events import OrderReported
from services.engine.model.trade_events import PositionFollowed, TradeCorrected
from services.stores.codec.committed_events import CommittedEvent
from services.views.event_rows import event_order, event_row
from tests.support.trader import Trader
from wire.events import EventOrder

Told = tuple[str, str, int, Decimal | None]


def changes(trader: Trader) -> list[Told]:
    """Return the type of each event that moved a position of the trader's day, with the fill it tells of."""
    orders: dict[str, EventOrder] = {}
    told: list[Told] = []
    for decision in trader.decisions:
        orders |= {order.id: event_order(order) for order in decision.orders}
        for event in decision.events:
            one = CommittedEvent(1000, trader.now, event)
            row = event_row(one, orders.get(getattr(event, "order_id", None) or ""))
            told += [(row.type, fill.side, fill.qty, fill.price) for fill in row.data.get("fills", ())]
    return told


def insists(trader: Trader, count: int = 3, **broker: Any) -> Trader:
    for _ in range(count):
        trader.later(3).broker_says(**broker)
    return trader


def executes(trader: Trader, **more: Any) -> Trader:
    facts: dict[str, Any] = {"exec_id": "s1", "side": "SELL", "qty": 5, "price": Decimal(5235), "kind": "STOP"}
    fill = Execution(**{"at": trader.now, "symbol": "MESZ6", "asset": "ES", **facts, **more})
    return trader.asks(BookFills("DEMO", "A1", "ledger of bridge", (fill,)))


def lost_entry() -> Trader:
    return Trader().hears(5250).with_structure("green").enters("BUY").claims().later(60).ticks()


def test_in_by_halves_and_out_is_told_report_by_report() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").partly_filled(2, 5250).filled_at("5250.5")
    trader.bricks(6, "green").exits().filled_at(5252)
    assert changes(trader) == [
        ("OrderReported", "BUY", 2, Decimal(5250)),
        ("OrderReported", "BUY", 3, Decimal("5250.5")),
        ("OrderReported", "SELL", 5, Decimal(5252)),
    ]


def test_an_order_that_ends_partly_filled_leaves_nobody_long() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").partly_filled(2, 5250).cancelled()
    trader.bricks(6, "green").exits().filled_at(5251)
    assert changes(trader) == [
        ("OrderReported", "BUY", 2, Decimal(5250)),
        ("OrderReported", "SELL", 2, Decimal(5251)),
    ]


def test_a_rejected_order_tells_of_no_change() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").claims().rejected()
    assert (changes(trader), trader.told(OrderReported)[-1].qty) == ([], 0)


def test_a_fill_after_the_end_of_its_order_is_one_more() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").claims()
    order = trader.open_order
    trader.partly_filled(2, 5250).cancelled().reports("FILLED", 5251, order, qty=1, exec_id="late", cum_qty=3)
    assert changes(trader) == [("OrderReported", "BUY", 2, Decimal(5250)), ("FillBooked", "BUY", 1, Decimal(5251))]


@pytest.mark.parametrize("kind", ["STOP", "LIQUIDATION", "MANUAL", "FLATTEN"])
def test_what_the_broker_did_alone_is_told(kind: str) -> None:
    trader = executes(Trader().hears(5250).is_long(5250), kind=kind)
    assert changes(trader)[1:] == [("FillBooked", "SELL", 5, Decimal(5235))]


def test_a_sale_by_hand_of_more_than_is_held_turns_the_position() -> None:
    trader = executes(Trader().hears(5250).is_long(5250), kind="MANUAL", qty=8, price=Decimal(5251))
    assert trader.position == -3
    assert changes(trader)[1:] == [
        ("FillBooked", "SELL", 5, Decimal(5251)),
        ("FillBooked", "SELL", 3, Decimal(5251)),
    ]


def test_a_fill_without_a_price_has_none() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").claims().reports("FILLED", 0, qty=5)
    assert trader.position == 5
    assert changes(trader) == [("OrderReported", "BUY", 5, None)]


@pytest.mark.parametrize(("told", "price"), [({"avg_price": 5251}, Decimal(5251)), ({}, None)])
def test_an_order_that_nobody_reported_is_told_when_the_broker_shows_it(told: Any, price: Decimal | None) -> None:
    trader = insists(lost_entry(), position=5, **told)
    assert trader.position == 5
    assert changes(trader) == [("OrderFateSettled", "BUY", 5, price)]


def test_its_report_that_comes_at_last_is_no_second_change() -> None:
    trader = lost_entry()
    order = trader.open_order
    insists(trader, position=5, avg_price=5251).reports("FILLED", 5251, order, qty=5, cum_qty=5, exec_id="e1")
    assert [name for name, *_ in changes(trader)] == ["OrderFateSettled"]


@pytest.mark.parametrize(("price", "told"), [(Decimal(5249), Decimal(5249)), (None, None)])
def test_the_operators_word_is_told_with_the_price_that_he_gave(price: Decimal | None, told: Decimal | None) -> None:
    trader = lost_entry()
    trader.asks(ResolveOrder(trader.open_order.id, "filled", "the platform shows it", None, price))
    assert trader.position == 5
    assert changes(trader) == [("OrderFateSettled", "BUY", 5, told)]


def test_an_order_that_never_filled_tells_of_no_change() -> None:
    assert changes(insists(lost_entry(), position=0)) == []


@pytest.mark.parametrize(("broker", "price"), [({"last_fill_price": 5235}, Decimal(5235)), ({}, None)])
def test_a_position_that_is_gone_at_the_broker_is_told_with_the_price_of_its_last_fill(
    broker: Any, price: Decimal | None
) -> None:
    trader = insists(Trader().hears(5250).is_long(5250).later(2), position=0, **broker)
    assert trader.position == 0
    assert changes(trader)[1:] == [("PositionFollowed", "SELL", 5, price)]
    assert trader.replays_equal()


def test_the_fill_that_explains_it_later_corrects_the_trade_and_moves_nothing() -> None:
    trader = insists(Trader().hears(5250).is_long(5250).later(2), position=0).later(2)
    executes(trader)
    assert len(trader.told(TradeCorrected)) == 1
    assert [name for name, *_ in changes(trader)] == ["OrderReported", "PositionFollowed"]


@pytest.mark.parametrize(("held", "side", "qty"), [(8, "BUY", 3), (2, "SELL", 3)])
def test_another_size_at_the_broker_is_told_without_a_price_that_nobody_knows(held: int, side: str, qty: int) -> None:
    trader = insists(Trader().hears(5250).is_long(5250).later(2), position=held, avg_price=5251)
    assert trader.position == held
    assert changes(trader)[1:] == [("PositionFollowed", side, qty, None)]


def test_an_adopted_position_has_the_brokers_average() -> None:
    assert changes(Trader().adopts(-4, 5250)) == [("PositionFollowed", "SELL", 4, Decimal(5250))]


def test_a_position_that_turned_at_the_broker_is_two_changes() -> None:
    trader = insists(Trader().hears(5250).is_long(5250).later(2), position=-5, avg_price=5253, last_fill_price=5252)
    assert changes(trader)[1:] == [
        ("PositionFollowed", "SELL", 5, Decimal(5252)),
        ("PositionFollowed", "SELL", 5, Decimal(5253)),
    ]


def test_a_journal_of_before_is_decided_again_without_the_new_event() -> None:
    trader = insists(Trader(generation=2).hears(5250).is_long(5250).later(2), position=0)
    assert (trader.position, trader.told(PositionFollowed)) == (0, [])
    assert b"estimated" not in b"".join(msgspec.json.encode(event) for event in trader.told(OrderReported))


def test_without_its_order_a_fill_has_no_side_and_is_unknown() -> None:
    event = Trader().hears(5250).is_long(5250).told(OrderReported)[-1]
    row = event_row(CommittedEvent(1000, Trader().now, event), None)
    assert row.data["fills"] is None
