"""A fill at a price that would be suspect as a price is booked as told, and believed by nobody yet (SPEC 8.3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.engine.model.bridge_commands import BookFills, Execution, ResolveOrder
from services.engine.model.order import Order
from services.engine.model.proof_events import FillPriceDoubted, FillPriceProven
from services.engine.rules.alert_times import NO_ENDS, is_over
from services.engine.rules.beliefs import day_result
from tests.support.narrow import known
from tests.support.trader import Trader


def long_at(price: object, last: object = 5250) -> Trader:
    """Return a trader whose entry of 5 MES was filled at ``price`` while the market was at ``last``."""
    return Trader().hears(last).is_long(price)


def left_at(price: object, last: object = 5250) -> Trader:
    return Trader().hears(5250).is_long(5250).bricks(6, "green").hears(last).exits().filled_at(price)


def is_doubted(trader: Trader) -> bool:
    return bool(trader.asset.suspect_fills)


def result(trader: Trader) -> float:
    return float(day_result(trader.desk).books)


# -- what it is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "suspect"), [("5250.25", False), (5290, False), (5210, False), ("5290.25", True), (52_500, True)]
)
def test_a_fill_further_from_the_last_price_than_a_price_may_jump_is_suspect(price: object, suspect: bool) -> None:
    trader = long_at(price)
    assert is_doubted(trader) == suspect
    assert trader.alerts == (["fill_price_suspect"] if suspect else [])
    assert trader.trade.entry_price == Decimal(str(price))  # booked as told
    assert trader.replays_equal()


def test_a_fill_without_a_price_of_the_market_to_judge_it_by_is_believed() -> None:
    assert not is_doubted(Trader().is_long(52_500))


@pytest.mark.parametrize("price", [-1, -5250])
def test_a_price_at_which_the_market_cannot_trade_is_unknown(price: int) -> None:
    trader = long_at(price)
    assert (trader.trade.entry_price, trader.trade.unpriced) == (Decimal(5250), True)
    assert trader.alerts == ["fill_without_price"]


# -- what it may not do -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [525, 5200])
def test_no_target_fires_by_a_suspect_entry(entry: object) -> None:
    trader = long_at(entry).later(2).hears(5250)
    assert (trader.order, trader.asset.live.open_points) == (None, None)
    trader.later(2).broker_says(open_pnl=0)
    assert trader.order is None


def test_protect_does_not_fire_by_it_either() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY", mode="RUNNER").filled_at(5295)
    trader.bricks(6, "green").unlocks_management().protects("-2").later(2).hears(5250)
    assert trader.order is None


def test_what_protects_does_not_wait() -> None:
    assert long_at(52_500).later(2).brick_against(8).exit_source == "structure"
    assert long_at(52_500).later(2).touches_level().exit_source == "level"


@pytest.mark.parametrize("price", [52_500, 5295])
def test_the_last_price_counts_in_the_books_instead(price: object) -> None:
    trader = long_at(price).later(2).hears(5248)
    assert result(trader) == -50
    assert not trader.later(2).hears(5246).desk.day.is_stopped


def test_a_suspect_exit_counts_at_the_last_price_too() -> None:
    trader = left_at(525)
    assert float(trader.trades[-1].pnl_usd) == -118_125  # the journal has what was told
    assert result(trader) == 0
    assert not trader.later(2).ticks().later(2).ticks().desk.day.is_stopped


def test_a_scale_in_at_a_suspect_price_doubts_the_points_of_the_trade() -> None:
    trader = long_at(5250).hears(5250).bricks(6, "green").scales_in().filled_at(525).later(2).hears(5250)
    assert (trader.order, trader.asset.live.open_points, result(trader)) == (None, None, 0)


@pytest.mark.parametrize("kind", ["STOP", "MANUAL"])
def test_a_fill_at_the_broker_is_judged_alike(kind: Any) -> None:
    trader = long_at(5250).later(2)
    fill = Execution("x", trader.now, "MESZ6", "SELL", 5, Decimal(525), kind, asset="ES")
    trader.asks(BookFills("DEMO", "A1", "ledger of bridge", (fill,)))
    assert (is_doubted(trader), result(trader)) == (True, 0)


def test_a_last_fill_that_a_snapshot_tells_is_judged_alike() -> None:
    trader = long_at(5250)
    for _ in range(2):
        trader.later(3).broker_says(position=0, last_fill_price=52_500)
    assert (trader.position, is_doubted(trader), result(trader)) == (0, True, 0)


def test_a_late_fill_is_judged_alike() -> None:
    trader = Trader().hears(5250).with_structure("green").enters("BUY").claims()
    order = trader.open_order
    trader.reports("CANCELLED").later(1).reports("FILLED", 525, order, qty=5, exec_id="late")
    trader.later(2).hears(5250)
    assert (trader.position, is_doubted(trader), result(trader)) == (5, True, 0)


# -- what proves it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("price", [5295, 5285, 5310])
def test_a_later_price_near_it_or_beyond_proves_it(price: object) -> None:
    trader = long_at(5300).later(2).hears(price)
    assert not is_doubted(trader)
    assert trader.told(FillPriceProven)[-1].by == "price"
    assert is_over(trader.last_alert, trader.desk, NO_ENDS)
    assert trader.replays_equal()


def test_another_price_does_not() -> None:
    trader = long_at(5300).later(2).hears(5251)
    assert is_doubted(trader)
    assert not is_over(trader.last_alert, trader.desk, NO_ENDS)


def test_a_good_price_since_the_fill_denies_it_to_a_suspect_price() -> None:
    trader = long_at(52_500).later(2).hears(5251).later(2).hears(52_510)
    assert (is_doubted(trader), trader.order) == (True, None)
    assert is_doubted(trader.later(2).hears(5252))
    trader.later(2).hears(52_510).later(2).hears(52_520)  # the second price is a good one: the market is there
    assert not is_doubted(trader)


def test_a_suspect_price_that_comes_right_after_the_fill_proves_it() -> None:
    assert not is_doubted(long_at(5300).later(2).hears(5301))


def test_once_it_is_proven_its_points_and_its_books_count() -> None:
    trader = long_at(5300).later(2).hears(5290).later(2).hears(5290)
    assert (trader.asset.live.open_points, result(trader)) == (Decimal(-10), -250)


def test_the_brokers_average_that_agrees_proves_it() -> None:
    trader = long_at(5300).later(3).broker_says(avg_price=5300)
    assert (is_doubted(trader), trader.trade.entry_price) == (False, Decimal(5300))
    assert trader.told(FillPriceProven)[-1].by == "average"


def test_the_brokers_average_that_contradicts_it_corrects_it() -> None:
    trader = long_at(52_500).later(3).broker_says(avg_price="5250.25")
    assert (is_doubted(trader), trader.trade.entry_price) == (False, Decimal("5250.25"))
    assert trader.told(FillPriceProven)[-1].by == "correction"
    trader.later(2).hears(5252)
    assert (trader.asset.live.open_points, result(trader)) == (Decimal("1.75"), 43.75)
    assert trader.replays_equal()


@pytest.mark.parametrize(("open_pnl", "proven"), [(-1_250, True), (0, False), (None, False)])
def test_the_brokers_open_pnl_that_fits_it_proves_it(open_pnl: int | None, proven: bool) -> None:
    trader = long_at(5300).later(3).broker_says(open_pnl=open_pnl)
    assert is_doubted(trader) != proven


@pytest.mark.parametrize(("balance", "proven"), [(51_250, True), (50_000, False)])
def test_a_balance_that_it_explains_proves_an_exit(balance: int, proven: bool) -> None:
    trader = Trader().broker_says(50_000, realized=None).hears(5250).is_long(5250).bricks(6, "green")
    trader.later(3).broker_says(50_000, realized=None).exits().filled_at(5300)
    trader.later(3).broker_says(balance, realized=None)
    assert is_doubted(trader) != proven
    assert trader.alerts == ["fill_price_suspect"]
    assert result(trader) == (1_250 if proven else 0)


def test_two_prices_whose_errors_cancel_each_other_are_not_proven_by_the_balance() -> None:
    trader = Trader(candle_seconds=1, cooldown_seconds=0).broker_says(50_000, realized=None).hears(5250)
    trader.is_long(52_500).bricks(6, "green").later(3).exits().filled_at(52_510)
    trader.later(3).broker_says(50_050, realized=None)
    assert (len(trader.asset.suspect_fills), result(trader)) == (2, 0)
    assert trader.told(FillPriceProven) == []


def resolve(trader: Trader, order: Order, outcome: Any, price: object = None) -> Trader:
    told = None if price is None else Decimal(str(price))
    return trader.asks(ResolveOrder(order.id, outcome, "the platform shows it", price=told))


@pytest.mark.parametrize("price", [None, 5300])
def test_the_operator_confirms_it(price: object) -> None:
    trader = left_at(5300)
    order = next(order for decision in trader.decisions for order in decision.orders if order.kind == "EXIT")
    assert resolve(trader, order, "not_filled").refused_by == "report_invalid"
    assert resolve(trader, order, "filled", 5250).refused_by == "report_invalid"
    assert resolve(trader, order, "filled", price).refused_by is None
    assert (is_doubted(trader), result(trader)) == (False, 1_250)
    assert trader.told(FillPriceProven)[-1].by == "operator"
    assert trader.replays_equal()


def test_the_next_day_begins_without_it() -> None:
    trader = left_at(525).at("18:00:00").ticks()
    assert (is_doubted(trader), result(trader)) == (False, 0)
    assert is_over(trader.last_alert, trader.desk, NO_ENDS)


def test_an_open_trade_stays_doubted_over_the_roll_and_is_worth_nothing_in_the_new_days_books() -> None:
    trader = long_at(52_500).later(2).hears(5250).at("18:00:00").ticks()
    assert (is_doubted(trader), result(trader)) == (True, 0)
    trader.hears(5248)
    assert result(trader) == -50


def test_it_is_doubted_over_a_restart() -> None:
    trader = long_at(52_500).restarts()
    assert known(trader.asset.suspect_fills[0].order_id) == trader.told(FillPriceDoubted)[0].order_id
