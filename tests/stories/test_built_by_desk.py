"""Bricks that the desk builds itself: of bars, of ticks, behind gaps, changes and restarts (SPEC 3, 4 row 16)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from services.engine.model.bridge_commands import HearBridge
from services.engine.model.commands import CloseBrick
from services.engine.model.events import BrickApplied
from services.engine.model.feed import MarketHours, ToldBrick
from services.engine.model.feed_events import FeedFaultEnded, FeedFaultFound, FeedSourceChanged
from services.engine.model.replies import BrickTaken, TicksTaken
from tests.support.builders import CONTRACTS, STREAM_OF_POINTS
from tests.support.built_trader import BuiltTrader, last_of
from tests.support.narrow import known
from wire.types import Stream

CERTAIN = dict.fromkeys(STREAM_OF_POINTS, 0)
GAPPED = dict.fromkeys(STREAM_OF_POINTS, 3)


def bricks(trader: BuiltTrader, points: float) -> list[str]:
    """The bricks of a size that were applied, oldest first."""
    return [one.color for one in trader.told(BrickApplied) if one.stream is STREAM_OF_POINTS[points]]


# -- of bars --------------------------------------------------------------------------------------------------


def test_the_closes_of_bars_make_the_bricks_of_all_sizes() -> None:
    trader = BuiltTrader().is_settled()
    assert set(trader.colors().values()) == {"green"}
    assert bricks(trader, 12) == ["green"] * 3
    assert (trader.to_settle, trader.faults) == (CERTAIN, [])
    assert trader.asset.feed.source == "15S"
    assert trader.gate_for("BUY") is None
    assert trader.replays_equal()


def test_until_each_size_has_made_two_bricks_there_is_no_zone_and_no_entry() -> None:
    trader = BuiltTrader().bar(5250).rises(29, steps=29)
    assert trader.to_settle[8] == 0
    assert trader.to_settle[12] == 1
    assert trader.colors()[12] == "green"
    assert trader.gate_for("BUY") == "zone"
    assert trader.gate_for("BUY", override=True) == "feed"
    assert "12pt" in known(trader.enters("BUY").refusal.detail)


def test_bricks_of_tradingview_make_none_and_are_compared() -> None:
    """The script sends its bricks: one of a bar that the desk has built, one that stands elsewhere."""
    trader = BuiltTrader().is_settled()
    told = ToldBrick(Stream.MAIN, 1, "red", Decimal(5292), Decimal(5298), "ES1!|15S|6|1|1")
    last = (last_of(6, "red", 5292, 5298), last_of(8, "green", 5288, 5296))
    trader.bar(5298, bricks=(told,), last=last)
    assert trader.colors()[6] == "green"
    assert trader.taken.ignored == "built_by_desk"
    assert trader.taken.differs == (Stream.MAIN,)
    assert trader.faults == []


def test_alerts_of_single_sizes_make_no_bricks() -> None:
    trader = BuiltTrader().is_settled()
    trader.asks(CloseBrick("ES", Stream.HIGH, "red", bar_id="x", close=Decimal(5288)))
    assert trader.answer == BrickTaken(ignored="built_by_desk")
    assert trader.colors()[8] == "green"


def test_a_bar_counts_once_and_an_older_one_does_nothing() -> None:
    trader = BuiltTrader().is_settled()
    before = trader.asset.feed
    newest = known(trader.newest_bar)
    trader.bar(5298, start=newest)
    trader.bar(5220, start=newest - timedelta(seconds=15))
    assert trader.taken.stale
    assert trader.asset.feed == before


def test_every_bar_is_committed_so_that_a_kill_forgets_none() -> None:
    trader = BuiltTrader().bar(5250).bar(5250)
    assert trader.decision.is_durable
    assert trader.replays_equal()


def test_the_price_comes_before_the_bricks_that_it_closed() -> None:
    """A structure exit by the bar's 8pt brick is decided at the bar's close."""
    trader = BuiltTrader().is_settled().enters("BUY").filled_at(5298).falls(20)
    assert trader.exit_source == "structure"
    assert trader.asset.live.last_price == 5278


def test_a_close_far_away_makes_no_brick_until_the_next_one_confirms_it() -> None:
    trader = BuiltTrader().is_settled().enters("BUY").filled_at(5298)
    trader.bar(5240)
    assert (trader.exit_source, trader.colors()[8]) == (None, "green")
    assert trader.faults == ["unsettled"]
    trader.bar(5298)
    assert (trader.exit_source, trader.faults, bricks(trader, 8)[-1]) == (None, [], "green")
    trader.bar(5240).bar(5241)
    assert (trader.exit_source, trader.colors()[8]) == ("structure", "red")
    assert trader.to_settle == CERTAIN


# -- gaps -----------------------------------------------------------------------------------------------------


def test_a_bar_that_is_missing_closes_entries_until_three_bricks_of_each_size() -> None:
    trader = BuiltTrader().is_settled().bar(5298, skipped=1)
    assert trader.to_settle == GAPPED
    assert trader.faults == ["missed_bar", "unsettled"]
    assert "feed" in trader.alerts
    assert trader.gate_for("BUY") == "zone"
    trader.rises(29, steps=29)
    assert trader.to_settle[12] == 1
    assert trader.gate_for("BUY") == "zone"
    trader.rises(8)
    assert (trader.to_settle, trader.faults) == (CERTAIN, [])
    assert trader.gate_for("BUY") is None
    assert {event.how for event in trader.told(FeedFaultEnded)} == {"settled"}
    assert trader.replays_equal()


def test_exits_go_on_with_the_bricks_behind_a_gap() -> None:
    trader = BuiltTrader().is_settled().enters("BUY").filled_at(5298)
    trader.bar(5270, skipped=3)
    assert trader.exit_source == "structure"


def test_a_pre_order_does_not_fire_on_a_brick_behind_a_gap() -> None:
    trader = BuiltTrader().is_settled().preorders("BUY").bar(5306, skipped=2)
    assert known(trader.preorder).status == "CANCELLED"
    assert trader.order is None


def test_a_second_gap_begins_the_count_anew_and_is_committed() -> None:
    trader = BuiltTrader().is_settled().bar(5298, skipped=1).rises(14, steps=7)
    assert trader.to_settle[12] == 2
    trader.bar(5312, skipped=1)
    assert trader.to_settle == GAPPED
    assert trader.decision.is_durable
    assert trader.replays_equal()


def test_where_the_message_says_the_same_nothing_was_missed() -> None:
    """A quiet market makes no bars. The script's last bricks show that no price was lost."""
    trader = BuiltTrader().is_settled()
    told = {1: (5297, 5298), 2.5: (5295, 5297.5), 4: (5292, 5296), 6: (5292, 5298), 8: (5288, 5296), 12: (5280, 5292)}
    last = [last_of(points, "green", *ends) for points, ends in told.items()]
    trader.bar(5298, skipped=4, last=tuple(last))
    assert (trader.to_settle, trader.faults) == (CERTAIN, [])
    assert trader.told(FeedFaultFound)[-1].kind == "unsettled"
    trader.bar(5298, skipped=4, last=tuple(last[:-1]))
    assert trader.to_settle == {**CERTAIN, 12: 3}
    assert trader.faults == ["missed_bar", "unsettled"]
    trader.bar(5298, last=tuple(last))
    assert (trader.to_settle, trader.faults) == (CERTAIN, [])


