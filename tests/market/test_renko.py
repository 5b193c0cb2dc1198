"""Bricks from prices: exact against counted files, and the laws every series obeys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.market.instruments import INSTRUMENTS, instrument_for
from services.market.renko import FormedBrick, PriceJump, Renko, RenkoStack
from services.market.ticks import Tick, read_ticks
from tests.data.generated_tapes import GENERATED_TAPES, GeneratedTape, ticks_of
from tests.data.recorded_tapes import EXTRACT, FALL, recorded_tapes
from wire.tradingview import STREAM_POINTS

ES = INSTRUMENTS["ES"]
SIZES = tuple(sorted(STREAM_POINTS.values()))

COUNTED = {  # bricks of 1, 2.5, 4, 6, 8 and 12 points, counted independently of this program
    "us30_ticks_20230628_renkodf": (13055, 2455, 1029, 470, 287, 132),
    "es_ticks_20130901-20130903_mlfinpy": (109, 10, 5, 2, 2, 0),
    "es_1m_2013_lean": (879, 182, 92, 50, 34, 18),
    "es_1m_20200105-20200106_lean": (145, 32, 13, 6, 5, 2),
    "gc_ticks_20131007-20131009_lean": (354, 47, 18, 8, 6, 2),
    "eurusd_ticks_20140508_lean": (1672, 298, 127, 60, 35, 17),
    "xauusd_ticks_20140502_lean": (101, 22, 9, 4, 3, 1),
}


COUNTED_HERE = {  # generated prices; counted by the simple means below, too
    "volatile": (5641, 1246, 599, 314, 202, 112),
    "calm": (40, 4, 3, 2, 1, 1),
    "gapped": (814, 198, 91, 55, 35, 23),
    "trending": (600, 150, 79, 44, 30, 15),
}
RECORDED = {EXTRACT: (11, 1, 1, 0, 0, 0), FALL: (46, 7, 4, 3, 2, 1)}
RECORDED |= {path: COUNTED[name] for name, path in recorded_tapes(COUNTED).items()}


def count_bricks(asset: str, ticks: Iterable[Tick]) -> tuple[int, ...]:
    stack = RenkoStack(instrument_for(asset))
    counts = Counter(brick.points for tick in ticks for brick in stack.feed(tick.price))
    return tuple(counts[points] for points in SIZES)


def count_recorded(path: Path) -> tuple[int, ...]:
    return count_bricks(path.name.split("_")[0].upper(), read_ticks(path))


def count_by_simple_means(prices: Iterable[Decimal], size: Decimal) -> int:
    """Count bricks without the program: one size goes on, two sizes transition, the first price is the anchor."""
    low = high = None
    counted = 0
    for price in prices:
        if low is None or high is None:
            low = high = price
        while price >= high + size:
            high, low, counted = high + size, high, counted + 1
        while price <= low - size:
            low, high, counted = low - size, low, counted + 1
    return counted


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name.removesuffix(".csv.gz"))
def test_recorded_prices_give_exactly_the_counted_bricks(path: Path) -> None:
    assert count_recorded(path) == RECORDED[path]


@pytest.mark.parametrize("tape", GENERATED_TAPES, ids=lambda tape: tape.name)
def test_generated_prices_give_exactly_the_counted_bricks(tape: GeneratedTape) -> None:
    ticks, unit = ticks_of(tape), instrument_for(tape.asset).point_size
    by_simple_means = tuple(count_by_simple_means((tick.price for tick in ticks), size * unit) for size in SIZES)
    assert by_simple_means == COUNTED_HERE[tape.name]
    assert count_bricks(tape.asset, ticks) == COUNTED_HERE[tape.name]


def bricks_of(prices: list[str], points: str = "4") -> list[tuple[str, str, str]]:
    renko = Renko(ES, Decimal(points))
    return [
        (brick.color, str(brick.open.normalize()), str(brick.close.normalize()))
        for price in prices
        for brick in renko.feed(Decimal(price))
    ]


def test_the_first_price_is_the_anchor() -> None:
    assert bricks_of(["5001.75"]) == []
    assert bricks_of(["5001.75", "5005.50"]) == []
    assert bricks_of(["5001.75", "5005.75"]) == [("green", "5001.75", "5005.75")]
    assert bricks_of(["5001.75", "4997.75"]) == [("red", "5001.75", "4997.75")]


def test_the_trend_goes_on_after_one_size_and_turns_after_two() -> None:
    up = ["5001", "5005"]
    assert bricks_of([*up, "5009"])[1:] == [("green", "5005", "5009")]
    assert bricks_of([*up, "5001"])[1:] == []
    assert bricks_of([*up, "4997.25"])[1:] == []
    assert bricks_of([*up, "4997"])[1:] == [("red", "5001", "4997")]


def test_a_jump_closes_several_bricks_at_once() -> None:
    assert bricks_of(["5001", "5014"]) == [
        ("green", "5001", "5005"),
        ("green", "5005", "5009"),
        ("green", "5009", "5013"),
    ]


def test_a_stack_gives_the_small_sizes_first() -> None:
    stack = RenkoStack(ES)
    stack.feed(Decimal(5000))
    formed = stack.feed(Decimal(5006))
    assert [str(brick.points) for brick in formed] == ["1"] * 6 + ["2.5"] * 2 + ["4", "6"]


def test_a_size_that_is_not_whole_ticks_is_refused() -> None:
    with pytest.raises(ValueError, match="whole number of ticks"):
        Renko(ES, Decimal("0.3"))
    with pytest.raises(ValueError, match="at least one tick"):
        Renko(ES, Decimal(0))


def test_an_impossible_jump_is_refused_and_changes_nothing() -> None:
    stack = RenkoStack(ES)
    stack.feed(Decimal(5000))
    with pytest.raises(PriceJump):
        stack.feed(Decimal(500_000_000))
    assert len(stack.feed(Decimal(5001))) == 1


tick_walks = st.lists(st.integers(-60, 60), max_size=60).map(
    lambda steps: [20_000 + sum(steps[:count]) for count in range(len(steps) + 1)]
)
sizes = st.sampled_from(SIZES)


def series(walk: list[int], points: Decimal) -> list[FormedBrick]:
    renko = Renko(ES, points)
    return [brick for price in walk for brick in renko.feed_ticks(price)]


@given(tick_walks, sizes)
def test_bricks_are_contiguous_and_never_turn_under_two_sizes(walk: list[int], points: Decimal) -> None:
    for before, after in pairwise(series(walk, points)):
        distance = after.close - before.close
        if after.color == before.color:
            assert after.open == before.close
            assert abs(distance) == points
        else:
            assert after.open == before.open
            assert abs(distance) == 2 * points


@given(tick_walks, sizes)
def test_a_brick_has_its_size_and_its_colour_and_was_traded_through(walk: list[int], points: Decimal) -> None:
    for brick in series(walk, points):
        assert brick.close - brick.open == (points if brick.color == "green" else -points)
        assert min(walk) * ES.tick_size <= brick.close <= max(walk) * ES.tick_size


@given(tick_walks, sizes)
def test_prices_on_the_way_change_nothing(walk: list[int], points: Decimal) -> None:
    every_tick = [walk[0]]
    for start, end in pairwise(walk):
        direction = 1 if end > start else -1
        every_tick += range(start + direction, end + direction, direction) if end != start else []
    assert series(every_tick, points) == series(walk, points)


@given(tick_walks, sizes, st.integers(2, 4))
def test_repeated_prices_change_nothing(walk: list[int], points: Decimal, times: int) -> None:
    assert series([price for price in walk for _ in range(times)], points) == series(walk, points)


@given(tick_walks)
def test_a_stack_is_its_six_sizes_together(walk: list[int]) -> None:
    stack = RenkoStack(ES)
    together = [brick for price in walk for brick in stack.feed(price * ES.tick_size)]
    for points in SIZES:
        assert [brick for brick in together if brick.points == points] == series(walk, points)
