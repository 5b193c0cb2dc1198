"""The walk forward of targets: the share of all bars, and from 60 sessions on LightGBM beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from advisor.ml.boosted import FEWEST_ROWS, Row, SideBoosted, fit_side
from advisor.ml.features import FeatureRows
from advisor.ml.labels import BARRIER_HORIZON, Barrier, uniqueness
from advisor.ml.range_walk import FIRST_MODEL, refit_every
from advisor.ml.scores import brier
from advisor.ml.walk import Fold, Session, folds

Labels = Sequence[Barrier | None]


class TpLosses(Struct):
    """The summed Brier losses of one session, both sides. ``model`` is None before the first one."""

    n: int = 0
    base: float = 0.0
    model: float | None = None


class _Side:
    """One side: its labels, its base rate so far, its model."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.weights = uniqueness(labels)
        self.won = 0
        self.n = 0
        self._learned_until = 0
        self.fitted: tuple[float, SideBoosted] | None = None

    @property
    def base(self) -> float:
        """The share that won; before anything is known, half."""
        return self.won / self.n if self.n else 0.5

    def learn(self, until: int) -> None:
        for label in self.labels[self._learned_until : until]:
            if label is not None:
                self.won += label.won
                self.n += 1
        self._learned_until = max(until, self._learned_until)

    def fit(self, features: FeatureRows) -> Any | None:
        """Return a booster of what was learned, None of too few bars."""
        rows: list[Row] = []
        won: list[bool] = []
        weights: list[float] = []
        for index, label in enumerate(self.labels[: self._learned_until]):
            if label is not None and index in features:
                rows.append(features.of(index))
                won.append(label.won)
                weights.append(self.weights[index])
        return fit_side(self.base, rows, won, weights) if len(rows) >= FEWEST_ROWS else None


class TpWalk:
    """Walks once through the labels of one rr; then its losses can be read."""

    def __init__(self, long: Labels, short: Labels, sessions: list[Session], features: FeatureRows | None) -> None:
        self.losses: list[TpLosses] = []
        self.forecasts: list[float] = []
        self.happened: list[bool] = []
        self.model_forecasts: list[float] = []
        self.model_happened: list[bool] = []
        self.features = features
        self._sides = (_Side(long), _Side(short))
        self._bars = len(long)
        self._refit_every = refit_every(len(sessions))
        for fold in folds(sessions, BARRIER_HORIZON):
            self._step(fold)

    @property
    def base_rates(self) -> tuple[float, float]:
        """The shares of all bars, long and short, after ``finish``."""
        long, short = self._sides
        return long.base, short.base

    @property
    def rows(self) -> tuple[int, int]:
        """Of how many bars these are."""
        long, short = self._sides
        return long.n, short.n

    def finish(self) -> None:
        """Take every bar that there is into the base rates."""
        for side in self._sides:
            side.learn(self._bars)

    def final_model(self, features: FeatureRows) -> SideBoosted | None:
        """Return a model of every bar that there is, None where they are too few. Raises NoBoosting."""
        self.finish()
        boosters = [side.fit(features) for side in self._sides]
        return None if None in boosters else SideBoosted(boosters)

    def _step(self, fold: Fold) -> None:
        losses = TpLosses()
        turn = fold.number - FIRST_MODEL
        for side in self._sides:
            side.learn(fold.learned_until)
            if self.features is not None and turn >= 0 and turn % self._refit_every == 0:
                booster = side.fit(self.features)
                if booster is not None:
                    side.fitted = side.base, SideBoosted([booster])
            self._judge(side, fold.session, losses)
        self.losses.append(losses)

    def _judge(self, side: _Side, session: Session, losses: TpLosses) -> None:
        tested = [
            (index, label.won)
            for index in range(session.begins, session.ends)
            if (label := side.labels[index]) is not None
        ]
        for _, won in tested:
            losses.n += 1
            losses.base += brier(side.base, won)
            self.forecasts.append(side.base)
            self.happened.append(won)
        if side.fitted is None:
            return
        losses.model = losses.model or 0.0
        for chance, (_, won) in zip(self._chances(side, tested), tested, strict=True):
            losses.model += brier(chance, won)
            self.model_forecasts.append(chance)
            self.model_happened.append(won)

    def _chances(self, side: _Side, tested: Sequence[tuple[int, bool]]) -> list[float]:
        """Return what the model says of bars, and the base rate of those that have no features."""
        chances = [side.base] * len(tested)
        features = self.features
        if features is None or side.fitted is None:
            return chances
        base, model = side.fitted
        places = [place for place, (index, _) in enumerate(tested) if index in features]
        if places:
            given = model.chances(0, base, [features.of(tested[place][0]) for place in places])
            for place, chance in zip(places, given, strict=True):
                chances[place] = chance
        return chances
