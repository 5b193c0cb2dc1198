"""What the bar store costs: a year of ten symbols is put in, put in again, and read (seconds of cpu)."""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from feeds.bars.store import BarStore
from feeds.bars.types import MINUTE, Bar
from services.market.instruments import INSTRUMENTS
from tests.bench.measure import Row

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
LAST = datetime(2026, 1, 1, tzinfo=UTC)
PRICES = {
    "ES": "5000",
    "NQ": "18000",
    "YM": "40000",
    "RTY": "2200",
    "CL": "70",
    "GC": "2400",
    "XAUUSD": "2400",
    "EURUSD": "1.08",
    "GBPUSD": "1.27",
    "US30": "40000",
}
CALLS = 50
MOST_SECONDS, MOST_MINUTES_MS, MOST_CANDLES_MS = 15.0, 3.0, 15.0


def bar_store(folder: Path) -> list[Row]:
    """Measure the store with a year of ten symbols in it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "bars.sqlite"
    store = BarStore(path)
    rows, took = 0, 0.0
    for symbol in PRICES:
        bars = list(year_of(symbol))
        began = time.process_time()
        rows += store.put(bars)
        took += time.process_time() - began
    began = time.process_time()
    changed = store.put(bars)  # the last symbol's
    again = time.process_time() - began
    minutes = milliseconds(lambda: store.minutes("ES", None, None, 1_000))
    candles = {name: milliseconds(lambda: store.candles("ES", name, None, None, 1_000)) for name in ("15m", "1h")}  # noqa: B023 - called at once
    store.close()
    megabytes = os.path.getsize(path) / 2**20
    return [
        Row(
            f"bars: a year × {len(PRICES)} symbols ({rows:,} minutes) into the store",
            f"{took:.1f} s of cpu, {megabytes:.0f} MiB",
            f"≤ {MOST_SECONDS:.0f} s",
            took <= MOST_SECONDS,
        ),
        Row("bars: the same year of one symbol again", f"{changed} rows, {again:.1f} s of cpu", "0 rows", changed == 0),
        Row("bars: the newest 1,000 minutes", f"{minutes:.1f} ms", "≤ 3 ms", minutes <= MOST_MINUTES_MS),
        Row("bars: 1,000 candles of 15m", f"{candles['15m']:.1f} ms", "≤ 15 ms", candles["15m"] <= MOST_CANDLES_MS),
        Row("bars: 1,000 candles of 1h", f"{candles['1h']:.1f} ms", "", True),
    ]


def year_of(symbol: str) -> Iterator[Bar]:
    """Yield a bar for each minute of the year in which the symbol's market trades."""
    instrument, chance, known = INSTRUMENTS[symbol], random.Random(symbol), dict[int, Decimal]()
    tick = round(Decimal(PRICES[symbol]) / instrument.tick_size)

    def price(ticks: int) -> Decimal:
        return known.setdefault(ticks, ticks * instrument.tick_size)

    for session in instrument.calendar.sessions_from(FIRST):
        if session.opens >= LAST:
            return
        for t in range(int(session.opens.timestamp()), int(session.closes.timestamp()), MINUTE):
            opened, tick = tick, tick + chance.randint(-4, 4)
            high, low = max(opened, tick) + chance.randint(0, 3), min(opened, tick) - chance.randint(0, 3)
            volume = chance.randint(0, 2_000)
            yield Bar(symbol, t, price(opened), price(high), price(low), price(tick), volume, "provider")


def milliseconds(call: Callable[[], object]) -> float:
    """Return the median of a call's cpu time."""
    took = []
    for _ in range(CALLS):
        began = time.thread_time()
        call()
        took.append(time.thread_time() - began)
    return statistics.median(took) * 1_000
