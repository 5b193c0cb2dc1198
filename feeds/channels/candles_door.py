"""``GET /api/candles`` of the market port: stored candles for web, which shows ``X-Service-Secret``.

Other programs read candles of the market feed or of the data service. The answers are those of ``wire/candles.py``,
errors those of the market feed (``feeds/errors.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.bars.store import BarStore
from feeds.bars.types import BarCandle
from feeds.bars.worker import BarsAway, BarWorker
from feeds.channels.queries import Query
from feeds.errors import JSON, RETRY_SECONDS, CallRefused
from services.market.instruments import INSTRUMENTS
from sidecar.service_secret import shows_secret
from wire.candles import (
    CANDLE_TIMEFRAMES,
    CANDLES_PATH,
    LAST_SECOND,
    LONGEST_PAGE,
    USUAL_PAGE,
    CandleTimeframe,
    StoredCandle,
    StoredCandles,
)
from wire.encoding import encode

Page = Callable[[BarStore], StoredCandles]


class CandlesDoor:
    """Answers web's questions for candles."""

    def __init__(self, bars: BarWorker, secret: str | None) -> None:
        """Read `bars`; without a `secret` nobody is admitted."""
        self._bars = bars
        self._secret = secret

    def route(self) -> Route:
        """Return the route."""
        return Route(CANDLES_PATH, self.show_candles, methods=["GET"])

    async def show_candles(self, request: Request) -> Response:
        """Answer a page of candles. Raises `CallRefused`."""
        if not shows_secret(request.headers, self._secret):
            raise CallRefused("service_only", "these candles are for the desk: show its service secret")
        query = Query(request, "symbol", "timeframe", "before", "limit", "simulated")
        page = page_asked(query)
        try:
            found = await self._bars.ask(page)
        except BarsAway as error:
            raise CallRefused("bars_unknown", str(error), RETRY_SECONDS) from error
        return Response(encode(found), media_type=JSON, headers={"Cache-Control": "no-store"})


def page_asked(query: Query) -> Page:
    """Return what finds the page in the store. Raises `CallRefused`."""
    symbol = query.choice("symbol", INSTRUMENTS)
    timeframe = query.choice("timeframe", CANDLE_TIMEFRAMES)
    before = query.whole("before", LAST_SECOND, 0, LAST_SECOND)
    limit = query.whole("limit", USUAL_PAGE, 1, LONGEST_PAGE)
    simulated = query.whole("simulated", 0, 0, 1) == 1
    return lambda store: page_of(store, symbol, timeframe, before, limit, simulated=simulated)


def page_of(
    store: BarStore, symbol: str, timeframe: CandleTimeframe, before: int, limit: int, *, simulated: bool
) -> StoredCandles:
    """Return the newest `limit` candles that begin before a second of the epoch, and where the older page ends."""
    found = store.candles(symbol, timeframe, None, before, limit + 1, simulated=simulated)
    shown = found[-limit:]
    return StoredCandles(
        asset=symbol,
        timeframe=timeframe,
        simulated=simulated,
        candles=tuple([candle_of(candle) for candle in shown]),
        before=_instant(shown[0].start) if len(found) > limit else None,
    )


def candle_of(candle: BarCandle) -> StoredCandle:
    """Return a candle as the wire has it."""
    return StoredCandle(
        t=_instant(candle.start),
        o=candle.open,
        h=candle.high,
        l=candle.low,
        c=candle.close,
        v=None if candle.volume is None else Decimal(candle.volume),
        complete=candle.is_closed,
        source=candle.source,
    )


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
