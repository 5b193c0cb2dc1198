"""Bars become cards, tables and, where they are proven, models. Pure: the same bars and ``now`` give the same cards."""

from __future__ import annotations

from msgspec import Struct

from advisor.ml.amd import phases
from advisor.ml.atr import atr14
from advisor.ml.bars import Series
from advisor.ml.boosted import has_library
from advisor.ml.cards import Made, origin_of
from advisor.ml.findings import range_made, tp_made
from advisor.ml.labels import RR, barriers, drawn_after
from advisor.ml.ladder import LEAST_MODEL_SESSIONS
from advisor.ml.range_walk import RangeWalk
from advisor.ml.tp_walk import TpWalk
from advisor.ml.walk import LEAST_SESSIONS, NotEnough, sessions_of
from wire.ml_engine import RrConfig
from wire.types import Instant


class TrainOptions(Struct, frozen=True, kw_only=True):
    """``program`` is who trains, with its version. Without ``try_model`` LightGBM is not asked."""

    program: str = "lockstep"
    try_model: bool = True


class Trained(Struct, frozen=True):
    """What a training gave: a card and its files for the range, and for the target at each rr.

    A market whose bars hardly follow each other has no card of a target.
    """

    range: Made
    tp: dict[RrConfig, Made]


DEFAULTS = TrainOptions()


def train(series: Series, now: Instant, options: TrainOptions = DEFAULTS) -> Trained | NotEnough:
    """Measure what forecasts of a series are worth, and return what deserves to answer.

    ``now`` is written on the cards. A model is tried from 60 sessions on, and where LightGBM is installed.
    """
    sessions = sessions_of(series)
    if len(sessions) < LEAST_SESSIONS:
        return NotEnough(series.symbol, series.timeframe, len(sessions))
    with_model = options.try_model and len(sessions) >= LEAST_MODEL_SESSIONS and has_library()
    origin = origin_of(series, sessions, now, options.program)
    walk = RangeWalk(series, sessions, with_model)
    of_range = range_made(origin, walk)
    if of_range is None:
        return NotEnough(series.symbol, series.timeframe, 0)
    trades = drawn_after(series, atr14(series))
    found = phases(series)
    tp: dict[RrConfig, Made] = {}
    for name, rr in RR.items():
        labels = barriers(series, trades, "long", rr), barriers(series, trades, "short", rr)
        of_target = tp_made(origin, name, TpWalk(*labels, sessions, walk.features), labels, found)
        if of_target is not None:
            tp[name] = of_target
    return Trained(of_range, tp)
