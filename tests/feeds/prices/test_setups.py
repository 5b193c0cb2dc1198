"""The five setups, each worked out by hand. A candle is told by its prices in their order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from feeds.prices.types import Setup, SetupName
from tests.feeds.prices.story import Minutes, ny

BASE = ("5000", "4995", "5005", "5000")  # from 4995 to 5005
INSIDE = ("5000", "4996", "5004", "5000")
UP = ("5000", "4996", "5008", "5006")  # 2U: 4996 to 5008
DOWN = ("5000", "5004", "4992", "4994")  # 2D: 4992 to 5004
OUTSIDE = ("5000", "5009", "4991", "5000")
INSIDE_UP = ("5006", "4998", "5007", "5003")  # inside each of the three: 4998 to 5007 of UP
INSIDE_DOWN = ("4994", "4993", "5002", "4997")  # 4993 to 5002 of DOWN


def setup(name: SetupName, direction: str, trigger: str, stop: str) -> tuple[str, str, Decimal, Decimal]:
    return (name, direction, Decimal(trigger), Decimal(stop))


def told(setups: list[Setup]) -> list[tuple[str, str, Decimal, Decimal]]:
    return [(one.name, one.direction, one.trigger, one.stop) for one in setups]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (UP, INSIDE_UP, [setup("2-1-2", "up", "5007", "4998"), setup("2-1-2", "down", "4998", "5007")]),
        (DOWN, INSIDE_DOWN, [setup("2-1-2", "up", "5002", "4993"), setup("2-1-2", "down", "4993", "5002")]),
        (OUTSIDE, INSIDE, [setup("3-1-2", "up", "5004", "4996"), setup("3-1-2", "down", "4996", "5004")]),
        (UP, ("5006", "5010", "4997"), [setup("2-2", "down", "4997", "5010")]),
        (DOWN, ("4994", "4990", "5003"), [setup("2-2", "up", "5003", "4990")]),
        (UP, ("5006", "4995", "5007"), [setup("2-2", "up", "5007", "4995")]),
        (INSIDE, ("5000", "4995.75", "5003"), [setup("1-2-2", "up", "5003", "4995.75")]),
        (INSIDE, ("5000", "5004.25", "4997"), [setup("1-2-2", "down", "4997", "5004.25")]),
        (OUTSIDE, ("5000", "4990", "5004"), [setup("3-2-2", "up", "5004", "4990")]),
        (OUTSIDE, ("5000", "5010", "4995"), [setup("3-2-2", "down", "4995", "5010")]),
        (INSIDE, INSIDE[:1], []),  # two inside candles wait for none of the five
        (UP, ("5006", "5010", "4990"), []),  # an outside candle neither
    ],
)
def test_two_closed_candles_make_a_setup(
    first: tuple[str, ...], second: tuple[str, ...], expected: list[tuple[str, str, Decimal, Decimal]]
) -> None:
    story = Minutes()
    story.candle(*BASE)
    story.candle(*first)
    story.candle(*second)
    story.book.pass_time(ny("10:04:05"))
    assert told(story.setups()) == expected
    assert {one.candle_start for one in story.setups()} <= {ny("10:03")}
    assert not any(one.is_in_force for one in story.setups())


def an_inside_after_up() -> Minutes:
    """A 2-1-2 that waits: above 5007 or below 4998."""
    story = Minutes()
    for prices in (BASE, UP, INSIDE_UP):
        story.candle(*prices)
    return story


def test_until_its_candle_ends_a_setup_does_not_exist() -> None:
    story = an_inside_after_up()
    assert {one.name for one in story.setups()} == {"2-2"}, (
        "the inside candle has not closed: 2U waits for its reversal"
    )
    story.hears("5003", "10:04:00")
    assert {one.name for one in story.setups()} == {"2-1-2"}


def test_a_setup_waits_while_the_third_candle_stays_inside() -> None:
    story = an_inside_after_up()
    story.candle("5003", "5007", "4998")
    assert [(one.direction, one.is_in_force) for one in story.setups()] == [("up", False), ("down", False)]


def test_the_side_that_breaks_first_is_in_force_and_the_other_is_void() -> None:
    story = an_inside_after_up()
    story.candle("5003", "5007.25")
    assert [(one.name, one.direction, one.is_in_force) for one in story.setups()] == [("2-1-2", "up", True)]


def test_an_outside_third_candle_ends_both() -> None:
    story = an_inside_after_up()
    story.candle("5003", "5007.25", "4997.75")
    assert story.setups() == []


def test_a_reversal_is_void_when_the_trend_goes_on_first() -> None:
    story = Minutes()
    story.candle(*BASE)
    story.candle(*UP)
    assert told(story.setups()) == []
    story.candle("5006", "5008.25")
    assert story.setups() == [], "2U after 2U is no reversal"
    story.hears("4995", "10:03:50")
    assert story.setups() == [], "nor is a 3"


def test_a_candle_that_was_interrupted_makes_no_setup() -> None:
    story = an_inside_after_up()
    story.book.miss(ny("10:03:55"), ny("10:03:58"))
    story.candle("5003")
    assert story.setups() == []


def test_an_interrupted_third_candle_may_have_broken_either_side() -> None:
    story = an_inside_after_up()
    story.hears("5003", "10:04:05")
    assert len(story.setups()) == 2
    story.book.miss(ny("10:04:10"), ny("10:04:12"))
    assert story.setups() == []


def test_setups_are_listed_by_timeframe() -> None:
    story = Minutes()
    for quarter, prices in enumerate((BASE, UP, INSIDE_UP), start=1):
        story.minute = ny(f"10:{15 * quarter}")
        story.candle(*prices)
    story.book.pass_time(ny("11:00:05"))
    listed = [(one.timeframe, one.name, one.direction) for one in story.book.setups("ES")]
    assert listed == [(timeframe, "2-1-2", side) for timeframe in ("1m", "15m") for side in ("up", "down")]
