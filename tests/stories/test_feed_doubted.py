"""A feed that must not be believed, because of its contract or of its time (SPEC 1, 3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal

import pytest
from msgspec.structs import replace

from services.desk.publication import Snapshot
from services.engine.model.bar_commands import CloseBar
from services.engine.model.bricks import Stack
from services.engine.model.commands import AnyCommand, CloseBrick, NotePrice
from services.engine.model.replies import BrickTaken
from services.engine.model.state import AssetLive
from services.views.asset_view import asset_view
from services.views.state_view import global_view
from tests.stories.test_feed import ABOVE_ALL, BELOW_ALL, colors, faults, gate, hears, long_by_bars, settled, told
from tests.support.built_trader import BuiltTrader
from tests.support.narrow import known
from tests.support.script_chart import ScriptChart
from tests.support.trader import Trader
from wire.types import Stream

# -- of another contract -----------------------------------------------------------------------------------------------


def other_month(chart: ScriptChart, seen: tuple[object, ...]) -> ScriptChart:
    """Return the chart of the next month, which goes on where this one fell silent long enough to give way."""
    other = ScriptChart(seen=seen, symbol="ESH2027")
    other.starts_at = chart.waits(bars=12).starts_at
    return other


def test_a_bar_of_another_contract_closes_no_trade() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = long_by_bars(chart)
    other = other_month(chart, seen=(5280, 5225))
    hears(trader, other.closes(5225))
    assert (trader.asset.feed.symbol, faults(trader)) == ("ESH2027", {"other_contract", "broken_chain", "source"})
    assert (colors(trader)["high"], trader.position, trader.exit_source) == ("red", 5, None)
    assert trader.replays_equal()


def test_bricks_of_another_contract_give_their_colours_and_nothing_else() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = long_by_bars(chart)
    other = other_month(chart, seen=(5250, 5280))
    hears(trader, other.closes(5280), other.closes(5250))
    assert (told(trader).applied, told(trader).adopted) == (0, tuple(Stream))
    assert (colors(trader)["high"], trader.exit_source) == ("red", None)
    assert (trader.trade.initial_exit_locked, trader.asset.tempo.ready) == (True, False)


@pytest.mark.parametrize("spread", [0, 0.5, 1.75])
def test_the_right_contract_exits_where_another_one_has_coloured_the_brick_before(spread: float) -> None:
    """The months lie so near each other that their bricks are the same ones of the grid."""
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = long_by_bars(chart)
    other = other_month(chart, seen=(5250 + spread, 5280 + spread, 5287 + spread))
    hears(trader, other.closes(5262 + spread), other.closes(5261 + spread))
    assert (colors(trader)["high"], trader.exit_source) == ("red", None)
    chart.starts_at = other.starts_at
    chart.closes(5262)
    chart.starts_at = other.starts_at
    hears(trader, chart.closes(5261))
    assert trader.exit_source == "structure"


def test_the_right_contract_exits_again_as_soon_as_it_is_heard() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = long_by_bars(chart)
    other = other_month(chart, seen=(5250, 5280))
    hears(trader, other.closes(5260))
    chart.starts_at = other.starts_at
    hears(trader, chart.closes(5262))
    assert (trader.asset.feed.symbol, trader.exit_source) == ("CME_MINI:ES1!", "structure")
    assert not gate(trader).is_open


# -- ahead of its time -------------------------------------------------------------------------------------------------

A_MONTH = timedelta(days=30)
BY_HAND = timedelta(seconds=90)


def ahead(bar: CloseBar, by: timedelta) -> CloseBar:
    return replace(bar, started_at=bar.started_at + by, sent_at=bar.sent_at + by)


@pytest.mark.parametrize("env", ["DEMO", "LIVE"])
def test_a_bar_of_the_future_closes_the_gate_and_the_feed_goes_on(env: Literal["DEMO", "LIVE"]) -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = settled(chart, env=env)
    trader.later(15).asks(ahead(chart.closes(5287), A_MONTH))
    assert (told(trader).ignored, told(trader).noted.flagged) == (None, True)
    newest = known(trader.asset.live.feed.newest_bar)
    assert (trader.asset.live.last_price, newest <= trader.now) == (Decimal(5287), True)
    assert gate(trader).sentence == "STREAM DELAYED — bars of ES are 2591999 s ahead of the desk's clock"
    hears(trader, chart.closes(5250))
    assert (told(trader).stale, colors(trader)["high"]) == (False, "red")
    hears(trader, chart.closes(5250.25))
    assert (faults(trader), gate(trader).is_open) == (set(), True)
    assert trader.replays_equal()


def test_while_the_desks_clock_is_slow_bricks_exit_and_no_entry_passes() -> None:
    """The machine slept: every bar is five minutes before its time by the desk's clock."""
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = long_by_bars(chart)
    for close in (5262, 5240):
        trader.later(15).asks(ahead(chart.closes(close), timedelta(minutes=5)))
        assert (gate(trader).is_open, faults(trader)) == (False, {"delayed"})
    assert (colors(trader)["high"], trader.exit_source) == ("red", "structure")
    assert trader.replays_equal()


