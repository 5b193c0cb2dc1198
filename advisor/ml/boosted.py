"""LightGBM on top of a table or a base rate. The library is optional: only what serves or tries a model needs it.

One thread and fixed seeds: the same rows give the same model, bit for bit. A model is stored as LightGBM's own text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Any

from advisor.ml.table import QUANTILES, Moves
from advisor.ml.tree_text import NoTree, checked_text

MODEL_FILES = ("model_high_0.5.txt", "model_high_0.8.txt", "model_low_0.5.txt", "model_low_0.8.txt")
SIDE_FILES = ("model_long.txt", "model_short.txt")
MOST_ROWS = 60_000
"""A model learns from the newest so many rows: that bounds its time."""
FEWEST_ROWS = 300
"""Of fewer rows no model is made: a leaf needs 100."""
ROUNDS = 80
MOST_LOG_ODDS = 30.0
COMMON = {
    "num_leaves": 15,
    "learning_rate": 0.05,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 7,
    "verbosity": -1,
}
Row = Sequence[float]


class NoBoosting(ImportError):
    """LightGBM is not installed: see requirements-ml.txt."""


def library() -> Any:
    """Return LightGBM. Raises NoBoosting."""
    try:
        import lightgbm
    except ImportError as missing:
        raise NoBoosting("a model needs LightGBM: pip install -r requirements-ml.txt") from missing
    return lightgbm


def has_library() -> bool:
    """Return whether LightGBM can be used here."""
    try:
        library()
    except NoBoosting:
        return False
    return True


class Boosted:
    """Four boosters that correct the four quantiles of a table."""

    def __init__(self, boosters: Sequence[Any]) -> None:
        self._boosters = tuple(boosters)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Boosted:
        """Load the model texts. Raises NoBoosting, and ValueError for a file that is missing or no model."""
        return cls(_all_loaded(files, MODEL_FILES))

    @property
    def width(self) -> int:
        """How many features it reads."""
        return int(self._boosters[0].num_feature())

    def files(self) -> dict[str, bytes]:
        """Return the models as texts."""
        return {
            name: booster.model_to_string().encode() for name, booster in zip(MODEL_FILES, self._boosters, strict=True)
        }

    def moves(self, table: Moves, features: Row) -> Moves:
        """Return the quantiles of one bar; none lies below 0."""
        return self.all_moves([table], [features])[0]

    def all_moves(self, tables: Sequence[Moves], features: Sequence[Row]) -> list[Moves]:
        """Return the quantiles of many bars."""
        changes = [booster.predict(_matrix(features), num_threads=1) for booster in self._boosters]
        return [_corrected(table, [float(change[place]) for change in changes]) for place, table in enumerate(tables)]


class SideBoosted:
    """Two boosters, long and short, that correct the base rate of a target that comes first."""

    def __init__(self, boosters: Sequence[Any]) -> None:
        self._boosters = tuple(boosters)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> SideBoosted:
        """Load the model texts. Raises NoBoosting, and ValueError for a file that is missing or no model."""
        return cls(_all_loaded(files, SIDE_FILES))

    @property
    def width(self) -> int:
        """How many features it reads."""
        return int(self._boosters[0].num_feature())

    def files(self) -> dict[str, bytes]:
        """Return the models as texts."""
        return {
            name: booster.model_to_string().encode() for name, booster in zip(SIDE_FILES, self._boosters, strict=True)
        }

    def chances(self, side: int, base: float, features: Sequence[Row]) -> list[float]:
        """Return the probability of each row; ``side`` is 0 for long and 1 for short."""
        scores = self._boosters[side].predict(_matrix(features), raw_score=True, num_threads=1)
        return [_chance(logit(base) + float(score)) for score in scores]


def fit_moves(tables: Sequence[Moves], features: Sequence[Row], labels: Sequence[tuple[float, float]]) -> Boosted:
    """Learn what the four quantiles of the table miss. Raises NoBoosting."""
    rows = features[-MOST_ROWS:]
    boosters = []
    for place, quantile in enumerate((*QUANTILES, *QUANTILES)):
        truth = [label[place // len(QUANTILES)] for label in labels[-MOST_ROWS:]]
        start = [table[place] for table in tables[-MOST_ROWS:]]
        boosters.append(_fit({"objective": "quantile", "alpha": quantile}, rows, truth, start, None))
    return Boosted(boosters)


def fit_side(base: float, features: Sequence[Row], won: Sequence[bool], weights: Sequence[float]) -> Any:
    """Learn when one side's target comes first more or less often than its base rate. Raises NoBoosting."""
    rows = features[-MOST_ROWS:]
    truth = [float(each) for each in won[-MOST_ROWS:]]
    start = [logit(base)] * len(rows)
    return _fit({"objective": "binary"}, rows, truth, start, list(weights[-MOST_ROWS:]))


def _chance(score: float) -> float:
    """Return the share of these log odds."""
    return 1 / (1 + exp(-min(max(score, -MOST_LOG_ODDS), MOST_LOG_ODDS)))


def logit(share: float) -> float:
    """Return the log odds of a share, kept away from 0 and 1."""
    kept = min(max(share, 0.001), 0.999)
    return log(kept / (1 - kept))


def _fit(
    objective: dict[str, object],
    rows: Sequence[Row],
    truth: list[float],
    start: list[float],
    weights: list[float] | None,
) -> Any:
    lightgbm = library()
    learned = lightgbm.Dataset(_matrix(rows), truth, weight=weights, init_score=start, free_raw_data=True)
    return lightgbm.train({**COMMON, **objective, "boost_from_average": False}, learned, num_boost_round=ROUNDS)


def _matrix(rows: Sequence[Row]) -> Any:
    import numpy  # comes with LightGBM, and only with it

    return numpy.array([list(row) for row in rows], dtype=numpy.float64)


def _all_loaded(files: Mapping[str, bytes], names: Sequence[str]) -> list[Any]:
    boosters = [_loaded(files, name) for name in names]
    if len({booster.num_feature() for booster in boosters}) != 1:
        raise ValueError("its files read rows of different widths")
    return boosters


def _loaded(files: Mapping[str, bytes], name: str) -> Any:
    """Return the booster of a text that was checked first: LightGBM checks nothing."""
    lightgbm = library()
    if name not in files:
        raise ValueError(f"there is no {name}")
    try:
        text = files[name].decode()
        return lightgbm.Booster(model_str=checked_text(text))
    except (lightgbm.basic.LightGBMError, UnicodeDecodeError, NoTree) as broken:
        raise ValueError(f"{name} was no model: {broken}") from broken


def _corrected(table: Moves, changes: Sequence[float]) -> Moves:
    up_half, up_most, down_half, down_most = (
        max(own + change, 0.0) for own, change in zip(table, changes, strict=True)
    )
    return (up_half, max(up_half, up_most), down_half, max(down_half, down_most))
