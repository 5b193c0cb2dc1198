"""What is served: the simplest method that no proven better one replaces."""

from __future__ import annotations

import pytest

from advisor.ml.bootstrap import Interval, lift, skill
from advisor.ml.ladder import range_verdict, tp_verdict
from advisor.ml.scores import range_loss, reliability

BETTER = Interval(0.025, 0.016, 0.040)
MAYBE = Interval(0.007, -0.020, 0.036)
TINY = Interval(0.009, 0.005, 0.013)


def test_hours_are_served_only_when_their_interval_lies_above_flat() -> None:
    assert range_verdict(13, BETTER, None, None)[0] == "hour"
    assert range_verdict(13, MAYBE, None, None)[0] == "flat"


@pytest.mark.parametrize(
    ("sessions", "to_hour", "to_flat", "expected"),
    [
        (60, BETTER, BETTER, "model"),
        (59, BETTER, BETTER, "hour"),
        (60, MAYBE, BETTER, "hour"),
        (60, TINY, BETTER, "hour"),
        (60, BETTER, MAYBE, "hour"),
    ],
)
def test_a_model_needs_its_interval_a_percent_and_sixty_sessions(
    sessions: int, to_hour: Interval, to_flat: Interval, expected: str
) -> None:
    assert range_verdict(sessions, BETTER, to_hour, to_flat)[0] == expected


def test_the_reason_names_the_figures() -> None:
    assert range_verdict(13, BETTER, None, None)[1] == (
        "the loss of hours is 2.5 % [1.6, 4.0] smaller than that of flat; "
        "a model is tried from 60 sessions on, there are 13"
    )


def test_a_target_is_given_a_model_only_with_proven_skill() -> None:
    assert tp_verdict(60, BETTER)[0] == "model"
    assert tp_verdict(60, MAYBE)[0] == "flat"
    assert tp_verdict(59, BETTER)[0] == "flat"
    assert tp_verdict(60, None)[0] == "flat"


def test_a_skill_is_the_share_by_which_the_loss_is_smaller_and_its_interval_is_always_the_same() -> None:
    own, other = [0.9, 1.0, 0.8, 0.7], [1.0, 1.0, 1.0, 1.0]
    measured = skill(own, other)
    assert measured.value == pytest.approx(0.15)
    assert 0.02 < measured.low < measured.value < measured.high < 0.3
    assert skill(own, other) == measured


def test_one_session_proves_nothing() -> None:
    assert not skill([0.1], [1.0]).is_above_zero
    assert not skill([], []).is_above_zero


def test_a_lift_counts_wins_beyond_what_was_expected() -> None:
    assert lift([6.0, 4.0], [10.0, 10.0], [3.0, 3.0]).value == pytest.approx(0.2)


def test_the_loss_is_smallest_for_the_true_quantiles() -> None:
    moves = [number / 100 for number in range(1, 101)]

    def mean(half: float, most: float) -> float:
        return sum(range_loss((half, most, half, most), move, move) for move in moves) / len(moves)

    assert mean(0.5, 0.8) < min(mean(0.45, 0.8), mean(0.55, 0.8), mean(0.5, 0.7), mean(0.5, 0.9))


def test_forecasts_stand_beside_what_happened() -> None:
    bins = reliability([0.31, 0.33, 0.72], [True, False, True])
    assert [(float(row.forecast), float(row.happened), row.n) for row in bins] == [(0.32, 0.5, 2), (0.72, 1.0, 1)]
