"""Records what feeds hear as bars: each minute once it has ended, again when something late improves it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from feeds.bars.minute_book import Market, MinuteBook
from feeds.bars.rows import row_of
from feeds.bars.types import Bar, BarRefused
from feeds.bars.worker import BarsAway, BarWorker
from feeds.desk import DeskPicture
from feeds.hub import Part
from services.market.instruments import INSTRUMENTS, can_trade_at
from wire.bridge import QuoteEvent
from wire.stream import BarHeard

logger = structlog.get_logger(__name__)

MOST_UNWRITTEN = 20_000
"""Bars that wait while the file cannot be written: a day of ten markets. Beyond, the oldest are lost."""

LARGEST_PRICE = 10**9
SECONDS_TO_FINISH = 1.0


class BarRecorder(Part):
    """Hears the desk and stores minutes. It never holds up the loop: a thread writes them."""

    def __init__(self, bars: BarWorker, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Store in `bars`; `clock` says when something is heard."""
        self._bars = bars
        self._clock = clock
        self._book = MinuteBook()
        self._contracts: dict[str, str] = {}
        self._has_market_data = True
        self._unwritten: dict[tuple[str, int, bool], Bar] = {}
        self.writing: asyncio.Task[None] | None = None
        """The write that was begun last."""

        self.recorded = 0
        """Rows that were added or changed since the start."""

        self.lost = 0
        """Bars that could not be stored since the start."""

    @property
    def waiting(self) -> int:
        """How many bars wait to be stored."""
        return len(self._unwritten)

    # -- what is heard ------------------------------------------------------------------------------------------

    def on_desk(self, desk: DeskPicture) -> None:
        """Learn which contract the desk trades, and whether its bridge has market data."""
        for asset in desk.assets():
            contract = (desk.asset(asset) or {}).get("contract")
            if contract:
                self._contracts[asset] = str(contract)
        has_market_data = not desk.is_up or desk.settings.get("md_connected") is True
        if has_market_data != self._has_market_data:
            self._has_market_data = has_market_data
            self._book.miss(None, self._now())

    def on_quote(self, quote: QuoteEvent) -> None:
        """Hear a price of the contract that the desk trades; of which market it is must be known."""
        asset, simulated = quote.asset, quote.simulated
        is_traded = asset is not None and quote.symbol == self._contracts.get(asset, quote.symbol)
        if asset is None or simulated is None or not is_traded or not _is_price(asset, quote):
            return
        now = self._now()
        at = quote.ts.timestamp() if quote.ts is not None else now
        market = Market(asset, simulated)
        if quote.source == "ticks":
            if quote.after_gap:
                self._book.doubt(market, None, at)
            self._book.hear_tick(market, quote.price, at, quote.size, now)
        else:
            self._book.hear_sample(market, quote.price, at, now)

    def on_bar(self, bar: BarHeard) -> None:
        """Hear a bar of TradingView."""
        if bar.asset in INSTRUMENTS and can_trade_at(bar.asset, bar.low):
            self._book.hear_bar(bar, self._now())

    def on_gap(self, since: datetime | None, until: datetime) -> None:
        """Note that ticks may have been missed since the last one: ``since`` is when anything was heard, a ping too."""
        self._book.miss(None, until.timestamp())

    def on_ticks_missed(self) -> None:
        """Note that ticks were missed."""
        self._book.miss(None, self._now())

    # -- storing ------------------------------------------------------------------------------------------------

    def on_second(self, now: datetime) -> None:
        """Store the minutes that have ended."""
        self._collect(now.timestamp())
        if self._unwritten and (self.writing is None or self.writing.done()):
            self.writing = asyncio.create_task(self._write())

    async def finish(self) -> None:
        """Store what has ended, before the program ends. The minute that is being heard is not: it is no whole one."""
        self._collect(self._now())
        if self.writing is not None:
            await asyncio.wait([self.writing], timeout=SECONDS_TO_FINISH)
        if self._unwritten:
            await asyncio.wait([asyncio.create_task(self._write())], timeout=SECONDS_TO_FINISH)

    def _collect(self, now: float) -> None:
        for bar in self._book.due(now):
            if self._can_be_stored(bar):
                self._unwritten[(bar.symbol, bar.t, bar.source == "simulated")] = bar
        while len(self._unwritten) > MOST_UNWRITTEN:
            del self._unwritten[next(iter(self._unwritten))]
            self.lost += 1

    def _can_be_stored(self, bar: Bar) -> bool:
        """Return whether the store takes a bar; one that it refuses would keep the others out, too."""
        try:
            row_of(bar)
        except BarRefused as error:
            self.lost += 1
            logger.error("a bar that was heard cannot be stored", reason=str(error))
            return False
        return True

    async def _write(self) -> None:
        """Write all that waits; what cannot be written now waits for the next second."""
        waiting, self._unwritten = self._unwritten, {}
        try:
            self.recorded += await self._bars.ask(lambda store: store.put(waiting.values()))
        except BarsAway:
            self._unwritten = {**waiting, **self._unwritten}  # a newer bar of the same minute wins

    def _now(self) -> float:
        return self._clock().timestamp()


def _is_price(asset: str, quote: QuoteEvent) -> bool:
    price = quote.price
    is_number = asset in INSTRUMENTS and price.is_finite() and abs(price) <= LARGEST_PRICE
    return is_number and can_trade_at(asset, price)
