"""A trading firm's rules: kept with a buffer, proven like the daily stop, never looser than without (SPEC 5.9)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from services.engine.model.commands import ConfigureDesk
from services.engine.model.events import DailyStopTriggered, LimitsChanged
from services.engine.model.firm import Firm, ScalingStep, TrailingDrawdown
from services.engine.model.proof_events import DailyStopAwaited
from services.engine.rules.contract_caps import caps_left
from services.engine.rules.firm_floor import floor_of, mark_of
from services.engine.rules.firm_limits import firm_contracts, firm_is_open, flat_after, left_of_firm
from services.engine.rules.limits import pending_limits
from tests.support.builders import CONTRACTS, new_york
from tests.support.narrow import known
from tests.support.trader import Trader


def firm(**rules: object) -> Firm:
    """Return a firm of an account of 50,000 USD with these rules only."""
    return Firm(**{"name": "example", "account": "50k", "start_balance": Decimal(50_000), **rules})  # type: ignore[arg-type]


def drawdown(follows: str = "end_of_day", stops_at: int | None = 0, amount: int = 2000) -> TrailingDrawdown:
    stop = None if stops_at is None else Decimal(stops_at)
    return TrailingDrawdown(Decimal(amount), follows, stop)  # type: ignore[arg-type]


def trader_of(rules: Firm | None, **settings: Any) -> Trader:
    """Return a trader whose own daily stop lies far away, so that the firm's limits are the nearest."""
    return Trader(firm=rules, daily_stop_limit_pct=Decimal(50), **settings)


def left(trader: Trader) -> Decimal | None:
    return left_of_firm(trader.desk, trader.now)


def configured(trader: Trader, rules: Firm | None) -> Trader:
    return trader.asks(ConfigureDesk(replace(trader.desk.configured, firm=rules)))


DAILY = firm(daily_loss=Decimal(1000))
TRAILING = firm(drawdown=drawdown())
LIVE_TRAILING = firm(drawdown=drawdown("real_time", 100))


# -- the daily loss ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("balance", "is_stopped"), [("49050.01", False), ("49050", True), ("49049.99", True)])
def test_the_day_ends_five_percent_before_the_firm_s_daily_loss(balance: str, is_stopped: bool) -> None:
    trader = trader_of(DAILY).broker_says(50_000).is_long().loses(balance)
    assert trader.desk.day.is_stopped is is_stopped
    assert trader.exit_source == ("daily_stop" if is_stopped else None)
    assert trader.replays_equal()


def test_one_reading_at_the_firm_s_limit_shuts_entries_and_flattens_nothing() -> None:
    trader = trader_of(DAILY).broker_says(50_000).is_long().broker_says(49_000)
    assert len(trader.told(DailyStopAwaited)) == 1
    assert (trader.desk.day.is_stopped, trader.exit_source) == (False, None)
    assert trader.gate_for("BUY", override=True) == "daily_stop"


def test_a_loss_that_the_broker_s_own_figures_deny_flattens_nothing() -> None:
    trader = trader_of(DAILY).broker_says(50_000).is_long().loses(49_000, realized=0)
    assert not trader.desk.day.is_stopped
    assert known(trader.desk.live.beliefs.suspicion).code in ("jump", "loss_denied")


def test_the_desk_s_books_alone_prove_it_while_the_bridge_is_silent() -> None:
    trader = trader_of(DAILY).broker_says(50_000).is_long(5250).loses_bridge().later(61)
    trader.hears("5212.1").later(2).hears("5212")  # 5 MES: 38 points are 950 USD
    assert not trader.desk.day.is_stopped
    trader.later(2).hears("5211.75")
    assert trader.desk.day.is_stopped


def test_the_sentence_names_the_firm_its_rule_and_the_buffer() -> None:
    trader = trader_of(DAILY).broker_says(50_000).loses(49_000)
    assert trader.told(DailyStopTriggered)[-1].reason == (
        "1000.00 USD lost, what example:50k leaves by its daily loss limit is 950.00 USD (less the buffer of 5%)"
    )
    assert trader.last_alert.code == "daily_stop"


def test_the_next_day_begins_anew() -> None:
    trader = trader_of(DAILY).broker_says(50_000).loses(49_000).at("18:00:00").broker_says(49_000)
    assert trader.with_structure("green").may_enter
    assert left(trader) == 950


