"""Candles: what prices make of them, what is not counted, and what is marked."""

from __future__ import annotations

from decimal import Decimal

import pytest

from feeds.prices.candles import KEPT_CANDLES
from feeds.prices.types import TIMEFRAMES, PriceSource
from tests.feeds.prices.story import Minutes, Trader, ny


def test_four_prices_make_a_candle() -> None:
    trader = Trader()
    for price, at, size in [("5000", "10:00:01", 2), ("5001.25", "10:00:20", 1), ("4999.5", "10:00:40", 4)]:
        trader.hears(price, at, size=size)
    trader.hears("5000.25", "10:00:59.999", size=3)
    candle = trader.newest()
    assert (candle.open, candle.high, candle.low, candle.close) == tuple(
        Decimal(text) for text in ("5000", "5001.25", "4999.5", "5000.25")
    )
    assert (candle.start, candle.end, candle.volume) == (ny("10:00"), ny("10:01"), 10)
    assert not candle.is_closed


def test_the_first_price_of_the_next_minute_closes_a_candle() -> None:
    trader = Trader()
    trader.hears("5000", "10:00:30")
    trader.hears("5001", "10:01:00")
    before, now = trader.book.candles("ES", "1m", 10)
    assert before.is_closed
    assert before.close == 5000
    assert (now.start, now.open, now.is_closed) == (ny("10:01"), Decimal(5001), False)


def test_a_price_forms_a_candle_in_each_timeframe() -> None:
    trader = Trader()
    trader.hears("5000", "10:47:12")
    assert all(trader.newest(timeframe).open == 5000 for timeframe in TIMEFRAMES)
    assert trader.newest("1w").symbol == "ES"


def test_minutes_without_a_trade_have_no_candle() -> None:
    trader = Trader()
    trader.hears("5000", "10:00")
    trader.hears("5002", "10:07")
    assert [candle.start for candle in trader.book.candles("ES", "1m", 10)] == [ny("10:00"), ny("10:07")]


def test_the_candle_that_had_begun_before_is_partial_and_its_open_is_unknown() -> None:
    trader = Trader()
    trader.hears("5000", "10:07:03")
    assert all(trader.newest(timeframe).is_partial for timeframe in TIMEFRAMES)
    assert trader.book.tfc("ES")["15"] is None
    trader.hears("5001", "10:15:00.2")
    assert not trader.newest("15m").is_partial
    assert trader.newest("60m").is_partial
    assert trader.book.tfc("ES")["15"] == "flat"


def test_a_candle_ends_by_the_clock_when_no_price_follows() -> None:
    trader = Trader()
    trader.hears("5000", "16:59:58")
    trader.book.pass_time(ny("17:00:04.9"))
    assert not trader.newest("60m").is_closed, "a late price may still come"
    trader.book.pass_time(ny("17:00:05"))
    assert trader.newest("60m").is_closed
    assert trader.newest("1d").is_closed
    assert not trader.newest("1w").is_closed, "Wednesday ends no week"


def test_prices_that_arrive_late_by_a_steady_delay_still_find_their_candle_open() -> None:
    trader = Trader()
    trader.hears("5000", "10:00:50", now="10:01:02")
    trader.book.pass_time(ny("10:01:10"))
    trader.hears("5003", "10:00:59", now="10:01:11")
    assert trader.newest().high == 5003


def test_a_late_price_widens_its_open_candle_but_is_not_its_close() -> None:
    trader = Trader()
    trader.hears("5000", "10:00:30", size=1)
    trader.hears("5001", "10:00:40", size=1)
    trader.hears("4998", "10:00:35", size=5)
    candle = trader.newest()
    assert (candle.low, candle.close, candle.volume) == (Decimal(4998), Decimal(5001), 7)


def test_a_price_before_the_first_one_says_that_the_open_was_not_heard() -> None:
    story = Minutes()
    story.hears("5001", "10:01:30")
    story.hears("5001.25", "10:01:40")
    assert story.book.tfc("ES")["1"] == "green"
    story.hears("5002", "10:01:10")
    assert story.book.tfc("ES")["1"] is None


