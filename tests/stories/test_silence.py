"""A silent feed raises one alert, and its return is reported once (SPEC 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.engine.model.events import FeedLost, FeedReturned
from tests.support.trader import Trader


def test_tradingviews_silence_raises_one_alert_after_ten_minutes() -> None:
    trader = Trader().goes_silent().later(seconds=599, microseconds=999_999).ticks()
    assert trader.told(FeedLost) == []
    assert len(trader.later(microseconds=1).ticks().told(FeedLost)) == 1
    trader.later(seconds=60).ticks().later(seconds=3600).ticks()
    assert [event.asset for event in trader.told(FeedLost)] == ["ES"]
    assert trader.alerts == ["tradingview_silent"]
    assert trader.gate_for("BUY") == "heartbeat"
    assert trader.replays_equal()


def test_its_return_is_reported_once_and_the_next_silence_again() -> None:
    trader = Trader().goes_silent().later(seconds=600).ticks().hears().ticks().hears().ticks()
    assert [event.asset for event in trader.told(FeedReturned)] == ["ES"]
    trader.later(seconds=600).ticks()
    assert len(trader.told(FeedLost)) == 2


def test_a_delayed_heartbeat_does_not_end_the_silence() -> None:
    trader = Trader().goes_silent().later(seconds=600).ticks()
    trader.hears(5250, sent_at=Trader().now).ticks()
    assert trader.told(FeedReturned) == []


def test_a_feed_without_a_first_heartbeat_is_not_silent() -> None:
    trader = Trader(is_heard=False).later(seconds=7200).ticks()
    assert (trader.told(FeedLost), trader.alerts) == ([], [])


def test_each_asset_has_its_own_alert() -> None:
    trader = Trader(assets=("ES", "NQ")).goes_silent().later(seconds=300).turns_to("NQ").hears()
    trader.later(seconds=300).ticks()
    assert [event.asset for event in trader.told(FeedLost)] == ["ES"]


def test_a_brick_is_no_heartbeat() -> None:
    trader = Trader().goes_silent().later(seconds=599).bricks(6, "green").later(seconds=1).ticks()
    assert len(trader.told(FeedLost)) == 1


@pytest.mark.parametrize("heard", [lambda trader: trader.hears_bridge(), lambda trader: trader.broker_says()])
def test_the_bridges_silence_raises_one_alert_after_a_minute(heard: Callable[..., Any]) -> None:
    trader = heard(Trader()).later(seconds=59, microseconds=999_999).ticks()
    assert trader.told(FeedLost) == []
    assert len(trader.later(microseconds=1).ticks().told(FeedLost)) == 1
    trader.later(seconds=60).ticks()
    assert [event.asset for event in trader.told(FeedLost)] == [None]
    assert (trader.last_alert.code, trader.last_alert.level) == ("bridge_silent", "critical")
    heard(trader).ticks()
    assert [event.asset for event in trader.told(FeedReturned)] == [None]


def test_a_restart_does_not_repeat_it() -> None:
    trader = Trader().goes_silent().hears_bridge().later(seconds=600).ticks().restarts().ticks()
    assert len(trader.told(FeedLost)) == 2


def test_the_heartbeat_limit_decides_when_it_is_silent() -> None:
    trader = Trader(heartbeat_max_age_seconds=60).goes_silent().later(seconds=60).ticks()
    assert [event.asset for event in trader.told(FeedLost)] == ["ES"]
