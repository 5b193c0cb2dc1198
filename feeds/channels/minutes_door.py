"""``GET /api/minutes`` and ``/api/minutes/symbols`` of the market port: stored minutes for programs of the desk.

The advisor learns from them and follows them. Who calls shows ``X-Service-Secret``; the answers are those of
``wire/minutes.py``, errors those of the market feed (``feeds/errors.py``). The running minute is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.bars.store import BarStore
from feeds.bars.types import MINUTE, Bar
from feeds.bars.worker import BarsAway, BarWorker
from feeds.channels.queries import Query
from feeds.errors import JSON, RETRY_SECONDS, CallRefused
from services.market.instruments import INSTRUMENTS
from sidecar.service_secret import shows_secret
from wire.candles import LAST_SECOND
from wire.encoding import encode
from wire.minutes import (
    LONGEST_PAGE,
    MINUTES_PATH,
    STORED_PATH,
    USUAL_PAGE,
    MinuteRow,
    StoredMinutes,
    StoredSymbol,
    StoredSymbols,
)


class MinutesDoor:
    """Answers the advisor's questions for minutes."""

    def __init__(self, bars: BarWorker, secret: str | None, clock: Callable[[], float] = time.time) -> None:
        """Read `bars`; without a `secret` nobody is admitted."""
        self._bars = bars
        self._secret = secret
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(MINUTES_PATH, self.show_minutes, methods=["GET"]),
            Route(STORED_PATH, self.show_symbols, methods=["GET"]),
        ]

    async def show_minutes(self, request: Request) -> Response:
        """Answer a page of minutes. Raises `CallRefused`."""
        self._admit(request)
        query = Query(request, "symbol", "after", "before", "limit", "simulated")
        symbol = query.choice("symbol", INSTRUMENTS)
        after = query.whole("after", -1, 0, LAST_SECOND)
        limit = query.whole("limit", USUAL_PAGE, 1, LONGEST_PAGE)
        simulated = query.whole("simulated", 0, 0, 1) == 1
        end = min(int(self._clock()) // MINUTE * MINUTE, query.whole("before", LAST_SECOND, 0, LAST_SECOND))
        return await self._answer(lambda store: page_of(store, symbol, after, end, limit, simulated=simulated))

    async def show_symbols(self, request: Request) -> Response:
        """Answer what is stored. Raises `CallRefused`."""
        self._admit(request)
        Query(request)
        return await self._answer(stored_symbols)

    def _admit(self, request: Request) -> None:
        if not shows_secret(request.headers, self._secret):
            raise CallRefused("service_only", "these minutes are for programs of the desk: show its service secret")

    async def _answer(self, question: Callable[[BarStore], Struct]) -> Response:
        try:
            body = await self._bars.ask(lambda store: encode(question(store)))  # a long page is written by the thread
        except BarsAway as error:
            raise CallRefused("bars_unknown", str(error), RETRY_SECONDS) from error
        return Response(body, media_type=JSON, headers={"Cache-Control": "no-store"})


def page_of(store: BarStore, symbol: str, after: int, end: int, limit: int, *, simulated: bool) -> StoredMinutes:
    """Return the first minutes that begin after a second of the epoch, or with -1 the newest, all before `end`."""
    if after < 0:
        found, following = store.minutes(symbol, None, end, limit, simulated=simulated), None
    else:
        found = store.minutes(symbol, after + 1, end, limit + 1, simulated=simulated)
        following = found[limit - 1].t if len(found) > limit else None
    rows = tuple([row_of(bar) for bar in found[:limit]])
    return StoredMinutes(asset=symbol, simulated=simulated, minutes=rows, next=following)


def stored_symbols(store: BarStore) -> StoredSymbols:
    """Return what is stored of each symbol, real and simulated."""
    return StoredSymbols(
        symbols=tuple(
            StoredSymbol(
                symbol=row.symbol, simulated=row.simulated, rows=row.rows, first_t=row.first_t, last_t=row.last_t
            )
            for row in store.symbols()
        )
    )


def row_of(bar: Bar) -> MinuteRow:
    """Return a stored minute as the wire has it."""
    volume = None if bar.volume is None else Decimal(bar.volume)
    return MinuteRow(t=bar.t, o=bar.open, h=bar.high, l=bar.low, c=bar.close, v=volume, source=bar.source)
