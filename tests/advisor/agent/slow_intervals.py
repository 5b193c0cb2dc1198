"""Intervals of 95 % by brute force: an integral of Student's density, and Wilson's equation, both solved by halving."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import cache


def student_area(t: float, freedom: int) -> float:
    """Return the area of Student's density from 0 to t, by Simpson's rule."""
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    steps = 1_000
    width = t / steps

    def density(x: float) -> float:
        return float(scale * (1 + x * x / freedom) ** (-(freedom + 1) / 2))

    inner = sum(density(at * width) * (4 if at % 2 else 2) for at in range(1, steps))
    area: float = (density(0) + inner + density(t)) * width / 3
    return area


@cache
def student_t(freedom: int) -> float:
    """Return the 97.5 % quantile."""
    low, high = 1.9, 13.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if student_area(middle, freedom) < 0.475 else (low, middle)
    return low


def student(values: Sequence[float]) -> tuple[float, float, float]:
    """Return a mean and the ends of its interval."""
    mean = statistics.fmean(values)
    half = student_t(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half


def wilson_end(part: int, n: int, sign: int) -> float:
    """Find the true share of which `part` in `n` lies 1.96 deviations away, by halving."""
    share = part / n
    near, far = share, float(sign > 0)
    for _ in range(200):
        middle = (near + far) / 2
        away = abs(share - middle) - 1.959963984540054 * math.sqrt(middle * (1 - middle) / n)
        near, far = (near, middle) if away > 0 else (middle, far)
    return near
