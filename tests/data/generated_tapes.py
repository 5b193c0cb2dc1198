"""Seeded days of invented prices, so that no test waits for a recording that may not be shipped.

A tape is the same on every machine and with every Python: prices are whole ticks, and dice are only asked for
``Random.random``, whose numbers never change. It models no market and proves nothing about a strategy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random
from typing import TypeVar

from msgspec import Struct

from services.market.instruments import instrument_for
from services.market.ticks import Tick

Choice = TypeVar("Choice")


class Mood(Struct, frozen=True):
    """How the market moves for a while: steps in ticks of price to draw from, and how many percent of them go up."""

    steps: tuple[int, ...]
    up_percent: int = 50


class GeneratedTape(Struct, frozen=True):
    """One invented tape: ``stretches`` times a mood is drawn and kept for ``ticks_per_stretch`` ticks.

    ``mean_pause`` lies between two ticks. Before each stretch the market is shut for ``break_before``, and opens up to
    ``widest_gap`` ticks of price away.
    """

    name: str
    asset: str
    seed: int
    start_at: datetime
    start_price: Decimal
    moods: tuple[Mood, ...]
    stretches: int
    ticks_per_stretch: int
    mean_pause: timedelta
    break_before: timedelta = timedelta(0)
    widest_gap: int = 0


FALLING, EVEN, RISING = 40, 50, 60
NERVOUS = (3, 6, 9, 14, 25)  # ticks of 0.1 points

VOLATILE = GeneratedTape(
    name="volatile",
    asset="US30",
    seed=20,
    start_at=datetime(2026, 3, 3, 8, 0, tzinfo=UTC),
    start_price=Decimal("41250.0"),
    moods=(Mood(NERVOUS, FALLING), Mood(NERVOUS, EVEN), Mood(NERVOUS, RISING), Mood((1, 2, 4), EVEN)),
    stretches=60,
    ticks_per_stretch=200,
    mean_pause=timedelta(seconds=6.5),
)
CALM = GeneratedTape(
    name="calm",
    asset="ES",
    seed=1,
    start_at=datetime(2026, 3, 9, 22, 0, tzinfo=UTC),
    start_price=Decimal("5612.25"),
    moods=(Mood((0, 0, 0, 1), 49), Mood((0, 0, 0, 1), 51)),
    stretches=20,
    ticks_per_stretch=250,
    mean_pause=timedelta(seconds=12),
)
GAPPED = GeneratedTape(
    name="gapped",
    asset="ES",
    seed=7,
    start_at=datetime(2026, 3, 2, 14, 30, tzinfo=UTC),
    start_price=Decimal("5580.00"),
    moods=(Mood((0, 1, 2, 3, 5), FALLING), Mood((0, 1, 2, 4), EVEN), Mood((0, 1, 2, 3, 5), RISING)),
    stretches=10,
    ticks_per_stretch=400,
    mean_pause=timedelta(minutes=1),
    break_before=timedelta(hours=17),
    widest_gap=80,
)
TRENDING = GeneratedTape(
    name="trending",
    asset="US30",
    seed=3,
    start_at=datetime(2026, 3, 3, 14, 30, tzinfo=UTC),
    start_price=Decimal("41900.0"),
    moods=(Mood((2, 5, 8), 56), Mood((2, 5, 8), 66), Mood((2, 5, 8), 44)),
    stretches=20,
    ticks_per_stretch=200,
    mean_pause=timedelta(seconds=6),
)
GENERATED_TAPES = (VOLATILE, CALM, GAPPED, TRENDING)


@lru_cache(maxsize=len(GENERATED_TAPES))
def ticks_of(tape: GeneratedTape) -> tuple[Tick, ...]:
    """Return all ticks of the tape, on the tick grid of its asset, in the order of time."""
    return tuple(_ticks(tape, Random(tape.seed)))


def _ticks(tape: GeneratedTape, dice: Random) -> Iterator[Tick]:
    tick_size = instrument_for(tape.asset).tick_size
    at, price = tape.start_at, instrument_for(tape.asset).ticks(tape.start_price)
    for number in range(tape.stretches):
        if number:
            at += tape.break_before
            price += _between(dice, -tape.widest_gap, tape.widest_gap)
        mood = _drawn(dice, tape.moods)
        for _ in range(tape.ticks_per_stretch):
            yield Tick(at, price * tick_size)
            at += _pause(dice, tape.mean_pause)
            price += _step(dice, mood)


def _step(dice: Random, mood: Mood) -> int:
    """Return how many ticks of price the market moves, up or down as the mood has it."""
    size = _drawn(dice, mood.steps)
    return size if dice.random() * 100 < mood.up_percent else -size


def _pause(dice: Random, mean: timedelta) -> timedelta:
    """Return a time from one millisecond to twice the mean."""
    return timedelta(milliseconds=_between(dice, 1, 2 * (mean // timedelta(milliseconds=1))))


def _between(dice: Random, low: int, high: int) -> int:
    return low + int(dice.random() * (high - low + 1))


def _drawn(dice: Random, choices: Sequence[Choice]) -> Choice:
    return choices[int(dice.random() * len(choices))]
