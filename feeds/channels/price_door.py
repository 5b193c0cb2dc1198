"""``GET /api/minutes/price`` of the market port: the newest price of a symbol for programs of the desk.

The paper account of the advisor trades at it. Who calls shows ``X-Service-Secret``; the answer is that of the data
service's snapshot, which is on this machine alone (``wire/data_service.py``).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.bars.worker import BarsAway, BarWorker
from feeds.channels.data_rest import read_snapshot
from feeds.channels.queries import Query
from feeds.errors import JSON, RETRY_SECONDS, CallRefused
from feeds.price_keeper import PriceKeeper
from services.market.instruments import INSTRUMENTS
from sidecar.problems import ServiceRefused
from sidecar.service_secret import shows_secret
from wire.data_service import SnapshotAnswer
from wire.encoding import encode
from wire.minutes import PRICE_PATH, NewestPrice


class PriceDoor:
    """Answers the advisor's questions for a price."""

    def __init__(self, bars: BarWorker, keeper: PriceKeeper, secret: str | None) -> None:
        """Read what `keeper` has heard, then `bars`; without a `secret` nobody is admitted."""
        self._bars = bars
        self._keeper = keeper
        self._secret = secret

    def route(self) -> Route:
        """Return the route."""
        return Route(PRICE_PATH, self.show_price, methods=["GET"])

    async def show_price(self, request: Request) -> Response:
        """Answer the newest price, of one market where `simulated` names it. Raises `CallRefused`."""
        if not shows_secret(request.headers, self._secret):
            raise CallRefused("service_only", "this price is for programs of the desk: show its service secret")
        query = Query(request, "symbol", "simulated")
        symbol = query.choice("symbol", INSTRUMENTS)
        asked = query.whole("simulated", 2, 0, 1)  # 2: not asked
        found = await self._read(symbol, None if asked not in (0, 1) else asked == 1)
        return Response(encode(NewestPrice(price=found)), media_type=JSON, headers={"Cache-Control": "no-store"})

    async def _read(self, symbol: str, simulated: bool | None) -> SnapshotAnswer | None:
        book = self._keeper.book
        heard = None if book is None else book.last(symbol)
        try:
            return await self._bars.ask(lambda store: read_snapshot(store, symbol, heard, simulated=simulated))
        except ServiceRefused:
            return None  # no price is known
        except BarsAway as error:
            raise CallRefused("bars_unknown", str(error), RETRY_SECONDS) from error
