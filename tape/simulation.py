"""A simulated market for demonstrations: random prices, always marked ``simulated``.

It alternates between ranges, which revert to their middle, and trends up and down, each for a minute or two. Volatility
comes in clusters, with more ticks while it is high. At speed 1 on ES a 6pt brick closes every 20 to 60 seconds on
average, much faster than in the real market, so that a demonstration does not have to wait. It models no real market
and proves nothing about a strategy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from services.market.instruments import Instrument, instrument_for
from services.market.ticks import Tick
from wire.types import Instant, Price

SESSION_START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)  # fixed, so that a seed always gives the same tape
START_PRICES: Mapping[str, Price] = MappingProxyType(
    {
        "ES": Decimal(5250),
        "NQ": Decimal(18500),
        "YM": Decimal(39000),
        "RTY": Decimal(2100),
        "CL": Decimal(75),
        "GC": Decimal(2400),
        "US30": Decimal(39000),
        "EURUSD": Decimal("1.0850"),
        "GBPUSD": Decimal("1.2700"),
        "XAUUSD": Decimal(2350),
        "BTCUSD": Decimal(60_000),
        "ETHUSD": Decimal(3000),
    }
)

POINTS_PER_ROOT_SECOND = 1.3  # median volatility
LARGEST_SHARE_PER_ROOT_SECOND = 0.0003  # of the price: limits assets with a low price, such as crude oil
SECONDS_BETWEEN_TICKS = 0.2
CLUSTER_SECONDS = 90.0
CLUSTER_SPREAD = 0.35  # standard deviation of the logarithm of volatility
REGIME_SECONDS = 90.0
TREND_SHARE = 0.12  # drift per second, in volatilities
RANGE_SECONDS = 40.0  # how fast a range pulls back to its middle
HOME_SECONDS = 3600.0  # how fast the price reverts to the start price, so that a week stays plausible

Regime = Literal["range", "up", "down"]
DRIFTS: Mapping[Regime, float] = MappingProxyType({"range": 0.0, "up": TREND_SHARE, "down": -TREND_SHARE})


class Mood(Struct):
    """The state of the simulated market: regime, its end, its middle price, and the volatility."""

    regime: Regime
    ends_at: float
    middle: float
    log_volatility: float = 0.0

    def move_volatility(self, seconds: float, dice: Random) -> None:
        """Move the logarithm of volatility for ``seconds`` at random around its mean of zero."""
        memory = math.exp(-seconds / CLUSTER_SECONDS)
        self.log_volatility = memory * self.log_volatility + CLUSTER_SPREAD * math.sqrt(1 - memory**2) * dice.gauss(
            0, 1
        )


def simulate(
    asset: str, seed: int, start_price: Price | None = None, start_at: Instant = SESSION_START
) -> Iterator[Tick]:
    """Yield random ticks without end, on the asset's tick grid; the same arguments give the same tape.

    Raises UnknownInstrument at once for an asset that is not in the table.
    """
    instrument = instrument_for(asset)
    return _ticks(instrument, start_price or START_PRICES[asset], start_at, Random(seed))  # noqa: S311 - a demo


def _ticks(instrument: Instrument, start_price: Price, start_at: Instant, dice: Random) -> Iterator[Tick]:
    home = price = float(start_price / instrument.unit)  # in points
    volatility = min(POINTS_PER_ROOT_SECOND, home * LARGEST_SHARE_PER_ROOT_SECOND)
    mood = _next_mood(price, 0.0, dice)
    elapsed = 0.0
    while True:
        points = Decimal(price) * instrument.unit
        at = start_at + timedelta(milliseconds=round(elapsed * 1000))
        yield Tick(at, instrument.ticks(points) * instrument.tick_size)
        seconds = dice.expovariate(math.exp(mood.log_volatility) / SECONDS_BETWEEN_TICKS)
        elapsed += seconds
        price += (home - price) * seconds / HOME_SECONDS + _move(mood, price, volatility, seconds, dice)
        mood.move_volatility(seconds, dice)
        if elapsed >= mood.ends_at:
            mood = _next_mood(price, elapsed, dice, mood.log_volatility)


def _move(mood: Mood, price: float, volatility: float, seconds: float, dice: Random) -> float:
    """Return how many points the price moves in ``seconds``."""
    volatility *= math.exp(mood.log_volatility)
    drift = DRIFTS[mood.regime] * volatility
    if mood.regime == "range":
        drift = (mood.middle - price) / RANGE_SECONDS
    return drift * seconds + volatility * math.sqrt(seconds) * dice.gauss(0, 1)


def _next_mood(price: float, elapsed: float, dice: Random, log_volatility: float = 0.0) -> Mood:
    regime: Regime = dice.choice(("range", "up", "down"))
    return Mood(regime, elapsed + dice.expovariate(1 / REGIME_SECONDS), price, log_volatility)
