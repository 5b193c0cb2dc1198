"""Intervals of 95 %, against an integral of Student's density and against Wilson's equation solved by halving."""

from __future__ import annotations

import math
import statistics
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.agent.intervals import Moments, mean_interval, pooled, share_interval, student_quantile
from tests.advisor.agent.slow_intervals import student_area, wilson_end


@pytest.mark.parametrize("freedom", [19, 20, 25, 40, 120, 4_999])
def test_students_quantile_leaves_two_and_a_half_percent_on_each_side(freedom: int) -> None:
    assert student_area(float(student_quantile(freedom)), freedom) == pytest.approx(0.475, abs=1e-7)


@pytest.mark.parametrize(("part", "n"), [(0, 20), (20, 20), (1, 20), (7, 20), (11, 34), (2_500, 5_000)])
def test_wilsons_interval_ends_where_its_equation_says(part: int, n: int) -> None:
    found = share_interval(part, n)
    assert float(found.value) == pytest.approx(part / n)
    assert float(found.low) == pytest.approx(wilson_end(part, n, -1), abs=1e-9)
    assert float(found.high) == pytest.approx(wilson_end(part, n, 1), abs=1e-9)
    assert 0 <= found.low <= found.value <= found.high <= 1


results = st.lists(st.integers(-500, 500).map(lambda cents: Decimal(cents) / 100), min_size=20, max_size=60)


@settings(max_examples=40)
@given(results)
def test_a_means_interval_is_the_quantile_times_the_standard_error(values: list[Decimal]) -> None:
    numbers = [float(value) for value in values]
    deviation = statistics.stdev(values)
    found = mean_interval(Moments(len(values), statistics.mean(values), deviation))
    half = float(student_quantile(len(values) - 1)) * statistics.stdev(numbers) / math.sqrt(len(numbers))
    assert float(found.low) == pytest.approx(statistics.fmean(numbers) - half, abs=1e-9)
    assert float(found.high) == pytest.approx(statistics.fmean(numbers) + half, abs=1e-9)


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(-500, 500).map(Decimal), max_size=9), min_size=1, max_size=6))
def test_groups_put_together_have_the_moments_of_all_their_values(groups: list[list[Decimal]]) -> None:
    values = [value for group in groups for value in group]
    found = pooled(_moments(group) for group in groups if group)
    if not values:
        assert found is None
        return
    assert found is not None
    wanted = _moments(values)
    assert found.n == wanted.n
    assert float(found.mean) == pytest.approx(float(wanted.mean), abs=1e-12)
    assert float(found.deviation) == pytest.approx(float(wanted.deviation), abs=1e-9)


def _moments(values: list[Decimal]) -> Moments:
    return Moments(len(values), statistics.mean(values), statistics.stdev(values) if len(values) > 1 else Decimal(0))
