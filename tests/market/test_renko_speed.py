"""How fast bricks are built, in time of our own processor: a year of ticks is imported in seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from random import Random

from services.market.instruments import INSTRUMENTS
from services.market.renko import RenkoStack

ES = INSTRUMENTS["ES"]
TICKS_PER_SECOND = 1_000_000  # for all six sizes together
SECONDS_PER_PRICE = 20e-6
TRIES = 3  # the best one counts: another program may share the core


def walk(length: int) -> list[int]:
    """Return prices that move up to three ticks each: a 1pt brick every nine prices, far more than a market makes."""
    dice, price, prices = Random(5), 20_000, []
    for _ in range(length):
        price += dice.choice((-3, -2, -1, 0, 1, 2, 3))
        prices.append(price)
    return prices


def seconds_of(work: Callable[[], object]) -> float:
    """Return the processor time of the fastest of a few tries."""
    fastest = float("inf")
    for _ in range(TRIES):
        began = time.process_time()
        work()
        fastest = min(fastest, time.process_time() - began)
    return fastest


def test_an_import_builds_a_million_ticks_a_second() -> None:
    prices = walk(400_000)
    took = seconds_of(lambda: RenkoStack(ES).feed_many(prices))
    assert len(prices) / took >= TICKS_PER_SECOND


def test_a_live_price_takes_microseconds() -> None:
    prices = [ticks * ES.tick_size for ticks in walk(20_000)]

    def feed_all() -> None:
        stack = RenkoStack(ES)
        for price in prices:
            stack.feed(price)

    assert prices[0] % Decimal("0.25") == 0
    assert seconds_of(feed_all) / len(prices) <= SECONDS_PER_PRICE
