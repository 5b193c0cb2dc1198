"""A feed that is not whole: messages that are lost, doubled, late, old, or of another contract (SPEC 3, 4 row 16)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from services.engine.decide import decide
from services.engine.model.bar_commands import CloseBar, NoteDelayedQuotes
from services.engine.model.commands import NotePrice, TakeOver
from services.engine.model.events import BrickApplied, EntryBlocked
from services.engine.model.feed import FeedPulse
from services.engine.model.feed_events import FeedFaultEnded
from services.engine.model.ladder import Rung
from services.engine.model.replies import BarTaken, BrickTaken
from services.engine.model.state import GENERATION
from services.engine.rules.gates import ladder
from services.engine.rules.verdicts import EntryRequest
from tests.support.narrow import known
from tests.support.script_chart import ScriptChart
from tests.support.trader import Trader
from wire.types import Stream

ABOVE_ALL = (5250, 5280)  # every size stands on a green brick: 6pt 5274-5280, 8pt 5272-5280, 12pt 5268-5280
BELOW_ALL = (5280, 5250)  # every size stands on a red one: 6pt 5250-5256, 8pt 5256-5264, 12pt 5256-5268


def hears(trader: Trader, *bars: CloseBar) -> Trader:
    """Hear messages, each 0.3 s after it was sent, or at once when it was sent long ago."""
    for bar in bars:
        heard_at = bar.sent_at + timedelta(milliseconds=300)
        if heard_at > trader.now:
            trader.later((heard_at - trader.now).total_seconds())
        trader.asks(bar)
    return trader


def settled(chart: ScriptChart, **desk: Any) -> Trader:
    """Return a trader whose desk has heard two messages of the chart: its chains are confirmed."""
    trader = hears(Trader(at="09:30:00", **desk), chart.closes(5280), chart.closes(5280))
    assert trader.asset.feed.faults == ()
    return trader


def told(trader: Trader) -> BarTaken:
    assert isinstance(trader.answer, BarTaken)
    return trader.answer


def gate(trader: Trader) -> Rung:
    """The gate ``feed`` as it stands now."""
    rungs = ladder(trader.desk, EntryRequest(trader.asset), trader.now)
    return next(rung for rung in rungs if rung.gate == "feed")


def faults(trader: Trader) -> set[str]:
    return {fault.kind for fault in trader.asset.feed.faults}


def colors(trader: Trader) -> dict[str, str]:
    return {stream.value: trader.asset.stream(stream).color for stream in Stream}


def long_by_bars(chart: ScriptChart) -> Trader:
    """Hold a long of 5 from 5287, entered with every size green: the initial exit lock is still on."""
    trader = hears(settled(chart), chart.closes(5287)).enters("BUY", mode="RUNNER").filled_at(5287)
    assert (trader.position, trader.asset.tempo.ready, trader.trade.initial_exit_locked) == (5, False, True)
    return trader


# -- a message is lost -------------------------------------------------------------------------------------------------


def test_the_first_message_is_taken_over_and_the_second_opens_the_gate() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = hears(Trader(at="09:30:00"), chart.closes(5280.25))
    assert set(colors(trader).values()) == {"green"}
    assert faults(trader) == {"unsettled"}
    assert gate(trader).sentence is not None
    assert trader.alerts == []  # every start brings this
    hears(trader, chart.closes(5280.5))
    assert faults(trader) == set()
    assert gate(trader).is_open
    assert trader.replays_equal()


def test_a_lost_message_closes_entries_until_the_next_one_agrees() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = settled(chart)
    hears(trader, chart.loses(5255).closes(5255.25))
    assert told(trader).differs == told(trader).adopted == tuple(Stream)
    assert set(colors(trader).values()) == {"red"}
    assert faults(trader) == {"missed_bar"}
    assert trader.enters("SELL", override=True).refused_by == "tempo"  # an adopted brick arms nothing
    assert trader.alerts == ["feed"]
    hears(trader, chart.closes(5255.5))
    assert trader.told(FeedFaultEnded)[-1].how == "continued"
    assert (faults(trader), gate(trader).is_open) == (set(), True)
    hears(trader, chart.closes(5249)).enters("SELL")
    assert trader.refused_by is None
    assert trader.replays_equal()


def test_the_gate_is_the_reason_while_it_is_the_only_one() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = hears(settled(chart), chart.closes(5287))
    hears(trader, chart.loses(5291).closes(5291.25)).enters("BUY")
    assert trader.refused_by == "feed"
    assert trader.refusal.sentence.startswith("STREAM GAPPED — messages of ES are missing")
    assert trader.told(EntryBlocked)[-1].gate == "feed"
    assert gate(trader).reopens == "stream whole again"


def test_an_adopted_brick_exits_what_it_opposes_and_gives_nothing() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = long_by_bars(chart)
    hears(trader, chart.loses(5262).closes(5262.25))
    assert trader.exit_source == "structure"
    assert trader.trade.initial_exit_locked
    assert not trader.asset.tempo.ready
    assert not trader.trade.scale_in_available
    assert trader.asset.stack.two_half.color == "red"  # the management lock is off: 2.5pt is against the trade
    assert all(event.adopted for event in trader.decision.events if isinstance(event, BrickApplied))
    assert trader.replays_equal()


def test_an_adopted_brick_with_the_trade_exits_nothing_and_unlocks_nothing() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = long_by_bars(chart)
    hears(trader, chart.loses(5304).closes(5304.25))
    assert (trader.exit_source, trader.trade.initial_exit_locked) == (None, True)
    assert (trader.trade.scale_in_available, trader.trade.fresh_main_bricks) == (False, 0)


def test_an_adopted_6pt_brick_moves_neither_intent_nor_pre_order() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    intending = hears(settled(chart).intends(), chart.loses(5287).closes(5287.25))
    assert intending.intent.status == "WAITING"
    chart = ScriptChart(seen=ABOVE_ALL)
    waiting = hears(settled(chart).preorders("BUY"), chart.loses(5287).closes(5287.25))
    assert (waiting.preorder.status, waiting.order) == ("WAITING", None)


def test_a_pre_order_does_not_fire_in_the_message_that_shows_another_size_gapped() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = settled(chart).preorders("BUY")
    message = chart.closes(5287)
    wrong = tuple(
        replace(last, lo=last.lo - 12, hi=last.hi - 12) if last.stream is Stream.MACRO else last
        for last in message.last
    )
    hears(trader, replace(message, last=wrong))
    assert (trader.preorder.status, trader.order) == ("CANCELLED", None)
    assert known(trader.preorder.reason).startswith("STREAM GAPPED")


def test_a_chain_that_came_back_to_where_it_stood_is_gapped_all_the_same() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = settled(chart)  # 6pt stands on 5274-5280
    chart.loses(5262)
    before = known(trader.asset.feed.chain(Stream.MAIN))
    hears(trader, chart.closes(5280))
    after = known(trader.asset.feed.chain(Stream.MAIN))
    assert (after.color, after.lo, after.hi) == (before.color, before.lo, before.hi)
    assert Stream.MAIN in told(trader).differs
    assert faults(trader) == {"missed_bar"}


def test_a_size_that_the_sender_no_longer_knows_is_gapped() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = settled(chart)
    message = chart.closes(5280.25)
    hears(trader, replace(message, last=message.last[:-1]))
    assert [(fault.kind, fault.stream) for fault in trader.asset.feed.faults] == [("broken_chain", Stream.MACRO)]
    assert trader.asset.stack.macro.color == "green"
    hears(trader, chart.closes(5280.5))
    assert faults(trader) == set()


def test_the_trouble_that_returns_again_and_again_is_one_alert_with_a_count() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = settled(chart)
    for price in (5260, 5290, 5260):
        hears(trader, chart.loses(price).closes(price), chart.closes(price))
    assert trader.alerts == ["feed"]
    assert "(3 times)" in trader.last_alert.sentence


def test_a_colour_that_was_known_before_the_chain_is_no_news_and_exits_nothing() -> None:
    trader = Trader(at="09:30:00").with_zone("red", "green").bricks(6, "green").enters("BUY").filled_at(5250)
    chart = ScriptChart(seen=BELOW_ALL)
    hears(trader, chart.closes(5250.25))
    assert colors(trader)["high"] == "red"
    applied = [event.stream for event in trader.decision.events if isinstance(event, BrickApplied)]
    assert applied == [Stream.TWO_HALF, Stream.FOUR, Stream.MAIN, Stream.MACRO]
    assert trader.exit_source == "main_flip"  # that colour turned; the 8pt one was red before the entry
    assert trader.replays_equal()


# -- twice, late, contradicted -----------------------------------------------------------------------------------------


def test_a_doubled_message_changes_nothing() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader, message = settled(chart), chart.closes(5287)
    before = hears(trader, message).desk
    trader.asks(message)
    assert (told(trader).duplicates, told(trader).applied) == (len(message.bricks), 0)
    assert (trader.desk.assets, trader.decision.events) == (before.assets, ())


def test_a_message_sent_again_after_a_crash_shows_no_gap() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader, message = settled(chart), chart.closes(5287)
    hears(trader, message)
    asset = trader.asset
    forgotten = replace(asset, live=replace(asset.live, feed=FeedPulse()))  # prices and ages of the last seconds
    decision = decide(replace(trader.desk, assets={"ES": forgotten}), message, trader.now)
    assert isinstance(decision.answer, BarTaken)
    assert (decision.answer.differs, decision.answer.adopted) == ((), ())
    assert decision.desk.assets["ES"].stack == asset.stack


def test_a_late_message_changes_no_brick() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = settled(chart)
    late, newer, last = chart.closes(5260), chart.closes(5287), chart.closes(5287.25)
    hears(trader, newer, last)
    assert (faults(trader), colors(trader)["macro"]) == (set(), "green")
    before = trader.asset
    trader.asks(late)
    assert (told(trader).late, told(trader).stale) == (len(late.bricks), True)
    assert (trader.asset.stack, trader.asset.feed, trader.asset.live.feed) == (
        before.stack,
        before.feed,
        before.live.feed,
    )


def test_a_second_message_of_the_same_bar_that_tells_other_bricks_closes_the_gate() -> None:
    chart, other = ScriptChart(seen=ABOVE_ALL), ScriptChart(seen=BELOW_ALL)
    trader = settled(chart)
    other.starts_at = chart.starts_at
    hears(trader, chart.closes(5280.25))
    before = trader.asset.stack
    trader.asks(other.closes(5250.25))
    assert (told(trader).differs, trader.asset.stack) == (tuple(Stream), before)
    assert faults(trader) == {"source"}
    hears(trader, chart.closes(5280.5))
    assert faults(trader) == set()


def test_another_chart_makes_no_bricks_while_the_first_one_is_heard() -> None:
    chart, minute = ScriptChart(seen=ABOVE_ALL), ScriptChart(seen=BELOW_ALL, base="1")
    trader = settled(chart)
    trader.asks(minute.closes(5250.25))
    assert (told(trader).ignored, colors(trader)["main"]) == ("other_source", "green")
    minute.waits_until("09:36:00")
    hears(trader, minute.closes(5250.5))
    assert (trader.asset.feed.source, colors(trader)["main"]) == ("1", "red")
    assert "source" in faults(trader)
    hears(trader, minute.closes(5250.25))
    assert faults(trader) == set()


# -- bars that are absent ----------------------------------------------------------------------------------------------


def test_a_quiet_market_is_neither_gapped_nor_delayed() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = settled(chart)
    start = chart.starts_at
    late_close = chart.closes(5280.25, sent_at=start + timedelta(minutes=9))  # the first trade for nine minutes
    hears(trader, late_close)
    assert faults(trader) == set()
    chart.starts_at = start + timedelta(minutes=9)
    hears(trader, chart.closes(5280.5))
    assert (faults(trader), trader.alerts) == (set(), [])


def test_without_the_last_bricks_an_absent_bar_closes_each_size_until_it_goes_on() -> None:
    chart = ScriptChart(seen=(5250,), tells_last=False)
    trader = hears(Trader(at="09:30:00"), chart.closes(5264), chart.closes(5276))
    first = faults(trader)
    hears(trader, chart.waits().closes(5276.25))
    assert first == {"unsettled"} or first == set()
    gapped = {fault.stream for fault in trader.asset.feed.faults if fault.kind == "missed_bar"}
    assert gapped == set(Stream)
    hears(trader, chart.closes(5288))
    assert {fault.stream for fault in trader.asset.feed.faults} == set()


def test_the_break_between_two_sessions_is_no_gap() -> None:
    chart = ScriptChart(at="16:59:30", seen=ABOVE_ALL)
    trader = hears(Trader(at="16:59:00"), chart.closes(5280), chart.closes(5280))
    chart.waits_until("18:00:00")
    hears(trader, chart.closes(5280.25))
    assert faults(trader) == set()


# -- silence -----------------------------------------------------------------------------------------------------------


def test_in_live_a_silent_feed_closes_the_gate_and_the_next_message_opens_it() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = settled(chart, env="LIVE")
    trader.later(170).ticks()
    assert faults(trader) == set()
    trader.later(15).ticks()
    assert faults(trader) == {"silent"}
    assert gate(trader).sentence == "STREAM SILENT — no bar of ES is heard although its market is open"
    chart.starts_at = trader.now.replace(second=0, microsecond=0)
    hears(trader, chart.closes(5280.25))
    assert faults(trader) == set()
    assert trader.replays_equal()


def test_in_demo_silence_is_no_fault() -> None:
    trader = settled(ScriptChart(seen=ABOVE_ALL)).later(900).ticks()
    assert (faults(trader), gate(trader).is_open) == (set(), True)


def test_a_feed_is_not_silent_while_its_market_is_closed() -> None:
    chart = ScriptChart(at="16:59:30", on="2026-11-20", seen=ABOVE_ALL)
    trader = hears(Trader(at="16:59:00", on="2026-11-20", env="LIVE"), chart.closes(5280), chart.closes(5280))
    trader.at("12:00:00", "2026-11-22").ticks()
    assert faults(trader) == set()
    trader.at("18:03:00", "2026-11-22").ticks()
    assert faults(trader) == {"silent"}


# -- old, and of another contract --------------------------------------------------------------------------------------


def test_delayed_data_close_the_gate_although_each_alert_fires_now() -> None:
    chart = ScriptChart(at="09:21:00", seen=ABOVE_ALL)
    delay = timedelta(minutes=10)

    def delayed(price: float) -> CloseBar:
        return chart.closes(price, sent_at=chart.starts_at + chart.length + delay)

    trader = hears(Trader(at="09:31:00"), delayed(5280))
    hears(trader, delayed(5280.25))
    assert faults(trader) == {"delayed"}
    assert gate(trader).sentence == "STREAM DELAYED — bars of ES come 600 s late"
    chart.starts_at += delay
    hears(trader, chart.closes(5280.5))
    assert faults(trader) == set()
    assert trader.told(FeedFaultEnded)[-1].how == "on_time"


def test_an_alert_that_changes_to_delayed_quotes_closes_the_gate_until_a_good_bar_comes() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader, stray = settled(chart), NoteDelayedQuotes("ES", "CME_MINI_DL:ES1!")
    trader.later(60).asks(stray)
    assert faults(trader) == set()  # beside bars that are heard it is a stray alert
    trader.later(100).asks(stray).asks(stray)
    assert [fault.facts for fault in trader.asset.feed.faults] == [{"symbol": "CME_MINI_DL:ES1!"}]
    assert gate(trader).sentence == "STREAM DELAYED — the alert's chart CME_MINI_DL:ES1! has delayed quotes"
    chart.starts_at = trader.now.replace(second=0, microsecond=0)
    hears(trader, chart.closes(5280.25))
    assert faults(trader) == set()


def test_a_message_that_was_long_under_way_closes_the_gate() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader, message = settled(chart), chart.closes(5280.25)
    trader.later(90).asks(message)
    assert faults(trader) == {"delayed"}


@pytest.mark.parametrize("symbol", ["ESH2027", "CME_MINI:ES2!", "ESU2026"])
def test_a_feed_of_another_contract_protects_and_lets_nothing_in(symbol: str) -> None:
    chart = ScriptChart(seen=ABOVE_ALL, symbol=symbol)
    trader = hears(Trader(at="09:30:00"), chart.closes(5280), chart.closes(5280.25))
    assert faults(trader) == {"other_contract"}
    assert gate(trader).sentence == f"FEED OF ANOTHER CONTRACT — the alert sends {symbol}, the desk trades MESZ6"
    assert colors(trader)["macro"] == "green"
    right = ScriptChart(seen=ABOVE_ALL)
    right.starts_at = chart.starts_at
    hears(trader, right.closes(5280), right.closes(5280.25))
    assert (trader.asset.feed.symbol, faults(trader)) == ("CME_MINI:ES1!", set())


def test_a_stray_alert_of_another_contract_is_ignored_beside_the_right_one() -> None:
    chart, stray = ScriptChart(seen=ABOVE_ALL), ScriptChart(seen=BELOW_ALL, symbol="ESH2027")
    trader = settled(chart)
    stray.starts_at = chart.starts_at
    hears(trader, stray.closes(5250))
    assert (told(trader).noted.ignored, colors(trader)["main"], faults(trader)) == ("other_contract", "green", set())


def test_an_alert_that_counts_in_other_units_closes_the_gate() -> None:
    chart = ScriptChart(seen=(5250, 5400), unit=Decimal(4))
    trader = hears(Trader(at="09:30:00"), chart.closes(5400), chart.closes(5400))
    assert "source" in faults(trader)
    assert gate(trader).detail == "the alert counts in units of 4, the desk in units of 1"


# -- a roll of the feed, and a gap of the market -----------------------------------------------------------------------


def over_the_break(own_after: float | None) -> Trader:
    """Hold a long over the break; the feed then opens 40 points lower. The contract itself is at ``own_after``."""
    chart = ScriptChart(at="16:59:15", seen=ABOVE_ALL)
    trader = hears(Trader(at="16:58:00"), chart.closes(5280), chart.closes(5287))
    trader.asks(NotePrice("ES", Decimal(5287), delivery="Z6"))
    hears(trader.enters("BUY").filled_at(5287), chart.closes(5287.25))
    chart.waits_until("18:00:00")
    trader.at("18:00:10")
    if own_after is not None:
        trader.asks(NotePrice("ES", Decimal(str(own_after)), delivery="Z6"))
    return hears(trader, chart.closes(5247, opened=5247))


def test_after_a_roll_of_the_feed_its_bricks_set_colours_and_exit_nothing() -> None:
    trader = over_the_break(own_after=5288)
    assert colors(trader)["high"] == "red"
    assert (trader.exit_source, "roll" in faults(trader)) == (None, True)
    assert told(trader).noted.ignored == "feed_rolled"
    assert trader.asset.live.last_price == Decimal(5288)
    assert trader.replays_equal()


@pytest.mark.parametrize("own_after", [5248, None])
def test_a_gap_between_two_sessions_is_a_real_move_and_exits_once(own_after: float | None) -> None:
    trader = over_the_break(own_after)
    assert (trader.exit_source, "roll" in faults(trader)) == ("structure", False)
    assert len([order for order in trader.desk.orders.values() if order.kind == "EXIT"]) == 1


# -- a restart ---------------------------------------------------------------------------------------------------------


def test_after_a_start_nothing_passes_until_the_feed_is_heard() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = settled(chart)
    trader.restarts().asks(TakeOver("desk-2", 2, "1", counts_ids=True, generation=GENERATION))
    assert faults(trader) == {"restart"}
    hears(trader, chart.closes(5280.25))
    assert faults(trader) == set()


# -- alerts of single sizes --------------------------------------------------------------------------------------------


def test_a_brick_that_continues_its_chain_is_whole_and_one_that_does_not_closes_the_gate() -> None:
    trader = Trader().with_structure("green").brick(8, "green", close=5248).brick(8, "green", close=5256)
    assert faults(trader) == set()
    trader.brick(8, "red", close=5240)
    assert faults(trader) == set()
    trader.brick(8, "red", close=5216)
    assert [(fault.kind, fault.stream) for fault in trader.asset.feed.faults] == [("broken_chain", Stream.HIGH)]
    assert trader.gate_for("BUY") is not None
    trader.brick(8, "red", close=5208)
    assert faults(trader) == set()
    assert trader.replays_equal()


def test_without_a_close_nothing_is_judged() -> None:
    trader = Trader().brick(8, "green", close=5248).brick(8, "green").brick(8, "red", close=5100).brick(8, "green")
    assert faults(trader) == set()


def test_bricks_of_one_base_bar_may_come_in_any_order() -> None:
    trader = Trader().brick(6, "green", close=5256)
    at = trader.now
    for close in (5274, 5262, 5268):
        trader.brick(6, "green", close=close, bar_at=at)
    assert (faults(trader), trader.alerts) == (set(), [])
    trader.brick(6, "green", close=5280, bar_at=at)
    assert faults(trader) == set()


def test_bricks_of_one_base_bar_that_stay_missing_are_alerted() -> None:
    trader = Trader().brick(6, "green", close=5256)
    trader.brick(6, "green", close=5274, bar_at=trader.now).brick(6, "green", close=5262, bar_at=trader.now)
    assert (faults(trader), trader.alerts) == ({"broken_chain"}, [])
    trader.later(10).ticks()
    assert (faults(trader), trader.alerts) == ({"broken_chain"}, ["feed"])


def test_in_live_a_size_is_silent_when_the_price_has_passed_its_next_brick_for_three_minutes() -> None:
    trader = Trader(env="LIVE").brick(8, "green", close=5248).hears(5250)
    trader.later(60).hears(5256.25).later(120).hears(5257)
    assert faults(trader) == set()
    trader.later(60).hears(5256.5)
    assert [(fault.kind, fault.stream) for fault in trader.asset.feed.faults] == [("silent", Stream.HIGH)]
    assert gate(trader).detail == "the price is beyond the next 8pt brick and none came"
    trader.brick(8, "green", close=5256)
    assert faults(trader) == set()


def test_the_fault_of_a_size_ends_when_its_colour_is_too_old_to_count() -> None:
    trader = Trader()
    old = trader.now + timedelta(hours=23)
    for close in (5248, 5290):
        trader.brick(4, "green", close=close, stale_at=old)
    assert faults(trader) == {"broken_chain"}
    trader.later(23 * 3600).ticks()
    assert faults(trader) == set()


def test_a_brick_of_a_single_alert_counts_not_twice_beside_the_one_alert() -> None:
    chart = ScriptChart(seen=ABOVE_ALL)
    trader = hears(settled(chart), chart.closes(5287)).enters("BUY").brick(6, "green", close=5286)
    assert isinstance(trader.answer, BrickTaken)
    assert trader.answer.ignored == "other_source"
    assert not trader.asset.tempo.ready
