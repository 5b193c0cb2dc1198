"""The limit of trades per day (SPEC 5.5)."""

from __future__ import annotations

import pytest

from tests.support.trader import Trader


def test_the_limit_counts_to_exactly_its_number() -> None:
    trader = Trader(at="09:30:00", max_trades_per_day=3)
    for clock, gate in [("09:35:00", None), ("09:40:00", None), ("09:45:00", "trade_limit")]:
        trader.trades_once().at(clock).bricks(6, "green")
        assert trader.gate_for("BUY") == gate
    assert trader.desk.day.trades_taken == 3
    trader.enters("BUY")
    assert trader.refusal.sentence == "TRADE LIMIT REACHED — 3 of 3 trades taken today"
    assert trader.replays_equal()


def test_six_is_the_default() -> None:
    assert Trader().desk.rules.max_trades_per_day == 6


def test_a_slot_is_taken_at_the_fill_not_at_the_order() -> None:
    trader = Trader(max_trades_per_day=1).with_structure("green").enters("BUY").claims()
    assert trader.desk.day.trades_taken == 0
    trader.filled_at(5250)
    assert trader.desk.day.trades_taken == 1


@pytest.mark.parametrize("ends", ["rejected", "cancelled"])
def test_an_unfilled_entry_takes_no_slot(ends: str) -> None:
    trader = Trader(max_trades_per_day=1).with_structure("green").enters("BUY")
    getattr(trader, ends)()
    assert trader.gate_for("BUY") is None
    assert trader.desk.day.trades_taken == 0


def test_several_fills_of_one_entry_take_one_slot() -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(2, 5250).partly_filled(3, 5251)
    assert trader.desk.day.trades_taken == 1


def test_every_asset_draws_from_the_same_limit() -> None:
    trader = Trader(assets=("ES", "NQ"), max_trades_per_day=1).with_structure("green", "NQ").trades_once("ES")
    assert trader.at("09:40:00").gate_for("BUY", asset="NQ") == "trade_limit"


def test_the_next_trading_day_has_all_slots_again() -> None:
    trader = Trader(at="17:50:00", max_trades_per_day=1).trades_once().bricks(6, "green")
    assert trader.at("17:59:59.999999").gate_for("BUY") == "trade_limit"
    assert trader.at("18:00:00").gate_for("BUY") is None


def test_it_reopens_when_the_day_rolls() -> None:
    trader = Trader(max_trades_per_day=1).trades_once().at("12:00:00").bricks(6, "green").enters("BUY")
    assert trader.refusal.retry_after_s == 6 * 3600


def test_an_adopted_position_takes_a_slot() -> None:
    trader = Trader().hears(5250).broker_says(position=5).later(2).broker_says(position=5)
    assert trader.position == 5
    assert trader.desk.day.trades_taken == 1


def test_a_restart_keeps_the_count() -> None:
    trader = Trader(max_trades_per_day=1).trades_once().at("09:40:00").restarts().bricks(6, "green")
    assert trader.gate_for("BUY") == "trade_limit"
