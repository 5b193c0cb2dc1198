"""The walk forward of ranges: flat, hours and, from 60 sessions on, LightGBM, each on the same bars.

Each forecast is judged as it is told: in whole ticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from msgspec import Struct

from advisor.ml.atr import atr14
from advisor.ml.bars import Series
from advisor.ml.boosted import FEWEST_ROWS, Boosted, Row, fit_moves
from advisor.ml.features import FeatureRows
from advisor.ml.labels import RANGE_HORIZON, Move, moves_after
from advisor.ml.numbers import tick_of
from advisor.ml.scores import range_loss
from advisor.ml.table import QUANTILES, Moves, RangeTable, SortedMoves, distances
from advisor.ml.walk import Fold, Session, folds

FIRST_MODEL = 30
"""The first so many sessions a model only learns from."""
REFITS = 6
"""So often a model is made anew within a walk; the table is, before every session."""


def refit_every(sessions: int) -> int:
    """Return after how many sessions a model is made anew."""
    return max(ceil((sessions - FIRST_MODEL) / REFITS), 1)


GRAIN = 1e-6
"""Over ATR14, less than any tick: prices that are equal may differ in their last binary digit."""


class Losses(Struct):
    """The summed losses of one session, and how many bars they are of. ``model`` is None before the first one."""

    n: int = 0
    flat: float = 0.0
    hour: float = 0.0
    model: float | None = None


class Coverage:
    """How many moves stayed within their forecast, of each side and quantile, and how many did not reach it.

    On a grid of ticks many moves end just where the forecast does: the quantile lies between the two shares.
    """

    def __init__(self) -> None:
        self.n = 0
        self._held = [0] * 4
        self._inside = [0] * 4

    def add(self, moves: Moves, label: Move) -> None:
        """Count one bar."""
        self.n += 1
        for place, (forecast, happened) in enumerate(
            zip(moves, (label.up, label.up, label.down, label.down), strict=True)
        ):
            self._held[place] += happened <= forecast + GRAIN
            self._inside[place] += happened < forecast - GRAIN

    @property
    def shares(self) -> dict[str, float]:
        """Which share held: ``high_0.5``, ``high_0.8``, ``low_0.5``, ``low_0.8``."""
        return self._shares(self._held)

    @property
    def inside(self) -> dict[str, float]:
        """Which share ended before the edge."""
        return self._shares(self._inside)

    def _shares(self, counts: Sequence[int]) -> dict[str, float]:
        names = [f"{side}_{quantile}" for side in ("high", "low") for quantile in QUANTILES]
        return {name: count / self.n if self.n else 0.0 for name, count in zip(names, counts, strict=True)}


class RangeWalk:
    """Walks once through a series; then its losses and coverages can be read."""

    def __init__(self, series: Series, sessions: list[Session], with_model: bool) -> None:
        self._units = atr14(series)
        self._tick = tick_of(series.symbol)
        self.labels = moves_after(series, self._units)
        self.losses: list[Losses] = []
        self.coverage = {"flat": Coverage(), "hour": Coverage(), "model": Coverage()}
        self._hours = series.next_hour
        self._moves = SortedMoves()
        self._learned_until = 0
        self.features = FeatureRows(series) if with_model else None
        self._model: Boosted | None = None
        steps = folds(sessions, RANGE_HORIZON)
        self._refit_every = refit_every(len(sessions))
        for fold in steps:
            self._step(fold)

    def final_table(self) -> RangeTable | None:
        """Return the table of every bar that there is."""
        self._learn(len(self.labels))
        return self._moves.table()

    def final_model(self, table: RangeTable) -> Boosted | None:
        """Return a model of every bar that there is, None where they are too few. Raises NoBoosting."""
        self._learn(len(self.labels))
        return self._fit(table)

    def _learn(self, until: int) -> None:
        self._moves.add(
            [
                (self._hours[index], label.up, label.down)
                for index in range(self._learned_until, until)
                if (label := self.labels[index]) is not None
            ]
        )
        self._learned_until = max(until, self._learned_until)

    def _step(self, fold: Fold) -> None:
        self._learn(fold.learned_until)
        table = self._moves.table()
        if table is None:
            return
        turn = fold.number - FIRST_MODEL
        if self.features is not None and turn >= 0 and turn % self._refit_every == 0:
            self._model = self._fit(table) or self._model
        tested = [
            (index, label)
            for index in range(fold.session.begins, fold.session.ends)
            if (label := self.labels[index]) is not None
        ]
        self.losses.append(self._judge(table, tested))

    def _judge(self, table: RangeTable, tested: Sequence[tuple[int, Move]]) -> Losses:
        losses = Losses(n=len(tested))
        for index, label in tested:
            flat, hour = self._told(table.flat, index), self._told(table.moves(self._hours[index]), index)
            losses.flat += range_loss(flat, label.up, label.down)
            losses.hour += range_loss(hour, label.up, label.down)
            self.coverage["flat"].add(flat, label)
            self.coverage["hour"].add(hour, label)
        if self._model is not None:
            losses.model = 0.0
            for modelled, (index, label) in zip(self._modelled(table, tested), tested, strict=True):
                moves = self._told(modelled, index)
                losses.model += range_loss(moves, label.up, label.down)
                self.coverage["model"].add(moves, label)
        return losses

    def _told(self, moves: Moves, index: int) -> Moves:
        """Return a forecast as it would be told after a bar that has an ATR, over that ATR."""
        unit = self._units[index]
        if unit is None:
            return moves
        up_half, up_most, down_half, down_most = (each / unit for each in distances(moves, unit, self._tick))
        return (up_half, up_most, down_half, down_most)

    def _modelled(self, table: RangeTable, tested: Sequence[tuple[int, Move]]) -> list[Moves]:
        """Return what the model says of bars, and the table of those that have no features."""
        features, model = self.features, self._model
        forecasts = [table.moves(self._hours[index]) for index, _ in tested]
        if features is None or model is None:
            return forecasts
        places = [place for place, (index, _) in enumerate(tested) if index in features]
        if places:
            rows = [features.of(tested[place][0]) for place in places]
            for place, moves in zip(places, model.all_moves([forecasts[at] for at in places], rows), strict=True):
                forecasts[place] = moves
        return forecasts

    def _fit(self, table: RangeTable) -> Boosted | None:
        """Return a model of the bars that the table learned from, and of no others."""
        features = self.features
        tables: list[Moves] = []
        rows: list[Row] = []
        truths: list[tuple[float, float]] = []
        for index, label in enumerate(self.labels[: self._learned_until]):
            if label is not None and features is not None and index in features:
                tables.append(table.moves(self._hours[index]))
                rows.append(features.of(index))
                truths.append((label.up, label.down))
        return fit_moves(tables, rows, truths) if len(rows) >= FEWEST_ROWS else None
