"""Ticks of the traded contract outrank TradingView's prices while they are new (SPEC 3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from services.engine.model.replies import PriceNoted, TicksTaken
from tests.support.trader import Trader


def price(trader: Trader) -> Decimal | None:
    return trader.asset.live.last_price


def heard(trader: Trader) -> TicksTaken:
    return trader.answered(TicksTaken)


def test_a_tick_is_the_last_price_for_ten_seconds_whatever_tradingview_says() -> None:
    trader = Trader().hears(5250).hears_ticks("5251.25")
    assert price(trader) == Decimal("5251.25")
    trader.later(3).hears(5250)
    assert (price(trader), trader.answer) == (Decimal("5251.25"), PriceNoted(outranked=True))
    assert trader.asset.live.last_heartbeat_at == trader.now
    trader.later(8).hears(5249)
    assert price(trader) == 5249
    assert trader.replays_equal()


def test_a_tick_that_is_eleven_seconds_old_outranks_nothing() -> None:
    trader = Trader().hears(5250)
    trader.hears_ticks(5252, at=trader.now - timedelta(seconds=11)).later(1).hears(5249)
    assert price(trader) == 5249


def test_ticks_fire_the_exits_of_prices_at_their_extremes() -> None:
    """The lowest of five prices ends the trade; the last one would not have."""
    trader = Trader().hears(5250).is_long(5250).unlocks_management().protects(-2)
    trader.later(1).hears_ticks(5250, 5249, 5248, 5249, 5250)
    assert trader.exit_source == "protect"
    assert trader.asset.live.worst_points == -2
    assert trader.replays_equal()


def test_tradingviews_old_price_fires_nothing_while_ticks_are_new() -> None:
    trader = Trader().hears(5250).is_long(5250).unlocks_management().protects(-2)
    trader.later(1).hears_ticks(5250).later(1).hears(5247)
    assert (trader.exit_source, price(trader)) == (None, Decimal(5250))
    trader.later(10).hears(5247)
    assert trader.exit_source == "protect"


def test_a_tick_far_away_is_suspect_until_another_agrees() -> None:
    trader = Trader().hears(5250).is_long(5250).unlocks_management().protects(-2)
    trader.later(1).hears_ticks(5250, 5190)
    assert (price(trader), trader.exit_source) == (Decimal(5250), None)
    assert trader.asset.live.watch.suspect == 5190
    trader.later(1).hears_ticks("5190.25")
    assert (price(trader), trader.exit_source) == (Decimal("5190.25"), "protect")


@pytest.mark.parametrize(("impossible", "why"), [(0, "zero"), (-5, "below zero"), ("5250.10", "off the tick")])
def test_what_is_no_price_of_the_contract_changes_nothing(impossible: object, why: str) -> None:
    trader = Trader().hears(5250).hears_ticks(impossible)
    assert (price(trader), heard(trader)) == (Decimal(5250), TicksTaken()), why


def test_a_tick_counts_once_and_a_bundle_that_is_told_again_changes_nothing() -> None:
    trader = Trader().hears(5250).hears_ticks(5251, 5252, seq=7)
    before = trader.asset
    trader.hears_ticks(5251, 5252, seq=7)
    assert (trader.asset, trader.answer) == (before, TicksTaken())
    trader.later(1).hears_ticks(5252, 5253, seq=8)
    assert (price(trader), heard(trader)) == (Decimal(5253), TicksTaken(taken=2))


def test_a_bridge_that_counts_anew_after_a_restart_is_heard_at_once() -> None:
    trader = Trader().hears(5250).hears_ticks(5251, seq=900).later(2).hears_ticks(5252, seq=1)
    assert price(trader) == 5252


def test_two_that_tell_of_one_market_do_not_take_turns() -> None:
    trader = Trader().hears(5250).hears_ticks(5251, instance="one").later(1).hears_ticks(5253, instance="two")
    assert (price(trader), heard(trader)) == (Decimal(5251), TicksTaken(ignored="other_sender"))
    trader.later(5).hears_ticks(5253, instance="two")
    assert price(trader) == 5253


def test_a_time_in_the_future_or_long_ago_is_none() -> None:
    trader = Trader().hears(5250)
    trader.hears_ticks(5251, at=trader.now + timedelta(seconds=6), seq=5)
    trader.hears_ticks(5252, at=trader.now - timedelta(seconds=61), seq=6)
    assert price(trader) == 5250
    trader.hears_ticks(5253, at=trader.now, seq=1)
    assert price(trader) == 5253


def test_only_the_contract_whose_price_counts_is_heard() -> None:
    trader = Trader().hears(5250).hears_ticks(5290, contract="MESH7")
    assert (price(trader), heard(trader)) == (Decimal(5250), TicksTaken(ignored="other_contract"))


def test_a_simulated_market_is_never_heard_in_live_nor_beside_a_real_one() -> None:
    live = Trader(env="LIVE", is_heard=False).hears_ticks(5260, simulated=True)
    assert (price(live), heard(live)) == (None, TicksTaken(ignored="simulated"))
    demo = Trader(is_heard=False).hears_ticks(5260, simulated=True)
    assert price(demo) == 5260
    beside = Trader().hears(5250).hears_ticks(5260, simulated=True)
    assert (price(beside), heard(beside)) == (Decimal(5250), TicksTaken(ignored="simulated"))


def test_ticks_alone_do_not_make_tradingview_heard() -> None:
    trader = Trader(is_heard=False).hears_ticks(5250)
    assert trader.asset.live.last_heartbeat_at is None
    assert trader.gate_for("BUY") == "heartbeat"


def test_a_tick_alone_commits_nothing_and_is_stored_with_what_comes_next() -> None:
    trader = Trader().hears(5250).hears_ticks(5251)
    assert not trader.decision.is_durable
    trader.bricks(6, "green")
    assert trader.replays_equal()