def test_where_the_desk_builds_bricks_they_exit_while_its_clock_is_slow() -> None:
    trader = BuiltTrader(is_heard=True).is_settled().enters("BUY").filled_at(5298).bar(5298)
    for close in (5290, 5280, 5270):
        start = known(trader.newest_bar) + timedelta(seconds=15)
        trader.later(15)
        trader.bar(close, start=start, sent_at=trader.now + timedelta(minutes=5))
    assert (trader.exit_source, trader.gate("feed").is_open) == ("structure", False)


def test_the_same_bar_of_the_future_sent_thrice_is_no_new_bar() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = settled(chart)
    bar = ahead(chart.closes(5287), A_MONTH)
    trader.later(15).asks(bar)
    applied = told(trader).applied
    trader.asks(bar).asks(bar)
    assert (applied > 0, told(trader).applied, told(trader).late) == (True, 0, 0)


def test_a_bar_that_ends_a_little_ahead_is_in_time_and_one_that_was_sent_far_ahead_is_not() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = settled(chart)
    trader.asks(ahead(chart.closes(5280.25), timedelta(seconds=40)))
    assert (told(trader).ignored, faults(trader)) == (None, set())
    late = chart.waits(bars=4).closes(5280.5)
    trader.asks(replace(late, started_at=late.started_at - BY_HAND, sent_at=trader.now + BY_HAND))
    assert (told(trader).noted.flagged, faults(trader)) == (True, {"delayed"})


def test_a_bar_of_the_future_beside_the_feed_in_use_is_ignored() -> None:
    chart, stray = ScriptChart(seen=ABOVE_ALL), ScriptChart(seen=BELOW_ALL, base="1")
    trader = settled(chart).asks(ahead(stray.closes(5250), A_MONTH))
    assert (told(trader).ignored, faults(trader)) == ("other_source", set())


def test_where_the_desk_builds_bricks_a_bar_of_the_future_freezes_nothing() -> None:
    trader = BuiltTrader().is_settled()
    feed = trader.asset.feed
    start = known(trader.newest_bar) + timedelta(seconds=15)
    trader.later(15).bar(5298, start=start, sent_at=start + A_MONTH)
    assert (trader.taken.noted.flagged, trader.faults) == (True, ["delayed"])
    assert (trader.asset.feed.chains, trader.gate("feed").is_open) == (feed.chains, False)
    trader.bar(5298)
    assert (trader.taken.stale, trader.faults, trader.gate("feed").is_open) == (False, [], True)
    assert trader.replays_equal()


# -- of a simulated market ---------------------------------------------------------------------------------------------


def simulated(*messages: CloseBar) -> tuple[CloseBar, ...]:
    return tuple([replace(message, simulated=True) for message in messages])


def test_no_simulated_message_counts_in_live() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = BuiltTrader(env="LIVE", is_heard=False, bricks_by_desk=())
    hears(trader, *simulated(chart.closes(5262)))
    assert (told(trader).ignored, told(trader).noted.ignored, faults(trader)) == ("simulated", "simulated", set())
    trader.asks(NotePrice("ES", Decimal(5262), simulated=True))
    trader.brick(12, "green", simulated=True)
    assert trader.brick_answer == BrickTaken(ignored="simulated")
    assert trader.asset.live == AssetLive(contract=trader.asset.live.contract)
    assert trader.asset.stack == Stack()
    assert trader.gate_for("BUY", override=True) == "heartbeat"
    assert trader.replays_equal()