def test_a_session_break_is_no_gap_and_its_move_is_a_real_one() -> None:
    trader = BuiltTrader(at="16:50:00").is_settled().enters("BUY").filled_at(5298)
    closed = known(trader.newest_bar) + timedelta(seconds=15)
    opened = closed + timedelta(hours=1)
    trader.bar(5280, start=opened, hours=MarketHours(closed, opened))
    assert (trader.faults, trader.exit_source) == ([], "structure")
    late = BuiltTrader(at="16:50:00").is_settled()
    late.bar(5298, start=opened + timedelta(seconds=15), hours=MarketHours(closed, opened))
    assert "missed_bar" in late.faults


def test_bars_of_another_contract_make_no_bricks_and_close_entries() -> None:
    trader = BuiltTrader().is_settled().bar(5420, delivery="H7")
    assert trader.faults == ["other_contract"]
    assert trader.colors()[8] == "green"
    assert trader.gate_for("BUY") == "feed"
    trader.bar(5298)
    assert "other_contract" not in trader.faults


# -- one source at a time -------------------------------------------------------------------------------------


def test_another_base_timeframe_is_left_out_while_the_first_is_heard() -> None:
    trader = BuiltTrader().is_settled()
    trader.bar(5200, base="1", start=known(trader.newest_bar) - timedelta(seconds=45))
    assert trader.colors()[8] == "green"
    assert (trader.asset.feed.source, trader.faults) == ("15S", [])


def test_a_change_of_the_base_timeframe_unsettles_the_chains() -> None:
    trader = BuiltTrader().is_settled().later(180)
    trader.newest_bar = None
    trader.bar(5298, base="1")
    assert trader.asset.feed.source == "1"
    assert (trader.to_settle, trader.faults) == (GAPPED, ["source", "unsettled"])
    assert [event.source for event in trader.told(FeedSourceChanged)] == ["15S", "1"]
    assert trader.replays_equal()


