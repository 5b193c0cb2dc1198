"""One market: one contract of an asset from one source, in all timeframes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from feeds.prices.candles import Broken, Market, Series
from feeds.prices.periods import calendar_of, is_shut
from feeds.prices.strat import setups_of
from feeds.prices.types import TFC_NAMES, TIMEFRAMES, Candle, CandleColor, PriceHeard, Setup, Timeframe
from wire.types import Instant

KEPT_NUMBERS = 512
"""How many ticks' numbers are remembered, to know one that comes again; the bridge sends at most 500 at once."""
LARGEST_JUMP = Decimal("0.01")
"""Of the price: a larger move since the last price waits for a second one."""
CONFIRMED_WITHIN = Decimal("0.003")
"""Of the price: how near to a suspect price the next one must be, if it does not lie beyond it."""
JUMPS_COUNT_FOR = timedelta(minutes=10)
"""A last price older than this says nothing about the next one."""
ON_TIME = timedelta(0)


class MarketPrices:
    """The prices of one market and its candles in every timeframe."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.is_ticks = market.source == "ticks"
        self.last: PriceHeard | None = None  # the newest by its own time
        self._calendar = calendar_of(market.asset)
        self._series = {timeframe: Series(market, timeframe, self._calendar) for timeframe in TIMEFRAMES}
        self._every = tuple(self._series.values())
        self._numbers: dict[int, Instant] = {}
        self._suspect: PriceHeard | None = None
        self._stored_until: Instant | None = None  # until when the stored candles prove that prices were heard
        self._lag = ON_TIME  # how much later than its own time the newest price was heard

    def believed(self, price: PriceHeard, now: Instant | None) -> tuple[PriceHeard, ...]:
        """Return the prices to hear now: none of one that came before or is suspect, two when it confirms a suspect.

        A price more than 1 % from the last one is suspect (SPEC 3) until the next lies near it or beyond it.
        """
        if price.seq is not None and self._came_before(price.seq, price.at):
            return ()
        suspect, self._suspect = self._suspect, None
        if now is not None:
            self._lag = now - price.at
        if suspect is not None and _confirms(suspect, price, self.last):
            return (suspect, price)
        if self.last is not None and _jumped(self.last, price):
            self._suspect = price
            return ()
        return (price,)

    def hear(self, heard: PriceHeard) -> list[tuple[Broken, Candle]]:
        """Add a price. Return each trigger that it is the first to break, with the candle as it is then."""
        last = self.last
        is_late = last is not None and heard.at < last.at
        if not is_late:
            self.last = heard
        price, at = heard.price, heard.at
        size = heard.size if heard.size is not None and heard.size >= 0 else None
        broken = []
        for series in self._every:
            first = series.hear(price, size, at, is_late)
            candle = series.forming if first is not None else None
            if first is not None and candle is not None:
                broken.append((first, candle))
        return broken

    def pass_time(self, now: Instant) -> None:
        """Close what has ended, by the clock of the prices: late by as much as the last one was."""
        for series in self._every:
            series.pass_time(now - self._lag)

    def miss(self, since: Instant | None, until: Instant) -> None:
        """Mark what may lack prices. Nothing is missed while the market is shut."""
        begins = since or (self.last.at if self.last is not None else self._stored_until)
        if begins is None or (not self.market.simulated and is_shut(begins, until, self._calendar)):
            return
        for series in self._every:
            series.miss(begins, until)

    def candles(self, timeframe: Timeframe, limit: int) -> tuple[Candle, ...]:
        """Return the newest candles, oldest first."""
        return tuple(self._series[timeframe].newest(limit))

    def colors(self) -> dict[str, CandleColor | None]:
        """Return by timeframe how the last price lies against the candle's open; None where the open is unknown."""
        return {TFC_NAMES[series.timeframe]: self._color(series) for series in self._every}

    def setups(self) -> Iterator[Setup]:
        """Yield the setups of all timeframes; none from samples."""
        for series in self._every if self.is_ticks else ():
            yield from setups_of(series.closed, series.forming)

    def changed(self) -> Iterator[Candle]:
        """Yield the candles that changed since the last call."""
        for series in self._every:
            yield from series.changed()

    def restore(self, candle: Candle) -> None:
        """Take a stored candle of this market, newer than those before it in its timeframe.

        A candle is closed by a later price or by the clock: either proves that its end was listened to.
        """
        self._series[candle.timeframe].restore(candle)
        heard = candle.end if candle.is_closed else candle.start
        self._stored_until = max(heard, self._stored_until or heard)

    def _color(self, series: Series) -> CandleColor | None:
        opened, close = series.newest_open(), series.newest_close()
        if not self.is_ticks or opened is None or close is None:
            return None
        if close == opened:
            return "flat"
        return "green" if close > opened else "red"

    def _came_before(self, number: int, at: Instant) -> bool:
        """Return whether a tick came before. A bridge that starts anew counts anew: then the time is another."""
        if self._numbers.get(number) == at:
            return True
        self._numbers.pop(number, None)
        self._numbers[number] = at
        if len(self._numbers) > KEPT_NUMBERS:
            del self._numbers[next(iter(self._numbers))]
        return False


def at_latest(price: PriceHeard, now: Instant | None) -> PriceHeard:
    """Return the price with a time that is not later than ``now``: a wrong clock must not age what comes after."""
    return price if now is None or price.at <= now else replace(price, at=now)


def _jumped(last: PriceHeard, price: PriceHeard) -> bool:
    distance = abs(price.price - last.price)
    return distance > abs(last.price) * LARGEST_JUMP and price.at - last.at <= JUMPS_COUNT_FOR


def _confirms(suspect: PriceHeard, price: PriceHeard, last: PriceHeard | None) -> bool:
    """Return whether a price lies near the suspect one, or further in its direction."""
    if abs(price.price - suspect.price) <= abs(suspect.price) * CONFIRMED_WITHIN:
        return True
    return last is not None and (price.price > suspect.price) == (suspect.price > last.price)
