"""What followed each bar: how far the price went, and whether a target came before a stop.

A label looks only at bars that follow each other without a gap; where one is missing there is no label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from advisor.ml.bars import Series
from advisor.ml.numbers import ticks_of
from services.market.instruments import instrument_for
from wire.ml_engine import RrConfig, SignalDirection

RANGE_HORIZON = 1
BARRIER_HORIZON = 12
"""After so many bars a trade that met neither stop nor target is over, and counts as not won."""
RR: Mapping[RrConfig, int] = MappingProxyType({"rr_1_1": 1, "rr_2_1": 2, "rr_3_1": 3})
PRICE_DIGITS = 9
"""More decimals than any tick has: a level compares equal to a price that was told as the same number."""
SIDES: tuple[SignalDirection, ...] = ("long", "short")


class Move(Struct, frozen=True, gc=False):
    """How far the price went up and down from a close within the next bar, in ATR14; never below 0."""

    up: float
    down: float


class Drawn(Struct, frozen=True, gc=False):
    """A trade as it is drawn after a bar, in whole ticks: where it is entered, and how far away its stop is."""

    entry: int
    risk: int


class Barrier(Struct, frozen=True, gc=False):
    """Whether the target came first, and after how many bars the trade was over."""

    won: bool
    bars: int


def moves_after(series: Series, atr: Sequence[float | None]) -> list[Move | None]:
    """Return the largest excursions of the next bar by bar; None across a gap and without an ATR."""
    moves: list[Move | None] = []
    for index, unit in enumerate(atr):
        if unit is None or not series.is_followed(index):
            moves.append(None)
            continue
        close = series.close[index]
        up = max(series.high[index + 1] - close, 0.0) / unit
        down = max(close - series.low[index + 1], 0.0) / unit
        moves.append(Move(up, down))
    return moves


def drawn(symbol: str, close: float, unit: float) -> Drawn:
    """Return the trade after a bar: entered at its close, the stop one ATR14 away, at least a tick."""
    return Drawn(ticks_of(symbol, close), max(ticks_of(symbol, unit), 1))


def drawn_after(series: Series, atr: Sequence[float | None]) -> list[Drawn | None]:
    """Return the trade after each bar; None without an ATR."""
    return [
        None if unit is None else drawn(series.symbol, close, unit)
        for close, unit in zip(series.close, atr, strict=True)
    ]


def barriers(series: Series, trades: Sequence[Drawn | None], side: SignalDirection, rr: int) -> list[Barrier | None]:
    """Return what became of the trades as they were drawn: the target is ``rr`` times as far as the stop.

    A bar that touches both is a loss, for nobody knows which came first. None without a trade, and where any of the
    next 12 bars is missing: also where the trade was over before, else losses, which come sooner, would be counted
    more often than wins.
    """
    open_bars = _bars_ahead(series)
    tick = float(instrument_for(series.symbol).tick_size)
    found: list[Barrier | None] = []
    for index, trade in enumerate(trades):
        if trade is None or open_bars[index] < BARRIER_HORIZON:
            found.append(None)
            continue
        up, down = (rr, -1) if side == "long" else (1, -rr)
        above, below = (round((trade.entry + way * trade.risk) * tick, PRICE_DIGITS) for way in (up, down))
        stop, target = (below, above) if side == "long" else (above, below)
        found.append(_became(series, index, side == "long", stop, target))
    return found


def _became(series: Series, index: int, is_long: bool, stop: float, target: float) -> Barrier:
    for bars in range(1, BARRIER_HORIZON + 1):
        high, low = series.high[index + bars], series.low[index + bars]
        if (low <= stop) if is_long else (high >= stop):
            return Barrier(False, bars)
        if (high >= target) if is_long else (low <= target):
            return Barrier(True, bars)
    return Barrier(False, BARRIER_HORIZON)


def _bars_ahead(series: Series) -> list[int]:
    """Return how many bars follow each bar without a gap."""
    ahead = [0] * len(series)
    for index in range(len(series) - 2, -1, -1):
        ahead[index] = ahead[index + 1] + 1 if series.is_followed(index) else 0
    return ahead


def uniqueness(labels: Sequence[Barrier | None]) -> list[float]:
    """Return how much of each label's time is its own: trades that run side by side tell the same story.

    The mean, over the bars of a trade, of one over the number of trades that ran in that bar; 0 without a label.
    """
    running = [0] * (len(labels) + BARRIER_HORIZON + 2)
    for index, label in enumerate(labels):
        if label is not None:
            running[index + 1] += 1
            running[index + 1 + label.bars] -= 1
    shares = [0.0]
    trades = 0
    for change in running:
        trades += change
        shares.append(shares[-1] + (1 / trades if trades else 0.0))
    weights = []
    for index, label in enumerate(labels):
        own = 0.0 if label is None else (shares[index + 1 + label.bars] - shares[index + 1]) / label.bars
        weights.append(own)
    return weights
