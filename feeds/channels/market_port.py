"""What the market port serves: the WebSocket, its REST half, health and figures."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from feeds.channels.market import MarketChannel
from feeds.errors import CallRefused, answer_http, answer_refused

MARKET_PATH = "/ws/market/v1"


class MarketPort:
    """The application of the market port.

    WebSockets do not pass through Starlette: its layers would cost each of a thousand sockets some kilobytes.
    """

    def __init__(self, market: MarketChannel, routes: Iterable[Route], origins: Collection[str]) -> None:
        """Serve `market` and `routes`; the pages of `origins` may call them, too."""
        self._market = market
        pages = Middleware(
            CORSMiddleware,
            allow_origins=sorted(origins),
            allow_methods=["GET", "HEAD"],
            allow_headers=["Authorization", "X-API-Key"],
        )
        self._calls = Starlette(
            routes=list(routes),
            middleware=[pages] if origins else [],
            exception_handlers={CallRefused: answer_refused, HTTPException: answer_http, Exception: answer_refused},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection or request."""
        if scope["type"] != "websocket":
            await self._calls(scope, receive, send)
        elif scope["path"] == MARKET_PATH:
            await self._market(scope, receive, send)
        else:
            await receive()
            await self._market.refuse(CallRefused("not_found", "there is no WebSocket at this path"), send)