def test_a_late_price_inside_its_closed_candle_changes_nothing() -> None:
    story = Minutes()
    story.candle("5001", "5003", "5002")
    story.candle("5002")
    closed = story.book.candles("ES", "1m", 2)[0]
    story.hears("5002.5", closed.start)
    assert story.book.candles("ES", "1m", 2)[0] == closed


def test_a_late_price_beyond_its_closed_candle_leaves_it_without_a_trigger() -> None:
    story = Minutes()
    story.candle("5001", "5003", "5002")
    story.candle("5002")
    late_for = story.book.candles("ES", "1m", 2)[0].start
    story.hears("5003.25", late_for)
    late, now = story.book.candles("ES", "1m", 2)
    assert (late.high, late.is_partial, late.scenario) == (Decimal(5003), True, None)
    assert (now.trigger_up, now.trigger_down, now.scenario) == (None, None, None)
    assert story.hears("5003.25", "10:02:30") == (), "5003 may not have been the high"


def test_a_late_price_two_candles_back_takes_the_scenario_of_the_next() -> None:
    story = Minutes()
    for prices in [("5001", "5003"), ("5002", "5003.5"), ("5003",)]:
        story.candle(*prices)
    story.hears("5009", "10:01:30")
    assert story.scenarios[-3:] == [None, None, "1"]


def test_a_time_in_the_future_counts_as_now() -> None:
    trader = Trader()
    trader.hears("5000", "11:00:00", now="10:00:10")
    trader.hears("5001", "10:00:20", now="10:00:20")
    candle = trader.newest()
    assert (candle.start, candle.close) == (ny("10:00"), Decimal(5001))


def test_the_same_tick_again_counts_once_but_a_bridge_that_starts_anew_is_heard() -> None:
    trader = Trader()
    for _ in range(2):
        trader.hears("5000", "10:00:01", size=3, seq=1)
        trader.hears("5001", "10:00:02", size=4, seq=2)
    assert trader.newest().volume == 7
    trader.hears("5002", "10:00:03", size=1, seq=1)
    assert trader.newest().volume == 8


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "sNaN", "Infinity", "-Infinity", "1E+10"])
def test_what_is_no_price_of_the_market_is_ignored(price: str) -> None:
    trader = Trader()
    assert trader.hears(price, "10:00:00") == ()
    assert trader.book.candles("ES", "1m", 1) == ()
    trader.hears("5000", "10:00:01")
    before = trader.newest()
    assert trader.hears(price, "10:00:02") == ()
    assert trader.newest() == before


def test_an_asset_that_the_desk_does_not_trade_is_ignored() -> None:
    trader = Trader("ES")
    assert trader.hears("18000", "10:00:01", "NQ") == ()
    assert trader.book.candles("NQ", "1m", 10) == ()
    assert trader.book.tfc("NQ") == {}
    assert (trader.book.last("NQ"), trader.book.setups("NQ"), trader.book.volume_of_day("NQ")) == (None, (), None)


def test_a_price_far_away_waits_for_a_second_one() -> None:
    story = Minutes()
    story.candle("5000", "5001")
    assert story.hears("5060", "10:02:05") == ()
    assert story.hears("5001", "10:02:06") == ()
    assert story.newest().high == 5001
    last = story.book.last("ES")
    assert last is not None
    assert last.price == 5001


@pytest.mark.parametrize("second", ["5062", "5049", "5080"], ids=["near above", "near below", "further"])
def test_a_second_price_confirms_a_jump_and_both_are_heard(second: str) -> None:
    story = Minutes()
    story.candle("5000", "5001")
    story.hears("5060", "10:02:05")
    alert = story.hears(second, "10:02:06")[0]
    assert (story.newest().open, story.newest().close) == (Decimal(5060), Decimal(second))
    assert story.in_force() == [alert]
    assert alert.at == ny("10:02:05"), "the first of the two broke the trigger"


