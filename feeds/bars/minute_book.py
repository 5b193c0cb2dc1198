"""Minutes as they are heard: of ticks, of TradingView's bars, of single prices. Pure: the caller tells the time.

A minute is made from the best that was heard of it. Wholly heard ticks are every trade (``ticks``). TradingView's bar
of a minute, or its four bars of 15 s, have the minute's true range (``heartbeat``). Anything less is ``sampled``: its
prices were traded, but others may have been, too. A minute of which nothing was heard is absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from msgspec import Struct

from feeds.bars.types import MINUTE, Bar
from wire.candles import BarSource
from wire.stream import BarHeard

GRACE = 5
"""Seconds after its end for which a minute still waits: TradingView's last bar of it is on its way."""

KEPT = 900
"""Seconds for which late prices still change a minute that was made already."""

AHEAD = 60
PARTS_OF_A_MINUTE = 4


class Market(Struct, frozen=True):
    """Whose prices are never mixed: an asset, real or simulated."""

    asset: str
    simulated: bool


class Sum:
    """Prices in the order of their times, whatever order they were heard in."""

    __slots__ = ("close", "first_at", "high", "last_at", "low", "open", "volume")

    def __init__(self, price: Decimal, at: float, size: int | None) -> None:
        self.open = self.high = self.low = self.close = price
        self.first_at = self.last_at = at
        self.volume = size

    def add(self, price: Decimal, at: float, size: int | None) -> None:
        """Add one price; without its size the volume becomes unknown."""
        if at < self.first_at:
            self.open, self.first_at = price, at
        if at >= self.last_at:
            self.close, self.last_at = price, at
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.volume = None if self.volume is None or size is None else self.volume + size


class Minute:
    """All that was heard of one minute of one market."""

    def __init__(self, market: Market, start: int) -> None:
        self.market = market
        self.start = start
        self.ticks: Sum | None = None
        self.are_ticks_whole = True
        self.samples: Sum | None = None
        self.parts: dict[int, BarHeard] = {}
        self.whole: BarHeard | None = None
        self.made: Bar | None = None
        """The bar that was made last."""

    def bar(self) -> Bar | None:
        """Return the best bar that can be made, None when nothing was heard."""
        parts = [self.parts[start] for start in sorted(self.parts)]
        if self.ticks is not None and self.are_ticks_whole:
            return self._of_sum(self.ticks, "ticks")
        if self.whole is not None:
            return self._of_bars([self.whole], "heartbeat")
        if parts:
            return self._of_bars(parts, "heartbeat" if len(parts) == PARTS_OF_A_MINUTE else "sampled")
        heard = self.ticks or self.samples
        return None if heard is None else self._of_sum(heard, "sampled")

    def _of_sum(self, heard: Sum, source: BarSource) -> Bar:
        volume = heard.volume if source == "ticks" else None
        return self._bar(heard.open, heard.high, heard.low, heard.close, volume, source)

    def _of_bars(self, parts: list[BarHeard], source: BarSource) -> Bar:
        volumes = [part.volume for part in parts if part.volume is not None]
        is_known = source == "heartbeat" and len(volumes) == len(parts)
        high, low = max(part.high for part in parts), min(part.low for part in parts)
        return self._bar(
            parts[0].open, high, low, parts[-1].close, sum(volumes, Decimal(0)) if is_known else None, source
        )

    def _bar(
        self, opened: Decimal, high: Decimal, low: Decimal, closed: Decimal, volume: Decimal | int | None, by: BarSource
    ) -> Bar:
        source: BarSource = "simulated" if self.market.simulated else by
        return Bar(self.market.asset, self.start, opened, high, low, closed, volume, source)


class MinuteBook:
    """The newest minutes of every market."""

    def __init__(self) -> None:
        self._minutes: dict[tuple[Market, int], Minute] = {}
        self._changed: set[tuple[Market, int]] = set()
        self._whole_since: dict[Market, float] = {}  # since when no tick was missed

    def __len__(self) -> int:
        return len(self._minutes)

    def hear_tick(self, market: Market, price: Decimal, at: float, size: int | None, now: float) -> None:
        """Take one trade. Of the first one's minute others may have been missed."""
        minute = self._minute(market, at, now)
        if minute is None:
            return
        if self._whole_since.setdefault(market, at) > minute.start:
            minute.are_ticks_whole = False
        if minute.ticks is None:
            minute.ticks = Sum(price, at, size)
        else:
            minute.ticks.add(price, at, size)

    def hear_sample(self, market: Market, price: Decimal, at: float, now: float) -> None:
        """Take one price that was traded; others were not told."""
        minute = self._minute(market, at, now)
        if minute is None:
            return
        if minute.samples is None:
            minute.samples = Sum(price, at, None)
        else:
            minute.samples.add(price, at, None)

    def hear_bar(self, bar: BarHeard, now: float) -> None:
        """Take a bar of TradingView. The same one again changes nothing; one that contradicts it comes too late."""
        started = int(bar.started_at.timestamp())
        minute = self._minute(Market(bar.asset, bar.simulated), started, now)
        if minute is None:
            return
        if bar.base == "1":
            minute.whole = minute.whole or bar
        else:
            minute.parts.setdefault(started, bar)

    def miss(self, since: float | None, until: float) -> None:
        """Note that ticks of any market may be missing between two instants."""
        for market in tuple(self._whole_since):
            self.doubt(market, since, until)

    def doubt(self, market: Market, since: float | None, until: float) -> None:
        """Note that ticks of a market may be missing; without ``since`` from the last one that was heard."""
        self._whole_since[market] = until
        ticked = [one for one in self._minutes.values() if one.market == market and one.ticks is not None]
        begins = max((one.ticks.last_at for one in ticked if one.ticks), default=until) if since is None else since
        for minute in ticked:
            if begins < minute.start + MINUTE and minute.start <= until:
                minute.are_ticks_whole = False
                self._changed.add((market, minute.start))

    def due(self, now: float) -> list[Bar]:
        """Return the bars of minutes that have ended, as far as they were not returned like this before."""
        ended = [key for key in self._changed if key[1] + MINUTE + GRACE <= now]
        self._changed.difference_update(ended)
        bars = list(self._fresh(self._minutes[key] for key in ended))
        for key in [key for key in self._minutes if key[1] + MINUTE + KEPT <= now and key not in self._changed]:
            del self._minutes[key]
        return sorted(bars, key=lambda bar: (bar.t, bar.symbol))

    def _fresh(self, minutes: Iterable[Minute]) -> Iterator[Bar]:
        for minute in minutes:
            bar = minute.bar()
            if bar is not None and bar != minute.made:
                minute.made = bar
                yield bar

    def _minute(self, market: Market, at: float, now: float) -> Minute | None:
        """Return the minute of an instant, None when that is too long ago, or not yet."""
        start = int(at // MINUTE) * MINUTE
        if not now - KEPT < start + MINUTE <= now + MINUTE + AHEAD:
            return None
        key = (market, start)
        self._changed.add(key)
        return self._minutes.setdefault(key, Minute(market, start))
