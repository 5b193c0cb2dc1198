"""The tapes of these tests, their units, and the bars that TradingView would make of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import groupby

from services.market.ticks import Tick, read_ticks
from tests.data.generated_tapes import GENERATED_TAPES, ticks_of
from tests.data.recorded_tapes import EXTRACT, FALL, recorded_tapes
from wire.tradingview import BASE_SECONDS

BAR_LENGTHS: dict[str, timedelta] = {base: timedelta(seconds=seconds) for base, seconds in BASE_SECONDS.items()}
GENERATED = {tape.name: tape for tape in GENERATED_TAPES}
SHIPPED = {"night": EXTRACT, "fall": FALL}
RECORDED_NAMES = (
    "us30_ticks_20230628_renkodf",
    "es_ticks_20130901-20130903_mlfinpy",
    "es_1m_2013_lean",
    "es_1m_20200105-20200106_lean",
    "gc_ticks_20131007-20131009_lean",
    "eurusd_ticks_20140508_lean",
    "xauusd_ticks_20140502_lean",
)
RECORDED = recorded_tapes(RECORDED_NAMES)
TAPES = (*GENERATED, *SHIPPED, *RECORDED)
UNITS = {  # the price of one point: that of SPEC 2, and others
    "ES": ("1", "2", "5"),
    "US30": ("8", "1", "2.4"),
    "GC": ("0.8", "1"),
    "EURUSD": ("0.0001", "0.00032"),
    "XAUUSD": ("0.8", "1"),
}


def asset_of(name: str) -> str:
    """Return the asset of a tape."""
    if name in GENERATED:
        return GENERATED[name].asset
    return "ES" if name in SHIPPED else name.split("_")[0].upper()


def ticks_of_tape(name: str) -> Iterator[Tick]:
    """Yield the ticks of a tape, generated, shipped or recorded."""
    return iter(ticks_of(GENERATED[name])) if name in GENERATED else read_ticks(SHIPPED.get(name) or RECORDED[name])


@lru_cache(maxsize=4)
def changes_of(name: str) -> tuple[Tick, ...]:
    """Return the ticks of a tape that change its price: a repeated price closes no brick."""
    return tuple(next(same) for _, same in groupby(ticks_of_tape(name), key=lambda tick: tick.price))


def bars_of(ticks: Sequence[Tick], length: timedelta) -> Iterator[tuple[datetime, list[Decimal]]]:
    """Yield the start and the four prices of each bar in which something traded."""
    seconds = length.total_seconds()
    for start, group in groupby(ticks, key=lambda tick: tick.at.timestamp() // seconds * seconds):
        prices = [tick.price for tick in group]
        yield datetime.fromtimestamp(start, UTC), [prices[0], max(prices), min(prices), prices[-1]]
