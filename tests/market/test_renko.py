"""Bricks from prices: exact against counted files, and the laws every series obeys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from math import ceil, floor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.market.instruments import INSTRUMENTS, instrument_for
from services.market.renko import FormedBrick, PriceJump, Renko, RenkoStack
from services.market.ticks import Tick, read_ticks
from services.market.units import earlier_point
from tests.data.generated_tapes import GENERATED_TAPES, GeneratedTape, ticks_of
from tests.data.recorded_tapes import EXTRACT, FALL, recorded_tapes
from wire.tradingview import STREAM_POINTS

ES = INSTRUMENTS["ES"]
SIZES = tuple(sorted(STREAM_POINTS.values()))

COUNTED = {  # bricks of 1, 2.5, 4, 6, 8 and 12 points, counted from the first price independently of this program
    "us30_ticks_20230628_renkodf": (13055, 2455, 1029, 470, 287, 132),
    "es_ticks_20130901-20130903_mlfinpy": (109, 10, 5, 2, 2, 0),
    "es_1m_2013_lean": (879, 182, 92, 50, 34, 18),
    "es_1m_20200105-20200106_lean": (145, 32, 13, 6, 5, 2),
    "gc_ticks_20131007-20131009_lean": (354, 47, 18, 8, 6, 2),
    "eurusd_ticks_20140508_lean": (1672, 298, 127, 60, 35, 17),
    "xauusd_ticks_20140502_lean": (101, 22, 9, 4, 3, 1),
}


COUNTED_HERE = {  # generated prices on the absolute grid; counted by the simple means below, too
    "volatile": (5641, 1246, 597, 314, 196, 105),
    "calm": (42, 4, 3, 1, 1, 0),
    "gapped": (814, 198, 91, 55, 37, 23),
    "trending": (600, 150, 79, 47, 28, 16),
}
RECORDED = {EXTRACT: (11, 1, 1, 0, 0, 0), FALL: (46, 7, 4, 3, 2, 1)}  # from the first price
RECORDED |= {path: COUNTED[name] for name, path in recorded_tapes(COUNTED).items()}


def count_bricks(asset: str, ticks: Iterable[Tick], unit: Decimal, from_first_price: bool = False) -> tuple[int, ...]:
    """Count the bricks of each size; ``from_first_price`` moves the grid's zero to the first price."""
    instrument = instrument_for(asset)
    prices = [instrument.ticks(tick.price) for tick in ticks]
    zero = prices[0] if from_first_price else 0
    counts = Counter(
        brick.points for _, brick in RenkoStack(instrument, unit).feed_many([price - zero for price in prices])
    )
    return tuple(counts[points] for points in SIZES)


def count_recorded(path: Path, from_first_price: bool) -> tuple[int, ...]:
    asset = path.name.split("_")[0].upper()
    return count_bricks(asset, read_ticks(path), earlier_point(asset), from_first_price)


def count_by_simple_means(prices: Iterable[Decimal], size: Decimal) -> int:
    """Count bricks without the program: one size goes on, two sizes turn, the grid's prices are multiples of a size."""
    low = high = None
    counted = 0
    for price in prices:
        if low is None or high is None:
            low, high = floor(price / size) * size, ceil(price / size) * size
        while price >= high + size:
            high, low, counted = high + size, high, counted + 1
        while price <= low - size:
            low, high, counted = low - size, low, counted + 1
    return counted


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name.removesuffix(".csv.gz"))
def test_recorded_prices_give_exactly_the_counted_bricks(path: Path) -> None:
    assert count_recorded(path, from_first_price=True) == RECORDED[path]


@pytest.mark.parametrize("tape", GENERATED_TAPES, ids=lambda tape: tape.name)
def test_generated_prices_give_exactly_the_counted_bricks(tape: GeneratedTape) -> None:
    assert by_both_means(tape, Decimal(1)) == COUNTED_HERE[tape.name]


def test_the_unit_of_the_asset_makes_the_bricks_larger() -> None:
    assert instrument_for("US30").unit == 8
    assert by_both_means(GENERATED_TAPES[0], Decimal(8)) == (196, 47, 25, 13, 8, 3)


def by_both_means(tape: GeneratedTape, unit: Decimal) -> tuple[int, ...]:
    """Count the bricks of a tape by the program and by the simple means, which must agree."""
    ticks = ticks_of(tape)
    counted = count_bricks(tape.asset, ticks, unit)
    assert tuple(count_by_simple_means((tick.price for tick in ticks), size * unit) for size in SIZES) == counted
    return counted


