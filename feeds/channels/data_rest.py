"""The calls of the data service: ``/health``, ``/api/ohlcv``, ``/api/snapshot``, ``/api/symbols`` (data-service.md)."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.bars.store import BarStore
from feeds.bars.worker import BarWorker
from feeds.channels.data_bars import ask_bars
from feeds.channels.data_keys import DataKeys
from feeds.channels.data_views import (
    close_before,
    ohlcv_of,
    snapshot_of_bar,
    snapshot_of_price,
    symbols_of,
)
from feeds.desk import DeskPicture
from feeds.jobs.registry import SyncJobs
from feeds.price_keeper import PriceKeeper
from feeds.prices.types import PriceHeard
from feeds.providers.provider import Provider
from services.market.instruments import INSTRUMENTS
from sidecar.problems import JSON, ServiceRefused
from sidecar.queries import Parameters, known_symbol
from sidecar.use import Use
from wire.data_service import (
    DataHealth,
    DataProvider,
    DataTimeframe,
    OhlcvAnswer,
    SnapshotAnswer,
    SymbolsAnswer,
)
from wire.encoding import encode

USUAL_BARS = 1_000
MOST_BARS = 10_000
Answers = Callable[[Request], Awaitable[Struct]]


class DataRest:
    """The calls that only read. With `keys` a key with ``candles:read`` or ``prices:read`` is needed."""

    def __init__(
        self,
        bars: BarWorker,
        keeper: PriceKeeper,
        desk: DeskPicture,
        jobs: SyncJobs,
        providers: tuple[Provider, ...],
        keys: DataKeys,
        use: Use,
    ) -> None:
        """Answer from what is stored and heard."""
        self._bars = bars
        self._keeper = keeper
        self._desk = desk
        self._jobs = jobs
        self._providers = providers
        self._keys = keys
        self._use = use
        self._began = time.monotonic()

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/health", self._answering(self.show_health), methods=["GET"]),
            Route("/api/ohlcv", self._answering(self.show_bars), methods=["GET"]),
            Route("/api/snapshot/{symbol:path}", self._answering(self.show_snapshot), methods=["GET"]),
            Route("/api/symbols", self._answering(self.show_symbols), methods=["GET"]),
        ]

    def _answering(self, view: Answers) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            body = encode(await view(request))
            self._use.note_sent()
            return Response(body, media_type=JSON, headers={"Cache-Control": "no-store"})

        return answer

    # -- calls --------------------------------------------------------------------------------------------------

    async def show_health(self, request: Request) -> DataHealth:
        """Return how the data service is, and its providers."""
        Parameters(request)
        bars_are_well = self._bars.trouble is None
        return DataHealth(
            status="healthy" if bars_are_well and self._desk.is_up else "degraded",
            providers=tuple(self._provider(one) for one in self._providers),
            uptime=int(time.monotonic() - self._began),
            web=self._desk.is_up,
            bars=bars_are_well,
            jobs=len(self._jobs.open),
        )

    async def show_bars(self, request: Request) -> OhlcvAnswer:
        """Return stored candles of a symbol: from `start` on the first, without it the newest."""
        await self._keys.let_read(request, "candles:read")
        asked = Parameters(request, "symbol", "timeframe", "start", "end", "limit", "simulated")
        symbol = known_symbol(asked.needed("symbol"), INSTRUMENTS)
        timeframe = asked.timeframe()
        start, end = asked.time("start"), asked.time("end")
        if start is not None and end is not None and start >= end:
            raise ServiceRefused("invalid_parameter", "start must be before end")
        limit = asked.whole("limit", USUAL_BARS, 1, MOST_BARS)
        simulated = asked.flag("simulated")
        return await ask_bars(
            self._bars, lambda store: read_bars(store, symbol, timeframe, start, end, limit, simulated=simulated)
        )

    async def show_snapshot(self, request: Request) -> SnapshotAnswer:
        """Return the newest price of a symbol: the one that was heard, else the close of the newest stored bar.

        Who names a market with `simulated` gets no price of the other one.
        """
        await self._keys.let_read(request, "prices:read")
        asked = Parameters(request, "simulated")
        symbol = known_symbol(request.path_params["symbol"], INSTRUMENTS)
        heard = self._heard(symbol)
        simulated = asked.flag("simulated") if asked.has("simulated") else None
        return await ask_bars(self._bars, lambda store: read_snapshot(store, symbol, heard, simulated=simulated))

    async def show_symbols(self, request: Request) -> SymbolsAnswer:
        """Return the desk's symbols and the stored ones."""
        await self._keys.let_read(request, "candles:read")
        Parameters(request)
        stored = await ask_bars(self._bars, lambda store: [row.symbol for row in store.symbols()])
        return SymbolsAnswer(symbols=symbols_of(self._desk.assets(), stored))

    def _heard(self, symbol: str) -> PriceHeard | None:
        book = self._keeper.book
        return None if book is None else book.last(symbol)

    def _provider(self, provider: Provider) -> DataProvider:
        status = provider.status()
        newest = self._jobs.newest.get(provider.name)
        return DataProvider(name=status.name, status=status.status, last_ts=newest, reason=status.reason)


def read_bars(
    store: BarStore,
    symbol: str,
    timeframe: DataTimeframe,
    start: datetime | None,
    end: datetime | None,
    limit: int,
    *,
    simulated: bool,
) -> OhlcvAnswer:
    """Read closed candles, and where the next page begins."""
    first, last = _seconds(start), _seconds(end)
    more = 1 if first is not None else 2  # the newest candle may still be open
    candles = store.candles(symbol, timeframe, first, last, limit + more, simulated=simulated)
    closed = [candle for candle in candles if candle.is_closed]
    if first is None:
        return ohlcv_of(symbol, timeframe, closed[-limit:], None, simulated=simulated)
    following = closed[limit].start if len(closed) > limit else None
    return ohlcv_of(symbol, timeframe, closed[:limit], following, simulated=simulated)


def read_snapshot(store: BarStore, symbol: str, heard: PriceHeard | None, *, simulated: bool | None) -> SnapshotAnswer:
    """Read what a snapshot says besides the heard price, which counts when ``simulated`` names no other market.

    Raises `ServiceRefused` (503) when no price is known.
    """
    if heard is not None and simulated in (None, heard.simulated):
        before = close_before(store, symbol, heard.at, simulated=heard.simulated)
        return snapshot_of_price(heard, before)
    is_simulated = simulated is True
    bar = store.last(symbol, simulated=is_simulated)
    if bar is None:
        raise ServiceRefused("no_price", f"no price of {symbol} is known yet")
    at = datetime.fromtimestamp(bar.t, UTC)
    return snapshot_of_bar(bar, close_before(store, symbol, at, simulated=is_simulated))


def _seconds(instant: datetime | None) -> int | None:
    """Return whole seconds of the epoch, a part of one rounded up."""
    return None if instant is None else math.ceil(instant.timestamp())
