"""Markets whose truth is known: a random walk on the sessions of a calendar, and what can be planted in it."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from math import sqrt

from msgspec import Struct

from advisor.ml.bars import SECONDS, Minute, Series, series_of_bars
from services.market.instruments import instrument_for
from wire.ml_engine import MlTimeframe

STEPS = 8
"""Prices within a bar."""
TICK = 0.25
BEGINS = datetime(2025, 2, 3, tzinfo=UTC)


class Past(Struct):
    """What a planted rule may look at: the bar that is over, and the hour of the day at which the next one begins."""

    hour: int
    body: float
    span: float
    session: date


Rule = Callable[[Past], float]


def always(value: float) -> Rule:
    """Return a rule that never changes."""
    return lambda past: value


EVEN = always(1.0)
NO_DRIFT = always(0.0)


def market(
    seed: int,
    sessions: int,
    timeframe: MlTimeframe = "5m",
    *,
    symbol: str = "ES",
    spread: Rule = EVEN,
    drift: Rule = NO_DRIFT,
) -> Series:
    """Return whole sessions of generated bars.

    ``spread`` scales the standard deviation of the coming bar, ``drift`` moves it by so many of them.
    """
    dice = random.Random(seed)
    calendar = instrument_for(symbol).calendar
    seconds = SECONDS[timeframe]
    usual = 0.6 * sqrt(seconds / 60)
    price = 5_000.0
    past = Past(0, 0.0, usual, BEGINS.date())
    bars: list[Minute] = []
    for number, session in enumerate(calendar.sessions_from(BEGINS + timedelta(days=1))):
        if number == sessions:
            break
        for t in range(int(session.opens.timestamp()), int(session.closes.timestamp()), seconds):
            past.hour = datetime.fromtimestamp(t, UTC).astimezone(calendar.zone).hour
            past.session = session.on
            size = usual * spread(past) / sqrt(STEPS)
            moved = usual * drift(past) / STEPS
            path = [price]
            for _ in range(STEPS):
                path.append(path[-1] + dice.gauss(moved, size))
            price = path[-1]
            rounded = [round(each / TICK) * TICK for each in path]
            high, low = max(rounded), min(rounded)
            bars.append(Minute(t, rounded[0], high, low, rounded[-1], float(dice.randint(50, 150)), "ticks"))
            past.body, past.span = rounded[-1] - rounded[0], high - low
    return series_of_bars(symbol, timeframe, bars)


def busy_hours(past: Past) -> float:
    """Return a spread that depends on the hour of the day: wide while New York trades, and in London's first hour."""
    return {3: 1.6, 9: 2.0, 10: 1.8, 15: 1.7}.get(past.hour, 0.8)


def after_a_rise(past: Past) -> float:
    """Return a spread that depends on the bar before: wide after a rise. A table by hours cannot know it."""
    return 1.7 if past.body > 0 else 0.7


def morning_rise(past: Past) -> float:
    """Return a drift that depends on the hour of the day: up in the first half of the day, down in the second."""
    return 0.3 if past.hour < 12 else -0.3
