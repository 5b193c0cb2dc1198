"""What tells bricks apart: id or time, colour, close, and the number of a brick within its base bar (SPEC 3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import STREAM_OF_POINTS
from tests.support.trader import Trader

SIZES = sorted(STREAM_OF_POINTS)


def color_of(trader: Trader, points: float) -> str:
    return trader.asset.stream(STREAM_OF_POINTS[points]).color


@pytest.mark.parametrize("points", SIZES)
def test_bricks_of_one_base_bar_are_told_apart_by_their_closes(points: float) -> None:
    trader = Trader()
    bar: dict[str, Any] = {"bar_id": "2026-11-17T14:30:00Z", "bar_at": trader.now}
    trader.brick(points, "green", close=5256, **bar).brick(points, "green", close=5262, **bar)
    assert not trader.brick_answer.duplicate
    assert trader.brick(points, "green", close=5262, **bar).brick_answer.duplicate


@pytest.mark.parametrize("points", SIZES)
def test_green_red_green_of_one_base_bar_ends_green(points: float) -> None:
    trader = Trader()
    bar: dict[str, Any] = {"bar_id": "2026-11-17T14:30:00Z", "bar_at": trader.now}
    trader.brick(points, "green", close=5256, **bar).brick(points, "red", close=5250, **bar)
    trader.brick(points, "green", close=5256, **bar)
    assert not trader.brick_answer.duplicate
    assert color_of(trader, points) == "green"
    assert trader.replays_equal()


def test_a_brick_that_is_new_again_is_known_when_it_comes_once_more() -> None:
    trader = Trader()
    bar: dict[str, Any] = {"bar_id": "b", "bar_at": trader.now}
    trader.brick(6, "green", close=5256, **bar).brick(6, "red", close=5250, **bar)
    trader.brick(6, "green", close=5256, **bar)
    assert trader.brick(6, "green", close=5256, **bar).brick_answer.duplicate


@pytest.mark.parametrize(
    ("first", "between"),
    [({}, {"close": 5250}), ({"close": 5256}, {}), ({}, {})],
    ids=["the repeated brick has no close", "the brick between has no close", "neither has one"],
)
def test_without_both_closes_a_repeated_brick_stays_a_duplicate(first: dict[str, Any], between: dict[str, Any]) -> None:
    trader = Trader()
    bar: dict[str, Any] = {"bar_id": "b", "bar_at": trader.now}
    trader.brick(6, "green", **first, **bar).brick(6, "red", **between, **bar)
    assert trader.brick(6, "green", **first, **bar).brick_answer.duplicate
    assert color_of(trader, 6) == "red"


def test_a_brick_of_another_time_makes_none_new_again() -> None:
    trader = Trader()
    trader.brick(6, "green", bar_id="b1", bar_at=trader.now, close=5256)
    trader.brick(6, "red", bar_id="b2", bar_at=trader.now + timedelta(seconds=1), close=5250)
    assert trader.brick(6, "green", bar_id="b1", bar_at=trader.now, close=5256).brick_answer.duplicate


def test_a_close_is_the_same_however_it_is_written() -> None:
    trader = Trader().brick(6, "green", bar_id="b1", close="5256.50")
    assert trader.brick(6, "green", bar_id="b1", close="5256.5").brick_answer.duplicate


@pytest.mark.parametrize("points", SIZES)
def test_numbered_bricks_out_of_order_end_on_the_last_colour(points: float) -> None:
    trader = Trader().brick(points, "green", bar_id="14:30|1").brick(points, "green", bar_id="14:30|3")
    trader.brick(points, "red", bar_id="14:30|2")
    assert trader.brick_answer.stale
    assert color_of(trader, points) == "green"


def test_numbers_of_another_base_bar_say_nothing() -> None:
    trader = Trader().brick(6, "green", bar_id="14:30|3").brick(6, "red", bar_id="14:31|1")
    assert not trader.brick_answer.stale
    assert color_of(trader, 6) == "red"


def test_a_number_that_was_applied_is_a_duplicate_also_when_it_is_no_longer_the_newest() -> None:
    trader = Trader().brick(6, "green", bar_id="14:30|1").brick(6, "red", bar_id="14:30|2")
    assert trader.brick(6, "green", bar_id="14:30|1").brick_answer.duplicate


def test_the_base_bar_is_known_after_a_restart() -> None:
    trader = Trader()
    bar: dict[str, Any] = {"bar_id": "b", "bar_at": trader.now}
    trader.brick(6, "green", close=5256, **bar).brick(6, "red", close=5250, **bar).restarts()
    assert trader.brick(6, "red", close=5250, **bar).brick_answer.duplicate
    assert not trader.brick(6, "green", close=5256, **bar).brick_answer.duplicate
    trader = Trader().brick(6, "green", bar_id="14:30|2").restarts().brick(6, "red", bar_id="14:30|1")
    assert trader.brick_answer.stale
