"""Prices for the paper account and the desk's route: what feeds has heard, and its stored minutes and candles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import msgspec
from msgspec import Struct

from sidecar.problems import RETRY_SECONDS, ServiceRefused
from sidecar.web import DeskAway, EventsGone, WebClient
from wire.candles import CANDLES_PATH, StoredCandles
from wire.data_service import SnapshotAnswer
from wire.minutes import LONGEST_PAGE, MINUTES_PATH, PRICE_PATH, MinuteRow, NewestPrice, StoredMinutes
from wire.mt4 import Mt4Candle, Mt4Tick, Mt4Timeframe
from wire.types import Side

ANSWER_SECONDS = 5.0
FRESH_SECONDS = 120
"""A heartbeat comes each minute: an older price is none to trade at."""

AHEAD_SECONDS = 5
MINUTE = timedelta(minutes=1)
Shape = TypeVar("Shape", bound=Struct)


class Quote(Struct, frozen=True, kw_only=True):
    """A price that feeds knows. ``at`` is when it was; of a stored minute its end."""

    symbol: str
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal
    at: datetime
    simulated: bool

    def is_fresh(self, now: datetime) -> bool:
        """Return whether one may trade at it. One from the future is of a wrong clock."""
        return -AHEAD_SECONDS <= (now - self.at).total_seconds() <= FRESH_SECONDS

    def fill(self, side: Side, tick: Decimal) -> Decimal:
        """Return what a market order pays: the other side's price, else a tick worse than the last one."""
        if side == "BUY":
            return self.ask if self.ask is not None else self.last + tick
        return self.bid if self.bid is not None else self.last - tick


class FeedsPrices:
    """Asks feeds. Every call raises `ServiceRefused` (503) when it cannot be answered."""

    def __init__(self, feeds: WebClient | None) -> None:
        """Ask `feeds`; None when there is none to ask."""
        self._feeds = feeds

    async def newest(self, symbol: str, *, simulated: bool | None = None) -> Quote | None:
        """Return the newest price, of one market where it is named; None when none is known."""
        market: dict[str, int] = {} if simulated is None else {"simulated": int(simulated)}
        told = (await self._ask(PRICE_PATH, NewestPrice, symbol=symbol, **market)).price
        return None if told is None else quote_of(told)

    async def minutes(self, symbol: str, after: int, *, simulated: bool) -> AsyncIterator[tuple[MinuteRow, ...]]:
        """Yield pages of the closed minutes that begin after a second of the epoch, oldest first."""
        following: int | None = after
        while following is not None:
            page = await self._ask(
                MINUTES_PATH,
                StoredMinutes,
                symbol=symbol,
                after=following,
                limit=LONGEST_PAGE,
                simulated=int(simulated),
            )
            yield page.minutes
            following = page.next

    async def candles(
        self, symbol: str, timeframe: Mt4Timeframe, limit: int, *, simulated: bool
    ) -> tuple[Mt4Candle, ...]:
        """Return the newest closed candles, oldest first."""
        page = await self._ask(
            CANDLES_PATH,
            StoredCandles,
            symbol=symbol,
            timeframe=timeframe,
            limit=limit + 1,  # the newest may still be open
            simulated=int(simulated),
        )
        closed = [one for one in page.candles if one.complete]
        return tuple(
            Mt4Candle(time=one.t, open=one.o, high=one.h, low=one.l, close=one.c, volume=one.v)
            for one in closed[-limit:]
        )

    async def _ask(self, path: str, shape: type[Shape], **query: str | int) -> Shape:
        if self._feeds is None:
            raise ServiceRefused("no_price", "feeds is off: FEEDS_URL names no address")
        try:
            return msgspec.json.decode(await self._feeds.get(path, ANSWER_SECONDS, **query), type=shape)
        except (DeskAway, EventsGone) as error:
            raise ServiceRefused("no_price", "feeds does not answer, or refuses the advisor", RETRY_SECONDS) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ServiceRefused("no_price", "feeds answers what cannot be read", RETRY_SECONDS) from error


def quote_of(told: SnapshotAnswer) -> Quote:
    """Return what feeds told as a quote. A bid above its ask is neither."""
    is_book = told.bid is not None and told.ask is not None and 0 < told.bid <= told.ask
    return Quote(
        symbol=told.symbol,
        bid=told.bid if is_book else None,
        ask=told.ask if is_book else None,
        last=told.last_price,
        at=told.timestamp + MINUTE if told.source == "bar" else told.timestamp,
        simulated=told.simulated,
    )


def tick_of(quote: Quote) -> Mt4Tick:
    """Return a quote as the calls tell it."""
    spread = quote.ask - quote.bid if quote.ask is not None and quote.bid is not None else None
    return Mt4Tick(
        symbol=quote.symbol,
        bid=quote.bid,
        ask=quote.ask,
        spread=spread,
        timestamp=quote.at,
        last=quote.last,
        simulated=quote.simulated,
    )


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)
