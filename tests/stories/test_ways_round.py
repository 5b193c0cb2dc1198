"""Ways round the limits that a trader might try: each was open once (SPEC 5.8, 5.9, 6.2, 8.4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.engine.model.bridge_commands import BrokerPosition, ResolveOrder, TakeSnapshot
from services.engine.model.evidence import RestingStop
from services.engine.model.firm import Firm, TrailingDrawdown
from services.engine.rules.day_left import left_of_day
from services.engine.rules.limits import pending_limits
from services.engine.rules.risk import open_risk
from tests.support.builders import CONTRACTS
from tests.support.trader import Trader
from wire.types import Env

FLAT = BrokerPosition("MNQZ6", 0)
HELD = BrokerPosition("MESZ6", 5)


def test_taking_an_asset_away_makes_no_money_of_what_awaits_proof() -> None:
    trader = Trader(assets=("ES", "NQ")).is_long(5250).hears(5250).bricks(6, "green").exits().claims().later(60).ticks()
    trader.hears(5250).asks(ResolveOrder(trader.open_order.id, "filled", "the broker's page", None, Decimal(5289)))
    assert left_of_day(trader.desk, trader.now).usd == 1000
    trader.restarts(contracts={"NQ": CONTRACTS["NQ"]})
    assert "ES" in trader.desk.assets
    assert left_of_day(trader.desk, trader.now).usd == 1000
    assert trader.replays_equal()


def test_an_order_that_ended_today_still_has_an_asset_for_its_late_fill() -> None:
    trader = Trader(assets=("ES", "NQ")).hears(5250).with_structure("green").enters("BUY").claims()
    order = trader.open_order
    trader.reports("CANCELLED", order=order).restarts(contracts={"NQ": CONTRACTS["NQ"]})
    trader.reports("FILLED", 5250, order, qty=5, exec_id="late")
    assert trader.position == 5


def test_more_equity_in_demo_waits_and_less_holds_at_once() -> None:
    trader = Trader(weekly_loss_pct=Decimal(1)).with_structure("green").restarts(demo_equity=Decimal(1_000_000))
    assert left_of_day(trader.desk, trader.now).usd == 500
    assert pending_limits(trader.desk) == {"demo_equity": Decimal(1_000_000)}
    trader.restarts(demo_equity=Decimal(20_000))
    assert left_of_day(trader.desk, trader.now).usd == 200
    before = Trader(generation=4).restarts(demo_equity=Decimal(1_000_000))
    assert before.desk.rules.demo_equity == 1_000_000


def test_keeping_adopted_positions_waits_for_another_day() -> None:
    trader = Trader(env="LIVE").broker_says(50_000).locks_out("day").restarts(adopt="keep").adopts(3)
    assert (trader.desk.rules.adopt, trader.exit_source) == (None, "adopted")
    assert Trader(env="LIVE").restarts(adopt="flatten").desk.rules.adopt == "flatten"


def stops(trader: Trader, *told: RestingStop) -> Trader:
    return trader.asks(TakeSnapshot(positions=(HELD, FLAT), stops=told))


def test_a_stop_for_one_contract_covers_one() -> None:
    trader = Trader(assets=("ES", "NQ")).is_long(5250).later(1).hears(5250)
    assert open_risk(trader.desk) == 375
    stops(trader, RestingStop("MESZ6", "SELL", 1, Decimal("5249.75")))
    assert open_risk(trader.desk) == Decimal("1.25") + 4 * 75
    stops(trader, RestingStop("MESZ6", "SELL", 9, Decimal(5245)))
    assert open_risk(trader.desk) == 5 * 25


def test_a_stop_that_the_price_has_passed_covers_nothing() -> None:
    trader = Trader(assets=("ES", "NQ")).is_long(5250).later(1).hears(5250)
    stops(trader, RestingStop("MESZ6", "SELL", 5, Decimal(5260)))
    assert open_risk(trader.desk) == 375


@pytest.mark.parametrize("claimed", [False, True])
def test_a_lockout_takes_back_what_no_bridge_has_claimed(claimed: bool) -> None:
    trader = Trader().with_structure("green").enters("BUY")
    if claimed:
        trader.claims()
    trader.locks_out("day")
    assert (trader.order is None) is not claimed
    assert trader.asset.tempo.ready is not claimed  # an entry that never was gives its token back


@pytest.mark.parametrize("unknown", ["the news file could not be read", None])
def test_what_is_unknown_takes_no_position_out(unknown: str | None) -> None:
    trader = Trader(env="LIVE").broker_says(50_000).hears(5250).learns_hours(fault=unknown).adopts(3)
    assert (trader.position, trader.exit_source) == (3, None)


def best_of_200(**limits: Any) -> Trader:
    """Return a trader whose open trade was worth 250 USD and is worth 50."""
    trader = Trader(points_tp_target=Decimal(200), **limits).is_long(5250).bricks(6, "green")
    return trader.later(1).hears(5260).later(1).hears(5252)


@pytest.mark.parametrize("limit", ["profit_lock_usd", "give_back_usd"])
def test_a_killed_process_remembers_the_best_of_the_day_that_closed_it(limit: str) -> None:
    trader = best_of_200(**{limit: Decimal(200)})
    assert trader.is_killed().desk.live.best_result == 250
    assert best_of_200().is_killed().desk.live.best_result < 250  # nothing goes by it


def test_a_killed_process_remembers_a_firms_highest_balance() -> None:
    trailing = TrailingDrawdown(Decimal(2000), "real_time")
    rules = Firm("example", "50k", start_balance=Decimal(50_000), drawdown=trailing)
    trader = Trader(firm=rules, points_tp_target=Decimal(200)).broker_says(50_000).is_long(5250).bricks(6, "green")
    for price in (5270, 5290, 5250):
        trader.later(1).hears(price)
    highest = max(mark.highest for mark in trader.desk.live.firm_marks.values())
    kept = max(mark.highest for mark in trader.is_killed().desk.live.firm_marks.values())
    assert highest == 51_000
    assert highest - kept <= 20


@pytest.mark.parametrize(("wins_in", "count"), [("DEMO", 1), ("LIVE", 0)])
def test_a_winner_in_demo_ends_no_run_of_losses_in_live(wins_in: Env, count: int) -> None:
    trader = Trader(env="LIVE", cooldown_seconds=0).broker_says(50_000)
    trader.is_long(5250).bricks(6, "green").exits(force=True).filled_at(5249)
    if wins_in == "DEMO":
        trader.hears_bridge().switches_to("DEMO")
    trader.later(400).is_long(5250).bricks(6, "green").exits(force=True).filled_at(5251)
    assert trader.desk.losses.count == count


def test_being_flat_all_day_is_not_loosened_at_once() -> None:
    trader = Trader(flat_by="18:00").changes_limit("flat_by", "16:59")
    assert trader.desk.rules.flat_by == "18:00"
    assert Trader(flat_by="16:59").changes_limit("flat_by", "15:55").desk.rules.flat_by == "15:55"