def test_the_trader_s_own_stop_still_ends_the_day_first() -> None:
    trader = Trader(firm=DAILY, daily_stop_limit_pct=Decimal(1)).broker_says(50_000).loses(49_500)
    assert trader.told(DailyStopTriggered)[-1].reason == "drawdown 1.00% reached the 1% limit"


@pytest.mark.parametrize(("balance", "leaves"), [(50_000, 950), (50_400, 950), (49_600, 550), ("49050.01", "0.01")])
def test_what_the_firm_leaves(balance: object, leaves: object) -> None:
    assert left(trader_of(DAILY).broker_says(50_000).broker_says(balance)) == Decimal(str(leaves))


def test_what_the_firm_leaves_is_counted_by_the_worst_of_the_believed_ways() -> None:
    trader = trader_of(DAILY).broker_says(50_000).is_long(5250).hears(5240)  # 5 MES 10 points below: 250 USD
    assert left(trader) == 700


def test_without_a_firm_or_without_a_known_start_nothing_is_said() -> None:
    assert left(trader_of(None).broker_says(50_000)) is None
    assert left(trader_of(DAILY, env="LIVE", is_heard=False).loses_bridge()) is None
    assert left(trader_of(firm(flat_by="16:00")).broker_says(50_000)) is None


# -- the trailing drawdown, by the end of a day --------------------------------------------------------------------

# worked by hand: 2,000 below the highest balance at the end of a day, and no higher than the start balance
BY_END_OF_DAY = [  # the balances of a day, and the floor during the next one
    ((50_000, 50_500), 48_500),
    ((50_500, 50_000), 48_500),  # a lost day never lowers it
    ((50_000, 51_900, 50_900), 48_900),  # the highest within a day does not count, its end does
    ((50_900, 52_400), 50_000),  # 50,400 would be above the start balance: it stops there
    ((52_400, 60_000), 50_000),
    ((60_000, 51_000), 50_000),
]


def test_the_floor_by_the_end_of_each_day() -> None:
    trader = trader_of(TRAILING, on="2026-11-16").broker_says(50_000)
    assert floor_of(trader.desk, TRAILING) == 48_000
    days = ("2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-23")
    for day, (balances, floor) in zip(days, BY_END_OF_DAY, strict=True):
        trader.at("10:00", day)
        before = floor_of(trader.desk, TRAILING)
        for balance in balances:
            trader.later(60).broker_says(balance)
            assert floor_of(trader.desk, TRAILING) == before
        trader.at("18:00:00").ticks()
        assert floor_of(trader.desk, TRAILING) == floor
        trader.restarts()
    assert trader.replays_equal()


@pytest.mark.parametrize(("balance", "is_stopped"), [("48600.01", False), ("48600", True)])
def test_the_day_ends_five_percent_of_the_drawdown_above_the_floor(balance: str, is_stopped: bool) -> None:
    trader = trader_of(TRAILING).broker_says(50_000).broker_says(50_500).at("18:00:00").ticks()
    assert floor_of(trader.desk, TRAILING) == 48_500
    trader.broker_says(50_500).is_long(5250).loses(balance)
    assert trader.desk.day.is_stopped is is_stopped
    assert left(trader) == Decimal(balance) - 48_600
    assert trader.replays_equal()


def test_an_account_that_begins_below_the_floor_enters_nothing_and_is_not_flattened() -> None:
    trader = configured(trader_of(None).broker_says(48_050).is_long(5250), TRAILING).loses(48_040)
    assert (trader.desk.day.is_stopped, trader.exit_source) == (False, None)
    assert left(trader) == -60
    trader.exits(force=True).filled_at(5250).later(200).with_structure("green").enters("BUY", override=True)
    assert trader.refused_by == "daily_stop"
    assert trader.rungs["daily_stop"].code == "firm_limit"
    assert "example:50k leaves -60.00 USD" in known(trader.rungs["daily_stop"].sentence)


def test_a_floor_that_nobody_says_stops_never_stops() -> None:
    rules = firm(drawdown=drawdown(stops_at=None))
    trader = trader_of(rules).broker_says(50_000).broker_says(60_000).at("18:00:00").ticks()
    assert floor_of(trader.desk, rules) == 58_000


