"""The table of ranges: quantiles of moves over ATR14, for all hours and for each hour of the day. Plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from msgspec import Struct

QUANTILES = (0.5, 0.8)
FEATURES = "range-1"
"""The version of what a table and a model read. A file of another version is refused."""
HOURS = 24
MOST_ATR = 100.0
WEIGHT_OF_ALL_HOURS = 30
"""So many rows of an hour weigh as much as all hours together: an hour with few rows says little."""

Moves = tuple[float, float, float, float]
"""Over ATR14: up at .5 and .8, down at .5 and .8."""


def distances(moves: Moves, unit: float, tick: float) -> Moves:
    """Return moves over an ATR14 as distances in price, each the nearest whole number of ticks.

    No high and no low lies between two ticks. What does is no quantile of them, and whatever knows how many ticks an
    ATR has, as an hour does, would seem to know more of the market.
    """
    up_half, up_most, down_half, down_most = (round(move * unit / tick) * tick for move in moves)
    return (up_half, max(up_half, up_most), down_half, max(down_half, down_most))


class RangeTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The quantiles of all hours, of each hour of the day of the forecast bar, and how many rows each hour has."""

    features: str
    flat: Moves
    hours: tuple[Moves, ...]
    rows: tuple[int, ...]

    @property
    def is_sound(self) -> bool:
        """Whether it has every hour, and no move that cannot be: below 0, or a hundred ATRs."""
        moves = [move for row in (self.flat, *self.hours) for move in row]
        return len(self.hours) == HOURS and all(0 <= move < MOST_ATR for move in moves)

    def moves(self, hour: int) -> Moves:
        """Return the quantiles of an hour of the day."""
        return self.hours[hour]


class SortedMoves:
    """The moves of past bars, kept in order for all hours and for each: a table is read off them at any time."""

    def __init__(self) -> None:
        self._up: list[float] = []
        self._down: list[float] = []
        self._up_of: list[list[float]] = [[] for _ in range(HOURS)]
        self._down_of: list[list[float]] = [[] for _ in range(HOURS)]

    def add(self, rows: Sequence[tuple[int, float, float]]) -> None:
        """Take further rows: hour of the day, move up, move down."""
        for hour, up, down in rows:
            self._up_of[hour].append(up)
            self._down_of[hour].append(down)
        self._up += [up for _, up, _ in rows]
        self._down += [down for _, _, down in rows]
        for moves in (self._up, self._down):
            moves.sort()  # two sorted runs: merged, not sorted anew
        for hour in {hour for hour, _, _ in rows}:
            self._up_of[hour].sort()
            self._down_of[hour].sort()

    def table(self) -> RangeTable | None:
        """Return the table of what was taken, None of nothing."""
        if not self._up:
            return None
        flat = _moves(self._up, self._down)
        rows = tuple(len(moves) for moves in self._up_of)
        hours = tuple(
            _drawn_to(flat, _moves(up, down), len(up)) if up else flat
            for up, down in zip(self._up_of, self._down_of, strict=True)
        )
        return RangeTable(features=FEATURES, flat=flat, hours=hours, rows=rows)


def _moves(up: list[float], down: list[float]) -> Moves:
    return (quantile(up, 0.5), quantile(up, 0.8), quantile(down, 0.5), quantile(down, 0.8))


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` of the ordered values do not exceed."""
    return ordered[max(ceil(share * len(ordered)) - 1, 0)]


def _drawn_to(flat: Moves, own: Moves, rows: int) -> Moves:
    weight = rows / (rows + WEIGHT_OF_ALL_HOURS)
    up_half, up_most, down_half, down_most = (
        weight * of_hour + (1 - weight) * of_all for of_hour, of_all in zip(own, flat, strict=True)
    )
    return (up_half, up_most, down_half, down_most)