def bricks_of(prices: list[str], points: str = "4") -> list[tuple[str, str, str]]:
    renko = Renko(ES, Decimal(points))
    return [
        (brick.color, f"{brick.open.normalize():f}", f"{brick.close.normalize():f}")
        for price in prices
        for brick in renko.feed(Decimal(price))
    ]


def test_bricks_lie_on_multiples_of_their_size() -> None:
    assert bricks_of(["5001.75"]) == []
    assert bricks_of(["5001.75", "5007.75"]) == []
    assert bricks_of(["5001.75", "5008"]) == [("green", "5004", "5008")]
    assert bricks_of(["5001.75", "4996"]) == [("red", "5000", "4996")]


def test_a_first_price_on_the_grid_is_one_size_from_both_bricks() -> None:
    assert bricks_of(["5000", "5004"]) == [("green", "5000", "5004")]
    assert bricks_of(["5000", "4996"]) == [("red", "5000", "4996")]
    assert bricks_of(["5000", "5003.75", "4996.25"]) == []


def test_the_grid_goes_on_below_zero() -> None:
    assert bricks_of(["1.75", "-4", "-8.25"]) == [("red", "0", "-4"), ("red", "-4", "-8")]
    assert bricks_of(["-1.75", "4"]) == [("green", "0", "4")]


def test_the_trend_goes_on_after_one_size_and_turns_after_two() -> None:
    up = ["5000", "5004"]
    assert bricks_of([*up, "5008"])[1:] == [("green", "5004", "5008")]
    assert bricks_of([*up, "5000"])[1:] == []
    assert bricks_of([*up, "4996.25"])[1:] == []
    assert bricks_of([*up, "4996"])[1:] == [("red", "5000", "4996")]


def test_a_jump_closes_several_bricks_at_once() -> None:
    assert bricks_of(["5000", "5013"]) == [
        ("green", "5000", "5004"),
        ("green", "5004", "5008"),
        ("green", "5008", "5012"),
    ]


def test_a_point_is_the_unit_of_the_asset() -> None:
    nasdaq = Renko(INSTRUMENTS["NQ"], Decimal(12), unit=Decimal(4))
    nasdaq.feed(Decimal(18_480))
    [brick] = nasdaq.feed(Decimal(18_528))
    assert [brick.points, brick.open, brick.close] == [Decimal(12), Decimal(18_480), Decimal(18_528)]
    with pytest.raises(ValueError, match=r"2\.5 points was not a whole number of ticks of ES"):
        RenkoStack(ES, unit=Decimal("0.25"))


def test_a_stack_gives_the_small_sizes_first() -> None:
    stack = RenkoStack(ES)
    stack.feed(Decimal(5000))
    formed = stack.feed(Decimal(5006))
    assert [str(brick.points) for brick in formed] == ["1"] * 6 + ["2.5"] * 2 + ["4"]


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


@pytest.mark.parametrize("begun", [True, False], ids=["a chain", "a new chain"])
def test_an_import_with_an_impossible_jump_changes_nothing(begun: bool) -> None:
    stack = RenkoStack(ES)
    if begun:
        stack.feed_many([20_000, 20_100])
    before = stack.state
    with pytest.raises(PriceJump):
        stack.feed_many([20_100, 20_000, 2_000_000_000, 20_200])
    assert stack.state == before


tick_walks = st.tuples(st.integers(-150, 150), st.lists(st.integers(-60, 60), max_size=60)).map(
    lambda drawn: [drawn[0] + sum(drawn[1][:count]) for count in range(len(drawn[1]) + 1)]
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
def test_a_brick_has_its_size_and_its_colour_lies_on_the_grid_and_was_traded_through(
    walk: list[int], points: Decimal
) -> None:
    for brick in series(walk, points):
        assert brick.close - brick.open == (points if brick.color == "green" else -points)
        assert min(walk) <= brick.lo < brick.hi <= max(walk)
        assert brick.lo % ES.ticks_in(points) == 0


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


@given(tick_walks)
def test_an_import_gives_the_bricks_of_price_by_price(walk: list[int]) -> None:
    one_by_one, at_once = RenkoStack(ES), RenkoStack(ES)
    bricks = [(place, brick) for place, price in enumerate(walk) for brick in one_by_one.feed_ticks(price)]
    assert at_once.feed_many(walk) == bricks
    assert at_once.state == one_by_one.state