def test_a_first_balance_above_the_start_lifts_the_floor() -> None:
    trader = trader_of(TRAILING).broker_says(51_000)
    assert floor_of(trader.desk, TRAILING) == 49_000
    assert known(mark_of(trader.desk)).first == 51_000


def test_before_the_first_balance_the_floor_is_the_one_from_which_it_begins() -> None:
    trader = trader_of(TRAILING)
    assert mark_of(trader.desk) is None
    assert floor_of(trader.desk, TRAILING) == 48_000


# -- the trailing drawdown, in real time ---------------------------------------------------------------------------

# worked by hand: 2,000 below the highest balance of all, at most 100 above the start balance
IN_REAL_TIME = [
    (50_000, 48_000),
    (50_800, 48_800),  # open profit counts
    (50_200, 48_800),
    (52_050, 50_050),
    (52_100, 50_100),
    (55_000, 50_100),
    (50_900, 50_100),
]


def test_the_floor_by_every_balance() -> None:
    trader = trader_of(LIVE_TRAILING)
    for balance, floor in IN_REAL_TIME:
        trader.later(60).broker_says(balance)
        assert floor_of(trader.desk, LIVE_TRAILING) == floor
    trader.restarts().at("18:00:00").ticks()
    assert floor_of(trader.desk, LIVE_TRAILING) == 50_100
    assert trader.replays_equal()


def test_prices_between_two_balances_lift_the_floor_too() -> None:
    trader = trader_of(LIVE_TRAILING).broker_says(50_000).is_long(5250).hears(5260).hears(5252)
    assert floor_of(trader.desk, LIVE_TRAILING) == 48_250  # 5 MES: 10 points are 250 USD


@pytest.mark.parametrize(("balance", "is_stopped"), [("50200.01", False), ("50200", True)])
def test_profit_given_back_ends_the_day_although_the_day_won(balance: str, is_stopped: bool) -> None:
    trader = trader_of(LIVE_TRAILING).broker_says(50_000).is_long(5250)
    for step in (51_000, 52_100, 51_500):
        trader.later(5).broker_says(step)
    trader.loses(balance)
    assert floor_of(trader.desk, LIVE_TRAILING) == 50_100
    assert trader.desk.day.is_stopped is is_stopped
    if is_stopped:
        assert "1900.00 USD lost from the day's highest" in known(trader.desk.day.daily_stop_reason)
    assert trader.replays_equal()


def test_each_account_and_environment_has_its_own_highest_balance() -> None:
    trader = trader_of(LIVE_TRAILING).hears_bridge(account="demo-1").broker_says(51_000, account="demo-1")
    trader.switches_to("LIVE").broker_says(50_000, env="LIVE", account="live-1")
    assert floor_of(trader.desk, LIVE_TRAILING) == 48_000
    trader.switches_to("DEMO")
    assert floor_of(trader.desk, LIVE_TRAILING) == 49_000


def test_an_account_that_gets_a_name_keeps_its_highest_balance() -> None:
    trader = trader_of(LIVE_TRAILING).broker_says(51_000).broker_says(50_500, account="demo-1")
    assert floor_of(trader.desk, LIVE_TRAILING) == 49_000
    assert list(trader.desk.live.firm_marks) == ["DEMO demo-1"]


def test_the_best_day_is_that_of_whole_days() -> None:
    trader = trader_of(TRAILING).broker_says(50_000).broker_says(50_700).at("18:00:00").ticks()
    trader.broker_says(50_700).broker_says(51_000).at("18:00:00", "2026-11-18").ticks()
    mark = known(mark_of(trader.desk))
    assert mark.best_day == 700
    assert mark.closed == 51_000


# -- contracts -----------------------------------------------------------------------------------------------------

PLAN = tuple(ScalingStep(Decimal(profit), Decimal(count)) for profit, count in ((0, 2), (1500, 3), (2000, 5)))


@pytest.mark.parametrize(
    ("start", "now", "contracts"),
    [
        (50_000, 50_000, 2),
        (51_500, 51_500, 2),  # above 1,500, not at it
        ("51500.01", "51500.01", 3),
        (52_001, 52_001, 5),
        (50_000, 50_220, 2),  # a profit of today counts from tomorrow on
        (52_001, 51_900, 3),  # a loss of today counts at once
        (49_000, 49_000, 2),
    ],
)
def test_the_scaling_plan(start: object, now: object, contracts: int) -> None:
    trader = trader_of(firm(scaling=PLAN)).broker_says(start).broker_says(now)
    assert firm_contracts(trader.desk, trader.now) == contracts


