"""True ranges and ATR14: the measure of all distances."""

from __future__ import annotations

from advisor.ml.bars import Series

ATR_BARS = 14


def true_ranges(series: Series) -> list[float]:
    """Return the true range of each bar.

    It counts from the close before only where the bars follow each other: a gap over a night, a weekend or a change of
    contract is no range that was traded.
    """
    ranges: list[float] = []
    for index, (high, low) in enumerate(zip(series.high, series.low, strict=True)):
        if index and series.is_followed(index - 1):
            before = series.close[index - 1]
            ranges.append(max(high, before) - min(low, before))
        else:
            ranges.append(high - low)
    return ranges


def atr14(series: Series) -> list[float | None]:
    """Return the mean true range of the last 14 bars, by bar; None before there are 14, and where nothing moved.

    Each mean is a sum of its own, so that it does not depend on what came earlier.
    """
    ranges = true_ranges(series)
    means: list[float | None] = []
    for end in range(1, len(ranges) + 1):
        total = sum(ranges[end - ATR_BARS : end]) if end >= ATR_BARS else 0.0
        means.append(total / ATR_BARS if total > 0 else None)
    return means
