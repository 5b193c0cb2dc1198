"""The desk's own chains are those of services/market/renko.py, brick for brick, with gaps and new beginnings."""

from __future__ import annotations

import random
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.engine.rules.build_chains import Chains, begun_at, built, widths_of
from services.market.instruments import INSTRUMENTS
from services.market.renko import RenkoStack
from tests.support.builders import CONTRACTS
from wire.tradingview import STREAM_POINTS

ES = CONTRACTS["ES"]
MOVES = st.lists(st.integers(-90, 90), min_size=1, max_size=60)
SECONDS_OF_A_LIVE_PRICE = 20e-6
TRIES = 3  # the best one counts: another program may share the core


def place_of(chains: Chains) -> list[tuple[Decimal, int, int, str | None, int]]:
    return [
        (
            STREAM_POINTS[chain.stream],
            chain.lo,
            chain.hi,
            None if chain.color == "neutral" else chain.color,
            chain.to_settle,
        )
        for chain in chains
    ]


def place_of_stack(stack: RenkoStack) -> list[tuple[Decimal, int | None, int | None, str | None, int]]:
    return [(chain.points, chain.lo, chain.hi, chain.color, chain.to_settle) for chain in stack.state.chains]


@settings(max_examples=120, deadline=None)
@given(start=st.integers(20_000, 22_000), moves=MOVES, gaps=st.sets(st.integers(0, 60)), bundle=st.integers(1, 9))
def test_the_desks_chains_are_those_of_an_import(start: int, moves: list[int], gaps: set[int], bundle: int) -> None:
    prices = [start]
    for move in moves:
        prices.append(prices[-1] + move)
    stack = RenkoStack(INSTRUMENTS["ES"])
    chains: Chains | None = None
    expected: list[tuple[Decimal, str, int, int]] = []
    told: list[tuple[Decimal, str, int, int]] = []
    for first in range(0, len(prices), bundle):
        after_gap = first in gaps
        some = prices[first : first + bundle]
        for number, price in enumerate(some):
            bricks = stack.feed_ticks(price, after_gap=after_gap and number == 0)
            expected += [(brick.points, brick.color, brick.lo, brick.hi) for brick in bricks]
        after = built(ES, chains, some, after_gap=after_gap)
        chains = after.chains
        told += [(STREAM_POINTS[brick.stream], brick.color, brick.lo, brick.hi) for brick in after.formed]
    assert told == expected
    assert chains is not None
    assert place_of(chains) == place_of_stack(stack)


def test_bricks_of_one_price_are_numbered_from_one_the_small_sizes_first() -> None:
    chains = built(ES, None, [21_000]).chains
    formed = built(ES, chains, [21_000, 21_000 + 4 * 13]).formed
    assert {brick.place for brick in formed} == {1}
    sizes = [STREAM_POINTS[brick.stream] for brick in formed]
    assert sizes == sorted(sizes)
    assert [brick.k for brick in formed if STREAM_POINTS[brick.stream] == 4] == [1, 2]


def test_chains_of_another_unit_are_none_of_ours() -> None:
    assert widths_of(replace(ES, unit=Decimal(4))) == tuple(4 * width for width in widths_of(ES))
    assert begun_at(ES, 21_001)[0].lo == 21_000


def test_no_price_makes_a_million_bricks() -> None:
    """A price beyond all markets begins the chains anew: they are not certain, so nobody enters on them."""
    chains = built(ES, None, [21_000]).chains
    after = built(ES, chains, [21_000_000])
    assert after.formed == ()
    assert [chain.to_settle for chain in after.chains] == [2] * 6


@pytest.mark.parametrize("bundle", [1, 20])
def test_a_live_price_takes_microseconds(bundle: int) -> None:
    rng = random.Random(7)
    prices = [21_000]
    for _ in range(20_000):
        prices.append(prices[-1] + rng.choice((-1, 0, 0, 1)))
    chains = built(ES, None, prices[:1]).chains
    fastest = float("inf")
    for _ in range(TRIES):
        began = time.process_time()
        for first in range(0, len(prices), bundle):
            chains = built(ES, chains, prices[first : first + bundle]).chains
        fastest = min(fastest, time.process_time() - began)
    assert fastest / len(prices) < SECONDS_OF_A_LIVE_PRICE
