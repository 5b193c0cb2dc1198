"""ATR14, and what followed each bar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from advisor.ml.atr import atr14, true_ranges
from advisor.ml.bars import Minute, Series, series_of_bars
from advisor.ml.labels import BARRIER_HORIZON, Barrier, barriers, drawn_after, moves_after, uniqueness
from wire.ml_engine import SignalDirection

OPENS = int(datetime(2025, 1, 7, 14, 30, tzinfo=UTC).timestamp())
Prices = tuple[float, float, float, float]
CALM: Prices = (100.0, 101.0, 99.0, 100.0)


def series(*bars: Prices, missing: Sequence[int] = ()) -> Series:
    """Return minutes in a row; before each place in ``missing`` one is absent."""
    t = OPENS
    rows = []
    for number, (opened, high, low, close) in enumerate(bars):
        t += 120 if number in missing else 60
        rows.append(Minute(t, opened, high, low, close, None, "bridge"))
    return series_of_bars("ES", "1m", rows)


def test_atr_is_the_mean_of_fourteen_true_ranges() -> None:
    given = series(*[CALM] * 14, (100.0, 104.0, 100.0, 104.0))
    assert atr14(given)[12] is None
    assert atr14(given)[13] == 2.0
    assert atr14(given)[14] == (13 * 2 + 4) / 14


def test_a_true_range_reaches_back_to_the_last_close_but_not_over_a_gap() -> None:
    jumped: Prices = (110.0, 111.0, 109.0, 110.0)
    assert true_ranges(series(CALM, jumped)) == [2.0, 11.0]
    assert true_ranges(series(CALM, jumped, missing=[1])) == [2.0, 2.0]


def test_a_market_that_does_not_move_has_no_atr() -> None:
    assert set(atr14(series(*[(5.0, 5.0, 5.0, 5.0)] * 20))) == {None}


def test_a_move_is_counted_from_the_close_in_atr_and_never_below_nothing() -> None:
    given = series(*[CALM] * 14, (101.0, 103.0, 100.5, 102.0), CALM)
    moves = moves_after(given, atr14(given))
    assert moves[12] is None
    after = moves[13]
    assert after is not None
    assert (after.up, after.down) == (1.5, 0.0)
    assert moves[15] is None  # nothing follows yet


def test_no_move_is_told_across_a_gap() -> None:
    given = series(*[CALM] * 16, missing=[14])
    moves = moves_after(given, atr14(given))
    assert moves[13] is None
    assert moves[14] is not None


def became(given: Series, side: SignalDirection, rr: int, place: int = 13) -> Barrier | None:
    """Return what became of the trade that is drawn after a bar."""
    return barriers(given, drawn_after(given, atr14(given)), side, rr)[place]


def trade(*after: Prices, side: SignalDirection = "long", rr: int = 2, missing: Sequence[int] = ()) -> Barrier | None:
    """Return what became of an entry at the close of 100.0 with an ATR of 2: stop at 98, target at 104."""
    rest = [CALM] * (BARRIER_HORIZON - len(after))
    given = series(*[CALM] * 14, *after, *rest, missing=[14 + place for place in missing])
    return became(given, side, rr)


def test_the_target_comes_first() -> None:
    assert trade(CALM, (100.0, 104.0, 99.0, 104.0)) == Barrier(True, 2)
    assert trade(CALM, (100.0, 101.0, 96.0, 96.0), side="short") == Barrier(True, 2)


def test_the_stop_comes_first() -> None:
    assert trade((100.0, 101.0, 98.0, 99.0), (99.0, 110.0, 99.0, 110.0)) == Barrier(False, 1)


def test_the_entry_is_the_last_close_as_it_is_drawn() -> None:
    opened_higher: Prices = (101.0, 104.0, 100.0, 103.0)
    assert trade(opened_higher) == Barrier(True, 1)
    assert trade((101.0, 102.0, 99.0, 99.0)) == Barrier(False, BARRIER_HORIZON)


def test_a_market_that_opens_beyond_the_stop_has_lost() -> None:
    assert trade((97.0, 110.0, 97.0, 110.0)) == Barrier(False, 1)


def test_a_stop_lies_on_the_tick_grid_as_it_is_drawn() -> None:
    """An ATR of 2.1 is drawn as 2.0: eight ticks of ES."""
    wide: Prices = (100.0, 101.1, 99.0, 100.0)
    after: Prices = (100.0, 102.0, 99.0, 102.0)
    given = series(*[wide] * 14, after, *[CALM] * BARRIER_HORIZON)
    assert atr14(given)[13] == pytest.approx(2.1)
    assert became(given, "long", 1) == Barrier(True, 1)


def test_a_market_that_barely_moves_is_measured_with_a_stop_of_a_tick() -> None:
    still: Prices = (100.0, 100.02, 100.0, 100.0)
    given = series(*[still] * 15, (100.0, 100.25, 100.0, 100.25), *[still] * BARRIER_HORIZON)
    assert became(given, "long", 1) == Barrier(True, 2)
    assert became(given, "short", 1) == Barrier(False, 2)


def test_a_level_is_touched_by_the_price_that_is_the_same_number() -> None:
    """0.00001 has no exact float; the level of a pair is the number as it is written, not a sum of floats."""
    rows = [Minute(OPENS + 60 * n, 1.10004, 1.10011, 1.10004, 1.10004, None, "bridge") for n in range(14)]
    rows += [Minute(OPENS + 60 * n, 1.10004, 1.10011, 1.10004, 1.10004, None, "bridge") for n in range(14, 27)]
    given = series_of_bars("EURUSD", "1m", rows)
    assert became(given, "long", 1) == Barrier(True, 1)


def test_a_bar_that_touches_both_is_a_loss() -> None:
    assert trade((100.0, 104.0, 98.0, 104.0)) == Barrier(False, 1)


def test_a_trade_that_meets_neither_is_not_won() -> None:
    assert trade() == Barrier(False, BARRIER_HORIZON)


def test_the_target_is_as_far_as_rr_says() -> None:
    risen: Prices = (100.0, 102.0, 99.0, 102.0)
    assert trade(risen, rr=1) == Barrier(True, 1)
    assert trade(risen, rr=3) == Barrier(False, BARRIER_HORIZON)


@pytest.mark.parametrize("place", [0, 1, 11])
def test_a_trade_across_a_gap_is_not_counted_even_when_it_was_over_before(place: int) -> None:
    stopped: Prices = (100.0, 101.0, 98.0, 99.0)
    assert trade(stopped, missing=[place]) is None


def test_trades_that_run_side_by_side_weigh_less() -> None:
    alone = uniqueness([Barrier(True, 3), None, None, None])
    assert alone == [1.0, 0.0, 0.0, 0.0]
    beside = uniqueness([Barrier(True, 2), Barrier(True, 2), None])
    assert beside == pytest.approx([0.75, 0.75, 0.0])
