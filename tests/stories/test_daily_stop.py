"""The daily stop ends trading for the day after too large a loss (SPEC 5.6)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from services.engine.model.bridge_commands import ConfirmTransfer
from services.engine.model.commands import ConfigureDesk, TickClock
from services.engine.model.events import DailyStopTriggered, ExitLatched
from services.engine.model.proof_events import DailyStopAwaited, DailyStopNotConfirmed
from tests.support.narrow import known
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
    assert (trader.with_structure("green").gate_for("BUY") == "daily_stop") is stopped


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


def test_it_waits_once_behind_an_exit_all_that_is_tried_again() -> None:
    trader = Trader().broker_says(balance=50_000).is_long().broker_says(balance=49_000).later(2)
    trader.exits_all(force=True).rejected("halted").broker_says(balance=49_000)
    assert (trader.desk.day.is_stopped, trader.order) == (True, None)
    tried = trader.later(1).asks(TickClock())
    assert (tried.exit_source, known(tried.asset.due_exit).source) == ("exit_all", "daily_stop")
    latched = len(tried.told(ExitLatched))
    tried.asks(TickClock())  # at the same instant
    assert len(tried.told(ExitLatched)) == latched
    assert tried.filled_at(5200).order is None
    assert tried.replays_equal()


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
    assert trader.gate_for("BUY") == "risk"  # a cent is left
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


# -- one reading proves nothing -----------------------------------------------------------------------------------


def trader_at_risk(**settings: Any) -> Trader:
    """Return a trader long 5 from 5250 on a day that began with 50,000; every other gate of NQ is open."""
    trader = Trader(assets=("ES", "NQ"), candle_seconds=1, **settings).broker_says(balance=50_000)
    trader.is_long(5250, "ES", mode="RUNNER").later(5).with_structure("green", "NQ")
    return trader.turns_to("ES")


def test_a_first_reading_at_the_limit_closes_the_gate_and_flattens_nothing() -> None:
    trader = trader_at_risk().broker_says(balance=49_000)
    assert (trader.gate_for("BUY", "NQ"), trader.order, trader.desk.day.is_stopped) == ("daily_stop", None, False)
    assert "a second reading is awaited" in trader.enters("BUY", "NQ").refusal.sentence
    assert trader.preorders("BUY", "NQ").refused_by == "daily_stop"
    assert trader.restarts().gate_for("BUY", "NQ") == "daily_stop"
    assert trader.replays_equal()


def test_a_second_reading_within_two_seconds_is_not_a_second_one() -> None:
    trader = trader_at_risk().broker_says(balance=49_000).later(1.9).broker_says(balance=49_000)
    assert not trader.desk.day.is_stopped
    assert trader.later(0.1).broker_says(balance=49_000).desk.day.is_stopped


def test_the_same_message_again_is_not_a_second_one() -> None:
    trader = trader_at_risk().broker_says(balance=49_000)
    sent_at = trader.now
    trader.later(10).broker_says(balance=49_000, as_of=sent_at)
    assert not trader.desk.day.is_stopped


def test_a_second_reading_above_the_limit_opens_the_gate_again() -> None:
    trader = trader_at_risk().broker_says(balance=49_000).later(2).broker_says(balance=49_500)
    assert trader.gate_for("BUY", "NQ") == "risk"  # 500 USD are left, ES risks 375 of them
    assert [event.loss for event in trader.told(DailyStopAwaited)] == [1_000]
    assert len(trader.told(DailyStopNotConfirmed)) == 1
    assert not trader.later(2).broker_says(balance=49_000).desk.day.is_stopped  # the first one of a new pair
    assert trader.replays_equal()


def test_a_loss_that_the_brokers_figures_deny_closes_the_account_and_stops_no_day() -> None:
    trader = trader_at_risk()
    for _ in range(3):
        trader.later(2).broker_says(balance=47_000, realized=0)
    assert (trader.gate_for("BUY", "NQ"), trader.order, trader.alerts) == ("account", None, ["balance_suspect"])


@pytest.mark.parametrize(("realized", "stopped"), [(-750, True), (-749, False), (-1250, True), (-1334, False)])
def test_balance_and_figures_agree_within_a_quarter_of_the_larger_loss(realized: int, stopped: bool) -> None:
    trader = trader_at_risk().loses(49_000, realized=realized)
    assert trader.desk.day.is_stopped is stopped


def test_a_suspect_balance_that_the_figures_explain_well_enough_counts() -> None:
    trader = trader_at_risk().loses(40_000, realized=-9_000)
    assert trader.exit_source == "daily_stop"


def test_a_bridge_that_tells_no_figures_is_believed_with_the_desks_books() -> None:
    trader = trader_at_risk().hears(5210).broker_says(balance=49_000, realized=None)
    assert not trader.desk.day.is_stopped
    assert trader.later(2).broker_says(balance=49_000, realized=None).exit_source == "daily_stop"
    assert trader.replays_equal()


def test_a_bridge_that_tells_only_balance_and_open_pnl_stops_the_day_of_a_real_loss() -> None:
    trader = trader_at_risk().loses(48_950, realized=None, open_pnl=-1050)
    assert trader.desk.day.is_stopped


def test_a_balance_that_nothing_proves_stops_no_day_and_lets_nobody_enter() -> None:
    trader = trader_at_risk()
    for _ in range(5):
        trader.later(2).broker_says(balance=47_000, realized=None)
    assert (trader.desk.day.is_stopped, trader.gate_for("BUY", "NQ")) == (False, "daily_stop")


# -- the desk's own books ------------------------------------------------------------------------------------------


def test_with_a_silent_bridge_two_prices_stop_the_day() -> None:
    trader = trader_at_risk().later(61).hears(5210)  # 5 contracts, 40 points: 1,000 USD
    assert (trader.gate_for("BUY", "NQ"), trader.order) == ("daily_stop", None)
    assert trader.later(1.9).hears(5210).order is None
    assert trader.later(0.1).hears("5209.75").exit_source == "daily_stop"
    assert trader.replays_equal()


def test_one_price_stops_no_day() -> None:
    trader = trader_at_risk().goes_silent().later(61).hears(5210).later(2).ticks().later(60).ticks()
    assert (trader.order, trader.gate_for("BUY", "ES")) == (None, "daily_stop")
    trader.hears(5249)
    assert trader.desk.day.books.awaited is None


def test_a_fresh_balance_denies_a_loss_of_the_books() -> None:
    trader = trader_at_risk().hears(5210).later(3).hears(5210)
    assert (trader.desk.day.is_stopped, trader.gate_for("BUY", "NQ")) == (False, "risk")  # the worst of the ways counts
    trader.broker_says(balance=50_000)
    assert (trader.gate_for("BUY", "NQ"), trader.alerts) == ("account", ["balance_suspect"])
    assert trader.hears(5249).later(2).broker_says(balance=49_975).gate_for("BUY", "NQ") is None


def test_a_loss_that_nothing_but_the_clock_makes_count_replays_equal() -> None:
    trader = trader_at_risk().hears(5210).goes_silent().later(61).ticks()  # the balance that denied it grew old
    assert trader.gate_for("BUY", "ES") == "daily_stop"
    assert trader.replays_equal()


def test_a_balance_that_the_brokers_figures_explain_goes_on_denying_the_books() -> None:
    trader = Trader(candle_seconds=1, cooldown_seconds=0).with_structure("green").broker_says(50_000).is_long(5250)
    trader.later(3).bricks(6, "green").exits().filled_at(525)  # a tenth: the books lost 118,125 USD
    trader.bricks(6, "green")
    for _ in range(30):
        trader.later(4).broker_says(50_000)
    assert (trader.desk.day.is_stopped, trader.gate_for("BUY", override=True)) == (False, "account")
    assert trader.later(61).ticks().later(2).ticks().desk.day.is_stopped  # nothing denies the books any more
    assert trader.replays_equal()


def test_it_goes_on_denying_them_when_another_accounts_balance_comes_without_a_name() -> None:
    trader = Trader(candle_seconds=1, cooldown_seconds=0).with_structure("green").broker_says(50_000).is_long(5250)
    trader.later(3).bricks(6, "green").exits().filled_at(525).bricks(6, "green").later(61).broker_says(50_000)
    for _ in range(10):
        trader.later(4).broker_says(3_000, realized=0)
    assert (trader.desk.day.is_stopped, trader.gate_for("BUY", override=True)) == (False, "account")
    assert trader.later(21).ticks().later(2).ticks().desk.day.is_stopped  # 60 s after the last that denied them


def test_a_confirmed_payout_takes_what_was_denied_before_it_with_it() -> None:
    trader = Trader().broker_says(50_000).later(2).broker_says(50_000).later(2).broker_says(47_000, realized=0)
    assert trader.desk.live.beliefs.explained is not None
    trader.asks(ConfirmTransfer(Decimal(-3_000), "payout"))
    assert trader.desk.live.beliefs.explained is None


def test_losses_of_closed_trades_stop_the_day_without_any_snapshot() -> None:
    trader = Trader(candle_seconds=1, cooldown_seconds=0).is_long(5250).bricks(6, "green").exits().filled_at(5230)
    trader.later(2).is_long(5230).bricks(6, "green").exits().filled_at(5210)  # 1,000 USD of the assumed 50,000
    assert trader.gate_for("BUY") == "daily_stop"
    assert trader.later(2).ticks().desk.day.is_stopped
    assert trader.replays_equal()


def test_a_real_loss_stops_the_day_although_a_payout_was_confirmed() -> None:
    trader = Trader().broker_says(balance=50_000).later(2).broker_says(balance=47_000, realized=0)
    trader.asks(ConfirmTransfer(Decimal(-3_000), "payout")).is_long().later(2)
    assert trader.loses(46_060, realized=-940).exit_source == "daily_stop"


def test_an_adopted_position_brings_no_loss_from_before_into_the_books() -> None:
    trader = Trader().hears(5200).broker_says(position=5, avg_price=5300).later(2).broker_says(position=5)
    trader.broker_says(position=5, avg_price=5300).later(2).hears(5200).later(2).hears(5200)
    assert trader.position == 5
    assert not trader.desk.day.is_stopped
