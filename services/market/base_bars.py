"""Build bricks from the bars of a base timeframe: each bar once, in their order, gaps noticed.

Only the **close** of a bar makes bricks, as on TradingView. Open, high and low say nothing of which came first, so no
path through the bar is invented: a bar that ran 12 points up and came back to its open closes no brick. The four prices
must agree with each other, else the bar is refused. A bar that is refused changes nothing. Pure: no clock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from services.market.instruments import Instrument
from services.market.renko import FormedBrick, PriceJump, RenkoStack, StackState
from wire.types import AwareTime, Instant, Price

BarRefusal = Literal["misaligned", "late", "repeated", "contradicted", "impossible", "too_far"]
"""Why a bar was refused.

``misaligned``: it starts at no multiple of the base timeframe. ``late``: a newer one was taken. ``repeated``: the same
bar again. ``contradicted``: the newest bar again with other prices; the first stays. ``impossible``: open or close lies
outside low and high. ``too_far``: its close is no move of a market.
"""

LOOK_EVERY = timedelta(minutes=30)  # no session is shorter
LONGEST_LOOK = timedelta(days=30)  # a longer silence is a gap in any market


class BaseBar(Struct, frozen=True):
    """One bar of the base timeframe: when it starts, and four prices in ticks."""

    start: AwareTime
    open: int
    high: int
    low: int
    close: int


class BarTaken(Struct, frozen=True):
    """What became of a bar. ``absent`` counts the bars between it and the one before.

    ``is_gap``: the market was open during one of these, so prices may have been missed. The bricks are true moves of
    the price all the same; what is unsure is whether others came before them.
    """

    bricks: tuple[FormedBrick, ...] = ()
    absent: int = 0
    is_gap: bool = False
    refused: BarRefusal | None = None


class BaseBarsState(Struct, frozen=True):
    """Where the builder stands, as JSON stores it: the newest bar and the six chains."""

    bar_seconds: int
    newest: BaseBar | None
    stack: StackState


class BaseBars:
    """Bricks of all six sizes from the bars of one instrument and one base timeframe; never mix timeframes.

    ``bar_length`` is 15 s or 1 min. ``unit`` is the price of one point, by default the instrument's own. ``is_open``
    tells whether the market trades at an instant, by default by the instrument's calendar. TradingView makes no bar
    while nothing trades: up to ``quiet_bars`` absent ones in a row are taken for such, by default none.
    """

    def __init__(
        self,
        instrument: Instrument,
        bar_length: timedelta,
        unit: Price | None = None,
        is_open: Callable[[Instant], bool] | None = None,
        quiet_bars: int = 0,
    ) -> None:
        self.stack = RenkoStack(instrument, unit)
        self._instrument = instrument
        self._unit = unit
        self._bar_length = bar_length
        self._is_open = is_open or instrument.calendar.is_open
        self._quiet_bars = quiet_bars
        self._newest: BaseBar | None = None

    @property
    def state(self) -> BaseBarsState:
        """Where the builder stands, to be stored."""
        return BaseBarsState(int(self._bar_length.total_seconds()), self._newest, self.stack.state)

    def restore(self, state: BaseBarsState) -> None:
        """Put a state back; what passed meanwhile is found as a gap by the next bar.

        Raises ValueError, and changes nothing, for the state of another timeframe, instrument or unit.
        """
        if state.bar_seconds != int(self._bar_length.total_seconds()):
            raise ValueError(f"the state was of bars of {state.bar_seconds} s, must be of {self._bar_length}")
        self.stack = RenkoStack.restored(self._instrument, state.stack, self._unit)
        self._newest = state.newest

    def feed(self, bar: BaseBar) -> BarTaken:
        """Take one bar and return the bricks that its close formed; never raises."""
        refused = self._refusal(bar)
        if refused is not None:
            return BarTaken(refused=refused)
        absent = self._absent_before(bar)
        is_gap = absent > self._quiet_bars and self._was_open_before(bar)
        try:
            bricks = self.stack.feed_ticks(bar.close, after_gap=is_gap)
        except PriceJump:
            return BarTaken(refused="too_far")
        self._newest = bar
        return BarTaken(bricks, absent, is_gap)

    def _refusal(self, bar: BaseBar) -> BarRefusal | None:
        newest = self._newest
        if bar.start.timestamp() % self._bar_length.total_seconds():
            return "misaligned"
        if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
            return "impossible"
        if newest is None or bar.start > newest.start:
            return None
        if bar.start < newest.start:
            return "late"
        return "repeated" if bar == newest else "contradicted"

    def _absent_before(self, bar: BaseBar) -> int:
        if self._newest is None:
            return 0
        return (bar.start - self._newest.start) // self._bar_length - 1

    def _was_open_before(self, bar: BaseBar) -> bool:
        """Return whether the market was open at the start of any absent bar, looking at both ends and every 30 min."""
        if self._newest is None:
            return False
        first = self._newest.start + self._bar_length
        last = bar.start - self._bar_length
        if last - first > LONGEST_LOOK or self._is_open(last):
            return True
        moment = first
        while moment < last:
            if self._is_open(moment):
                return True
            moment += LOOK_EVERY
        return False


def base_bar(instrument: Instrument, start: Instant, prices: tuple[Decimal, Decimal, Decimal, Decimal]) -> BaseBar:
    """Return a bar of open, high, low and close in price, each rounded to the nearest tick."""
    opened, high, low, closed = (instrument.ticks(price) for price in prices)
    return BaseBar(start, opened, high, low, closed)
