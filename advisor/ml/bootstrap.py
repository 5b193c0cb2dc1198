"""Intervals of a skill, by drawing whole sessions: bars of one session are alike, sessions hardly."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from msgspec import Struct

Measure = Callable[[float, float], float]
RESAMPLES = 2_000
SEED = 20_131_007
LOW_SHARE = 0.025


class Interval(Struct, frozen=True):
    """An estimate and the 95 % interval around it."""

    value: float
    low: float
    high: float

    @property
    def is_above_zero(self) -> bool:
        return self.low > 0


def skill(own: Sequence[float], other: Sequence[float]) -> Interval:
    """Return by which share the sum of ``own`` losses is smaller than that of ``other``, both by session.

    2,000 times as many sessions as there are, drawn with replacement from a fixed seed: the same losses give the same
    interval. Without losses the skill is 0.
    """
    return _interval(own, other, lambda first, second: 1 - first / second if second else 0.0)


def lift(won: Sequence[float], entries: Sequence[float], expected: Sequence[float]) -> Interval:
    """Return how much oftener entries won than expected, as a difference of shares, all by session."""
    gained = [wins - usual for wins, usual in zip(won, expected, strict=True)]
    return _interval(gained, entries, lambda first, second: first / second if second else 0.0)


def _interval(first: Sequence[float], second: Sequence[float], measure: Measure) -> Interval:
    value = measure(sum(first), sum(second))
    sessions = len(first)
    if sessions < 2:
        return Interval(value, min(value, 0.0) - 1, max(value, 0.0) + 1)
    dice = random.Random(SEED)  # noqa: S311 - a bootstrap, no secret
    numbers = range(sessions)
    drawn: list[float] = []
    for _ in range(RESAMPLES):
        picked = dice.choices(numbers, k=sessions)
        drawn.append(measure(sum([first[n] for n in picked]), sum([second[n] for n in picked])))
    drawn.sort()
    edge = int(LOW_SHARE * RESAMPLES)
    return Interval(value, drawn[edge], drawn[RESAMPLES - 1 - edge])
