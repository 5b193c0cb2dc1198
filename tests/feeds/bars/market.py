"""Minutes of a market for tests: made of a seed, on a grid of ticks, as long as the market is open."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from feeds.bars.types import MINUTE, Bar
from services.market.instruments import INSTRUMENTS
from wire.candles import BarSource

PRICES = {"ES": "5000", "CL": "70", "EURUSD": "1.08", "XAUUSD": "2400", "BTCUSD": "60000"}
T0 = int(datetime(2026, 11, 20, 15, 0, tzinfo=UTC).timestamp())
"""A Friday, 10:00 New York."""


def at(text: str) -> int:
    """Return an instant of ISO 8601 as seconds of the epoch; without an offset it is UTC."""
    instant = datetime.fromisoformat(text)
    return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp())


def bar(
    minute: int = 0,
    price: str = "5000",
    source: BarSource = "provider",
    symbol: str = "ES",
    volume: Decimal | int | None = 10,
) -> Bar:
    """Return a bar `minute` minutes after `T0`, a point up and down around a price."""
    middle = Decimal(price)
    return Bar(symbol, T0 + minute * MINUTE, middle, middle + 1, middle - 1, middle + Decimal("0.5"), volume, source)


def walk(symbol: str, starts: Iterable[int], seed: int = 1, source: BarSource = "provider") -> list[Bar]:
    """Return a bar for each start: a random walk on the grid of the instrument's ticks."""
    chance, tick = random.Random(seed), INSTRUMENTS[symbol].tick_size
    price, bars = Decimal(PRICES[symbol]), []
    for start in starts:
        opened = price
        price += chance.randint(-8, 8) * tick
        high, low = max(opened, price) + chance.randint(0, 4) * tick, min(opened, price) - chance.randint(0, 4) * tick
        bars.append(Bar(symbol, start, opened, high, low, price, chance.randint(0, 900), source))
    return bars
