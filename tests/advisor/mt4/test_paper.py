"""The paper account: orders of six kinds, protections, closing in parts, money to the cent, restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sidecar.problems import ServiceRefused
from tests.advisor.mt4.floor import NOON, PaperFloor, asked
from tests.support.fakes.price_feeds import PriceFeeds
from wire.mt4 import Mt4Action

BALANCE = Decimal(10_000)
NOTHING = Decimal(0)


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[PaperFloor]:
    with PriceFeeds(NOON) as feeds:
        feeds.quotes("1.10000", "1.09995", "1.10005")
        floor = PaperFloor(tmp_path, feeds)
        yield floor
        floor.close()


# -- market orders ---------------------------------------------------------------------------------------------------


def test_a_new_account_has_ten_thousand_dollars_and_holds_nothing(floor: PaperFloor) -> None:
    state = floor.state
    assert (state.balance, state.equity, state.margin, state.free_margin) == (BALANCE, BALANCE, NOTHING, BALANCE)
    assert (state.currency, state.leverage, state.kind, state.real) == ("USD", 100, "paper", False)
    assert floor.positions == ()


def test_a_buy_pays_the_ask_and_is_worth_the_bid(floor: PaperFloor) -> None:
    answer = floor.trades("BUY", 0.1, comment="Trading Platform AI")
    assert (answer.success, answer.price, answer.order_id) == (True, Decimal("1.10005"), answer.position_id)
    [position] = floor.positions
    assert (position.type, position.volume, position.open_price) == ("BUY", Decimal("0.1"), Decimal("1.10005"))
    assert (position.current_price, position.profit) == (Decimal("1.09995"), Decimal("-1.00"))
    assert (position.comment, position.stop_loss, position.simulated) == ("Trading Platform AI", None, False)
    state = floor.state
    assert (state.equity, state.margin) == (Decimal("9999.00"), Decimal("110.00"))  # 100,000 EUR a lot, 1:100


def test_the_contracts_own_figures(floor: PaperFloor) -> None:
    """0.1 lots of EURUSD from 1.1000 to 1.1050 made 50.00 USD."""
    floor.feeds.quotes("1.10000", "1.10000", "1.10000")
    opened = floor.trades("BUY", 0.1)
    floor.feeds.quotes("1.10500", "1.10500", "1.10500")
    assert floor.positions[0].profit == Decimal("50.00")
    closed = floor.closes(opened.position_id)
    assert (closed.closed_volume, closed.remaining_volume, closed.price) == (Decimal("0.1"), NOTHING, Decimal("1.105"))
    assert floor.state.balance == BALANCE + 50
    assert floor.told() == [("in", "market", "1.10000", "0"), ("out", "close", "1.10500", "50.00")]


def test_without_bid_and_ask_it_is_a_tick_worse_than_the_last_price(floor: PaperFloor) -> None:
    floor.feeds.quotes("1.10000")
    assert floor.trades("BUY").price == Decimal("1.10001")
    assert floor.trades("SELL").price == Decimal("1.09999")
    tick = floor.runs(floor.account.tick("EUR/USD"))
    assert (tick.symbol, tick.bid, tick.ask, tick.spread, tick.last) == ("EURUSD", None, None, None, Decimal("1.1"))


def test_a_position_is_closed_in_parts_and_never_more_than_is_held(floor: PaperFloor) -> None:
    opened = floor.trades("SELL", 0.3)
    floor.feeds.quotes("1.09000", "1.08995", "1.09005")
    assert floor.closes(opened.position_id, "0.1").remaining_volume == Decimal("0.2")
    assert floor.refused(floor.account.close(opened.position_id or "", Decimal("0.21"))) == (
        "trade_refused",
        "volume_held",
    )
    assert floor.positions[0].volume == Decimal("0.2")
    floor.closes(opened.position_id)
    assert floor.positions == ()
    assert floor.state.balance == BALANCE + Decimal("297.00")  # 0.3 lots by 99 pips of ten points
    assert sum(deal.profit or 0 for deal in floor.deals) == Decimal("297.00")
    assert floor.refused(floor.account.close(opened.position_id or "", None))[0] == "unknown_position"


def test_closing_twice_at_once_closes_once(floor: PaperFloor) -> None:
    opened = floor.trades("BUY", 0.2)

    async def twice() -> list[Any]:
        closings = (floor.account.close(opened.position_id or "", None) for _ in range(2))
        return await asyncio.gather(*closings, return_exceptions=True)

    answers = floor.runs(twice())
    refused = [one for one in answers if isinstance(one, ServiceRefused)]
    assert [one.code for one in refused] == ["unknown_position"]
    assert [deal.entry for deal in floor.deals] == ["in", "out"]


def test_the_desks_futures_can_be_tried_too(floor: PaperFloor) -> None:
    floor.feeds.quotes("5250.25", "5250.00", "5250.50", symbol="ES", simulated=True)
    assert floor.refuses("BUY", 0.1, symbol="ES", stop_loss=5240.1)[0] == "invalid_parameter"  # off its tick
    opened = floor.trades("BUY", 0.1, symbol="CME_MINI:ES1!", stop_loss=5240.25)
    floor.feeds.quotes("5252.25", "5252.50", "5252.75", symbol="ES", simulated=True)
    assert floor.closes(opened.position_id).price == Decimal("5252.50")
    assert floor.state.balance == BALANCE + 10  # 2 points of a tenth of the full contract


# -- the same order again --------------------------------------------------------------------------------------------


def test_the_same_name_again_is_the_same_order(floor: PaperFloor) -> None:
    first = floor.trades("BUY", 0.1, key="anna:1")
    floor.feeds.quotes("1.20000", "1.19995", "1.20005")
    assert floor.trades("BUY", 0.1, key="anna:1") == first
    assert floor.restarts().trades("BUY", 0.1, key="anna:1") == first
    assert floor.refuses("BUY", 0.2, key="anna:1") == ("trade_refused", "key_reused")
    assert len(floor.positions) == 1
    floor.trades("BUY", 0.1, key="ben:1")
    assert len(floor.positions) == 2


def test_the_same_name_twice_at_once_is_one_order(floor: PaperFloor) -> None:
    async def twice() -> list[Any]:
        return await asyncio.gather(*(floor.account.trade(asked("BUY", 0.1, key="one")) for _ in range(2)))

    first, second = floor.runs(twice())
    assert first == second
    assert len(floor.positions) == 1


# -- what rests ------------------------------------------------------------------------------------------------------


def test_a_limit_rests_and_is_filled_by_a_minute_that_goes_beyond_it(floor: PaperFloor) -> None:
    placed = floor.trades("BUY_LIMIT", 0.1, price=1.09, stop_loss=1.08, take_profit=1.1)
    assert (placed.position_id, placed.price, floor.orders) == (None, None, [placed.order_id])
    floor.feeds.minute("1.10000", "1.10010", "1.09500", "1.09600")
    floor.feeds.minute("1.09600", "1.09610", "1.09000", "1.09100")
    assert not floor.positions  # touched, not gone beyond
    floor.feeds.minute("1.09100", "1.09200", "1.08990", "1.09150")
    [position] = floor.positions
    assert (position.id, position.open_price, floor.orders) == (placed.order_id, Decimal("1.09"), [])
    floor.feeds.minute("1.09150", "1.10001", "1.09100", "1.09900")
    assert floor.positions == ()
    assert floor.told() == [("in", "limit", "1.09", "0"), ("out", "take_profit", "1.1", "100.00")]


@pytest.mark.parametrize(
    ("action", "price", "minute", "filled"),
    [
        ("SELL_LIMIT", 1.11, ("1.10000", "1.11001", "1.10000", "1.10500"), "1.11"),
        ("BUY_STOP", 1.11, ("1.11200", "1.11300", "1.11100", "1.11200"), "1.11200"),
        ("SELL_STOP", 1.09, ("1.10000", "1.10000", "1.09000", "1.09500"), "1.09"),
    ],
)
def test_the_other_three_rest_too(
    floor: PaperFloor, action: Mt4Action, price: float, minute: tuple[str, str, str, str], filled: str
) -> None:
    floor.trades(action, 0.1, price=price)
    floor.feeds.minute("1.10000", "1.10000", "1.10000", "1.10000")
    floor.feeds.minute(*minute)
    assert [f"{one.open_price:f}" for one in floor.positions] == [filled]


def test_a_stop_and_a_target_in_one_minute_are_the_stop(floor: PaperFloor) -> None:
    floor.trades("BUY", 0.1, stop_loss=1.09, take_profit=1.11)
    floor.feeds.minute("1.10000", "1.10000", "1.10000", "1.10000")
    floor.feeds.minute("1.10000", "1.12000", "1.08000", "1.11500")
    assert floor.told()[-1] == ("out", "stop_loss", "1.09", "-100.50")


def test_what_lay_before_the_order_fills_nothing(floor: PaperFloor) -> None:
    """Its minute had a low of 1.05, but nobody knows that it came after the order: the close is certain."""
    floor.trades("BUY_LIMIT", 0.1, price=1.09)
    floor.trades("BUY", 0.1, stop_loss=1.09)
    floor.feeds.minute("1.05000", "1.10100", "1.05000", "1.10000")
    assert len(floor.positions) == 1
    assert len(floor.orders) == 1


def test_an_order_filled_and_stopped_in_one_minute_lost(floor: PaperFloor) -> None:
    floor.trades("BUY_LIMIT", 0.1, price=1.09, stop_loss=1.085, take_profit=1.095)
    floor.feeds.minute("1.10000", "1.10000", "1.10000", "1.10000")
    floor.feeds.minute("1.10000", "1.10000", "1.08000", "1.09900")
    assert floor.told() == [("in", "limit", "1.09", "0"), ("out", "stop_loss", "1.085", "-50.00")]
    assert (floor.positions, floor.orders) == ((), [])


def test_an_order_is_taken_out_once(floor: PaperFloor) -> None:
    placed = floor.trades("BUY_LIMIT", 0.1, price=1.09)
    floor.runs(floor.account.cancel(placed.order_id or ""))
    assert floor.orders == []
    assert floor.refused(floor.account.cancel(placed.order_id or ""))[0] == "unknown_order"
    floor.feeds.minute("1.10000", "1.10000", "1.05000", "1.05000")
    assert floor.positions == ()


# -- restarts, pages, markets ----------------------------------------------------------------------------------------


def test_what_rests_and_what_is_open_survives_a_restart_and_the_minutes_meanwhile(floor: PaperFloor) -> None:
    floor.trades("BUY_LIMIT", 0.1, price=1.09)
    floor.trades("BUY", 0.1, stop_loss=1.095)
    floor.feeds.minute("1.10000", "1.10000", "1.10000", "1.10000")
    assert len(floor.positions) == 1
    floor.feeds.page = 1  # many short pages
    for _ in range(3):
        floor.feeds.minute("1.10000", "1.10000", "1.08000", "1.09900")
    floor.restarts()
    assert [(entry, reason) for entry, reason, _, _ in floor.told()] == [
        ("in", "market"),
        ("out", "stop_loss"),
        ("in", "limit"),
    ]
    assert floor.restarts().told() == floor.told()
    assert floor.state.balance == BALANCE + sum(deal.profit or 0 for deal in floor.deals)


def test_real_and_simulated_prices_are_two_markets(floor: PaperFloor) -> None:
    floor.feeds.prices.clear()
    floor.feeds.quotes("1.20000", simulated=True)
    placed = floor.trades("BUY_LIMIT", 0.1, price=1.09)
    floor.feeds.minute("1.20000", "1.20000", "1.20000", "1.20000", simulated=True)
    floor.feeds.minute("1.10000", "1.10000", "1.05000", "1.05000")  # of the real market
    assert floor.orders == [placed.order_id]
    floor.feeds.minute("1.10000", "1.10000", "1.05000", "1.05000", simulated=True)
    assert [one.simulated for one in floor.positions] == [True]


def test_a_position_of_a_simulated_market_that_has_ended_can_be_closed(floor: PaperFloor) -> None:
    floor.feeds.prices.clear()
    floor.feeds.quotes("1.20000", simulated=True)
    opened = floor.trades("BUY", 0.1)
    floor.feeds.now += 86_400
    assert floor.closes(opened.position_id).price == Decimal("1.19999")


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "more", "reason"),
    [
        ("BUY_LIMIT", {"price": 1.10005}, "price_side"),
        ("BUY_LIMIT", {"price": 1.2}, "price_side"),
        ("SELL_LIMIT", {"price": 1.09995}, "price_side"),
        ("BUY_STOP", {"price": 1.10005}, "price_side"),
        ("SELL_STOP", {"price": 1.1}, "price_side"),
        ("BUY", {"stop_loss": 1.10005}, "stop_side"),
        ("BUY", {"stop_loss": 1.2}, "stop_side"),
        ("SELL", {"stop_loss": 1.09}, "stop_side"),
        ("BUY", {"take_profit": 1.09}, "target_side"),
        ("SELL", {"take_profit": 1.2}, "target_side"),
        ("BUY_LIMIT", {"price": 1.09, "stop_loss": 1.095}, "stop_side"),
        ("SELL_STOP", {"price": 1.09, "take_profit": 1.095}, "target_side"),
    ],
)
def test_prices_on_the_wrong_side_are_refused(
    floor: PaperFloor, action: Mt4Action, more: dict[str, float], reason: str
) -> None:
    assert floor.refuses(action, 0.1, **more) == ("trade_refused", reason)


@pytest.mark.parametrize(
    ("volume", "more"),
    [
        (0, {}),
        (-0.1, {}),
        (0.005, {}),
        (0.015, {}),
        (float("nan"), {}),
        (float("inf"), {}),
        (100.01, {}),
        (10**400, {}),
        (0.1, {"price": 1.1}),
        (0.1, {"stop_loss": 0}),
        (0.1, {"stop_loss": -1.0}),
        (0.1, {"take_profit": float("nan")}),
        (0.1, {"take_profit": 1e300}),
        (0.1, {"stop_loss": 1.0800001}),
        (0.1, {"comment": "two\nlines"}),
    ],
)
def test_an_odd_order_is_refused(floor: PaperFloor, volume: float, more: dict[str, Any]) -> None:
    assert floor.refuses("BUY", volume, **more)[0] == "invalid_parameter"


def test_a_resting_order_needs_its_price(floor: PaperFloor) -> None:
    assert floor.refuses("BUY_LIMIT", 0.1)[0] == "invalid_parameter"


@pytest.mark.parametrize("symbol", ["EURUSDm", "EUR", "AAPL", "DELAYED:EURUSD_DL", "BTCUSDT", "..", "€URUSD"])
def test_a_symbol_that_names_nothing_for_certain_is_refused(floor: PaperFloor, symbol: str) -> None:
    assert floor.refuses("BUY", 0.1, symbol=symbol)[0] == "unknown_symbol"


@pytest.mark.parametrize("symbol", ["EURUSD", "eurusd", "EUR/USD", "OANDA:EURUSD"])
def test_a_symbol_may_be_spelled_as_platforms_do(floor: PaperFloor, symbol: str) -> None:
    floor.trades("BUY", 0.1, symbol=symbol)
    assert floor.positions[0].symbol == "EURUSD"


def test_more_than_the_margin_carries_is_refused_resting_orders_included(floor: PaperFloor) -> None:
    assert floor.refuses("BUY", 10.0) == ("trade_refused", "margin")
    floor.trades("BUY", 4.0)
    floor.trades("BUY_LIMIT", 4.0, price=1.09)
    assert floor.refuses("BUY", 2.0) == ("trade_refused", "margin")
    floor.trades("BUY", 1.0)


def test_without_a_fresh_price_nothing_is_traded_or_closed(floor: PaperFloor) -> None:
    opened = floor.trades("BUY", 0.1)
    floor.feeds.quotes("1.10000", age=121)
    assert floor.refuses("BUY") == floor.refused(floor.account.close(opened.position_id or "", None))
    assert floor.refuses("BUY")[0] == "no_price"
    floor.feeds.quotes("1.10000", age=-30)  # a clock that is ahead
    assert floor.refuses("BUY")[0] == "no_price"
    floor.feeds.prices.clear()
    assert floor.refuses("BUY")[0] == "no_price"
    assert floor.refused(floor.account.tick("EURUSD"))[0] == "no_price"
    [position] = floor.positions
    assert (position.current_price, position.profit) == (None, None)
    assert (floor.state.equity, floor.state.balance) == (None, BALANCE)


def test_while_feeds_is_away_what_is_stored_is_told_and_nothing_is_traded(floor: PaperFloor) -> None:
    floor.trades("BUY", 0.1)
    floor.feeds.is_away = True
    assert floor.refuses("BUY")[0] == "no_price"
    assert [one.profit for one in floor.positions] == [None]
    assert len(floor.deals) == 1
    floor.feeds.is_away = False
    assert [one.profit for one in floor.positions] == [Decimal("-1.00")]


def test_while_the_file_cannot_be_used_calls_are_refused_and_the_program_lives(tmp_path: Path) -> None:
    with PriceFeeds(NOON) as feeds:
        feeds.quotes("1.10000")
        floor = PaperFloor(tmp_path / "nowhere", feeds)
        (tmp_path / "nowhere").mkdir()
        floor.path.mkdir()
        with pytest.raises(ServiceRefused, match="cannot be stored") as refused:
            floor.trades("BUY")
        assert refused.value.code == "not_available"
        floor.path.rmdir()
        floor.trades("BUY")
        assert len(floor.positions) == 1
        floor.close()