def test_what_a_simulated_market_told_in_demo_is_forgotten_in_live() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = BuiltTrader(is_heard=False, bricks_by_desk=())
    hears(trader, *simulated(chart.closes(5262), chart.closes(5263)))
    assert (colors(trader)["high"], gate(trader).is_open) == ("red", True)
    trader.hears_bridge().switches_to("LIVE")
    assert trader.desk.env == "LIVE"
    assert (set(colors(trader).values()), trader.asset.live.last_price) == ({"neutral"}, None)
    assert (faults(trader), gate(trader).is_open) == ({"source"}, False)
    assert trader.replays_equal()


@pytest.mark.parametrize(
    "real",
    [NotePrice("ES", Decimal(6700)), NotePrice("ES"), CloseBrick("ES", Stream.MAIN, "green")],
    ids=["a price far away", "a heartbeat without a price", "a brick without a close"],
)
def test_a_simulated_price_is_forgotten_in_live_whatever_real_message_came_after_it(real: AnyCommand) -> None:
    trader = Trader(is_heard=False).asks(NotePrice("ES", Decimal(5250), simulated=True)).later(1).asks(real)
    assert (trader.asset.live.last_price, trader.asset.live.simulated) == (Decimal(5250), False)
    trader.hears_bridge().switches_to("LIVE")
    assert (trader.desk.env, trader.asset.live.last_price) == ("LIVE", None)
    trader.later(1).hears(5310)
    assert (trader.asset.live.last_price, trader.asset.live.watch.suspect) == (Decimal(5310), None)
    assert trader.replays_equal()


def test_a_real_price_stays_in_live() -> None:
    trader = Trader(is_heard=False).hears(5250)
    trader.hears_bridge().switches_to("LIVE")
    assert (trader.desk.env, trader.asset.live.last_price) == ("LIVE", Decimal(5250))


def shown_simulated(trader: Trader) -> tuple[bool, bool]:
    """Return what the page shows beside the asset and beside the desk."""
    of_desk = global_view(Snapshot(trader.desk, 1, ()), trader.now)
    return asset_view(trader.desk, trader.asset, trader.now).simulated, of_desk.simulated


def test_what_is_shown_is_simulated_while_its_price_is() -> None:
    trader = Trader(is_heard=False).asks(NotePrice("ES", Decimal(5250), simulated=True)).later(1).asks(NotePrice("ES"))
    assert shown_simulated(trader) == (True, True)
    assert shown_simulated(trader.later(1).hears(5251)) == (False, False)


def test_a_real_price_makes_no_simulated_brick_real() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = BuiltTrader(is_heard=False, bricks_by_desk=())
    hears(trader, *simulated(chart.closes(5262), chart.closes(5263)))
    trader.later(1).asks(NotePrice("ES", Decimal(5264)))
    assert not trader.asset.live.simulated
    trader.hears_bridge().switches_to("LIVE")
    assert (set(colors(trader).values()), gate(trader).is_open) == ({"neutral"}, False)
    trader.brick(4, "green")
    assert not gate(trader).is_open, "one size proves nothing of the others"


def test_simulated_ticks_are_forgotten_in_live() -> None:
    trader = BuiltTrader(is_heard=False)
    for points in range(20):
        trader.later(1).hears_ticks(5250 + points, simulated=True)
    assert trader.asset.feed.source == "ticks"
    trader.hears_bridge().switches_to("LIVE")
    assert (trader.asset.live.ticks, set(trader.colors().values())) == (None, {"neutral"})
    assert not trader.gate("feed").is_open


def test_earlier_generations_of_the_rules_let_a_simulated_market_count() -> None:
    trader = Trader(at="09:30:00", is_heard=False, generation=3)
    trader.asks(NotePrice("ES", Decimal(5262), simulated=True))
    trader.brick(12, "green", simulated=True)
    trader.hears_bridge().switches_to("LIVE")
    assert (trader.desk.env, colors(trader)["macro"], trader.asset.live.last_price) == ("LIVE", "green", Decimal(5262))
    trader.brick(12, "red", simulated=True)
    assert colors(trader)["macro"] == "red"


def test_real_colours_stay_when_the_desk_goes_live() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = BuiltTrader(is_heard=False, bricks_by_desk=())
    hears(trader, chart.closes(5262), chart.closes(5263))
    before = trader.asset
    trader.hears_bridge().switches_to("LIVE")
    assert (trader.desk.env, trader.asset) == ("LIVE", before)