def test_ticks_outrank_bars_and_bars_take_over_a_minute_after_the_last_tick() -> None:
    trader = BuiltTrader().is_settled().later(1).hears_ticks(5298)
    assert (trader.asset.feed.source, trader.to_settle) == ("ticks", GAPPED)
    trader.newest_bar = None
    trader.bar(5340)
    assert trader.colors()[12] == "green"
    assert trader.asset.feed.source == "ticks"
    trader.later(60)
    trader.newest_bar = None
    trader.bar(5299)
    assert (trader.asset.feed.source, trader.faults) == ("15S", ["source", "unsettled"])
    assert trader.replays_equal()


# -- of ticks -------------------------------------------------------------------------------------------------


def ticking() -> BuiltTrader:
    """A trader whose bricks are built of ticks, all of them certain: up to 5298."""
    trader = BuiltTrader()
    for points in range(49):
        trader.later(1).hears_ticks(5250 + points)
    assert trader.to_settle == CERTAIN
    return trader


def test_ticks_make_the_bricks_of_all_sizes_and_are_any_price_for_the_heartbeat() -> None:
    trader = ticking()
    assert set(trader.colors().values()) == {"green"}
    assert trader.asset.live.last_heartbeat_at is None
    assert trader.gate_for("BUY") is None
    trader.later(599)
    assert trader.gate_for("BUY") is None
    trader.later(2)
    assert trader.gate_for("BUY") == "heartbeat"


def test_a_bundle_of_ticks_is_decided_tick_by_tick() -> None:
    """Within one message the price falls through an 8pt brick and comes back: the exit is due, at its price."""
    trader = ticking().enters("BUY").filled_at(5298)
    trader.later(1).hears_ticks(5298, 5290, 5280, 5290, 5298)
    assert trader.exit_source == "structure"
    assert bricks(trader, 8)[-2:] == ["red", "green"]
    assert trader.asset.live.last_price == 5298
    assert trader.replays_equal()


def test_only_ticks_with_a_stored_brick_commit() -> None:
    trader = ticking()
    trader.later(1).hears_ticks("5298.25")
    assert not trader.decision.is_durable
    trader.later(1).hears_ticks(5299)
    assert (trader.decision.is_durable, trader.colors()[1]) == (False, "green")
    trader.later(1).hears_ticks(5302)
    assert trader.decision.is_durable
    assert trader.replays_equal()


def test_the_same_ticks_again_make_no_second_brick() -> None:
    trader = ticking().later(1).hears_ticks(5299, 5304, seq=1000)
    before = trader.asset
    trader.hears_ticks(5299, 5304, seq=1000)
    assert (trader.answer, trader.asset) == (TicksTaken(), before)


def test_ticks_that_the_bridge_lost_unsettle_the_chains() -> None:
    for more in ({"gap": True}, {"instance": "another run"}):
        trader = ticking().later(6).hears_ticks(5299, **more)
        assert (trader.to_settle, trader.faults) == (GAPPED, ["missed_bar", "unsettled"]), more
        assert trader.gate_for("BUY") == "zone"
        assert trader.replays_equal()


def test_a_market_that_says_nothing_is_a_gap_unless_the_bridge_hears_it() -> None:
    silent = ticking().later(61).hears_ticks(5298)
    assert silent.to_settle == GAPPED
    quiet = ticking()
    quiet.asks(HearBridge(ts_connected=True, md_connected=True))
    quiet.later(61).asks(HearBridge(ts_connected=True, md_connected=True)).hears_ticks(5298)
    assert quiet.to_settle == CERTAIN
    lost = ticking().asks(HearBridge(ts_connected=True, md_connected=True))
    lost.later(5).asks(HearBridge(ts_connected=True, md_connected=False))
    assert (lost.to_settle, lost.faults) == (GAPPED, ["missed_bar", "unsettled"])
    assert lost.decision.is_durable
    lost.later(1).asks(HearBridge(ts_connected=True, md_connected=True)).hears_ticks(5310)
    assert (lost.to_settle, lost.colors()[12]) == (GAPPED, "green")
    assert lost.replays_equal()


def test_a_session_break_between_ticks_is_none() -> None:
    trader = ticking()
    closed = trader.now + timedelta(seconds=10)
    opened = closed + timedelta(hours=1)
    trader.later((opened - trader.now).total_seconds() + 5).hears_ticks(5299, hours=MarketHours(closed, opened))
    assert (trader.to_settle, trader.faults) == (CERTAIN, [])


def test_ticks_of_the_next_contract_are_another_source() -> None:
    trader = ticking()
    assert trader.later(1).hears_ticks(5340, contract="MESH7").answer == TicksTaken(ignored="other_contract")


