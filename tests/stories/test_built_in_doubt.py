"""What may not move the desk's own bricks, or the price beside them: absurd, late, lost and contradicted prices."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from services.engine.model.bridge_commands import HearBridge
from services.engine.model.commands import ConfigureDesk, NotePrice, TakeOver
from services.engine.model.feed import MarketHours
from services.engine.model.replies import PriceNoted, TicksTaken
from services.engine.model.state import GENERATION
from services.engine.model.ticks import HearTicks, ToldTick
from services.engine.rules.roll_week import watched
from tests.support.builders import STREAM_OF_POINTS, exactly, rules_for
from tests.support.built_trader import BuiltTrader, last_of
from tests.support.narrow import known
from tests.support.trader import Trader

CERTAIN = dict.fromkeys(STREAM_OF_POINTS, 0)
GAPPED = dict.fromkeys(STREAM_OF_POINTS, 3)
QUIET = 660  # seconds: more than those for which the last price judges the next one


def held() -> BuiltTrader:
    """A trader who is long at 5298, on bricks of bars that are certain."""
    return BuiltTrader(is_heard=True).is_settled().enters("BUY").filled_at(5298).bar(5298)


def ticking() -> BuiltTrader:
    """A trader whose bricks are built of ticks, all of them certain: up to 5299."""
    trader = BuiltTrader()
    for points in range(50):
        trader.later(1).hears_ticks(5250 + points)
    assert trader.to_settle == CERTAIN
    return trader


def quiet_bar(trader: BuiltTrader, close: object) -> BuiltTrader:
    """Hear the first bar after a break of ten minutes, in which nothing was traded."""
    closed = known(trader.newest_bar) + timedelta(seconds=15)
    opened = closed + timedelta(seconds=QUIET)
    return trader.bar(close, start=opened, hours=MarketHours(closed, opened))


# -- closes that cannot be ------------------------------------------------------------------------------------


def test_one_absurd_close_after_ten_quiet_minutes_exits_nothing() -> None:
    trader = quiet_bar(held(), 4000)
    assert (trader.exit_source, trader.colors()[8], trader.faults) == (None, "green", ["unsettled"])
    trader.bar(5298)
    assert (trader.exit_source, trader.faults) == (None, [])
    assert trader.replays_equal()


def test_one_absurd_close_after_ten_quiet_minutes_lets_no_entry_pass() -> None:
    trader = quiet_bar(BuiltTrader(is_heard=True).is_settled(), 4000)
    assert trader.colors()[12] == "green"
    assert trader.gate_for("SELL", override=True) == "feed"


def test_a_close_with_a_time_ahead_of_the_clock_is_judged_as_of_now() -> None:
    trader = held()
    trader.bar(5200, sent_at=trader.now + timedelta(seconds=QUIET))
    assert (trader.exit_source, trader.colors()[8]) == (None, "green")


def test_a_close_that_is_suspect_as_a_price_is_none_as_a_close() -> None:
    """A heartbeat told where the market is while bars said nothing: the next close contradicts it."""
    trader = held().later(QUIET - 60).hears(5298)
    quiet_bar(trader, 5240)
    assert (trader.exit_source, trader.faults) == (None, ["unsettled"])
    trader.bar(5241)
    assert trader.exit_source == "structure"


def test_a_new_trading_day_is_judged_by_the_last_close_of_the_day_before() -> None:
    trader = BuiltTrader(at="16:50:00", is_heard=True).bar(5270).bar(5298)
    closed = known(trader.newest_bar) + timedelta(seconds=15)
    opened = closed + timedelta(hours=2)
    trader.bar(4000, start=opened, hours=MarketHours(closed, opened))
    assert trader.desk.day.trading_day > closed.date()
    assert "unsettled" in trader.faults
    assert (trader.asset.live.bars.watch.low, trader.asset.live.bars.watch.suspect) == (Decimal(5298), Decimal(4000))


def test_a_second_close_of_the_newest_bar_closes_entries_until_bricks_agree() -> None:
    trader = BuiltTrader(is_heard=True).is_settled()
    trader.bar(5290, start=known(trader.newest_bar))
    assert (trader.to_settle, trader.faults) == (GAPPED, ["source", "unsettled"])
    assert trader.gate_for("BUY", override=True) == "feed"
    assert trader.replays_equal()
    trader.bar(5298)
    assert "source" in trader.faults


# -- a roll of the feed ---------------------------------------------------------------------------------------


def rolled(close: object) -> BuiltTrader:
    """A trader, long, whose chart changes to another contract over a break; the contract itself stands still."""
    trader = held()
    trader.asks(NotePrice("ES", known(exactly(5298)), trader.now, delivery="Z6")).bar(5298)
    opened = known(trader.newest_bar) + timedelta(hours=2)
    trader.later((opened - trader.now).total_seconds() + 1)
    trader.asks(NotePrice("ES", known(exactly(5298)), trader.now, delivery="Z6"))
    return trader.bar(close, start=opened, hours=MarketHours(opened - timedelta(hours=1), opened))


def test_a_roll_closes_entries_until_bricks_agree() -> None:
    trader = rolled(5230)
    assert (trader.taken.noted.ignored, trader.colors()[8], trader.exit_source) == ("feed_rolled", "red", None)
    assert (trader.to_settle, trader.faults) == (GAPPED, ["roll", "unsettled"])
    assert not trader.gate("feed").is_open
    assert trader.replays_equal()


def test_a_roll_that_the_message_agrees_with_waits_for_the_next_one() -> None:
    ends = {1: (5230, 5231), 2.5: (5230, 5232.5), 4: (5232, 5236), 6: (5232, 5238), 8: (5232, 5240), 12: (5232, 5244)}
    last = tuple([last_of(points, "red", *pair) for points, pair in ends.items()])
    trader = rolled(5230)
    trader.bar(5230, last=last)
    assert (trader.to_settle, trader.faults) == (CERTAIN, [])


def test_a_roll_too_far_to_be_believed_at_once_still_exits_nothing() -> None:
    trader = rolled(4900)
    assert (trader.colors()[8], trader.asset.live.bars.hole) == ("green", "roll")
    trader.bar(4901, skipped=1)
    assert (trader.colors()[8], trader.faults) == ("red", ["roll", "unsettled"])
    assert trader.exit_source is None


# -- ticks that say what was ----------------------------------------------------------------------------------


def long_with_protection() -> Trader:
    return Trader().hears(5250).is_long(5250).unlocks_management().protects(-2)


def test_a_tick_from_before_the_entry_ends_no_trade() -> None:
    trader = long_with_protection()
    trader.hears_ticks(5240, at=known(trader.trade).opened_at - timedelta(seconds=4))
    assert (trader.exit_source, trader.asset.live.last_price) == (None, Decimal(5250))


def test_a_late_tick_does_not_override_a_newer_price() -> None:
    trader = long_with_protection().later(50).hears(5251)
    trader.hears_ticks(5240, at=trader.now - timedelta(seconds=5))
    assert (trader.exit_source, trader.asset.live.last_price) == (None, Decimal(5251))


def test_a_tick_older_than_ten_seconds_is_no_price_of_now() -> None:
    trader = long_with_protection().later(50)
    trader.hears_ticks(5240, at=trader.now - timedelta(seconds=11))
    assert (trader.exit_source, trader.asset.live.last_price) == (None, Decimal(5250))
    trader.hears_ticks(5240, at=trader.now - timedelta(seconds=9))
    assert trader.exit_source == "protect"


def test_old_ticks_hide_no_new_extreme_of_their_bundle() -> None:
    """The lowest of all is old; the lowest of those that count ends the trade."""
    trader = long_with_protection().later(50)
    trader.hears_ticks(5230, at=trader.now - timedelta(seconds=30)).hears_ticks(5250, 5248, 5250)
    assert trader.exit_source == "protect"


def test_a_price_of_tradingview_from_a_clock_ahead_stops_no_tick() -> None:
    trader = long_with_protection().later(1)
    trader.hears(5250, trader.now + timedelta(seconds=50)).hears_ticks(5247)
    assert trader.exit_source == "protect"


def test_a_late_tick_is_not_what_the_next_price_is_judged_by() -> None:
    trader = long_with_protection().later(50)
    trader.hears_ticks(5289, at=trader.now - timedelta(seconds=30)).hears(5247)
    assert (trader.answer, trader.exit_source) == (PriceNoted(), "protect")


def test_the_lowest_tick_of_a_bundle_counts_although_its_time_lies_before_the_one_ahead_of_it() -> None:
    trader = long_with_protection().later(50)
    contract, now = watched(trader.asset).symbol, trader.now
    told = [(5250, -100), (5240, -103), (5250, -50)]
    ticks = tuple(
        [
            ToldTick(now + timedelta(milliseconds=ms), Decimal(price), seq)
            for seq, (price, ms) in enumerate(told, start=1)
        ]
    )
    trader.asks(HearTicks("ES", contract, ticks, instance="a bridge"))
    assert trader.exit_source == "protect"


def test_a_clock_of_the_bridge_that_is_set_back_stops_no_exit() -> None:
    trader = long_with_protection().later(50).hears_ticks(5250)
    for price in (5249, 5248):
        trader.later(1).hears_ticks(price, at=trader.now - timedelta(seconds=8))
    assert (trader.exit_source, trader.asset.live.last_price) == ("protect", Decimal(5248))


def test_a_tick_of_before_the_entry_ends_no_trade_although_no_price_is_newer() -> None:
    trader = Trader().hears(5250).later(30).is_long(5250).unlocks_management().protects(-2)
    entered = known(trader.trade).opened_at
    assert known(trader.asset.live.price_at) < entered - timedelta(seconds=1)
    trader.later(3).hears_ticks(5240, at=entered - timedelta(seconds=1))
    assert trader.exit_source is None
    trader.hears_ticks(5240, at=entered + timedelta(seconds=1))
    assert trader.exit_source == "protect"


def test_late_ticks_still_build_bricks() -> None:
    trader = ticking().later(20)
    trader.hears_ticks(5307, at=trader.now - timedelta(seconds=15))
    assert known(trader.asset.live.feed.one).hi == 5307 * 4
    assert trader.asset.live.last_price == 5299


# -- ticks that were lost -------------------------------------------------------------------------------------


def test_ticks_that_come_too_late_to_count_leave_a_gap() -> None:
    trader = ticking().asks(HearBridge(ts_connected=True, md_connected=True))
    fell_at = trader.now + timedelta(seconds=5)
    for _ in range(6):
        trader.later(20).asks(HearBridge(ts_connected=True, md_connected=True))
    trader.hears_ticks(5270, at=fell_at)
    assert (trader.answer, trader.to_settle, trader.faults) == (TicksTaken(), GAPPED, ["missed_bar", "unsettled"])
    trader.hears_ticks(5299)
    assert trader.to_settle == GAPPED
    assert trader.gate_for("BUY") == "zone"
    assert trader.replays_equal()


def test_a_gap_that_is_told_without_ticks_is_kept() -> None:
    trader = ticking().later(1).hears_ticks(gap=True)
    assert (trader.to_settle, trader.faults) == (GAPPED, ["missed_bar", "unsettled"])
    assert trader.decision.is_durable


def test_a_tick_that_was_overtaken_leaves_a_gap_and_one_told_twice_none() -> None:
    trader = ticking()
    first = known(trader.asset.live.ticks).seq + 1
    sent = trader.later(1).now
    trader.later(1).hears_ticks(5299, seq=first + 1).hears_ticks(5299, at=trader.now, seq=first + 1)
    assert trader.to_settle == CERTAIN
    trader.hears_ticks(5270, at=sent, seq=first)
    assert (trader.answer, trader.to_settle) == (TicksTaken(), GAPPED)
    assert trader.faults == ["missed_bar", "unsettled"]
    assert trader.replays_equal()


def test_a_gap_that_comes_with_ticks_heard_before_is_kept() -> None:
    trader = ticking()
    newest = known(trader.asset.live.ticks)
    trader.later(1).hears_ticks(5299, at=newest.newest, seq=newest.seq, gap=True)
    assert trader.faults == ["missed_bar", "unsettled"]


def test_the_last_trade_told_again_after_a_quiet_hour_is_no_gap() -> None:
    """A bridge logs in again, and its broker tells the newest trade once more, under the next number."""
    trader = ticking()
    newest = known(trader.asset.live.ticks)
    for _ in range(6):
        trader.later(20).asks(HearBridge(ts_connected=True, md_connected=True))
    trader.hears_ticks(5299, at=newest.newest)
    assert (trader.to_settle, trader.faults) == (CERTAIN, [])


def test_a_gap_ends_what_was_overtaken_before_it() -> None:
    """What was lost before a gap is within it: told late it opens none anew."""
    trader = ticking()
    first = known(trader.asset.live.ticks).seq + 1
    sent = trader.later(1).now
    trader.later(1).hears_ticks(5299, seq=first + 1).later(1).hears_ticks(gap=True)
    for points in range(60):
        trader.later(1).hears_ticks(5299 + points, seq=first + 2 + points)
    assert trader.to_settle == CERTAIN
    trader.hears_ticks(5300, at=sent, seq=first)
    assert (trader.to_settle, trader.faults) == (CERTAIN, [])


def test_a_suspect_close_waits_no_longer_once_ticks_build_the_bricks() -> None:
    trader = quiet_bar(BuiltTrader(is_heard=True).is_settled(), 4000)
    assert trader.faults == ["unsettled"]
    for points in range(60):
        trader.later(1).hears_ticks(5290 + points)
    assert (trader.to_settle, trader.faults) == (CERTAIN, [])


def test_an_absurd_close_a_second_older_than_the_newest_price_exits_nothing() -> None:
    trader = held().later(QUIET - 60).hears(5298)
    closed = known(trader.newest_bar) + timedelta(seconds=15)
    opened = closed + timedelta(seconds=QUIET)
    trader.later((opened + timedelta(seconds=15) - trader.now).total_seconds()).hears(5298)
    trader.bar(5100, start=opened, hours=MarketHours(closed, opened), sent_at=trader.now - timedelta(seconds=1))
    assert (trader.exit_source, trader.colors()[8], trader.faults) == (None, "green", ["unsettled"])


def test_chains_that_a_far_tick_begins_anew_close_entries() -> None:
    trader = ticking().later(1).hears_ticks(7320).later(1).hears_ticks(7321)
    assert trader.to_settle[12] == 2
    assert trader.faults == ["unsettled"]
    assert trader.gate_for("BUY", override=True) == "feed"


def test_a_suspect_tick_is_not_confirmed_by_one_of_the_same_millisecond() -> None:
    trader = Trader().hears(5250).is_long(5250).unlocks_management().targets(40)
    trader.later(5).hears_ticks(5250).later(1).hears_ticks(5291, 5276)
    assert (trader.exit_source, trader.asset.live.last_price) == (None, Decimal(5276))
    assert trader.asset.live.best_points == 26
    trader.later(1).hears_ticks(5277)
    assert trader.asset.live.best_points == 41


# -- who builds -----------------------------------------------------------------------------------------------


def test_colours_of_single_alerts_are_none_of_a_desk_that_begins_to_build() -> None:
    """The program before this one knew no feeds: its colours have no source."""
    trader = Trader(generation=3)
    trader.with_structure("green")
    assert trader.asset.feed.source is None
    trader.asks(TakeOver("new", 2, "1.0", counts_ids=True, generation=GENERATION))
    trader.asks(ConfigureDesk(rules_for("ES", bricks_by_desk=("ES",))))
    assert trader.gate_for("BUY") == "feed"
    assert trader.enters("BUY").order is None
