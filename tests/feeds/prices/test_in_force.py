"""Scenarios and alerts in force, each candle worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from feeds.prices.types import InForce
from tests.feeds.prices.story import Minutes, Trader, ny


@pytest.mark.parametrize(
    ("prices", "scenario"),
    [
        (("5001", "5002", "4999.25"), "1"),
        (("5001", "5003", "4999"), "1"),  # equal to both: equality breaks nothing
        (("5001", "5003.25"), "2U"),
        (("5001", "5003.25", "4999"), "2U"),
        (("5001", "4998.75"), "2D"),
        (("5001", "4998.75", "5003"), "2D"),
        (("5001", "5003.25", "4998.75"), "3"),
        (("5001", "4998.75", "5003.25"), "3"),
        (("5010",), "2U"),  # a gap opens beyond the high
        (("4990",), "2D"),
        (("5010", "4990"), "3"),
    ],
)
def test_a_candle_after_one_from_4999_to_5003(prices: tuple[str, ...], scenario: str) -> None:
    story = Minutes()
    story.candle("5001", "4999", "5003", "5000")
    story.candle(*prices)
    assert story.newest().scenario == scenario
    story.candle("5001")
    assert story.scenarios[1] == scenario, "closing it changes nothing"


def test_the_scenario_grows_with_the_candle() -> None:
    story = Minutes()
    story.candle("5001", "4999", "5003")
    told = []
    for count, price in enumerate(["5001", "5003", "5003.25", "5000", "4998.75", "5001"]):
        story.hears(price, f"10:02:0{count}")
        told.append(story.newest().scenario)
    assert told == ["1", "1", "2U", "2U", "3", "3"]


def test_the_first_price_beyond_the_trigger_is_the_alert() -> None:
    story = Minutes()
    story.candle("5001", "4999", "5003", "5000")
    assert story.candle("5001", "5003") == ()
    story.minute = ny("10:03")
    assert story.candle("5001", "5003") == ()
    (alert,) = story.candle("5003", "5003.5", "5004", "5003", "5005")
    assert alert == InForce(
        symbol="ES",
        timeframe="1m",
        candle_start=ny("10:04"),
        direction="up",
        scenario="2U",
        trigger=Decimal(5003),
        price=Decimal("5003.5"),
        at=ny("10:04:10"),
        contract="MESZ6",
    )


def test_each_direction_comes_once_in_a_candle_and_the_second_is_an_outside() -> None:
    story = Minutes()
    story.candle("5001", "4999", "5003")
    alerts = story.candle("5004", "5000", "5005", "4998", "5006", "4997")
    found = [(alert.direction, alert.scenario, alert.price) for alert in alerts if isinstance(alert, InForce)]
    assert found == [("up", "2U", Decimal(5004)), ("down", "3", Decimal(4998))]


def test_the_next_candle_has_the_triggers_of_this_one() -> None:
    story = Minutes()
    story.candle("5001", "4999", "5003")
    story.candle("5001", "5004")
    (alert,) = story.candle("5003", "5004", "5004.25")
    assert story.in_force()[-1] == alert
    assert story.in_force()[-1].trigger == 5004


def test_one_price_may_come_in_force_on_several_timeframes() -> None:
    trader = Trader()
    for price, at in [("5000", "09:00"), ("5010", "10:00"), ("5010", "10:45"), ("5003", "11:00")]:
        trader.hears(price, at)
    trader.alerts.clear()
    trader.hears("5011", "11:00:30")
    assert [alert.timeframe for alert in trader.alerts if isinstance(alert, InForce)] == ["1m", "15m", "30m", "60m"]


def test_a_candle_that_was_not_wholly_heard_triggers_nothing() -> None:
    trader = Trader()
    trader.hears("5000", "10:00:00")
    assert trader.hears("5001", "10:01:00") == ()
    (alert,) = trader.hears("5002", "10:02:00")
    assert alert.at == ny("10:02")


def test_after_quiet_minutes_the_last_traded_candle_is_the_one_before() -> None:
    story = Minutes()
    story.candle("5001", "5003")
    story.minute = ny("10:09")
    (alert,) = story.candle("5003.25")
    assert alert.at == ny("10:09")


def test_a_session_follows_the_one_before_the_weekend() -> None:
    trader = Trader()
    for price, at in [("5000", "2026-11-19 10:00"), ("5001", "2026-11-20 10:00"), ("5005", "2026-11-20 16:59")]:
        trader.hears(price, at)
    trader.hears("5006", "2026-11-22 18:00:01")
    assert [(alert.candle_start, alert.trigger) for alert in trader.in_force("1d")][-1] == (
        ny("2026-11-22 18:00"),
        Decimal(5005),
    )


def test_holiday_prices_of_an_index_future_belong_to_no_day() -> None:
    """On Thanksgiving index futures halt at 13:00. A price after that is counted by the minute alone."""
    trader = Trader("ES", "GC")
    for asset in ("ES", "GC"):
        trader.hears("5000", "2026-11-26 12:59", asset)
        trader.hears("5003", "2026-11-26 13:30", asset)
    assert trader.newest("1m").high == 5003
    assert trader.newest("1d").high == 5000
    assert trader.newest("1d", "GC").high == 5003


def test_tfc_is_the_last_price_against_each_open() -> None:
    trader = Trader()
    for price, at in [("5000", "09:59"), ("5010", "10:00"), ("5005", "10:30"), ("5005", "10:45"), ("5004", "10:45:30")]:
        trader.hears(price, at)
    trader.hears("5005", "10:45:40")
    tfc = trader.book.tfc("ES")
    assert (tfc["15"], tfc["30"], tfc["60"]) == ("flat", "flat", "red")
    assert (tfc["4h"], tfc["1d"], tfc["1w"]) == ("red", None, None), "the day's open was not heard"
    trader.hears("5010.25", "10:45:41")
    assert [trader.book.tfc("ES")[name] for name in ("15", "60")] == ["green", "green"]


def test_before_any_price_every_colour_is_unknown() -> None:
    assert set(Trader().book.tfc("ES")) == {
        *("1", "15", "30", "60", "4h", "1d", "1w"),
        *("R1", "R2.5", "R4", "R6", "R8", "R12"),
    }
    assert set(Trader().book.tfc("ES").values()) == {None}
