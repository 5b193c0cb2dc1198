"""Simultaneous breaks of the index futures and of the brick sizes of one asset."""

from __future__ import annotations

from decimal import Decimal

import pytest

from feeds.prices.book import PriceBook
from feeds.prices.types import Member, SimultaneousBreak
from tests.feeds.prices.story import Trader, ny
from wire.types import Color

SIZES = ("1", "2.5", "4", "6", "8", "12")


def indices(*assets: str) -> Trader:
    """The assets with a whole candle from 5000 to 5003 at 10:01."""
    trader = Trader(*assets)
    for asset in assets:
        for price, at in [("5001", "10:00"), ("5000", "10:01"), ("5003", "10:01:30"), ("5001", "10:02:00")]:
            trader.hears(price, at, asset)
    return trader


def test_all_index_futures_break_up_within_a_minute() -> None:
    trader = indices("ES", "NQ", "GC")
    trader.hears("5003.25", "10:02:10", "NQ")
    assert trader.simultaneous() == []
    alerts = trader.hears("5003.5", "10:02:40", "ES")
    simultaneous = SimultaneousBreak(
        cohort="index_futures",
        direction="up",
        window_s=60,
        members=(
            Member(symbol="NQ", timeframe="1m", trigger=Decimal(5003), at=ny("10:02:10")),
            Member(symbol="ES", timeframe="1m", trigger=Decimal(5003), at=ny("10:02:40")),
        ),
        at=ny("10:02:40"),
        simulated=False,
    )
    assert alerts[-1] == simultaneous
    assert trader.simultaneous() == [simultaneous]


def test_a_break_is_used_once() -> None:
    trader = indices("ES", "NQ")
    trader.hears("5004", "10:02:10", "NQ")
    trader.hears("5004", "10:02:11", "ES")
    trader.hears("5005", "10:02:12", "NQ")
    trader.hears("5005", "10:03:00", "NQ")
    trader.hears("5006", "10:03:01", "NQ")
    assert len(trader.simultaneous()) == 1, "ES has broken no second candle"
    trader.hears("5005", "10:03:02", "ES")
    assert len(trader.simultaneous()) == 2


@pytest.mark.parametrize(("at", "count"), [("10:03:10", 1), ("10:03:10.000001", 0)])
def test_the_window_is_sixty_seconds(at: str, count: int) -> None:
    trader = indices("ES", "NQ")
    trader.hears("5004", "10:02:10", "NQ")
    trader.hears("5004", at, "ES")
    assert len(trader.simultaneous()) == count


def test_breaks_in_two_directions_are_none() -> None:
    trader = indices("ES", "NQ")
    trader.hears("5004", "10:02:10", "NQ")
    trader.hears("4999", "10:02:11", "ES")
    assert trader.simultaneous() == []


def test_every_configured_index_must_break() -> None:
    trader = indices("ES", "NQ", "RTY", "YM")
    for second, asset in enumerate(["YM", "ES", "RTY"]):
        trader.hears("5004", f"10:02:1{second}", asset)
    assert trader.simultaneous() == []
    trader.hears("5004", "10:02:20", "NQ")
    assert [member.symbol for member in trader.simultaneous()[0].members] == ["YM", "ES", "RTY", "NQ"]


def test_one_index_alone_is_no_cohort() -> None:
    trader = indices("ES", "GC")
    trader.hears("5004", "10:02:10", "ES")
    trader.hears("5004", "10:02:11", "GC")
    assert trader.simultaneous() == []


def test_simulated_and_real_breaks_make_no_cohort() -> None:
    trader = Trader("ES", "NQ")
    for asset, simulated in [("ES", False), ("NQ", True)]:
        for price, at in [("5001", "10:00"), ("5003", "10:01"), ("5004", "10:02:00")]:
            trader.hears(price, at, asset, simulated=simulated)
    assert len(trader.in_force()) == 2
    assert trader.simultaneous() == []


# -- brick sizes -------------------------------------------------------------------------------------------------


