"""The price book: one for the desk. It hears prices and bricks, and answers candles, states and alerts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from feeds.prices.candles import Broken, Market
from feeds.prices.cohorts import IndexFutures, RenkoStack
from feeds.prices.markets import MarketPrices, at_latest
from feeds.prices.types import (
    STACK_SIZES,
    TFC_NAMES,
    Alert,
    Candle,
    CandleColor,
    Direction,
    InForce,
    PriceHeard,
    Scenario,
    Setup,
    SimultaneousBreak,
    Timeframe,
)
from services.market.instruments import can_trade_at
from services.market.price_files.numbers import LARGEST_PRICE
from wire.types import Color, Instant

KEPT_MARKETS = 4
"""Of one asset: two contracts around a roll, each with ticks and samples. The one not heard for longest goes first."""
KEPT_BREAKS = 8
"""Of one timeframe: which candles were alerted, both directions of four."""
TICKS_LEAD = timedelta(seconds=60)
"""How much newer than the last tick a heartbeat must be, so that its market is shown."""


class PriceBook:
    """Candles, scenarios and alerts of the desk's assets. Memory is bounded; no call waits or asks a clock."""

    def __init__(self, assets: Sequence[str]) -> None:
        self._assets = {asset: AssetPrices(asset) for asset in assets}
        self._index_futures = IndexFutures(tuple(self._assets))

    def hear(self, price: PriceHeard, now: datetime | None = None) -> tuple[Alert, ...]:
        """Add a price and return the alerts that it caused, in the order of their timeframes.

        ``now`` is when it was heard: a time of the price that is later counts as ``now``. A price of an unknown asset,
        one at which the asset cannot trade, and the same tick again are ignored. One more than 1 % from the last waits
        until the next confirms it.
        """
        asset = self._assets.get(price.asset)
        if asset is None or not _can_be(price.asset, price.price):
            return ()
        in_force = asset.hear(at_latest(price, now), now)
        return tuple(self._with_cohort(in_force)) if in_force else ()

    def hear_brick(
        self, asset: str, size: Decimal, color: Color, at: datetime, open: Decimal | None, close: Decimal | None
    ) -> tuple[SimultaneousBreak, ...]:
        """Add a brick, or the colour that the desk's state names for a size; the same twice changes nothing.

        ``size`` is in points. The first colour of a size is no reversal. ``close`` is not used: a brick has no wick.
        """
        known = self._assets.get(asset)
        found = None if known is None else known.stack.hear(size, color, at, open)
        return () if found is None else (found,)

    def pass_time(self, now: datetime) -> None:
        """Close the candles that ended some seconds before ``now``. To be called each second or so."""
        for asset in self._assets.values():
            asset.pass_time(now)

    def miss(self, since: datetime | None, until: datetime, symbol: str | None = None) -> None:
        """Record that prices between the two instants may not have been heard: after a start, while web was away.

        Candles in which they may have been are marked partial. Without ``since``: all since the last heard price;
        without ``symbol``: those of every asset.
        """
        for name, asset in self._assets.items():
            if symbol in (None, name):
                asset.miss(since, until)

    def candles(self, asset: str, timeframe: Timeframe, limit: int) -> tuple[Candle, ...]:
        """Return the newest candles, oldest first, of the contract that was heard last; the last one may be open."""
        shown = self._shown(asset)
        return () if shown is None else shown.candles(timeframe, limit)

    def tfc(self, asset: str) -> dict[str, CandleColor | None]:
        """Return colour by timeframe (``TFC_NAMES``) and brick size (``R6``); None is unknown."""
        known = self._assets.get(asset)
        return {} if known is None else known.tfc()

    def setups(self, asset: str) -> tuple[Setup, ...]:
        """Return the setups that wait or are in force, in the order of their timeframes."""
        shown = self._shown(asset)
        return () if shown is None else tuple(shown.setups())

    def last(self, asset: str) -> PriceHeard | None:
        """Return the newest price; a heartbeat's only where no tick came for a minute."""
        shown = self._shown(asset)
        return None if shown is None else shown.last

    def volume_of_day(self, asset: str) -> int | None:
        """Return the contracts heard in the newest trade date; None when a size was missing, or without a candle.

        Where the day's candle is partial the true number is larger: see ``is_day_partial``.
        """
        day = self.candles(asset, "1d", 1)
        return day[0].volume if day else None

    def is_day_partial(self, asset: str) -> bool:
        """Return whether some prices of the newest trade date may not have been heard."""
        day = self.candles(asset, "1d", 1)
        return not day or day[0].is_partial

    def changed_candles(self) -> tuple[Candle, ...]:
        """Return the candles that changed since the last call, for storing.

        Key: symbol, contract, source, simulated, timeframe, start. Store alerts before or together with them.
        """
        return tuple(candle for asset in self._assets.values() for candle in asset.changed())

    def restore(self, alerts: Iterable[Alert], candles: Iterable[Candle]) -> None:
        """Continue from stored alerts and candles: no alert comes twice. To be called before anything is heard.

        Call ``miss`` afterwards with the time in which nobody listened. What belongs to no asset of today is left out.
        """
        for candle in sorted(candles, key=lambda one: one.start):
            if candle.symbol in self._assets:
                self._assets[candle.symbol].restore_candle(candle)
        for alert in sorted(alerts, key=lambda one: one.at):
            if isinstance(alert, InForce) and alert.symbol in self._assets:
                self._assets[alert.symbol].restore_alert(alert)
            if isinstance(alert, InForce) or alert.cohort == "index_futures":
                self._index_futures.restore(alert)

    def _with_cohort(self, in_force: Sequence[InForce]) -> Iterator[Alert]:
        """Yield each alert, and behind it the simultaneous break that it completes."""
        for alert in in_force:
            yield alert
            simultaneous = self._index_futures.hear(alert)
            if simultaneous is not None:
                yield simultaneous

    def _shown(self, asset: str) -> MarketPrices | None:
        known = self._assets.get(asset)
        return None if known is None else known.shown


