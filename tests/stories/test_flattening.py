"""Daily stop and exit-all retry exits until every asset is flat (SPEC 7.3)."""

from __future__ import annotations

import pytest

from services.engine.model.events import OrderQueued
from services.engine.model.replies import ExitsTaken
from tests.support.trader import Trader

STARTS = {
    "daily_stop": lambda trader: trader.loses(48_000),
    "exit_all": lambda trader: trader.exits_all(force=True),
}


@pytest.fixture(params=STARTS, ids=str)
def flattening(request: pytest.FixtureRequest) -> Trader:
    """Return a trader whose long ES trade is being flattened."""
    trader = Trader().broker_says(balance=50_000).is_long()
    STARTS[request.param](trader)
    assert trader.exit_source == request.param
    return trader


def test_a_rejected_exit_is_tried_again_after_1_2_5_and_then_every_10_seconds(flattening: Trader) -> None:
    for attempt, wait in enumerate((1, 2, 5, 10, 10), start=1):
        flattening.rejected()
        assert flattening.order is None
        assert flattening.alerts[-1] == "exit_refused"
        assert flattening.later(seconds=wait, microseconds=-1).ticks().order is None
        assert flattening.later(microseconds=1).ticks().open_order.attempt == attempt
    assert flattening.filled_at(5240).position == 0
    assert flattening.replays_equal()


def test_a_fault_of_the_broker_is_retried_over_a_restart(flattening: Trader) -> None:
    flattening.rejected().restarts().later(seconds=1).ticks()
    assert flattening.exit_source is not None


@pytest.mark.parametrize("status", ["REJECTED", "CANCELLED"])
def test_the_rest_of_a_partly_filled_exit_is_exited_again(flattening: Trader, status: str) -> None:
    flattening.partly_filled(3, 5249).reports(status).later(seconds=1).ticks()
    assert (flattening.position, flattening.open_order.qty) == (2, 2)


def test_the_rest_of_a_filled_report_with_fewer_contracts_is_exited_again(flattening: Trader) -> None:
    flattening.partly_filled(3, 5249).reports("FILLED", 5249, qty=1, exec_id="short").later(seconds=1).ticks()
    assert (flattening.position, flattening.open_order.qty) == (1, 1)


def test_it_continues_after_the_day_rolls(flattening: Trader) -> None:
    flattening.rejected().at("18:00:00").ticks()
    assert flattening.exit_source is not None
    assert not flattening.desk.day.is_stopped


def test_it_ends_with_the_position(flattening: Trader) -> None:
    flattening.rejected().later(seconds=1).ticks().filled_at(5249).later(seconds=60).ticks()
    assert (flattening.order, flattening.asset.due_exit, flattening.position) == (None, None, 0)


def test_an_unclaimed_entry_is_cancelled_and_a_claimed_one_exited_when_it_fills() -> None:
    trader = Trader(at="09:34:50", assets=("ES", "NQ")).broker_says(balance=50_000)
    trader.with_structure("green", "NQ").with_structure("green", "ES").enters("BUY").claims()
    trader.at("09:35:00").enters("BUY", asset="NQ").loses(49_000)
    assert trader.order is None
    assert trader.turns_to("ES").open_order.kind == "ENTRY"
    trader.filled_at(5250)
    assert (trader.position, trader.exit_source) == (5, "daily_stop")
    assert trader.replays_equal()


def test_exit_all_flattens_every_asset() -> None:
    trader = Trader(assets=("ES", "NQ")).is_long(asset="ES").at("09:35:00").is_long(18_000, asset="NQ")
    trader.exits_all(force=True)
    assert [(order.asset, order.side, order.qty) for order in trader.answered(ExitsTaken).orders] == [
        ("ES", "SELL", 5),
        ("NQ", "SELL", 5),
    ]
    assert {event.forced for event in trader.told(OrderQueued) if event.kind == "EXIT"} == {True}


def test_the_retries_of_a_forced_exit_are_forced() -> None:
    trader = Trader().is_long().exits_all(force=True).rejected().later(seconds=1).ticks().filled_at(5249)
    assert trader.trades[-1].forced_exit


def test_exit_all_of_a_flat_desk_does_nothing() -> None:
    trader = Trader().exits_all(force=True)
    answer = trader.answered(ExitsTaken)
    assert (answer.orders, answer.latched, answer.skipped) == ((), (), ())
    assert trader.events == ()


def test_exit_all_latches_behind_a_claimed_entry() -> None:
    trader = Trader().with_structure("green").enters("BUY").claims().exits_all(force=True)
    assert trader.answered(ExitsTaken).latched == ("ES",)
    assert trader.filled_at(5250).exit_source == "exit_all"


def test_exit_all_outranks_a_rule_and_a_repeated_click_makes_no_second_order() -> None:
    trader = Trader().is_long().exits_all(force=True).exits_all(force=True).bricks(8, "red")
    assert [order.source for order in trader.desk.orders.values()] == ["exit_all"]


def test_exit_all_names_each_cancelled_entry_once() -> None:
    trader = Trader(at="09:34:50", assets=("ES", "NQ"))
    trader.with_structure("green", "NQ").with_structure("green", "ES").enters("BUY")
    trader.at("09:35:00").enters("BUY", asset="NQ").exits_all()
    assert trader.desk.orders == {}
    assert trader.answered(ExitsTaken).orders == ()
    assert sorted(order.asset for order in trader.answered(ExitsTaken).cancelled) == ["ES", "NQ"]


def test_a_level_touched_before_does_not_weaken_the_flattening() -> None:
    trader = Trader().broker_says(balance=50_000).is_long().touches_level().loses(48_000)
    assert (trader.exit_source, trader.due_exit.source) == ("level", "daily_stop")
    trader.rejected()
    assert trader.exit_source == "daily_stop"
    assert trader.rejected().later(seconds=1).ticks().exit_source == "daily_stop"
