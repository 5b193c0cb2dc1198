"""How fast bricks are built: an import of recorded ticks, the desk's own chains, and whole bundles of a bridge."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from msgspec.structs import replace

from services.engine.decide import decide, open_desk
from services.engine.model.commands import ConfigureDesk
from services.engine.model.settings import Rules
from services.engine.model.state import GENERATION
from services.engine.model.ticks import HearTicks, ToldTick
from services.engine.rules.build_chains import built
from services.market.instruments import INSTRUMENTS
from services.market.renko import RenkoStack
from tests.bench.measure import Row

ES = INSTRUMENTS["ES"]
START = datetime(2026, 11, 17, 15, 0, tzinfo=UTC)
TICKS_A_SECOND = 1_000_000
MICROSECONDS_A_PRICE = 20
BUNDLE = 20  # ticks: four times a second they are 80 a second
TRIES = 3  # the best one counts


def measure_bricks() -> list[Row]:
    """Measure an import for six sizes, one price through the desk's chains, and one tick of a bundle at the desk."""
    prices = walk(400_000)
    imported = len(prices) / fastest(lambda: RenkoStack(ES).feed_many(prices))
    live = fastest(lambda: feed_chains(prices[:20_000])) / 20_000 * 1e6
    bundle = fastest(lambda: hear_bundles(prices[:10_000])) / 10_000 * 1e6
    return [
        Row(
            "bricks: import of ticks, six sizes", f"{imported:,.0f} ticks/s", "≥ 1,000,000", imported >= TICKS_A_SECOND
        ),
        Row("bricks: one live price, six sizes", f"{live:.1f} µs", "≤ 20 µs", live <= MICROSECONDS_A_PRICE),
        Row(f"bricks: one tick of a bundle of {BUNDLE}, judged, built, decided", f"{bundle:.0f} µs", "", True),
    ]


def walk(length: int) -> list[int]:
    """Return prices in ticks that move up to three at once: a 1pt brick every nine prices, more than markets make."""
    dice, price, prices = Random(5), 20_000, []
    for _ in range(length):
        price += dice.choice((-3, -2, -1, 0, 1, 2, 3))
        prices.append(price)
    return prices


def feed_chains(prices: list[int]) -> None:
    """Feed one price after the other to the chains of a desk."""
    contract = ES.contract(START.date())
    chains = None
    for price in prices:
        chains = built(contract, chains, (price,)).chains


def hear_bundles(prices: list[int]) -> None:
    """Let a desk that builds its bricks decide bundles of ticks."""
    rules = Rules(contracts={"ES": ES.contract(START.date())}, bricks_by_desk=("ES",))
    desk = replace(open_desk("5e" * 32, rules, START), last_stamp=0, generation=GENERATION)
    desk = decide(desk, ConfigureDesk(rules), START).desk
    contract, now = rules.contracts["ES"].symbol, START
    for first in range(0, len(prices), BUNDLE):
        now += timedelta(milliseconds=250)
        some = prices[first : first + BUNDLE]
        ticks = tuple(ToldTick(now, price * Decimal("0.25"), first + number) for number, price in enumerate(some))
        desk = decide(desk, HearTicks("ES", contract, ticks, "a bridge"), now).desk


def fastest(work: Callable[[], object]) -> float:
    """Return the seconds of processor time of the fastest of a few tries."""
    took = []
    for _ in range(TRIES):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)