def test_an_unknown_profit_leaves_the_plan_s_first_step() -> None:
    unknown = trader_of(firm(scaling=PLAN))
    assert firm_contracts(unknown.desk, unknown.now) == 2
    nowhere = trader_of(replace(firm(scaling=PLAN), start_balance=None)).broker_says(60_000)
    assert firm_contracts(nowhere.desk, nowhere.now) == 2


def room(trader: Trader) -> int:
    """Return how many contracts of the asset in hand the firm still allows."""
    caps = caps_left(trader.desk, trader.asset.symbol, trader.asset.contract, trader.now)
    return next(cap.fits for cap in caps if cap.cap == "firm")


def test_a_firm_that_counts_micros_whole_allows_as_many_micros_as_contracts() -> None:
    assert room(trader_of(firm(scaling=PLAN, micros_count_full=True))) == 2
    assert room(trader_of(firm(scaling=PLAN))) == 20


def test_micros_that_are_held_count_whole_when_the_desk_trades_full_contracts_by_now() -> None:
    five = (ScalingStep(Decimal(0), Decimal(5)),)
    trader = Trader(assets=("ES", "NQ"), firm=firm(scaling=five, micros_count_full=True)).is_long(5250, "ES")
    full = replace(CONTRACTS["NQ"], symbol="NQZ6", point_value=Decimal(20))
    trader.restarts(contracts={"ES": CONTRACTS["ES"], "NQ": full}).at("18:00:00").turns_to("NQ")
    assert (trader.asset.contract.symbol, room(trader)) == ("NQZ6", 0)


def test_a_high_that_was_made_while_no_firm_was_named_counts() -> None:
    trailing = firm(drawdown=drawdown("real_time"))
    trader = trader_of(trailing).broker_says(50_000)
    trader.restarts(firm=None).at("18:00:01").ticks().later(2).broker_says(50_300).later(2).broker_says(50_300)
    trader.restarts(firm=trailing)
    assert max(mark.highest for mark in trader.desk.live.firm_marks.values()) == 50_300


def test_without_a_plan_no_contracts_are_limited() -> None:
    trader = trader_of(None)
    assert firm_contracts(trader.desk, trader.now) is None
    assert firm_contracts(trader_of(DAILY).desk, trader.now) is None


# -- the flat time -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-11-17 16:09:59", None),
        ("2026-11-17 16:10:00", "2026-11-17 18:00"),
        ("2026-11-17 17:59:59", "2026-11-17 18:00"),
        ("2026-11-17 18:00:00", None),
        ("2026-11-20 16:10:00", "2026-11-22 18:00"),  # Friday
        ("2026-11-20 20:00:00", "2026-11-22 18:00"),
        ("2026-11-21 12:00:00", "2026-11-22 18:00"),
        ("2026-11-22 17:59:59", "2026-11-22 18:00"),
        ("2026-11-22 18:00:00", None),
    ],
)
def test_no_entry_from_the_flat_time_until_the_firm_opens_again(at: str, opens: str | None) -> None:
    trader = trader_of(firm(flat_by="16:10", opens_at="18:00"))
    verdict = firm_is_open(trader.desk, trader.asset, new_york(*at.split()))
    assert verdict.reopens_at == (None if opens is None else new_york(*opens.split()))
    assert verdict.is_open is (opens is None)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-11-17 15:59:59", None),
        ("2026-11-17 16:00:00", "2026-11-18 09:30"),
        ("2026-11-18 09:29:59", "2026-11-18 09:30"),
        ("2026-11-20 16:00:00", "2026-11-23 09:30"),
        ("2026-11-22 20:00:00", "2026-11-23 09:30"),
    ],
)
def test_a_firm_that_opens_in_the_morning(at: str, opens: str | None) -> None:
    trader = trader_of(firm(flat_by="16:00", opens_at="09:30"))
    verdict = firm_is_open(trader.desk, None, new_york(*at.split()))
    assert verdict.reopens_at == (None if opens is None else new_york(*opens.split()))