class Stack:
    """The brick sizes of ES, all red at 10:00."""

    def __init__(self, *sizes: str) -> None:
        self.book = PriceBook(["ES"])
        for size in sizes or SIZES:
            assert self.closes(size, "red", "10:00") == ()

    def closes(self, size: str, color: Color, at: str, opened: str | None = None) -> tuple[SimultaneousBreak, ...]:
        price = None if opened is None else Decimal(opened)
        return self.book.hear_brick("ES", Decimal(size), color, ny(at), price, None)


def test_all_sizes_turn_within_a_minute() -> None:
    stack = Stack()
    for count, size in enumerate(SIZES[:-1]):
        assert stack.closes(size, "green", f"10:01:0{count}", "5000") == ()
    (turned,) = stack.closes("12", "green", "10:01:40", "4996.5")
    assert (turned.cohort, turned.direction, turned.window_s, turned.simulated) == ("renko_stack", "up", 60, None)
    assert [member.symbol for member in turned.members] == [f"ES:R{size}" for size in SIZES]
    assert turned.members[-1] == Member(symbol="ES:R12", timeframe="R12", trigger=Decimal("4996.5"), at=ny("10:01:40"))


def test_sizes_that_turn_at_one_time_are_listed_by_size() -> None:
    stack = Stack()
    told = [stack.closes(size, "green", "10:01") for size in ("12", "2.5", "1", "8", "6", "4")]
    assert [member.timeframe for member in told[-1][0].members] == ["R1", "R2.5", "R4", "R6", "R8", "R12"]


def test_a_brick_without_a_price_has_no_trigger() -> None:
    stack = Stack("1", "4", "8")
    stack.closes("1", "green", "10:01")
    stack.closes("4", "green", "10:01")
    (turned,) = stack.closes("8", "green", "10:01")
    assert {member.trigger for member in turned.members} == {None}


def test_a_size_that_turned_back_does_not_count() -> None:
    stack = Stack("1", "4", "8")
    stack.closes("1", "green", "10:01:00")
    stack.closes("4", "green", "10:01:10")
    stack.closes("1", "red", "10:01:20")
    assert stack.closes("8", "green", "10:01:30") == ()
    assert len(stack.closes("1", "green", "10:01:40")) == 1


def test_bricks_of_the_same_colour_are_no_reversal() -> None:
    stack = Stack("1", "4", "8")
    assert all(stack.closes(size, "red", "10:01") == () for size in ("1", "4", "8"))


def test_the_same_brick_twice_and_an_old_one_change_nothing() -> None:
    stack = Stack("1", "4", "8")
    stack.closes("1", "green", "10:01:00")
    stack.closes("4", "green", "10:01:10")
    stack.closes("4", "green", "10:01:10")
    stack.closes("4", "red", "10:01:09")
    assert len(stack.closes("8", "green", "10:01:30")) == 1
    assert stack.closes("8", "green", "10:01:30") == ()


def test_a_first_colour_and_one_after_neutral_are_no_reversal() -> None:
    stack = Stack("1", "4", "8")
    stack.closes("1", "neutral", "10:00:30")
    assert stack.book.tfc("ES")["R1"] is None
    stack.closes("1", "green", "10:01:00")
    stack.closes("4", "green", "10:01:10")
    assert stack.closes("8", "green", "10:01:30") == ()
    assert stack.book.tfc("ES")["R1"] == "green"


def test_two_sizes_are_no_stack_and_a_size_that_the_desk_has_not_is_ignored() -> None:
    stack = Stack("1", "4", "3")
    assert [stack.closes(size, "green", "10:01") for size in ("1", "4", "3")] == [(), (), ()]
    assert "R3" not in stack.book.tfc("ES")


def test_an_unknown_asset_has_no_stack() -> None:
    assert PriceBook(["ES"]).hear_brick("NQ", Decimal(4), "green", ny("10:00"), None, None) == ()


def test_a_stack_that_turns_again_is_told_again() -> None:
    stack = Stack("1", "4", "8")
    told: list[SimultaneousBreak] = []
    colors: tuple[Color, ...] = ("green", "red", "green")
    for second, color in enumerate(colors):
        for size in ("1", "4", "8"):
            told.extend(stack.closes(size, color, f"10:01:{20 * second:02d}"))
    assert [turned.direction for turned in told] == ["up", "down", "up"]
