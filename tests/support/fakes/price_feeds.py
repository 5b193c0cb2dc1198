"""A stand-in for the market port of feeds, as far as the paper account asks it: a price, minutes and candles."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from tests.support.desk_process import SERVICE_SECRET
from wire.candles import CandleTimeframe, StoredCandle, StoredCandles
from wire.data_service import SnapshotAnswer
from wire.encoding import encode
from wire.minutes import MinuteRow, NewestPrice, StoredMinutes

MINUTE = 60
Market = tuple[str, bool]


class PriceFeeds:
    """Feeds with one clock: only minutes that are over by it are told."""

    def __init__(self, now: int) -> None:
        self.now = float(now)
        self.minutes: dict[Market, list[MinuteRow]] = {}
        self.prices: dict[Market, SnapshotAnswer] = {}
        self.page = 10_000
        self.is_away = False
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def clock(self) -> datetime:
        """Return the time."""
        return datetime.fromtimestamp(self.now, UTC)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    # -- what a test tells --------------------------------------------------------------------------------------

    def quotes(
        self,
        last: str,
        bid: str | None = None,
        ask: str | None = None,
        symbol: str = "EURUSD",
        *,
        age: float = 0.0,
        simulated: bool = False,
    ) -> Self:
        """Let this be the newest price."""
        self.prices[symbol, simulated] = SnapshotAnswer(
            symbol=symbol,
            bid=None if bid is None else Decimal(bid),
            ask=None if ask is None else Decimal(ask),
            last_price=Decimal(last),
            timestamp=datetime.fromtimestamp(self.now - age, UTC),
            daily_change=None,
            daily_change_pct=None,
            source="ticks",
            simulated=simulated,
        )
        return self

    def minute(
        self, opened: str, high: str, low: str, close: str, symbol: str = "EURUSD", *, simulated: bool = False
    ) -> Self:
        """Let a minute pass: the one that runs ends with these prices, and its close is the newest price."""
        t = int(self.now) // MINUTE * MINUTE
        first, highest, lowest, last = (Decimal(one) for one in (opened, high, low, close))
        row = MinuteRow(t, first, highest, lowest, last, None, "simulated" if simulated else "ticks")
        self.minutes.setdefault((symbol, simulated), []).append(row)
        self.now = t + MINUTE + 1
        return self.quotes(close, symbol=symbol, simulated=simulated)

    # -- HTTP ---------------------------------------------------------------------------------------------------

    def _answer(self, path: str, query: dict[str, str]) -> Struct | None:
        if path == "/api/minutes/price":
            return NewestPrice(price=self._price(query))
        market = query["symbol"], query.get("simulated") == "1"
        rows = [row for row in self.minutes.get(market, []) if row.t + MINUTE <= self.now]
        if path == "/api/minutes":
            found = [row for row in rows if row.t > int(query["after"])]
            limit = min(int(query["limit"]), self.page)
            following = found[limit - 1].t if len(found) > limit else None
            return StoredMinutes(asset=market[0], simulated=market[1], minutes=tuple(found[:limit]), next=following)
        if path == "/api/candles":
            return self._candles(market, rows)
        return None

    def _price(self, query: dict[str, str]) -> SnapshotAnswer | None:
        symbol = query["symbol"]
        if "simulated" in query:
            return self.prices.get((symbol, query["simulated"] == "1"))
        known = [price for (name, _), price in self.prices.items() if name == symbol]
        return max(known, key=lambda price: price.timestamp, default=None)

    def _candles(self, market: Market, rows: list[MinuteRow]) -> StoredCandles:
        timeframe: CandleTimeframe = "1m"
        candles = tuple(
            StoredCandle(
                t=datetime.fromtimestamp(row.t, UTC),
                o=row.o,
                h=row.h,
                l=row.l,
                c=row.c,
                v=row.v,
                complete=row is not rows[-1],
                source=row.source,
            )
            for row in rows
        )
        return StoredCandles(asset=market[0], timeframe=timeframe, simulated=market[1], candles=candles, before=None)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        feeds = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                feeds.asked.append(self.path)
                is_known = self.headers.get("X-Service-Secret") == SERVICE_SECRET
                answer: Any = None if feeds.is_away else feeds._answer(parts.path, query)
                status = 200 if is_known and answer is not None else 503 if feeds.is_away else 403
                content = encode(answer) if status == 200 else b"{}"
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return

        return Handler
