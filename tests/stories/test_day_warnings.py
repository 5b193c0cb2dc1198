"""Warnings at 50, 70 and 85 percent of the daily stop (SPEC 5.6), and trades taken by hand (SPEC 5.5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.engine.model.events import DayWarned, TradeConsumed
from tests.support.trader import Trader


def marks(trader: Trader) -> list[int]:
    return [event.mark_pct for event in trader.told(DayWarned)]


def trader_on_a_day(**settings: Any) -> Trader:
    return Trader(**settings).broker_says(balance=50_000)


@pytest.mark.parametrize(
    ("balance", "told"),
    [
        ("49500.01", []),
        ("49500.00", [50]),
        ("49300.01", [50]),
        ("49300.00", [70]),
        ("49150.01", [70]),
        ("49150.00", [85]),
        ("49000.01", [85]),
        ("49000.00", []),
        ("51000.00", []),
    ],
)
def test_a_jump_warns_only_of_the_highest_mark(balance: str, told: list[Any]) -> None:
    trader = trader_on_a_day().loses(balance)
    assert marks(trader) == told
    assert trader.alerts == ["daily_warning"] * len(told) + ["daily_stop"] * (balance == "49000.00")


def test_a_slow_fall_warns_of_each_mark_once() -> None:
    trader = trader_on_a_day()
    for balance in (49_499, 49_498, 49_299, 49_298, 49_149, 49_148, 49_001):
        trader.broker_says(balance=balance)
    assert marks(trader) == [50, 70, 85]
    assert [alert.level for alert in trader.desk.alerts] == ["warning"] * 3
    assert "85 % OF THE DAILY STOP — drawdown 1.70% of 2%" in trader.last_alert.sentence
    assert trader.replays_equal()


def test_a_recovery_does_not_repeat_the_warning() -> None:
    trader = trader_on_a_day().broker_says(balance=49_300).broker_says(balance=51_000).broker_says(balance=49_300)
    assert marks(trader) == [70]
    assert marks(trader.broker_says(balance=49_500)) == [70]
    assert marks(trader.broker_says(balance=49_150)) == [70, 85]


def test_a_restart_does_not_repeat_it() -> None:
    assert marks(trader_on_a_day().broker_says(balance=49_300).restarts().broker_says(balance=49_290)) == [70]


def test_the_next_day_warns_again() -> None:
    trader = trader_on_a_day().broker_says(balance=49_300).at("18:00:00").broker_says(balance=49_300)
    assert marks(trader) == [70]
    assert marks(trader.broker_says(balance="48807.00")) == [70, 50]


def test_the_marks_follow_the_limit() -> None:
    trader = trader_on_a_day(daily_stop_limit_pct=Decimal(1)).broker_says(balance="49750.01")
    assert marks(trader) == []
    assert marks(trader.broker_says(balance=49_750)) == [50]


def test_a_triggered_stop_warns_of_no_mark() -> None:
    assert marks(trader_on_a_day().loses(48_000).broker_says(balance=49_100)) == []


# -- a trade taken by hand (SPEC 5.5) -------------------------------------------------------------------------


def test_a_trade_taken_by_hand_counts() -> None:
    trader = Trader(max_trades_per_day=2).consumes_trade()
    assert trader.desk.day.trades_taken == 1
    assert trader.with_structure("green").gate_for("BUY") is None
    assert trader.consumes_trade().gate_for("BUY") == "trade_limit"
    assert [event.taken for event in trader.told(TradeConsumed)] == [1, 2]
    assert trader.replays_equal()


def test_no_trade_can_be_taken_by_hand_beyond_the_limit() -> None:
    trader = Trader(max_trades_per_day=1).consumes_trade().consumes_trade()
    assert trader.refused_by == "no_trade_left"
    assert trader.refusal.sentence == "TRADE LIMIT REACHED — 1 of 1 trades taken today"
    assert trader.desk.day.trades_taken == 1


def test_the_next_day_has_all_trades_again() -> None:
    trader = Trader(max_trades_per_day=1).consumes_trade().at("17:59:59.999999").consumes_trade()
    assert trader.refused_by == "no_trade_left"
    assert trader.at("18:00:00").consumes_trade().refused_by is None


def test_a_trade_taken_by_hand_does_not_end_an_open_trade() -> None:
    trader = Trader(max_trades_per_day=1).with_structure("green").enters("BUY").claims().consumes_trade()
    assert trader.filled_at(5250).position == 5
    assert trader.desk.day.trades_taken == 2