def test_a_suspect_tick_makes_no_brick_and_counts_when_the_next_one_confirms_it() -> None:
    trader = ticking().enters("BUY").filled_at(5298)
    trader.later(1).hears_ticks(5240)
    assert (trader.exit_source, trader.colors()[8]) == (None, "green")
    trader.later(1).hears_ticks(5298)
    assert bricks(trader, 8)[-1] == "green"
    trader.later(1).hears_ticks(5240).later(1).hears_ticks(5252)
    assert trader.exit_source == "structure"
    assert trader.colors()[4] == "green", "5240 counted, and 5252 came back from it"


def test_ticks_end_what_was_wrong_with_bars() -> None:
    trader = BuiltTrader().is_settled().bar(5420, delivery="H7")
    assert trader.faults == ["other_contract"]
    trader.later(1).hears_ticks(5298)
    assert trader.faults == ["source", "unsettled"]


def test_in_live_ticks_that_fall_silent_close_entries_until_they_come_back() -> None:
    trader = BuiltTrader(env="LIVE")
    trader.hears_ticks(5250, silent_at=trader.now + timedelta(seconds=180))
    trader.later(180).ticks()
    assert "silent" in trader.faults
    trader.later(1).hears_ticks(5250, silent_at=trader.now + timedelta(seconds=180))
    assert "silent" not in trader.faults


def test_what_a_simulated_market_built_does_not_count_in_live() -> None:
    trader = BuiltTrader().hears_ticks(5250, simulated=True)
    for points in range(49):
        trader.later(1).hears_ticks(5250 + points, simulated=True)
    assert trader.gate_for("BUY") is None
    trader.hears_bridge().switches_to("LIVE")
    assert trader.desk.env == "LIVE"
    assert set(trader.colors().values()) == {"neutral"}
    assert not trader.gate("feed").is_open
    assert trader.later(1).hears_ticks(5300, simulated=True).answer == TicksTaken(ignored="simulated")
    assert trader.later(6).hears_ticks(5300, instance="a real bridge").answer == TicksTaken(taken=1)


def test_all_small_bricks_of_a_bundle_are_kept_for_the_chart() -> None:
    trader = ticking().later(1).hears_ticks(5299, 5300, 5301)
    assert [one.close for one in trader.asset.live.feed.ones] == [5299, 5300, 5301]


# -- restarts -------------------------------------------------------------------------------------------------


def test_after_a_restart_ticks_may_have_been_missed() -> None:
    trader = ticking().begins_anew()
    assert trader.asset.feed.source == "ticks"
    assert (trader.to_settle, trader.faults) == (GAPPED, ["restart", "unsettled"])
    assert trader.gate_for("BUY") == "zone"
    trader.later(1).hears_ticks(5298)
    assert trader.to_settle == GAPPED
    for points in range(1, 50):
        trader.later(1).hears_ticks(5298 + points)
    assert (trader.to_settle, trader.faults) == (CERTAIN, [])


def test_after_a_restart_that_missed_no_bar_the_next_one_opens_the_gate() -> None:
    trader = BuiltTrader().is_settled().begins_anew()
    assert trader.faults == ["restart"]
    assert trader.gate_for("BUY") == "feed"
    trader.bar(5298)
    assert (trader.to_settle, trader.faults) == (CERTAIN, [])


def test_a_restart_that_missed_bars_is_a_gap() -> None:
    trader = BuiltTrader().is_settled().begins_anew().bar(5298, skipped=2)
    assert (trader.to_settle, trader.faults) == (GAPPED, ["missed_bar", "restart", "unsettled"])


def test_a_change_of_the_builder_begins_the_chains_anew() -> None:
    trader = BuiltTrader().is_settled().restarts(bricks_by_desk=())
    assert (trader.asset.feed.chains, trader.faults) == ((), ["source"])
    assert trader.colors()[8] == "green"
    assert trader.gate_for("BUY") == "feed"
    trader.restarts(bricks_by_desk=("ES",)).bar(5298)
    assert trader.to_settle == dict.fromkeys(STREAM_OF_POINTS, 2)
    assert trader.gate_for("BUY") == "zone"


# -- words ----------------------------------------------------------------------------------------------------


def test_the_gate_says_what_the_desk_waits_for() -> None:
    trader = BuiltTrader().is_settled().bar(5298, skipped=1)
    detail = known(trader.gate("feed").detail)
    assert detail == "prices of ES are missing: each size is certain after its next 3 bricks"
    doubted = BuiltTrader().is_settled().bar(5240)
    assert known(doubted.gate("feed").detail) == "ES closed far away at 5240: the next bar must confirm it"


def test_chains_of_another_unit_begin_anew() -> None:
    trader = BuiltTrader().is_settled()
    narrower = {"ES": replace(CONTRACTS["ES"], unit=Decimal("0.5"))}
    trader.restarts(contracts=narrower).bar(5298)
    assert trader.to_settle == dict.fromkeys(STREAM_OF_POINTS, 2)
    assert not trader.gate("feed").is_open
    assert trader.replays_equal()
