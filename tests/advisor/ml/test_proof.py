"""The long proof of the protocol (``make ml-proof``): what is not there is not found, what is planted is found.

It prints what it measured; docs/explanation/forecasts.md has the figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from advisor.ml.train import TrainOptions
from tests.advisor.ml.generated import EVEN, Rule, after_a_rise, busy_hours, market, morning_rise
from tests.advisor.ml.story import trained
from wire.ml_engine import MlTimeframe

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3_600)]

SEEDS = 40
MOST_MODELS = 2
"""5 % of 40."""
Say = Callable[[str], None]
TABLE_ONLY = TrainOptions(try_model=False)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Print through pytest's capture: the figures are what this run is for."""

    def printed(line: str) -> None:
        with capsys.disabled():
            print(line, flush=True)

    return printed


@pytest.mark.parametrize("timeframe", ["1h", "30m"])
def test_a_random_walk_earns_a_model_in_at_most_one_of_twenty_markets(timeframe: MlTimeframe, say: Say) -> None:
    verdicts: Counter[str] = Counter()
    earned = []
    for seed in range(SEEDS):
        given = trained(market(1_000 + seed, 62, timeframe))
        verdicts[given.range.card.verdict] += 1
        models = [card.id for card in given.cards if card.verdict == "model"]
        if models:
            earned.append((seed, models))
    say(f"random walk {timeframe}: range {dict(verdicts)}, a model in {len(earned)} of {SEEDS}: {earned}")
    assert len(earned) <= MOST_MODELS


@pytest.mark.parametrize(("spread", "expected"), [(busy_hours, "hour"), (EVEN, "flat")])
def test_a_year_is_served_by_hours_only_where_hours_differ(spread: Rule, expected: str, say: Say) -> None:
    given = trained(market(7, 250, "5m", spread=spread), TABLE_ONLY)
    say(f"a year of 5m, {expected} planted: {given.range.card.verdict}, {given.range.card.why}")
    assert given.range.card.verdict == expected


def test_planted_edges_are_found_in_every_market(say: Say) -> None:
    found: Counter[str] = Counter()
    for seed in range(5):
        given = trained(market(2_000 + seed, 62, "15m", spread=after_a_rise, drift=morning_rise))
        found["range"] += given.range.card.verdict == "model"
        for rr, made in given.tp.items():
            found[rr] += made.card.verdict == "model"
    say(f"planted edges found in 5 markets of 62 sessions of 15m: {dict(found)}")
    assert found == {"range": 5, "rr_1_1": 5, "rr_2_1": 5, "rr_3_1": 5}


def test_hours_are_found_in_every_year_and_nowhere_else(say: Say) -> None:
    found: Counter[str] = Counter()
    for seed in range(10):
        found["planted"] += trained(market(seed, 60, "15m", spread=busy_hours), TABLE_ONLY).range.card.verdict == "hour"
    for seed in range(SEEDS):
        found["not planted"] += trained(market(seed, 60, "15m"), TABLE_ONLY).range.card.verdict == "hour"
    say(f"served by hours: {found['planted']} of 10 with an hour effect, {found['not planted']} of {SEEDS} without")
    assert found["planted"] == 10
    assert found["not planted"] <= MOST_MODELS
