"""Chains of bricks: begun late, with a gap, put away and taken up again, they become the chain that saw every price."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.market.instruments import INSTRUMENTS, instrument_for
from services.market.renko import ChainState, Renko, RenkoStack, StackState
from services.market.ticks import read_ticks
from tests.data.generated_tapes import GENERATED_TAPES, ticks_of
from tests.data.recorded_tapes import FALL, recorded_tapes
from wire.tradingview import STREAM_POINTS

ES = INSTRUMENTS["ES"]
SIZES = tuple(sorted(STREAM_POINTS.values()))
UNITS = {"US30": Decimal(8), "GC": Decimal("0.8"), "XAUUSD": Decimal("0.8")}  # SPEC 2; else the instrument's own
RECORDED = recorded_tapes(("us30_ticks_20230628_renkodf", "es_1m_2013_lean", "gc_ticks_20131007-20131009_lean"))
TAPES = {tape.name: (tape.asset, tape) for tape in GENERATED_TAPES}
STARTS = 60  # late chains begun on each tape

steps = st.lists(st.integers(-30, 30), max_size=40)
sizes = st.sampled_from(SIZES)


def walk_from(start: int, moves: list[int]) -> list[int]:
    return [start + sum(moves[:count]) for count in range(1, len(moves) + 1)]


def place_of(state: ChainState) -> tuple[int | None, int | None, str | None]:
    return state.lo, state.hi, state.color


@given(st.integers(-100, 100), steps, steps, sizes)
def test_a_chain_begun_late_has_every_brick_but_perhaps_its_first(
    start: int, earlier: list[int], later: list[int], points: Decimal
) -> None:
    before = walk_from(start, earlier)
    common = walk_from(before[-1] if before else start, later)
    old, new = Renko(ES, points), Renko(ES, points)
    old.feed_many(before)
    theirs = [brick for _, brick in old.feed_many(common)]
    ours = [brick for _, brick in new.feed_many(common)]
    in_common = ours[1:]
    assert theirs[len(theirs) - len(in_common) :] == in_common
    if ours:
        assert place_of(new.state)[:2] == place_of(old.state)[:2]
    if new.to_settle == 0:
        assert place_of(new.state) == place_of(old.state)
    assert new.to_settle == max(0, 2 - len(ours))


@given(st.integers(-100, 100), steps, steps, steps, sizes)
@example(0, [], [12, -7], [3, 4], Decimal(1))  # the first two bricks after the gap were not in the other chain
def test_a_chain_with_a_gap_has_every_brick_but_perhaps_two_behind_it(
    start: int, heard: list[int], missed: list[int], later: list[int], points: Decimal
) -> None:
    before = walk_from(start, [0, *heard])
    unheard = walk_from(before[-1], missed)
    common = walk_from(unheard[-1] if unheard else before[-1], [0, *later])
    whole, gapped = Renko(ES, points), Renko(ES, points)
    whole.feed_many([*before, *unheard, common[0]])
    gapped.feed_many(before)
    gapped.feed_ticks(common[0], after_gap=True)
    assert gapped.to_settle == 3
    theirs = [brick for _, brick in whole.feed_many(common[1:])]
    ours = [brick for _, brick in gapped.feed_many(common[1:])]
    in_common = ours[2:]
    assert theirs[len(theirs) - len(in_common) :] == in_common
    if gapped.to_settle == 0:
        assert place_of(gapped.state) == place_of(whole.state)


@given(st.integers(-100, 100), steps, steps)
def test_a_stack_put_away_and_taken_up_again_gives_the_same_bricks(
    start: int, earlier: list[int], later: list[int]
) -> None:
    before, after = walk_from(start, earlier), walk_from(start + sum(earlier), later)
    kept, unit = RenkoStack(ES, Decimal(2)), Decimal(2)
    kept.feed_many(before)
    stored = msgspec.json.decode(msgspec.json.encode(kept.state), type=StackState)
    again = RenkoStack.restored(ES, stored, unit)
    assert [again.feed_ticks(price) for price in after] == [kept.feed_ticks(price) for price in after]
    assert again.state == kept.state


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"symbol": "NQ"}, "the state was of"),
        ({"unit": Decimal(2)}, "the state was of"),
        ({"tick_size": Decimal("0.1")}, "the state was of"),
        ({"chains": ()}, "the state was of"),
        ({"lo": 2}, "is not on the grid of 4"),
        ({"hi": 8}, "is not on the grid of 4"),
        ({"hi": None}, "is none of 1 points"),
    ],
    ids=["symbol", "unit", "tick", "sizes", "off the grid", "too wide", "half a state"],
)
def test_the_state_of_another_chain_is_refused(wrong: dict[str, object], why: str) -> None:
    stack = RenkoStack(ES)
    stack.feed_many([0, 4])
    state = stack.state
    if "lo" in wrong or "hi" in wrong:
        state = replace(state, chains=(replace(state.chains[0], **wrong), *state.chains[1:]))
    else:
        state = replace(state, **wrong)
    with pytest.raises(ValueError, match=why):
        RenkoStack.restored(ES, state)


def test_a_stack_that_takes_over_the_last_bricks_is_settled() -> None:
    whole, late = RenkoStack(ES), RenkoStack(ES)
    whole.feed_many([20_000, 20_200, 20_100])
    late.feed_ticks(20_100)
    assert not late.is_settled
    last = [(chain.points, chain.lo, chain.hi, chain.color) for chain in whole.state.chains]
    for points, lo, hi, color in last:
        assert lo is not None
        assert hi is not None
        assert color is not None
        assert not late.adopt(points, lo, hi, color)
        assert late.adopt(points, lo, hi, color)
    assert late.is_settled
    assert late.feed_ticks(19_900) == whole.feed_ticks(19_900) != ()


def test_a_last_brick_that_is_none_is_not_taken_over() -> None:
    stack = RenkoStack(ES)
    before = stack.state
    for points, lo, hi, why in ((3, 0, 12, "the size was 3 points"), (1, 0, 8, "not on the grid"), (1, 2, 6, "grid")):
        with pytest.raises(ValueError, match=why):
            stack.adopt(Decimal(points), lo, hi, "green")
    assert stack.state == before


def prices_of(name: str) -> tuple[str, list[int]]:
    """Return a tape's asset and prices in ticks."""
    if name in TAPES:
        asset, tape = TAPES[name]
        return asset, [instrument_for(asset).ticks(tick.price) for tick in ticks_of(tape)]
    path = FALL if name == "fall" else RECORDED[name]
    asset = path.name.split("_")[0].upper()
    return asset, [instrument_for(asset).ticks(tick.price) for tick in read_ticks(path)]


@pytest.mark.parametrize("name", [*TAPES, "fall", *RECORDED])
def test_on_a_tape_no_late_chain_has_more_than_one_brick_of_its_own(name: str) -> None:
    asset, prices = prices_of(name)
    for points in SIZES:
        whole = Renko(instrument_for(asset), points, UNITS.get(asset)).feed_many(prices)
        for start in range(0, len(prices), len(prices) // STARTS):
            late = Renko(instrument_for(asset), points, UNITS.get(asset)).feed_many(prices[start:])
            rest = [(place - start, brick) for place, brick in whole if place >= start]
            own = [found for found in late[:2] if found not in rest]
            assert own in ([], late[:1])
            assert late[1:] == rest[len(rest) - len(late[1:]) :]