class AssetPrices:
    """All markets of one asset. Contracts, sources, real and simulated prices are kept apart, each with its candles."""

    def __init__(self, asset: str) -> None:
        self.stack = RenkoStack(asset)
        self.shown: MarketPrices | None = None
        self._asset = asset
        self._markets: dict[Market, MarketPrices] = {}  # the one heard last is the last
        self._alerted: dict[tuple[bool, Timeframe], deque[tuple[Instant, Direction]]] = {}

    def hear(self, price: PriceHeard, now: Instant | None) -> list[InForce]:
        """Add a price and return what came in force."""
        market = self._market(Market(self._asset, price.contract, price.source, price.simulated))
        found = []
        for believed in market.believed(price, now):
            for broken, candle in market.hear(believed):
                alert = _in_force(broken, candle, believed)
                if self._is_new(alert):
                    found.append(alert)
            self._show(market)
        return found

    def pass_time(self, now: Instant) -> None:
        """Close what has ended in every market."""
        for market in self._markets.values():
            market.pass_time(now)

    def miss(self, since: Instant | None, until: Instant) -> None:
        """Mark what may lack prices in every market."""
        for market in self._markets.values():
            market.miss(since, until)

    def tfc(self) -> dict[str, CandleColor | None]:
        """Return the colours of the shown market's timeframes and of the brick sizes."""
        colors: dict[str, CandleColor | None] = dict.fromkeys(TFC_NAMES.values())
        if self.shown is not None:
            colors.update(self.shown.colors())
        for size in STACK_SIZES.values():
            colors[size] = self.stack.color(size)
        return colors

    def changed(self) -> Iterator[Candle]:
        """Yield the candles that changed since the last call."""
        for market in self._markets.values():
            yield from market.changed()

    def restore_candle(self, candle: Candle) -> None:
        """Take a stored candle, newer than those before it."""
        market = self._market(Market(self._asset, candle.contract, candle.source, candle.simulated))
        market.restore(candle)
        self._show(market)

    def restore_alert(self, alert: InForce) -> None:
        """Remember a break that was alerted."""
        self._is_new(alert)

    def _market(self, market: Market) -> MarketPrices:
        """Return the prices of a market, a new one's without any; the market heard longest ago makes place."""
        prices = self._markets.pop(market, None) or MarketPrices(market)
        self._markets[market] = prices
        if len(self._markets) > KEPT_MARKETS:
            del self._markets[next(iter(self._markets))]
        return prices

    def _show(self, market: MarketPrices) -> None:
        """Show the market heard last, but samples only where ticks have become silent."""
        shown = self.shown
        if shown is None or market.is_ticks or not shown.is_ticks or _leads(market.last, shown.last):
            self.shown = market

    def _is_new(self, alert: InForce) -> bool:
        """Return whether this break was not alerted yet, and remember it."""
        key = (alert.simulated, alert.timeframe)
        alerted = self._alerted.setdefault(key, deque(maxlen=KEPT_BREAKS))
        if (alert.candle_start, alert.direction) in alerted:
            return False
        alerted.append((alert.candle_start, alert.direction))
        return True


def _can_be(asset: str, price: Decimal) -> bool:
    return price.is_finite() and abs(price) <= LARGEST_PRICE and can_trade_at(asset, price)


def _leads(sample: PriceHeard | None, tick: PriceHeard | None) -> bool:
    """Return whether ticks have become silent; after a restart, while none has come yet."""
    return sample is not None and (tick is None or sample.at - tick.at > TICKS_LEAD)


def _in_force(broken: Broken, candle: Candle, price: PriceHeard) -> InForce:
    scenario: Scenario | None = candle.scenario
    return InForce(
        symbol=candle.symbol,
        timeframe=candle.timeframe,
        candle_start=candle.start,
        direction=broken.direction,
        scenario=None if scenario == "1" else scenario,
        trigger=broken.trigger,
        price=price.price,
        at=price.at,
        contract=candle.contract,
        simulated=candle.simulated,
    )