@pytest.mark.parametrize(
    ("at", "flat"),
    [
        ("2026-11-17 16:09:59", "2026-11-17 16:10"),
        ("2026-11-17 16:10:00", "2026-11-18 16:10"),
        ("2026-11-20 17:00:00", "2026-11-23 16:10"),
        ("2026-11-22 20:00:00", "2026-11-23 16:10"),
    ],
)
def test_the_next_flat_time(at: str, flat: str) -> None:
    assert flat_after(firm(flat_by="16:10"), new_york(*at.split())) == new_york(*flat.split())


# -- what is tightened at once, and what waits ---------------------------------------------------------------------


def test_a_firm_holds_at_once() -> None:
    trader = configured(trader_of(None).broker_says(50_000), DAILY)
    assert trader.desk.rules.firm == DAILY
    assert trader.told(LimitsChanged)[-1].now == {"firm": "example:50k"}
    assert trader.loses(49_000).desk.day.is_stopped
    assert trader.replays_equal()


def test_a_firm_that_is_taken_away_holds_until_the_next_trading_day() -> None:
    trader = configured(trader_of(DAILY).broker_says(50_000), None)
    assert trader.desk.rules.firm == DAILY
    assert pending_limits(trader.desk) == {"firm": "none"}
    assert trader.at("17:59:59").ticks().desk.rules.firm == DAILY
    assert trader.at("18:00:00").ticks().desk.rules.firm is None
    assert trader.replays_equal()


TIGHTER = [
    (DAILY, {"daily_loss": Decimal(900)}),
    (DAILY, {"drawdown": drawdown()}),
    (TRAILING, {"drawdown": drawdown(amount=1500)}),
    (TRAILING, {"drawdown": drawdown("real_time")}),
    (TRAILING, {"drawdown": drawdown(stops_at=100)}),
    (TRAILING, {"drawdown": drawdown(stops_at=None)}),
    (firm(scaling=PLAN), {"scaling": PLAN[:2]}),
    (firm(scaling=PLAN), {"micros_count_full": True}),
    (firm(flat_by="16:59", opens_at="18:00"), {"flat_by": "16:10"}),
    (firm(flat_by="16:59", opens_at="18:00"), {"opens_at": "18:30"}),
    (firm(consistency_pct=Decimal(50)), {"consistency_pct": Decimal(40)}),
]


@pytest.mark.parametrize(("rules", "change"), TIGHTER)
def test_tighter_rules_hold_at_once_and_looser_ones_tomorrow(rules: Firm, change: dict[str, object]) -> None:
    tighter = replace(rules, **change)
    assert configured(trader_of(rules), tighter).desk.rules.firm == tighter
    trader = configured(trader_of(tighter), rules)
    assert trader.desk.rules.firm == tighter
    assert trader.at("18:00:00").ticks().desk.rules.firm == rules


def test_of_two_firms_the_tighter_of_each_rule_holds_today() -> None:
    other = Firm("other", "50k", Decimal(50_000), daily_loss=Decimal(1500), drawdown=drawdown())
    trader = configured(trader_of(DAILY), other)
    today = known(trader.desk.rules.firm)
    assert (today.title, today.drawdown) == ("example:50k", drawdown())
    assert today.daily_loss == 1000
    assert pending_limits(trader.desk) == {"firm": "other:50k"}
    assert trader.at("18:00:00").ticks().desk.rules.firm == other


def test_drawdowns_of_other_start_balances_are_not_compared() -> None:
    smaller = Firm("other", "25k", Decimal(25_000), drawdown=drawdown(amount=1500))
    trader = configured(trader_of(TRAILING), smaller)
    assert known(trader.desk.rules.firm).drawdown == drawdown()
    assert known(trader.desk.rules.firm).start_balance == 50_000


def test_a_larger_buffer_holds_at_once() -> None:
    trader = trader_of(DAILY).broker_says(50_000).limits(firm_buffer_pct=20)
    assert left(trader) == 800
    assert trader.loses(49_200).desk.day.is_stopped


def test_an_earlier_generation_keeps_no_firm_s_rules() -> None:
    trader = trader_of(DAILY, generation=4).broker_says(50_000).loses(48_000)
    assert not trader.desk.day.is_stopped
    assert (left(trader), trader.desk.live.firm_marks) == (None, {})
