"""After a restart: alerts do not come twice, candles go on, and what was missed meanwhile is marked."""

from __future__ import annotations

from decimal import Decimal

import pytest

from feeds.prices.book import PriceBook
from feeds.prices.types import Alert, Candle, InForce
from tests.feeds.prices.story import Minutes, Trader, ny


def restarted(trader: Trader, *assets: str, alerts: list[Alert] | None = None) -> Trader:
    """Return a trader whose book goes on from all that the other's has stored."""
    again = Trader(*(assets or ("ES",)))
    again.book.restore(trader.alerts if alerts is None else alerts, trader.book.changed_candles())
    return again


def test_an_alert_does_not_come_twice() -> None:
    story = Minutes()
    story.candle("5001", "5003")
    story.hears("5003.25", "10:02:10")
    again = restarted(story)
    assert again.hears("5004", "10:02:20") == ()
    (alert,) = again.hears("4999", "10:02:30")
    assert isinstance(alert, InForce)
    assert (alert.direction, alert.scenario) == ("down", "3")


def test_it_does_not_come_twice_when_only_one_of_candle_and_alert_was_stored() -> None:
    story = Minutes()
    story.candle("5001", "5003")
    story.hears("5003", "10:02:05")
    candles = story.book.changed_candles()
    story.hears("5003.25", "10:02:10")
    without_candle = Trader()
    without_candle.book.restore(story.alerts, candles)
    assert without_candle.hears("5004", "10:02:20") == ()
    without_alert = restarted(story, alerts=[])
    assert without_alert.hears("5004", "10:02:20") == ()


def test_candles_and_volume_go_on() -> None:
    story = Minutes()
    story.hears("5001", "10:01:10", size=4)
    again = restarted(story)
    again.hears("5002", "10:01:20", size=3)
    candle = again.newest()
    assert (candle.open, candle.close, candle.volume) == (Decimal(5001), Decimal(5002), 7)
    assert again.book.tfc("ES")["1"] == "green"


def test_the_prior_candle_is_known_after_a_restart() -> None:
    story = Minutes()
    story.candle("5001", "5003")
    again = restarted(story)
    (alert,) = again.hears("5003.25", "10:02:01")
    assert isinstance(alert, InForce)
    assert alert.trigger == 5003


def test_what_was_missed_since_the_last_stored_price_is_marked() -> None:
    story = Minutes()
    story.candle("5001", "5003")
    story.hears("5002", "10:02:05")
    again = restarted(story)
    again.book.miss(None, ny("10:02:30"))
    assert [candle.is_partial for candle in again.book.candles("ES", "1m", 2)] == [False, True]
    again.hears("5004", "10:03:01")
    assert again.in_force() == [], "the interrupted candle triggers nothing"


def test_a_restart_in_the_pause_keeps_day_and_week_whole() -> None:
    trader = Trader()
    for price, at in [("5000", "2026-11-13 10:00"), ("5001", "2026-11-16 10:00"), ("5002", "2026-11-17 16:59:40")]:
        trader.hears(price, at)
    trader.book.pass_time(ny("2026-11-17 17:00:10"))
    again = restarted(trader)
    again.book.miss(None, ny("2026-11-17 17:45"))
    assert [again.newest(timeframe).is_partial for timeframe in ("1d", "1w")] == [False, False]
    again.hears("5003", "2026-11-17 18:00:01")
    assert [alert.trigger for alert in again.in_force("1d")] == [Decimal(5002)]


def test_a_restart_over_the_open_does_not() -> None:
    trader = Trader()
    for price, at in [("5001", "2026-11-16 10:00"), ("5002", "2026-11-17 16:59:40")]:
        trader.hears(price, at)
    trader.book.pass_time(ny("2026-11-17 17:00:10"))
    again = restarted(trader)
    again.book.miss(None, ny("2026-11-17 18:00:30"))
    again.hears("5003", "2026-11-17 18:00:31")
    assert again.newest("1d").is_partial
    assert again.newest("1w").is_partial
    assert [alert.scenario for alert in again.in_force("1d")] == [None]


def test_a_break_that_waits_for_the_other_index_is_remembered_and_a_used_one_is_not() -> None:
    trader = Trader("ES", "NQ")
    for asset in ("ES", "NQ"):
        for price, at in [("5001", "10:00"), ("5003", "10:01"), ("5002", "10:02")]:
            trader.hears(price, at, asset)
    trader.hears("5004", "10:02:10", "NQ")
    again = restarted(trader, "ES", "NQ")
    again.hears("5004", "10:02:30", "ES")
    assert len(again.simultaneous()) == 1
    trader.alerts.extend(again.alerts)
    last = restarted(again, "ES", "NQ", alerts=[*trader.in_force(), *trader.simultaneous()])
    last.hears("5005", "10:03:00", "ES")
    assert last.simultaneous() == []


def test_an_asset_that_is_traded_no_more_is_left_out() -> None:
    trader = Trader("ES", "NQ")
    trader.hears("5000", "10:00", "NQ")
    again = restarted(trader, "ES")
    assert again.book.candles("NQ", "1m", 10) == ()


def test_ticks_are_shown_after_a_restart_until_they_are_silent() -> None:
    trader = Trader()
    trader.hears("5000", "10:00:30")
    trader.hears("5001", "10:00:40", source="heartbeat", size=None)
    again = restarted(trader)
    assert again.newest().source == "ticks"
    assert again.book.last("ES") is None, "no price has come yet"


@pytest.mark.parametrize("closed", [True, False])
def test_stored_candles_out_of_order_are_sorted(closed: bool) -> None:
    story = Minutes()
    story.candle("5001", "5003")
    story.candle("5002")
    if closed:
        story.book.pass_time(ny("10:05"))
    stored: list[Candle] = list(reversed(story.book.changed_candles()))
    again = PriceBook(["ES"])
    again.restore([], stored)
    assert again.candles("ES", "1m", 10) == story.book.candles("ES", "1m", 10)
