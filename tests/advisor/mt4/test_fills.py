"""What a minute does to resting orders and to positions: always what is worse for the account."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import get_args

import pytest

from advisor.mt4.fills import Left, Seen, filled_at, left_at, seen_after
from wire.minutes import MinuteRow
from wire.mt4 import Mt4Action
from wire.types import Side

D = Decimal
SIDES: tuple[Side, ...] = get_args(Side)
RESTING: tuple[Mt4Action, ...] = ("BUY_LIMIT", "SELL_LIMIT", "BUY_STOP", "SELL_STOP")


def minute(opened: str, high: str, low: str, close: str) -> Seen:
    return Seen(D(opened), D(high), D(low), D(close))


@pytest.mark.parametrize(
    ("action", "price", "prices", "filled"),
    [
        ("BUY_LIMIT", "1.1000", ("1.1010", "1.1012", "1.0999", "1.1005"), "1.1000"),
        ("BUY_LIMIT", "1.1000", ("1.1010", "1.1012", "1.1000", "1.1005"), None),  # touched, not gone beyond
        ("BUY_LIMIT", "1.1000", ("1.0950", "1.0960", "1.0940", "1.0955"), "1.1000"),  # a gap gives nothing
        ("SELL_LIMIT", "1.1000", ("1.0990", "1.1001", "1.0980", "1.0985"), "1.1000"),
        ("SELL_LIMIT", "1.1000", ("1.0990", "1.1000", "1.0980", "1.0985"), None),
        ("BUY_STOP", "1.1000", ("1.0990", "1.1000", "1.0980", "1.0985"), "1.1000"),
        ("BUY_STOP", "1.1000", ("1.1030", "1.1040", "1.1020", "1.1025"), "1.1030"),  # a gap costs
        ("BUY_STOP", "1.1000", ("1.0990", "1.0999", "1.0980", "1.0985"), None),
        ("SELL_STOP", "1.1000", ("1.1010", "1.1012", "1.1000", "1.1005"), "1.1000"),
        ("SELL_STOP", "1.1000", ("1.0950", "1.0960", "1.0940", "1.0955"), "1.0950"),
    ],
)
def test_a_resting_order_is_filled(
    action: Mt4Action, price: str, prices: tuple[str, str, str, str], filled: str | None
) -> None:
    assert filled_at(action, D(price), minute(*prices)) == (None if filled is None else D(filled))


@pytest.mark.parametrize(
    ("side", "prices", "left"),
    [
        ("BUY", ("1.1000", "1.1090", "1.0960", "1.1000"), None),
        ("BUY", ("1.1000", "1.1001", "1.0950", "1.1000"), Left(D("1.0950"), "stop_loss")),
        ("BUY", ("1.0900", "1.0910", "1.0890", "1.0900"), Left(D("1.0900"), "stop_loss")),  # the gap is behind the stop
        ("BUY", ("1.1000", "1.1101", "1.0990", "1.1000"), Left(D("1.1100"), "take_profit")),
        ("BUY", ("1.1000", "1.1100", "1.0990", "1.1000"), None),  # touched, not gone beyond
        ("BUY", ("1.1200", "1.1210", "1.1190", "1.1200"), Left(D("1.1100"), "take_profit")),  # a gap gives nothing
        ("BUY", ("1.1000", "1.1200", "1.0900", "1.1000"), Left(D("1.0950"), "stop_loss")),  # both: the stop first
    ],
)
def test_a_long_position_is_closed(side: Side, prices: tuple[str, str, str, str], left: Left | None) -> None:
    assert left_at(side, D("1.0950"), D("1.1100"), minute(*prices)) == left


def test_a_short_position_is_the_mirror_of_a_long_one() -> None:
    dice = random.Random(4)
    for _ in range(500):
        prices = sorted(D(dice.randrange(90, 111)) for _ in range(4))
        opened, close = dice.sample(prices, 2)
        seen = Seen(opened, prices[-1], prices[0], close)
        mirror = Seen(200 - opened, 200 - prices[0], 200 - prices[-1], 200 - close)
        long, short = left_at("BUY", D(95), D(105), seen), left_at("SELL", D(105), D(95), mirror)
        assert (None if long is None else (200 - long.price, long.reason)) == (
            None if short is None else (short.price, short.reason)
        )
        for buy, sell in (("BUY_LIMIT", "SELL_LIMIT"), ("BUY_STOP", "SELL_STOP")):
            bought = filled_at(buy, D(97), seen)  # type: ignore[arg-type]
            sold = filled_at(sell, D(103), mirror)  # type: ignore[arg-type]
            assert (None if bought is None else 200 - bought) == sold


def test_no_fill_is_ever_better_than_its_price() -> None:
    dice = random.Random(5)
    for _ in range(2_000):
        prices = sorted(D(dice.randrange(90, 111)) for _ in range(4))
        seen = Seen(dice.choice(prices), prices[-1], prices[0], dice.choice(prices))
        for action in RESTING:
            filled = filled_at(action, D(100), seen)
            if filled is not None:
                assert filled >= 100 if action.startswith("BUY") else filled <= 100


def test_of_the_minute_in_which_something_began_the_close_alone_counts() -> None:
    row = MinuteRow(600, D(100), D(120), D(80), D(101), None, "ticks")
    assert seen_after(row, 630.0) == Seen(D(101), D(101), D(101), D(101))
    assert seen_after(row, 600.0) == Seen(D(100), D(120), D(80), D(101))