def test_after_a_pause_the_market_may_open_anywhere() -> None:
    trader = Trader()
    trader.hears("5000", "16:59:59")
    trader.hears("5100", "18:00:00")
    assert trader.newest().open == 5100


@pytest.mark.parametrize("size", [None, -3])
def test_volume_is_unknown_as_soon_as_one_size_is(size: int | None) -> None:
    trader = Trader()
    trader.hears("5000", "10:00:01", size=5)
    assert trader.book.volume_of_day("ES") == 5
    trader.hears("5001", "10:00:02", size=size)
    assert trader.newest().volume is None
    trader.hears("5001", "10:01:02", size=2)
    assert trader.newest().volume == 2, "the next minute is known"
    assert trader.book.volume_of_day("ES") is None, "the day is not"


def test_the_volume_of_the_day_begins_anew_at_the_open() -> None:
    trader = Trader()
    trader.hears("5000", "16:59:01", size=5)
    assert trader.book.is_day_partial("ES")
    trader.hears("5001", "18:00:02", size=2)
    assert trader.book.volume_of_day("ES") == 2
    assert not trader.book.is_day_partial("ES")


# -- what is never mixed -----------------------------------------------------------------------------------------


def test_samples_are_marked_and_classified_by_nobody() -> None:
    trader = Trader()
    for minute, price in enumerate(["5000", "5001", "5002", "5003"]):
        trader.hears(price, f"10:0{minute}:30", source="heartbeat", size=None)
    candles = trader.book.candles("ES", "1m", 10)
    assert {candle.source for candle in candles} == {"heartbeat"}
    assert {candle.scenario for candle in candles} == {None}
    assert {candle.volume for candle in candles} == {None}
    assert trader.alerts == []
    assert set(trader.book.tfc("ES").values()) == {None}
    assert trader.book.setups("ES") == ()


def test_a_sample_beside_ticks_moves_no_candle_of_theirs() -> None:
    story = Minutes()
    story.candle("5001", "5002")
    story.hears("5001", "10:02:01")
    assert story.hears("5010", "10:02:02", source="heartbeat", size=None) == ()
    assert story.newest().high == 5001
    assert story.hears("5001.25", "10:02:03") == ()


@pytest.mark.parametrize(("at", "source"), [("10:01:30", "ticks"), ("10:01:31", "heartbeat")])
def test_samples_are_shown_once_no_tick_came_for_a_minute(at: str, source: PriceSource) -> None:
    trader = Trader()
    trader.hears("5000", "10:00:30")
    trader.hears("5007", at, source="heartbeat", size=None)
    assert trader.newest().source == source
    last = trader.book.last("ES")
    assert last is not None
    assert last.source == source
    trader.hears("5001", "10:02:30")
    assert trader.newest().source == "ticks"


def test_another_contract_begins_its_own_candles_and_breaks_none_of_the_old_one() -> None:
    story = Minutes()
    story.candle("5001", "5002")
    assert story.hears("5060", "10:02:01", contract="MESH7") == ()
    assert story.hears("5060.25", "10:02:02", contract="MESH7") == ()
    now = story.newest()
    assert (now.contract, now.is_partial, now.trigger_up, now.low) == ("MESH7", True, None, Decimal(5060))
    assert len(story.book.candles("ES", "1m", 10)) == 1


def test_two_contracts_whose_prices_alternate_break_nothing() -> None:
    trader = Trader()
    for count in range(240):
        contract, price = ("MESZ6", 5000) if count % 2 else ("MESH7", 5040)
        trader.hears(price, f"10:{count // 60:02d}:{count % 60:02d}", contract=contract)
    assert trader.alerts == []


def test_simulated_prices_form_candles_of_their_own() -> None:
    story = Minutes()
    story.candle("5001", "5002")
    assert story.hears("5010", "10:02:01", simulated=True) == ()
    assert story.newest().simulated
    assert story.newest().is_partial
    story.hears("5001", "10:02:02")
    assert (story.newest().simulated, story.newest().open) == (False, Decimal(5001))


