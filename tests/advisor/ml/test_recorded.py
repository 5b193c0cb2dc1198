"""What the recorded markets give (docs/explanation/forecasts.md has the figures)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from advisor.ml.bars import SECONDS, Series, series_of
from advisor.ml.train import train
from advisor.ml.walk import NotEnough
from tests.advisor.ml.generated import busy_hours, market
from tests.advisor.ml.story import NOW, minutes_of, trained
from tests.data.recorded_tapes import EXTRACT, recorded_tapes
from wire.ml_engine import MlTimeframe, Verdict

SHORT = {
    "es_ticks_20130901-20130903_mlfinpy": "ES",
    "es_1m_20200105-20200106_lean": "ES",
    "gc_ticks_20131007-20131009_lean": "GC",
    "eurusd_ticks_20140508_lean": "EURUSD",
    "xauusd_ticks_20140502_lean": "XAUUSD",
    "us30_ticks_20230628_renkodf": "US30",
}
ONE_TO_THREE_DAYS = [(EXTRACT, "ES"), *((path, SHORT[name]) for name, path in recorded_tapes(SHORT).items())]
ES_OF_2013 = list(recorded_tapes(["es_1m_2013_lean"]).values())
RECORDED_FRAMES: dict[MlTimeframe, Verdict] = {"1m": "flat", "5m": "hour"}
"""A minute of ES moves a tick or two: told in whole ticks, the hour adds nothing that is proven."""


def generated() -> Series:
    """Return thirteen sessions whose hours differ: what is always here."""
    return market(1, 13, "5m", spread=busy_hours)


def recorded(path: Path, timeframe: MlTimeframe) -> Series:
    return series_of("ES", timeframe, minutes_of(path, "ES"))


Thirteen = tuple[Callable[[], Series], Verdict]
THIRTEEN_SESSIONS: dict[str, Thirteen] = {"generated 5m": (generated, "hour")}
THIRTEEN_SESSIONS |= {
    f"{path.name} {timeframe}": (partial(recorded, path, timeframe), verdict)
    for path in ES_OF_2013
    for timeframe, verdict in RECORDED_FRAMES.items()
}


@pytest.mark.parametrize(("path", "asset"), ONE_TO_THREE_DAYS, ids=lambda value: getattr(value, "name", value))
def test_one_to_three_days_are_not_enough(path: Path, asset: str) -> None:
    minutes = list(minutes_of(path, asset))
    assert minutes
    for timeframe in SECONDS:
        given = train(series_of(asset, timeframe, minutes), NOW)
        assert isinstance(given, NotEnough)
        assert given.sessions <= 3
        assert given.sentence == f"{asset} {timeframe}: {given.sessions} of 10 sessions"


@pytest.mark.parametrize("name", THIRTEEN_SESSIONS)
def test_thirteen_sessions_of_es_are_served_by_what_was_proven(name: str) -> None:
    made, verdict = THIRTEEN_SESSIONS[name]
    given = trained(made())
    assert given.range.card.verdict == verdict
    assert given.range.card.data.sessions == 13
    assert {made.card.verdict for made in given.tp.values()} == {"flat"}
    card = given.range.card
    for name, share in card.coverage.items():
        quantile = float(name.rpartition("_")[2])
        assert float(card.inside[name]) - 0.05 < quantile < float(share) + 0.05
