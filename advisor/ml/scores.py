"""Losses of forecasts: pinball of quantiles, Brier of shares; coverage and reliability."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.ml.numbers import share_of
from advisor.ml.table import QUANTILES, Moves
from wire.ml_engine import Reliability

BINS = 10


def pinball(forecast: float, happened: float, quantile: float) -> float:
    """Return the pinball loss of one quantile: smallest in the mean for the true one."""
    error = happened - forecast
    return quantile * error if error >= 0 else (quantile - 1) * error


def range_loss(moves: Moves, up: float, down: float) -> float:
    """Return the mean pinball loss of both sides and both quantiles, in ATR14: one number, one verdict."""
    half, most = QUANTILES
    return (
        pinball(moves[0], up, half)
        + pinball(moves[1], up, most)
        + pinball(moves[2], down, half)
        + pinball(moves[3], down, most)
    ) / 4


def brier(forecast: float, won: bool) -> float:
    """Return the Brier loss of one share."""
    return (forecast - won) ** 2


def reliability(forecasts: Sequence[float], won: Sequence[bool]) -> tuple[Reliability, ...]:
    """Return forecasts in tenths beside what happened; a tenth without forecasts is left out."""
    sums = [[0.0, 0.0, 0.0] for _ in range(BINS)]
    for forecast, happened in zip(forecasts, won, strict=True):
        own = sums[bin_of(forecast)]
        own[0] += forecast
        own[1] += happened
        own[2] += 1
    return tuple(
        Reliability(forecast=share_of(int(total / n * 10_000) / 10_000), happened=share_of(happened / n), n=int(n))
        for total, happened, n in sums
        if n
    )


def bin_of(forecast: float) -> int:
    """Return the tenth that a share lies in, from 0."""
    return min(int(forecast * BINS), BINS - 1)