# -- what is not heard -------------------------------------------------------------------------------------------


def test_a_candle_with_an_interruption_is_partial_and_triggers_nothing() -> None:
    story = Minutes()
    story.candle("5001", "5002")
    story.hears("5001", "10:02:05")
    story.book.miss(ny("10:02:10"), ny("10:02:12"))
    story.minute = ny("10:03")
    story.candle("5003")
    interrupted, now = story.book.candles("ES", "1m", 2)
    assert (interrupted.is_partial, interrupted.has_open, interrupted.scenario) == (True, True, None)
    assert now.trigger_up is None
    assert story.in_force() == []


def test_the_candle_before_an_interruption_still_triggers_the_interrupted_one() -> None:
    story = Minutes()
    story.candle("5001", "5002")
    story.hears("5001", "10:02:05")
    story.book.miss(None, ny("10:02:12"))
    story.hears("5002.25", "10:02:20")
    assert [alert.scenario for alert in story.in_force()] == [None], "its low may have been broken unheard"
    story.hears("5000", "10:02:30")
    assert [alert.scenario for alert in story.in_force()] == [None, "3"]


def test_after_minutes_unheard_the_last_candle_is_not_the_one_before() -> None:
    story = Minutes()
    story.candle("5001", "5002")
    story.book.miss(ny("10:02:01"), ny("10:04:00"))
    story.minute = ny("10:04")
    assert story.candle("5003") == ()
    assert story.newest().trigger_up is None
    assert not story.newest().is_partial, "it began when prices were heard again"
    (alert,) = story.candle("5003.25")
    assert alert.at == ny("10:05")


def test_an_interruption_between_two_candles_that_touch_hides_none() -> None:
    trader = Trader()
    for price, at in [("5000", "09:30"), ("5001", "10:00"), ("5002", "10:59")]:
        trader.hears(price, at)
    trader.book.miss(ny("11:05"), ny("11:06"))
    trader.hears("5003", "11:10")
    assert [(alert.trigger, alert.scenario) for alert in trader.in_force("60m")] == [(Decimal(5002), None)]


def test_a_restart_while_the_market_pauses_loses_nothing() -> None:
    trader = Trader()
    for price, at in [("5000", "2026-11-16 12:00"), ("5001", "2026-11-17 12:00"), ("5002", "2026-11-17 16:59")]:
        trader.hears(price, at)
    trader.book.miss(ny("2026-11-17 17:05"), ny("2026-11-17 17:40"))
    trader.hears("5003", "2026-11-17 18:00:03")
    assert [alert.trigger for alert in trader.in_force("1d")] == [5002]
    assert not trader.newest("1d").is_partial


# -- bounds ------------------------------------------------------------------------------------------------------


def test_a_fixed_number_of_candles_is_kept() -> None:
    trader = Trader()
    for minute in range(KEPT_CANDLES + 60):
        trader.hears(5000 + minute % 3, f"{10 + minute // 60}:{minute % 60:02d}:00")
    kept = trader.book.candles("ES", "1m", 10_000)
    assert len(kept) == KEPT_CANDLES + 1, "the closed ones and the forming one"
    assert kept[-1].start == ny(f"{10 + (KEPT_CANDLES + 59) // 60}:{(KEPT_CANDLES + 59) % 60:02d}")


@pytest.mark.parametrize("limit", [0, -1])
def test_no_candles_are_asked_for(limit: int) -> None:
    trader = Trader()
    trader.hears("5000", "10:00")
    assert trader.book.candles("ES", "1m", limit) == ()


def test_contracts_and_numbers_without_end_are_forgotten() -> None:
    trader = Trader()
    for count in range(50):
        trader.hears("5000", "10:00:00", contract=f"MES{count}")
    assert len({candle.contract for candle in trader.book.changed_candles()}) <= 4
