"""Intervals of 95 %: of a share by Wilson, of a mean by Student. Pure.

Trades are taken as independent of each other, which is kinder than the truth: losses come in rows. The intervals are
therefore the narrowest that can be defended. Student's needs results that are not too crooked, which 20 of them and
more usually satisfy for a mean. Sources: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209; Abramowitz and Stegun 26.7.5
for Student's quantile.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

Z = Decimal("1.959963984540054")
"""The 97.5 % quantile of the normal distribution."""

PCT = 95


class Interval(Struct, frozen=True):
    """A value and its 95 % interval."""

    value: Decimal
    low: Decimal
    high: Decimal

    def excludes(self, other: Decimal) -> bool:
        """Return whether the other value lies outside."""
        return not self.low <= other <= self.high


class Moments(Struct, frozen=True):
    """How many values there are, their mean, and their standard deviation (n - 1; 0 for a single one)."""

    n: int
    mean: Decimal
    deviation: Decimal


def share_interval(part: int, n: int) -> Interval:
    """Return the share of `part` in `n` with Wilson's interval. `n` is above 0."""
    share = Decimal(part) / n
    square = Z * Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z / (1 + square / n) * (share * (1 - share) / n + square / (4 * n * n)).sqrt()
    low = Decimal(0) if part == 0 else max(Decimal(0), middle - half)
    high = Decimal(1) if part == n else min(Decimal(1), middle + half)
    return Interval(share, low, high)


def mean_interval(moments: Moments) -> Interval:
    """Return a mean with Student's interval. There are at least 2 values."""
    half = student_quantile(moments.n - 1) * moments.deviation / Decimal(moments.n).sqrt()
    return Interval(moments.mean, moments.mean - half, moments.mean + half)


def student_quantile(freedom: int) -> Decimal:
    """Return the 97.5 % quantile of Student's t, from 19 degrees of freedom on to six digits."""
    z, v = Z, Decimal(freedom)
    terms = (
        z,
        (z**3 + z) / (4 * v),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3),
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92_160 * v**4),
    )
    return sum(terms, Decimal(0))


def pooled(parts: Iterable[Moments]) -> Moments | None:
    """Return the moments of all values of several groups together, None without a value."""
    groups = [part for part in parts if part.n]
    n = sum(part.n for part in groups)
    if n == 0:
        return None
    mean = sum((part.n * part.mean for part in groups), Decimal(0)) / n
    within = sum(((part.n - 1) * part.deviation**2 for part in groups), Decimal(0))
    between = sum((part.n * (part.mean - mean) ** 2 for part in groups), Decimal(0))
    deviation = ((within + between) / (n - 1)).sqrt() if n > 1 else Decimal(0)
    return Moments(n, mean, deviation)
