"""What a LightGBM model reads of the bars until now: 20 numbers, none of a later bar, none of more than 97 bars.

All distances are over ATR14. A model learns from rows of one width. Where the volume of any bar that it learns from is
unknown there are two numbers fewer, for every row. What is served to it has the width that it learned from.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import sqrt

from advisor.ml.atr import atr14, true_ranges
from advisor.ml.bars import Series

LONG = 96
MIDDLE = 20
SHORT = 12
BARS_READ = LONG + 1
NAMES = (
    *("range", "body", "upper_wick", "lower_wick", "return_1", "return_3", "return_12", "return_24"),
    *("place_20", "width_20", "to_high_96", "to_low_96", "atr_ratio", "realised_ratio", "range_3", "range_before"),
    *("hour", "weekday"),
)
VOLUME_NAMES = ("volume_12", "volume_ratio")
WIDTHS = (len(NAMES), len(NAMES) + len(VOLUME_NAMES))
"""How many features a model can read: without volumes and with them."""


def names_of(has_volumes: bool) -> tuple[str, ...]:
    """Return the names of the features, in their order."""
    return (*NAMES, *VOLUME_NAMES) if has_volumes else NAMES


class Features:
    """The features of a series; a row is reckoned when it is asked for.

    ``width`` is how many a model reads, one of ``WIDTHS``; without one, as many as can be known of every bar.
    """

    def __init__(self, series: Series, width: int | None = None) -> None:
        self._series = series
        self._atr = atr14(series)
        self._ranges = true_ranges(series)
        self.width = len(names_of(series.has_volumes)) if width is None else width

    def row(self, index: int) -> tuple[float, ...] | None:
        """Return the features of a bar, as they were known at its end.

        None with fewer than 97 bars, without an ATR, and where volumes are read and one of the last 96 is unknown.
        """
        unit = self._atr[index]
        if unit is None or index + 1 < BARS_READ:
            return None
        row = (*self._shape(index, unit), *self._place(index, unit), *self._pace(index, unit), *self._clock(index))
        if self.width == len(NAMES):
            return row
        of_volume = self._volume(index)
        return None if of_volume is None else (*row, *of_volume)

    def _shape(self, index: int, unit: float) -> tuple[float, ...]:
        series = self._series
        opened, high, low, close = series.open[index], series.high[index], series.low[index], series.close[index]
        return (
            (high - low) / unit,
            (close - opened) / unit,
            (high - max(opened, close)) / unit,
            (min(opened, close) - low) / unit,
            *((close - series.close[index - bars]) / unit for bars in (1, 3, 12, 24)),
        )

    def _place(self, index: int, unit: float) -> tuple[float, ...]:
        series = self._series
        close = series.close[index]
        high, low = self._reach(index, MIDDLE)
        highest, lowest = self._reach(index, LONG)
        width = high - low
        place = (close - low) / width if width else 0.5
        return (place, width / unit, (highest - close) / unit, (close - lowest) / unit)

    def _reach(self, index: int, bars: int) -> tuple[float, float]:
        begin = index - bars + 1
        return max(self._series.high[begin : index + 1]), min(self._series.low[begin : index + 1])

    def _pace(self, index: int, unit: float) -> tuple[float, ...]:
        ranges = self._ranges
        usual = sum(ranges[index - LONG + 1 : index + 1]) / LONG
        return (
            unit / usual if usual else 1.0,
            self._realised_ratio(index),
            sum(ranges[index - 2 : index + 1]) / 3 / unit,
            ranges[index - 1] / unit,
        )

    def _realised_ratio(self, index: int) -> float:
        closes = self._series.close[index - LONG : index + 1]
        squares = [(after - before) ** 2 for before, after in pairwise(closes)]
        usual = sum(squares) / LONG
        return sqrt(sum(squares[-SHORT:]) / SHORT / usual) if usual else 1.0

    def _clock(self, index: int) -> tuple[float, ...]:
        ended = self._series.starts[index] + self._series.seconds
        minute = ended % 3_600 / 3_600
        weekday = datetime.fromtimestamp(ended, UTC).weekday()
        return (self._series.next_hour[index] + minute, float(weekday))

    def _volume(self, index: int) -> tuple[float, ...] | None:
        told = self._series.volume[index - LONG + 1 : index + 1]
        volumes = [volume for volume in told if volume is not None]
        if len(volumes) < len(told):
            return None
        usual = sum(volumes) / LONG
        recent = sum(volumes[-SHORT:]) / SHORT
        return (volumes[-1] / recent if recent else 1.0, recent / usual if usual else 1.0)


class FeatureRows:
    """The features of every bar that has them, kept in one block of numbers."""

    def __init__(self, series: Series) -> None:
        features = Features(series)
        self.width = features.width
        self._values = array("d")
        self._places: dict[int, int] = {}
        for index in range(len(series)):
            row = features.row(index)
            if row is not None:
                self._places[index] = len(self._values)
                self._values.extend(row)

    @property
    def places(self) -> list[int]:
        """The bars that have features."""
        return list(self._places)

    def __contains__(self, index: int) -> bool:
        return index in self._places

    def of(self, index: int) -> Sequence[float]:
        """Return the features of a bar. Raises KeyError for one that has none."""
        begin = self._places[index]
        return self._values[begin : begin + self.width]
