"""The page for traders says what the code does."""

from __future__ import annotations

import re
from typing import get_args

from feeds.prices.cohorts import INDEX_FUTURES, LEAST_INDICES, LEAST_SIZES, WINDOW_S
from feeds.prices.consensus import LEAST_CONVICTION, WEIGHTS
from feeds.prices.markets import CONFIRMED_WITHIN, JUMPS_COUNT_FOR, LARGEST_JUMP
from feeds.prices.types import TIMEFRAMES, Scenario, SetupName
from tests.support.paths import REPOSITORY

PAGE = " ".join((REPOSITORY / "docs" / "explanation" / "strat.md").read_text().split())


def test_the_page_names_every_timeframe_scenario_and_setup() -> None:
    for name in (*TIMEFRAMES, *get_args(Scenario), *get_args(SetupName)):
        assert f"`{name}`" in PAGE


def test_the_page_has_the_weights_of_the_vote() -> None:
    table = re.search(r"\| size \|(.*?)\| weight \|([ \d|]*)", PAGE)
    assert table is not None
    sizes = re.findall(r"[\d.]+", table[1])
    weights = re.findall(r"\d+", table[2])
    assert dict(zip(sizes, weights, strict=True)) == {f"{size:f}": str(weight) for size, weight in WEIGHTS.items()}
    assert f"percent of {sum(WEIGHTS.values())}" in PAGE
    assert f"HOLD below {LEAST_CONVICTION}" in PAGE


def test_the_page_has_the_cohorts() -> None:
    for asset in INDEX_FUTURES:
        assert asset in PAGE
    assert f"within {WINDOW_S} seconds" in PAGE
    assert (LEAST_INDICES, LEAST_SIZES) == (2, 3), "two and three at least, says the page"


def test_the_page_has_the_limits_of_a_jump() -> None:
    assert f"{LARGEST_JUMP * 100:.0f} %" in PAGE
    assert f"({CONFIRMED_WITHIN * 100:.1f} %)" in PAGE
    assert JUMPS_COUNT_FOR.total_seconds() == 600, "ten minutes, says the page"
