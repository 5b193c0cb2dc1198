"""A brick counts once, in time order, and all its effects happen in one step (SPEC 3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.engine.model.events import BrickApplied, LateBrickIgnored
from tests.support.builders import STREAM_OF_POINTS
from tests.support.trader import Trader
from wire.types import Stream

SIZES = sorted(STREAM_OF_POINTS)


@pytest.mark.parametrize("points", SIZES)
def test_the_same_id_and_colour_is_a_duplicate(points: float) -> None:
    trader = Trader().brick(points, "green", bar_id="b1")
    before = trader.desk
    trader.brick(points, "green", bar_id="b1")
    assert trader.brick_answer.duplicate
    assert trader.decision.desk == before
    assert trader.events == ()


@pytest.mark.parametrize("points", SIZES)
def test_the_same_id_in_another_colour_is_another_brick(points: float) -> None:
    trader = Trader().brick(points, "green", bar_id="b1").brick(points, "red", bar_id="b1")
    assert not trader.brick_answer.duplicate
    assert trader.asset.stream(STREAM_OF_POINTS[points]).color == "red"
    assert trader.brick(points, "green", bar_id="b1").brick_answer.duplicate


def test_the_same_id_of_another_size_or_asset_is_another_brick() -> None:
    trader = Trader(assets=("ES", "NQ")).brick(6, "green", bar_id="b1").brick(4, "green", bar_id="b1")
    assert not trader.brick_answer.duplicate
    assert not trader.brick(6, "green", asset="NQ", bar_id="b1").brick_answer.duplicate


def test_the_last_256_brick_ids_are_remembered() -> None:
    trader = Trader().brick(6, "green", bar_id="b0")
    for number in range(1, 256):
        trader.brick(6, "green", bar_id=f"b{number}")
    assert trader.brick(6, "green", bar_id="b0").brick_answer.duplicate
    trader.brick(6, "green", bar_id="b256")
    assert not trader.brick(6, "green", bar_id="b0").brick_answer.duplicate
    assert trader.brick(6, "green", bar_id="b256").brick_answer.duplicate


def test_a_repeated_brick_does_not_return_the_spent_token() -> None:
    trader = Trader(cooldown_seconds=0).with_zone("green", "green").brick(6, "green", bar_id="b1")
    trader.enters("BUY").filled_at(5250).exits(force=True).filled_at(5250).at("09:35:00")
    assert trader.brick(6, "green", bar_id="b1").gate_for("BUY") == "tempo"


def test_duplicates_are_known_after_a_restart() -> None:
    trader = Trader().brick(6, "green", bar_id="b1").restarts().brick(6, "green", bar_id="b1")
    assert trader.brick_answer.duplicate


@pytest.mark.parametrize("points", SIZES)
def test_without_id_and_time_every_brick_is_new(points: float) -> None:
    trader = Trader().brick(points, "green").brick(points, "green")
    assert not trader.brick_answer.duplicate


@pytest.mark.parametrize(
    ("earlier_by", "stale"),
    [(timedelta(microseconds=1), True), (timedelta(0), False), (timedelta(microseconds=-1), False)],
)
@pytest.mark.parametrize("points", SIZES)
def test_a_brick_older_than_the_newest_of_its_size_is_late(points: float, earlier_by: timedelta, stale: bool) -> None:
    trader = Trader()
    trader.brick(points, "green", bar_at=trader.now).brick(points, "red", bar_id="x", bar_at=trader.now - earlier_by)
    assert trader.brick_answer.stale is stale
    assert trader.asset.stream(STREAM_OF_POINTS[points]).color == ("green" if stale else "red")


def test_a_late_brick_is_journaled_and_does_nothing() -> None:
    trader = Trader(cooldown_seconds=0).bricks(4, "green").with_zone("green", "green")
    newest = trader.now
    trader.brick(6, "green", bar_at=newest).enters("BUY").filled_at(5250).exits(force=True).filled_at(5250)
    trader.at("09:35:00").brick(6, "red", bar_at=newest - timedelta(seconds=1))
    (late,) = trader.told(LateBrickIgnored)
    assert (late.stream, late.color) == (Stream.MAIN, "red")
    assert trader.gate_for("BUY") == "tempo"
    assert trader.asset.stack.main.color == "green"
    assert trader.replays_equal()


def test_a_late_brick_of_one_size_is_not_late_for_another() -> None:
    trader = Trader()
    trader.brick(6, "green", bar_at=trader.now).brick(8, "green", bar_at=trader.now - timedelta(seconds=60))
    assert not trader.brick_answer.stale


def test_a_brick_without_a_time_is_never_late() -> None:
    trader = Trader()
    assert not trader.brick(6, "green", bar_at=trader.now).brick(6, "red").brick_answer.stale


def test_the_1pt_brick_is_shown_and_nothing_else() -> None:
    trader = Trader().is_long().brick(1, "red")
    assert trader.asset.live.one.color == "red"
    assert trader.events == ()
    assert trader.order is None


@pytest.mark.parametrize("points", [size for size in SIZES if size != 1])
def test_every_other_brick_is_journaled(points: float) -> None:
    trader = Trader().brick(points, "green", close="5250.25")
    (applied,) = trader.told(BrickApplied)
    assert (applied.stream, applied.color, str(applied.close)) == (STREAM_OF_POINTS[points], "green", "5250.25")
    assert trader.replays_equal()


def test_a_time_too_far_in_the_future_makes_no_later_brick_late() -> None:
    trader = Trader()
    trader.brick(6, "green", bar_id="mad", bar_at=trader.now + timedelta(seconds=61))
    trader.brick(6, "red", bar_id="sane", bar_at=trader.now)
    assert not trader.brick_answer.stale
    trader.brick(6, "green", bar_id="early", bar_at=trader.now + timedelta(seconds=60))
    assert trader.brick(6, "red", bar_id="next", bar_at=trader.now).brick_answer.stale


def test_a_brick_arms_the_token_releases_the_lock_and_exits_in_one_step() -> None:
    trader = Trader().in_free_zone().enters("BUY").filled_at(5250).bricks(6, "red")
    assert trader.brick_answer.effects == ("BrickApplied", "TempoArmed", "InitialExitLockReleased", "OrderQueued")


def test_a_neutral_brick_closes_the_zone_and_ends_no_trade() -> None:
    trader = Trader().is_long().bricks(8, "neutral")
    assert trader.order is None
    assert trader.exits(force=True).filled_at(5250).at("09:40:00").bricks(6, "green").gate_for("BUY") == "zone"


def test_a_repeated_1pt_brick_replays_as_one() -> None:
    trader = Trader().goes_silent().with_structure("green").brick(1, "green", bar_id="s1").enters("BUY")
    trader.later(seconds=30).brick(1, "green", bar_id="s1")  # the entry expires in the same step: journaled
    assert trader.brick_answer.duplicate
    assert trader.replays_equal()
