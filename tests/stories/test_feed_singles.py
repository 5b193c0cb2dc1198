"""Alerts of single sizes: bricks of one base bar in any order, and what they say after bars (SPEC 3, 4 row 16)."""

from __future__ import annotations

import pytest

from services.engine.model.commands import TakeOver
from services.engine.model.state import GENERATION
from tests.stories.test_feed import ABOVE_ALL, faults, gate, settled
from tests.support.narrow import known
from tests.support.script_chart import ScriptChart
from tests.support.trader import Trader
from wire.types import Stream

SIZES_OF_FEED = {Stream.TWO_HALF, Stream.FOUR, Stream.MAIN, Stream.HIGH, Stream.MACRO}


def hears_of_one_bar(*closes: int) -> Trader:
    """Stand on a green 8pt brick at 5200, then hear green ones of one later base bar in this order."""
    trader = Trader().brick(8, "green", close=5200).later(15)
    at = trader.now
    for close in closes:
        trader.brick(8, "green", close=close, bar_at=at)
    return trader


def standing(trader: Trader) -> tuple[float, tuple[float, ...]]:
    """Return the close of the 8pt chain, and of the bricks that are missing behind it."""
    chain, tick = known(trader.asset.feed.chain(Stream.HIGH)), float(trader.asset.contract.tick_size)
    return chain.close * tick, tuple([hole * tick for hole in chain.holes])


def test_a_brick_that_was_overtaken_by_two_is_still_awaited() -> None:
    trader = hears_of_one_bar(5216, 5224)
    assert (standing(trader), faults(trader)) == ((5224, (5208,)), {"broken_chain"})
    assert not gate(trader).is_open
    trader.brick(8, "green", close=5208, bar_at=trader.now)
    assert (standing(trader), faults(trader)) == ((5224, ()), set())
    trader.later(60).brick(8, "green", close=5232, bar_at=trader.now)
    assert (standing(trader), faults(trader), trader.alerts) == ((5232, ()), set(), [])
    assert trader.replays_equal()


@pytest.mark.parametrize("closes", [(5224, 5232, 5208, 5216), (5216, 5232, 5224, 5208), (5232, 5208, 5224, 5216)])
def test_four_bricks_of_one_bar_are_whole_with_the_last_of_them(closes: tuple[int, ...]) -> None:
    trader = hears_of_one_bar(*closes[:3])
    assert faults(trader) == {"broken_chain"}
    trader.brick(8, "green", close=closes[3], bar_at=trader.now)
    assert (standing(trader), faults(trader)) == ((5232, ()), set())


def test_bricks_of_one_bar_that_never_come_close_the_gate_until_the_next_bar_goes_on() -> None:
    trader = hears_of_one_bar(5224, 5232)
    trader.later(10).ticks()
    assert (faults(trader), trader.alerts) == ({"broken_chain"}, ["feed"])
    trader.later(10).brick(8, "green", close=5240, bar_at=trader.now)
    assert (standing(trader), faults(trader)) == ((5240, ()), set())


def begun_anew_after_bars() -> Trader:
    """Return a desk that was restarted and has heard no bar since; the alerts of single sizes come from now on."""
    trader = settled(ScriptChart(seen=ABOVE_ALL))
    trader.restarts().asks(TakeOver("desk-2", 2, "1", counts_ids=True, generation=GENERATION))
    assert faults(trader) == {"restart"}
    return trader.later(200)


def test_one_brick_without_its_close_proves_nothing_of_the_whole_feed() -> None:
    trader = begun_anew_after_bars().brick(4, "green")
    assert (trader.asset.feed.source, faults(trader)) == ("single", {"restart", "source"})
    unsure = {fault.stream for fault in trader.asset.feed.faults if fault.kind == "source"}
    assert unsure == SIZES_OF_FEED - {Stream.FOUR}
    assert not gate(trader).is_open


def test_the_gate_opens_when_each_size_was_heard_from_its_own_alert() -> None:
    trader = begun_anew_after_bars()
    for points in (2.5, 4, 6, 8):
        trader.brick(points, "green")
        assert not gate(trader).is_open
    trader.brick(12, "green")
    assert (faults(trader), gate(trader).is_open) == (set(), True)
    assert trader.replays_equal()
