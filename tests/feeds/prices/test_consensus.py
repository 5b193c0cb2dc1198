"""The consensus: a weighted vote of brick colours, each figure worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.prices.consensus import WEIGHTS, ConsensusView, StackColor, consensus_of
from wire.types import Color

SIZES = tuple(WEIGHTS)
ALL_GREEN: tuple[Color, ...] = ("green",) * 6
COLORS: tuple[Color | None, ...] = ("green", "red", "neutral", None)
OTHER: dict[Color | None, Color | None] = {"green": "red", "red": "green"}

stacks = st.fixed_dictionaries(
    {}, optional={size: st.builds(StackColor, st.sampled_from(COLORS), st.just(60.0), st.booleans()) for size in SIZES}
)
zones = st.sampled_from(["NORMAL", "FREE", "NONE", None])


def vote(*colors: Color | None, zone: str | None = "NORMAL", is_up: bool = True) -> ConsensusView:
    """Return the consensus of ES for the colours of 1, 2.5, 4, 6, 8 and 12 points."""
    heard = {size: StackColor(color, 30.0) for size, color in zip(SIZES, colors, strict=True)}
    return consensus_of("ES", heard, zone, (), is_up)


def mirrored(view: ConsensusView) -> tuple[object, ...]:
    decision = {"BUY": "SELL", "SELL": "BUY"}.get(view.decision, view.decision)
    momentum = {"up": "down", "down": "up"}.get(view.momentum, view.momentum)
    return (decision, view.conviction_score, view.regime, momentum)


def test_all_green_is_a_buy_of_full_conviction() -> None:
    view = vote(*ALL_GREEN)
    assert (view.decision, view.conviction_score, view.regime, view.momentum) == ("BUY", 100, "trend", "up")
    assert view.confluences == ("R12 green", "R8 green", "R6 green", "R4 green", "R2.5 green", "trend")
    assert [(str(part.size), part.color, part.weight, part.age_s) for part in view.components] == [
        (size, "green", weight, 30.0)
        for size, weight in [("1", 0), ("2.5", 1), ("4", 2), ("6", 3), ("8", 4), ("12", 5)]
    ]
    assert not view.degraded


@pytest.mark.parametrize(
    ("colors", "zone", "decision", "conviction"),
    [
        (("red", "red", "red", "red", "red", "red"), "NORMAL", "SELL", 100),
        (("red", "green", "green", "green", "green", "green"), "NORMAL", "BUY", 100),  # 1pt has no weight
        (("green", "red", "red", "red", "green", "green"), "NORMAL", "BUY", 20),  # 9 - 6 of 15
        (("green", "green", "red", "red", "red", "green"), "FREE", "SELL", 20),  # 1 + 5 - 9
        (("green", "green", "green", "green", "green", "red"), "FREE", "BUY", 33),  # 10 - 5
        (("green", "red", "green", "red", "red", "green"), "FREE", "HOLD", 7),  # 7 - 8: below 20
        (("green", "green", "green", "green", "green", "green"), "NONE", "HOLD", 100),
        (("green", "green", "green", "green", "green", "green"), None, "HOLD", 100),
        (("green", None, None, None, None, "green"), "NONE", "HOLD", 33),  # an unknown one counts as nothing
        (("green", "neutral", "neutral", "neutral", "green", "green"), "NORMAL", "BUY", 60),
        ((None, None, None, None, None, None), "NONE", "HOLD", 0),
    ],
)
def test_votes(colors: tuple[Color | None, ...], zone: str | None, decision: str, conviction: int) -> None:
    view = vote(*colors, zone=zone)
    assert (view.decision, view.conviction_score) == (decision, conviction)


@pytest.mark.parametrize(
    ("zone", "regime"), [("NORMAL", "trend"), ("FREE", "transition"), ("NONE", "unknown"), (None, "unknown")]
)
def test_the_regime_is_the_zone(zone: str | None, regime: str) -> None:
    assert vote(*ALL_GREEN, zone=zone).regime == regime


@pytest.mark.parametrize(
    ("two_half", "four", "momentum"),
    [
        ("green", "green", "up"),
        ("red", "red", "down"),
        ("green", "red", "flat"),
        ("green", None, "unknown"),
        ("neutral", "green", "unknown"),
    ],
)
def test_the_fast_sizes_are_the_momentum(two_half: Color, four: Color | None, momentum: str) -> None:
    assert vote("red", two_half, four, "red", "red", "red").momentum == momentum


def test_a_colour_that_the_desk_calls_too_old_counts_as_nothing() -> None:
    heard = {size: StackColor("green", 90_000.0, is_stale=size == 8) for size in SIZES}
    view = consensus_of("ES", heard, "NONE", ("zone",), True)
    assert view.conviction_score == 73, "11 of 15"
    assert [part.color for part in view.components if part.size == 8] == [None]
    assert view.blocked_by == ("zone",)


def test_while_the_desk_is_away_nothing_is_known() -> None:
    view = vote(*ALL_GREEN, is_up=False)
    assert (view.decision, view.conviction_score, view.degraded) == ("HOLD", 0, True)
    assert (view.regime, view.momentum, view.confluences) == ("unknown", "unknown", ())
    assert {part.color for part in view.components} == {None}


def test_a_word_that_is_no_colour_counts_as_nothing() -> None:
    heard = {Decimal(12): StackColor("purple")}  # type: ignore[arg-type]
    view = consensus_of("ES", heard, "NORMAL", (), True)
    assert (view.conviction_score, view.components[-1].color) == (0, None)


@given(stacks, zones, st.booleans())
def test_swapped_colours_swap_the_decision(heard: dict[Decimal, StackColor], zone: str | None, is_up: bool) -> None:
    swapped = {
        size: StackColor(OTHER.get(one.color, one.color), one.age_s, one.is_stale) for size, one in heard.items()
    }
    before = consensus_of("ES", heard, zone, (), is_up)
    after = consensus_of("ES", swapped, zone, (), is_up)
    assert mirrored(after) == (before.decision, before.conviction_score, before.regime, before.momentum)


@given(stacks, zones, st.booleans())
def test_a_reader_can_add_the_vote_up_again(heard: dict[Decimal, StackColor], zone: str | None, is_up: bool) -> None:
    view = consensus_of("ES", heard, zone, (), is_up)
    greens = sum(part.weight for part in view.components if part.color == "green")
    reds = sum(part.weight for part in view.components if part.color == "red")
    assert view.conviction_score == round(100 * abs(greens - reds) / 15)
    assert 0 <= view.conviction_score <= 100
    assert (view.decision != "HOLD") == (view.conviction_score >= 20 and view.regime != "unknown")
    if view.decision != "HOLD":
        assert view.decision == ("BUY" if greens > reds else "SELL")


@given(stacks, st.sampled_from(SIZES), zones)
def test_a_forgotten_colour_moves_the_vote_by_its_weight_at_most(
    heard: dict[Decimal, StackColor], size: Decimal, zone: str | None
) -> None:
    without = {**heard, size: StackColor(None)}
    before = consensus_of("ES", heard, zone, (), True)
    after = consensus_of("ES", without, zone, (), True)
    assert abs(after.conviction_score - before.conviction_score) <= round(100 * WEIGHTS[size] / 15) + 1
