"""From stored bars and heard prices to the bodies of the data service (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from feeds.bars.types import Bar, BarCandle
from feeds.prices.types import PriceHeard
from services.market.calendars import Calendar, Session
from services.market.instruments import INSTRUMENTS
from wire.data_service import (
    BookLevel,
    CandleData,
    DataTimeframe,
    OhlcvAnswer,
    OhlcvBar,
    OrderbookData,
    SnapshotAnswer,
    TickerData,
)

DAYS_LOOKED_BACK = 7
CLOSE_IS_WITHIN = timedelta(minutes=30)
"""How long before its session's end the last stored minute may be, to be the session's close."""

PERCENT_PLACES = Decimal("0.0001")


class ClosesBars(Protocol):
    """What the close of a session is read from."""

    def minutes(
        self, symbol: str, start: int | None, end: int | None, limit: int, *, simulated: bool = False
    ) -> list[Bar]:
        """Return stored minutes, oldest first."""


def ohlcv_of(
    symbol: str, timeframe: DataTimeframe, candles: Sequence[BarCandle], following: int | None, *, simulated: bool
) -> OhlcvAnswer:
    """Return closed candles as ``/api/ohlcv`` lists them; `following` begins the next page."""
    return OhlcvAnswer(
        bars=tuple(bar_of(candle) for candle in candles),
        symbol=symbol,
        timeframe=timeframe,
        count=len(candles),
        simulated=simulated,
        next=None if following is None else instant(following),
    )


def bar_of(candle: BarCandle) -> OhlcvBar:
    """Return a candle as a bar of the service."""
    return OhlcvBar(
        timestamp=instant(candle.start),
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=None if candle.volume is None else Decimal(candle.volume),
        source=candle.source,
    )


def symbols_of(assets: Iterable[str], stored: Iterable[str]) -> tuple[str, ...]:
    """Return the desk's symbols, then those of which bars are stored, each once."""
    return tuple(dict.fromkeys((*assets, *sorted(stored))))


def candle_data(candle: BarCandle, timeframe: DataTimeframe) -> CandleData:
    """Return a candle as ``candle`` tells it."""
    simulated = candle.source == "simulated"
    return CandleData(symbol=candle.symbol, ohlcv=bar_of(candle), timeframe=timeframe, simulated=simulated)


def ticker_of(price: PriceHeard) -> TickerData:
    """Return a price as ``ticker`` tells it."""
    return TickerData(
        symbol=price.asset,
        price=price.price,
        timestamp=price.at,
        bid=price.bid,
        ask=price.ask,
        source=price.source,
        simulated=price.simulated,
    )


def orderbook_of(price: PriceHeard) -> OrderbookData | None:
    """Return the best bid and ask, None where nobody tells both, or they cannot stand in one book."""
    if price.bid is None or price.ask is None or price.bid >= price.ask:
        return None
    return OrderbookData(
        symbol=price.asset,
        bids=(BookLevel(price=price.bid, size=None),),
        asks=(BookLevel(price=price.ask, size=None),),
        timestamp=price.at,
        simulated=price.simulated,
    )


def snapshot_of_price(price: PriceHeard, close_before: Decimal | None) -> SnapshotAnswer:
    """Return the snapshot of a heard price; `close_before` is the close of the session before."""
    change, percent = change_of(price.price, close_before)
    return SnapshotAnswer(
        symbol=price.asset,
        bid=price.bid,
        ask=price.ask,
        last_price=price.price,
        timestamp=price.at,
        daily_change=change,
        daily_change_pct=percent,
        source=price.source,
        simulated=price.simulated,
    )


def snapshot_of_bar(bar: Bar, close_before: Decimal | None) -> SnapshotAnswer:
    """Return the snapshot of the newest stored minute: nobody is heard, so there is no bid and no ask."""
    change, percent = change_of(bar.close, close_before)
    return SnapshotAnswer(
        symbol=bar.symbol,
        bid=None,
        ask=None,
        last_price=bar.close,
        timestamp=instant(bar.t),
        daily_change=change,
        daily_change_pct=percent,
        source="bar",
        simulated=bar.source == "simulated",
    )


def change_of(price: Decimal, before: Decimal | None) -> tuple[Decimal | None, Decimal | None]:
    """Return the change against a close, and the same in percent; percent of nothing or of less is unknown."""
    if before is None:
        return None, None
    change = price - before
    return change, (change / before * 100).quantize(PERCENT_PLACES) if before > 0 else None


def close_before(bars: ClosesBars, symbol: str, at: datetime, *, simulated: bool) -> Decimal | None:
    """Return the close of the session before that of an instant, None when it is not stored.

    The last minute stored of that session is its close when it is one of its last thirty.
    """
    instrument = INSTRUMENTS.get(symbol)
    session = None if instrument is None else _session_before(at, instrument.calendar)
    if session is None:
        return None
    opens, closes = int(session.opens.timestamp()), int(session.closes.timestamp())
    earliest = max(opens, closes - int(CLOSE_IS_WITHIN.total_seconds()))
    newest = bars.minutes(symbol, None, closes, 1, simulated=simulated)
    return newest[-1].close if newest and newest[-1].t >= earliest else None


def _session_before(at: datetime, calendar: Calendar) -> Session | None:
    day: date = calendar.trade_date(at)
    for back in range(1, DAYS_LOOKED_BACK + 1):
        session = calendar.session_of(day - timedelta(days=back))
        if session is not None:
            return session
    return None


def instant(seconds: int) -> datetime:
    """Return an aware instant from seconds of the epoch."""
    return datetime.fromtimestamp(seconds, UTC)
