"""The REST half of the market feed: ``/api/market/v1/*`` (market-feed.md)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, date, datetime

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.channels.queries import Query, known_symbol
from feeds.desk import DeskPicture
from feeds.errors import JSON, RETRY_SECONDS, CallRefused
from feeds.market_views import alert_body, candle_of, instrument_of, latest_quote, market_status, setups_of, state_of
from feeds.price_keeper import PriceKeeper, read_alert
from feeds.prices.book import PriceBook
from feeds.store import AlertKind, FeedsStore
from services.market.session import is_open, liquidity, trade_date
from sidecar.key_calls import KeyCalls, KeyRefused
from sidecar.keys import KeyDoor
from sidecar.origins import is_foreign
from sidecar.use import Use
from wire.encoding import encode
from wire.keys import KeyCheck, Scope
from wire.market import (
    BreaksAnswer,
    CandlesAnswer,
    InForceAnswer,
    InstrumentsAnswer,
    MarketBreak,
    MarketInForce,
    MarketQuote,
    MarketStatus,
    PricesAnswer,
    SetupsAnswer,
)

BASE = "/api/market/v1"
MOST_CANDLES = 1_000
MOST_ALERTS = 500
USUAL_LIMIT = 100
View = Callable[[Request], Struct]


class KeyedCalls:
    """Lets in whoever shows a key with the right scope, 120 times a minute."""

    def __init__(self, keys: KeyDoor, origins: Collection[str]) -> None:
        """Ask `keys`; `origins` are the pages that may call besides our own."""
        self._calls = KeyCalls(keys)
        self._origins = origins

    async def require(self, request: Request, scope: Scope) -> KeyCheck:
        """Return what the shown key opens. Raises `CallRefused`."""
        headers = request.headers
        if is_foreign(headers.get("origin"), headers.get("host"), self._origins):
            raise CallRefused("foreign_origin", "a page of another site may not call")
        try:
            return await self._calls.require(headers, scope)
        except KeyRefused as refused:
            raise CallRefused(refused.code, str(refused), refused.retry_after_s) from refused


class MarketRest:
    """The calls of the REST half."""

    def __init__(
        self,
        keeper: PriceKeeper,
        desk: DeskPicture,
        store: FeedsStore,
        calls: KeyedCalls,
        use: Use,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Answer from what `keeper`, `desk` and `store` know."""
        self._keeper = keeper
        self._desk = desk
        self._store = store
        self._calls = calls
        self._use = use
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        table: tuple[tuple[str, Scope, View], ...] = (
            ("instruments", "prices:read", self.show_instruments),
            ("prices/latest", "prices:read", self.show_prices),
            ("candles/{symbol:path}", "candles:read", self.show_candles),
            ("states/{symbol:path}", "states:read", self.show_state),
            ("setups/current", "states:read", self.show_setups),
            ("alerts/in-force", "alerts:read", self.show_in_force),
            ("alerts/simultaneous-breaks", "alerts:read", self.show_breaks),
            ("market-status", "prices:read", self.show_status),
        )
        return [Route(f"{BASE}/{path}", self._guarded(scope, view), methods=["GET"]) for path, scope, view in table]

    def _guarded(self, scope: Scope, view: View) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            await self._calls.require(request, scope)
            body = encode(view(request))
            self._use.note_sent()
            return Response(body, media_type=JSON, headers={"Cache-Control": "no-store"})

        return answer

    def show_instruments(self, request: Request) -> InstrumentsAnswer:
        """Return what the desk trades."""
        Query(request)
        return InstrumentsAnswer(instruments=tuple(instrument_of(self._desk, one) for one in self._symbols()))

    def show_prices(self, request: Request) -> PricesAnswer:
        """Return the newest price of each symbol."""
        named = Query(request, "symbols").symbols(self._symbols(), self._today())
        found: dict[str, MarketQuote | None] = {symbol: latest_quote(self._book(), symbol) for symbol in named}
        return PricesAnswer(
            prices=tuple(quote for quote in found.values() if quote is not None),
            missing=tuple(symbol for symbol, quote in found.items() if quote is None),
        )

    def show_candles(self, request: Request) -> CandlesAnswer:
        """Return candles of one symbol."""
        query = Query(request, "timeframe", "limit")
        symbol = known_symbol(request.path_params["symbol"], self._symbols(), self._today())
        timeframe = query.timeframe()
        limit = query.whole("limit", USUAL_LIMIT, 1, MOST_CANDLES)
        candles = self._book().candles(symbol, timeframe, limit)
        return CandlesAnswer(
            symbol=symbol, timeframe=timeframe, partial=True, candles=tuple(candle_of(candle) for candle in candles)
        )

    def show_state(self, request: Request) -> Struct:
        """Return the state of one symbol."""
        Query(request)
        symbol = known_symbol(request.path_params["symbol"], self._symbols(), self._today())
        return state_of(self._book(), self._desk, symbol)

    def show_setups(self, request: Request) -> SetupsAnswer:
        """Return the setups of each symbol."""
        named = Query(request, "symbols").symbols(self._symbols(), self._today())
        return SetupsAnswer(setups=setups_of(self._book(), named))

    def show_in_force(self, request: Request) -> InForceAnswer:
        """Return alerts in force."""
        bodies, following = self._alerts(request, "in_force")
        return InForceAnswer(alerts=tuple(one for one in bodies if isinstance(one, MarketInForce)), next=following)

    def show_breaks(self, request: Request) -> BreaksAnswer:
        """Return simultaneous breaks."""
        bodies, following = self._alerts(request, "simultaneous_break")
        return BreaksAnswer(alerts=tuple(one for one in bodies if isinstance(one, MarketBreak)), next=following)

    def show_status(self, request: Request) -> MarketStatus:
        """Return whether the market is open, and whether its prices are heard."""
        Query(request)
        now = self._clock()
        is_thin, reason = liquidity(now)
        return MarketStatus(
            is_open=is_open(now),
            trade_date=trade_date(now),
            is_thin=is_thin,
            reason=reason,
            calendar="CME",
            web_is_up=self._desk.is_up,
            web_since=self._desk.since,
            simulated=self._desk.is_simulated,
            as_of=now,
            markets=tuple(market_status(symbol, now) for symbol in self._desk.assets()),
        )

    def _alerts(self, request: Request, kind: AlertKind) -> tuple[list[MarketInForce | MarketBreak], int]:
        query = Query(request, "since_id", "limit")
        since, limit = query.since_id(), query.whole("limit", USUAL_LIMIT, 1, MOST_ALERTS)
        rows = self._store.newest_alerts(kind, limit) if since is None else self._store.alerts(kind, since, limit)
        following = rows[-1].id if rows else since or 0
        return [alert_body(row.id, read_alert(row)) for row in rows], following

    def _symbols(self) -> Mapping[str, str | None]:
        """Return the desk's symbols with their contracts. Raises `CallRefused` (503) while it was never heard."""
        symbols = self._desk.contracts()
        if not symbols:
            raise CallRefused("desk_unknown", "the desk was not heard yet", RETRY_SECONDS)
        return symbols

    def _today(self) -> date:
        return self._clock().date()

    def _book(self) -> PriceBook:
        if self._keeper.book is None:
            raise CallRefused("desk_unknown", "the desk was not heard yet", RETRY_SECONDS)
        return self._keeper.book
