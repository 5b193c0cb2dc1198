"""Accumulation, manipulation, distribution: read from bars that are over, and worth what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest

from advisor.ml.amd import Phase, amd_answer, phases
from advisor.ml.amd_lift import PhaseLift, bias_of, lifts_of
from advisor.ml.bars import Minute, Series, series_of_bars
from advisor.ml.labels import Barrier
from advisor.ml.walk import Session
from tests.advisor.ml.generated import market
from wire.ml_engine import AmdAnswer, AmdPhase

Prices = tuple[float, float, float, float]
OPENS = int(datetime(2025, 2, 4, 14, 30, tzinfo=UTC).timestamp())
LOOKBACK = 50
WIDE: list[Prices] = [(100.0, 108.0, 92.0, 100.0)] * (LOOKBACK + 20)
QUIET: list[Prices] = [(100.0, 101.0, 99.0, 100.0)] * 12
FALSE_BREAK_UP: Prices = (100.0, 103.0, 99.0, 100.0)
FALSE_BREAK_DOWN: Prices = (100.0, 101.0, 96.0, 100.0)
BREAKOUT_UP: Prices = (100.0, 104.0, 100.0, 104.0)
PROVEN = PhaseLift(phase="manipulation", value=0.2, low=0.15, high=0.25, base_rate=0.3, n=400)


def series(*bars: Prices, pause_before: int | None = None, volumes: Sequence[float] = ()) -> Series:
    """Return minutes in a row; before ``pause_before`` a day passes."""
    t = OPENS
    rows = []
    for number, (opened, high, low, close) in enumerate(bars):
        t += 86_400 if number == pause_before else 60
        rows.append(Minute(t, opened, high, low, close, volumes[number] if volumes else None, "bridge"))
    return series_of_bars("ES", "1m", rows)


def last(*bars: Prices, pause_before: int | None = None) -> Phase:
    return phases(series(*bars, pause_before=pause_before), LOOKBACK)[-1]


def answer(*bars: Prices, lifts: Sequence[PhaseLift] = (), lookback: int = LOOKBACK) -> AmdAnswer:
    given = amd_answer(series(*bars), lookback, lifts)
    assert given is not None
    return given


def test_a_quiet_range_accumulates() -> None:
    found = last(*WIDE, *QUIET)
    assert (found.phase, found.direction) == ("accumulation", None)
    assert found.compression is not None
    assert found.compression < 0.7
    assert 0 < found.strength < 1


def test_a_false_break_is_a_manipulation_that_points_the_other_way() -> None:
    assert (last(*WIDE, *QUIET, FALSE_BREAK_UP).phase, last(*WIDE, *QUIET, FALSE_BREAK_UP).direction) == (
        "manipulation",
        "short",
    )
    assert last(*WIDE, *QUIET, FALSE_BREAK_DOWN).direction == "long"


def test_a_bar_that_breaks_both_sides_points_nowhere() -> None:
    assert last(*WIDE, *QUIET, (100.0, 103.0, 96.0, 100.0)).phase == "accumulation"


def test_a_close_beyond_the_range_distributes() -> None:
    assert (last(*WIDE, *QUIET, BREAKOUT_UP).phase, last(*WIDE, *QUIET, BREAKOUT_UP).direction) == (
        "distribution",
        "long",
    )
    assert last(*WIDE, *QUIET, FALSE_BREAK_DOWN, BREAKOUT_UP).phase == "distribution"


def test_a_phase_ends_after_twelve_bars() -> None:
    inside: list[Prices] = [(100.0, 101.0, 97.0, 100.0)]
    after = [*WIDE, *QUIET, FALSE_BREAK_DOWN]
    assert last(*after, *inside * 11).phase == "manipulation"
    assert last(*after, *inside * 12).phase == "unknown"


def test_a_pause_over_night_ends_every_phase() -> None:
    bars = [*WIDE, *QUIET, FALSE_BREAK_UP, (100.0, 108.0, 92.0, 100.0)]
    assert last(*bars).phase == "manipulation"
    assert last(*bars, pause_before=len(bars) - 1).phase == "unknown"


def test_too_few_bars_are_unknown() -> None:
    given = answer(*WIDE[:30], *QUIET)
    assert (given.phase, given.start_time, given.confidence, given.strength) == (
        "unknown",
        None,
        Decimal(0),
        Decimal(0),
    )
    assert given.characteristics.range_compression is None
    assert amd_answer(series(), LOOKBACK) is None


def test_a_market_that_stands_still_is_unknown() -> None:
    assert last(*[(5.0, 5.0, 5.0, 5.0)] * 100).phase == "unknown"


def test_the_answer_says_when_it_began_and_what_was_seen() -> None:
    bars = [*WIDE, *QUIET, FALSE_BREAK_UP, (100.0, 101.0, 99.0, 100.0)]
    given = answer(*bars)
    assert given.phase == "manipulation"
    assert given.as_of - timedelta(minutes=1) == given.start_time
    assert "false_break" in given.signals
    assert "range_compression" in given.signals
    assert given.characteristics.volume_ratio is None


def test_the_volume_is_compared_where_every_volume_is_known() -> None:
    bars = [*WIDE, *QUIET]
    volumes = [100.0] * len(WIDE) + [50.0] * len(QUIET)
    given = amd_answer(series(*bars, volumes=volumes), LOOKBACK)
    assert given is not None
    assert given.characteristics.volume_ratio is not None
    assert given.characteristics.volume_ratio < Decimal("0.8")
    assert "low_volume" in given.signals


def test_an_unmeasured_phase_is_neutral_and_says_that_nothing_was_measured() -> None:
    given = answer(*WIDE, *QUIET, FALSE_BREAK_UP)
    assert (given.trading_bias.direction, given.trading_bias.position_size) == ("neutral", Decimal(0))
    assert (given.lift, given.lift_low, given.lift_high, given.base_rate, given.n) == (None, None, None, None, 0)


def manipulated() -> list[Prices]:
    """Return bars that end in a false break up, enough for the lookback that lifts are measured with."""
    return [*WIDE, *WIDE, *QUIET, FALSE_BREAK_UP]


def test_a_proven_phase_points_where_its_direction_does() -> None:
    given = answer(*manipulated(), lifts=[PROVEN], lookback=100)
    assert given.trading_bias.direction == "short"
    assert given.trading_bias.position_size == Decimal("0.175")  # Kelly at .45 and 2 to 1
    assert given.confidence == Decimal("0.5")
    assert (given.lift, given.base_rate, given.n) == (Decimal("0.2"), Decimal("0.3"), 400)


@pytest.mark.parametrize(
    "lift",
    [
        PhaseLift(phase="manipulation", value=0.2, low=-0.01, high=0.25, base_rate=0.3, n=400),
        PhaseLift(phase="manipulation", value=0.2, low=0.15, high=0.25, base_rate=0.3, n=99),
        PhaseLift(phase="manipulation", value=0.02, low=0.01, high=0.03, base_rate=0.3, n=400),
    ],
)
def test_an_unproven_or_unprofitable_phase_is_neutral(lift: PhaseLift) -> None:
    given = answer(*manipulated(), lifts=[lift], lookback=100)
    assert (given.trading_bias.direction, given.trading_bias.position_size) == ("neutral", Decimal(0))
    assert given.lift is not None


def test_what_was_measured_with_another_lookback_is_not_claimed() -> None:
    given = answer(*manipulated(), lifts=[PROVEN], lookback=60)
    assert given.phase == "manipulation"
    assert (given.lift, given.trading_bias.direction) == (None, "neutral")


def test_an_accumulation_points_nowhere() -> None:
    assert bias_of(None, PROVEN).direction == "neutral"


def test_a_lift_counts_one_entry_where_the_phase_begins_on_its_side() -> None:
    unknown = Phase("unknown", 0)
    began = [Phase("manipulation", 1, "long"), Phase("manipulation", 1, "long")]
    again = [Phase("manipulation", 4, "short"), Phase("accumulation", 5)]
    won, lost = Barrier(True, 1), Barrier(False, 1)
    lifts = lifts_of(
        [unknown, *began, unknown, *again],
        [Session(1, 0, 3), Session(2, 3, 6)],
        long=[lost, won, lost, lost, lost, lost],
        short=[lost, lost, lost, lost, won, lost],
        bases=(0.25, 0.35),
    )
    assert [(lift.phase, lift.n) for lift in lifts] == [("manipulation", 2)]
    assert lifts[0].value == pytest.approx(1 - 0.3)
    assert lifts[0].base_rate == pytest.approx(0.3)


@cache
def walked() -> Series:
    return market(9, 12, "15m")


@pytest.mark.parametrize("length", range(113, 1_100, 41))
def test_later_bars_change_no_phase(length: int) -> None:
    assert phases(walked().until(length), LOOKBACK) == phases(walked(), LOOKBACK)[:length]


def test_every_phase_occurs_on_a_random_walk() -> None:
    seen: set[AmdPhase] = {found.phase for found in phases(walked(), LOOKBACK)}
    assert seen == {"accumulation", "manipulation", "distribution", "unknown"}
