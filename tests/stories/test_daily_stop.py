"""The daily stop ends trading for the day after too large a loss (SPEC 5.6)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from services.engine.model.commands import ConfigureDesk
from services.engine.model.events import DailyStopTriggered
from tests.support.trader import Trader


@pytest.mark.parametrize(
    ("start", "balance", "limit", "stopped"),
    [
        (50_000, "49000.01", 2, False),
        (50_000, "49000.00", 2, True),
        (50_000, "48999.99", 2, True),
        ("33333.33", "32666.67", 2, False),
        ("33333.33", "32666.66", 2, True),
        (100_000, "99250.01", "0.75", False),
        (100_000, "99250.00", "0.75", True),
        (50_000, 60_000, 2, False),
    ],
)
def test_it_triggers_at_exactly_the_limit(
    start: int | str, balance: str | int, limit: int | str, stopped: bool
) -> None:
    trader = Trader(daily_stop_limit_pct=Decimal(str(limit))).broker_says(balance=start).loses(balance)
    assert trader.desk.day.is_stopped is stopped
    assert trader.with_structure("green").gate_for("BUY") == ("daily_stop" if stopped else None)


def test_the_first_balance_of_the_day_is_its_start() -> None:
    trader = Trader().broker_says().broker_says(balance=50_000).broker_says(balance=51_000).broker_says(balance=49_500)
    assert trader.desk.day.start_equity == 50_000
    assert not trader.desk.day.is_stopped


@pytest.mark.parametrize("balance", [0, -100])
def test_an_empty_account_starts_no_day(balance: int) -> None:
    trader = Trader().broker_says(balance=balance)
    assert trader.desk.day.start_equity is None
    assert not trader.desk.day.is_stopped


def test_it_flattens_open_positions_and_raises_an_alert() -> None:
    trader = Trader().broker_says(balance=50_000).is_long().loses(49_000)
    assert trader.exit_source == "daily_stop"
    assert trader.alerts == ["daily_stop"]
    trader.filled_at(5200)
    assert trader.trades[-1].reason == "daily_stop"
    assert trader.replays_equal()


def stopped_trader() -> Trader:
    return Trader().broker_says(balance=50_000).loses(49_000).with_structure("green")


@pytest.mark.parametrize(
    "nothing",
    [
        lambda trader: trader.broker_says(balance=60_000),
        lambda trader: trader.broker_says(balance=40_000),
        lambda trader: trader.restarts(),
        lambda trader: trader.at("17:59:59.999999"),
        lambda trader: trader.bricks(6, "green").bricks(8, "green"),
        lambda trader: trader.enters("BUY"),
        lambda trader: trader.hears_bridge(),
        lambda trader: trader.exits_all(force=True),
    ],
)
def test_nothing_but_the_next_trading_day_lifts_it(nothing: Callable[..., Any]) -> None:
    trader = stopped_trader()
    nothing(trader)
    assert trader.gate_for("BUY", override=True) == "daily_stop"
    assert len(trader.told(DailyStopTriggered)) == 1


def test_the_next_trading_day_lifts_it_and_starts_with_its_own_equity() -> None:
    trader = stopped_trader().restarts().at("18:00:00")
    assert trader.gate_for("BUY") is None
    assert trader.ticks().desk.day.start_equity is None
    trader.broker_says(balance=49_000).broker_says(balance="48020.01")
    assert trader.gate_for("BUY") is None
    assert trader.loses("48020.00").gate_for("BUY") == "daily_stop"
    assert trader.replays_equal()


def test_it_shows_when_it_ends() -> None:
    trader = stopped_trader().at("12:00:00").enters("BUY")
    assert trader.refusal.retry_after_s == 6 * 3600
    assert trader.refusal.sentence == "DAILY STOP ACTIVE — drawdown 2.00% reached the 2% limit"


def test_on_friday_it_lasts_until_friday_evening() -> None:
    trader = Trader(on="2026-11-20").broker_says(balance=50_000).loses(49_000).with_structure("green")
    assert trader.at("17:59:59").gate_for("BUY") == "daily_stop"
    assert trader.at("18:00:00").gate_for("BUY") is None


def test_a_lowered_limit_applies_at_once() -> None:
    trader = Trader().broker_says(balance=50_000).is_long().broker_says(balance=49_500)
    trader.asks(ConfigureDesk(replace(trader.desk.rules, daily_stop_limit_pct=Decimal(1))))
    assert trader.gate_for("BUY") == "daily_stop"
    assert trader.later(2).broker_says(balance=49_500).exit_source == "daily_stop"


@pytest.mark.parametrize("is_claimed", [False, True])
def test_a_lowered_limit_cancels_the_pending_entry(is_claimed: bool) -> None:
    trader = Trader().broker_says(balance=50_000).broker_says(balance=49_500).with_structure("green").enters("BUY")
    if is_claimed:
        trader.claims()
    trader.asks(ConfigureDesk(replace(trader.desk.rules, daily_stop_limit_pct=Decimal(1))))
    trader.later(2).broker_says(balance=49_500).ticks()
    if is_claimed:
        assert trader.filled_at(5250).exit_source == "daily_stop"
    assert trader.order is None or trader.order.kind == "EXIT"


def test_a_position_adopted_after_the_stop_is_exited() -> None:
    trader = stopped_trader().hears(5250).broker_says(position=5).later(2).broker_says(position=5)
    assert trader.exit_source == "daily_stop"
