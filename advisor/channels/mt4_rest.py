"""The MT4 account at the agent's port, in two views: ``/api/v1/auto-trade/mt4/…`` and ``/api/mt4/…`` (mt4.md).

The second one is what the data service passes on. Both show one account.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from advisor.channels.mt4_access import Mt4Access
from advisor.mt4.asked import order_of, volume_in, volume_of
from advisor.mt4.service import Mt4Service
from sidecar.mt4_keys import name_of
from sidecar.mt4_openapi import AGENT_BASE, DATA_BASE
from sidecar.problems import JSON, ServiceRefused
from sidecar.queries import Parameters, read_body
from sidecar.use import Use
from wire.encoding import encode
from wire.mt4 import (
    LONGEST_SYMBOL,
    TIMEFRAMES,
    AccountBrief,
    CancelAnswer,
    CancelBody,
    CloseAnswer,
    CloseBody,
    ConnectBody,
    ConnectedAnswer,
    DataConnectedAnswer,
    DealsAnswer,
    DisconnectedAnswer,
    Mt4Timeframe,
    OrdersAnswer,
    PositionsAnswer,
    TradeAnswer,
    TradeBody,
)

KEY_HEADER = "idempotency-key"
USUAL_CANDLES, MOST_CANDLES = 100, 1_000
USUAL_DEALS, MOST_DEALS = 100, 1_000
ACCEPTED = 202
SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._#+/:=!-]*")
TICKET = re.compile(r"[A-Za-z0-9_-]{1,40}")
NEEDS_ACCOUNT = '`{"account_id": "…", "token": "…"}`, both optional'
NEEDS_ORDER = '`{"symbol": "EURUSD", "action": "BUY", "volume": 0.1, …}`'
NEEDS_CLOSE = '`{"position_id": "…", "volume": null}`'
NEEDS_CANCEL = '`{"order_id": "…"}`'
Answers = Callable[[Request], Awaitable[Any]]
Admits = Callable[[Request], Awaitable[str]]


class Mt4Rest:
    """The calls of both views."""

    def __init__(self, service: Mt4Service, access: Mt4Access, use: Use) -> None:
        """Serve `service` to whom `access` admits."""
        self._service = service
        self._access = access
        self._use = use

    def routes(self) -> list[Route]:
        """Return the routes."""
        reads, trades, closes = self._access.let_read, self._access.let_trade, self._access.let_close
        shared: list[tuple[str, str, Admits, Answers]] = [
            ("GET", "/status", reads, self.show_status),
            ("GET", "/positions", reads, self.show_positions),
            ("GET", "/orders", reads, self.show_orders),
            ("GET", "/deals", reads, self.show_deals),
            ("POST", "/disconnect", trades, self.disconnect),
        ]
        of_agent: list[tuple[str, str, Admits, Answers]] = [
            ("POST", "/connect", trades, self.connect),
            ("POST", "/positions/close", closes, self.close_of_body),
            ("POST", "/orders/cancel", closes, self.cancel_of_body),
        ]
        of_data: list[tuple[str, str, Admits, Answers]] = [
            ("POST", "/connect", trades, self.connect_for_data),
            ("GET", "/tick/{symbol}", reads, self.show_tick),
            ("GET", "/candles/{symbol}", reads, self.show_candles),
            ("POST", "/trade", trades, self.trade),
            ("POST", "/positions/{position_id}/close", closes, self.close_of_path),
            ("POST", "/orders/{order_id}/cancel", closes, self.cancel_of_path),
        ]
        views = ((AGENT_BASE, of_agent), (DATA_BASE, of_data))
        return [
            Route(base + path, self._answering(admits, view), methods=[method])
            for base, own in views
            for method, path, admits, view in (*shared, *own)
        ]

    def _answering(self, admits: Admits, view: Answers) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            request.state.who = await admits(request)
            told = await view(request)
            is_proposed = isinstance(told, TradeAnswer) and told.proposal is not None
            self._use.note_sent()
            return Response(
                encode(told), ACCEPTED if is_proposed else 200, {"Cache-Control": "no-store"}, media_type=JSON
            )

        return answer

    # -- the connection -----------------------------------------------------------------------------------------

    async def connect(self, request: Request) -> ConnectedAnswer:
        """Connect an account. Raises `ServiceRefused`, as every call here."""
        Parameters(request)
        state = await self._service.connect(await read_body(request, ConnectBody, NEEDS_ACCOUNT))
        account = AccountBrief(
            login=state.login,
            server=state.server,
            balance=state.balance,
            currency=state.currency,
            leverage=state.leverage,
        )
        return ConnectedAnswer(success=True, connected=True, account=account)

    async def connect_for_data(self, request: Request) -> DataConnectedAnswer:
        """Connect an account, and answer as the data service does."""
        Parameters(request)
        state = await self._service.connect(await read_body(request, ConnectBody, NEEDS_ACCOUNT))
        return DataConnectedAnswer(
            connected=True,
            account_id=state.id,
            login=state.login,
            server=state.server,
            platform=state.platform,
            balance=state.balance,
            currency=state.currency,
        )

    async def disconnect(self, request: Request) -> DisconnectedAnswer:
        """Let the account go. What a body says is not read."""
        Parameters(request)
        await self._service.disconnect()
        return DisconnectedAnswer(success=True, connected=False)

    async def show_status(self, request: Request) -> Any:
        """Answer whether an account is connected, and how it is."""
        Parameters(request)
        return await self._service.status()

    # -- what it holds ------------------------------------------------------------------------------------------

    async def show_positions(self, request: Request) -> PositionsAnswer:
        """Answer what is open."""
        Parameters(request)
        account = self._service.account
        return PositionsAnswer(success=True, positions=await account.positions(), account=account.id, kind=account.kind)

    async def show_orders(self, request: Request) -> OrdersAnswer:
        """Answer what rests."""
        Parameters(request)
        account = self._service.account
        return OrdersAnswer(success=True, orders=await account.orders(), account=account.id, kind=account.kind)

    async def show_deals(self, request: Request) -> DealsAnswer:
        """Answer the newest fills."""
        limit = Parameters(request, "limit").whole("limit", USUAL_DEALS, 1, MOST_DEALS)
        account = self._service.account
        return DealsAnswer(success=True, deals=await account.deals(limit), account=account.id, kind=account.kind)

    async def show_tick(self, request: Request) -> Any:
        """Answer the newest price."""
        Parameters(request)
        return await self._service.account.tick(_symbol(request))

    async def show_candles(self, request: Request) -> Any:
        """Answer closed candles."""
        asked = Parameters(request, "timeframe", "limit")
        timeframe = _timeframe(asked.text("timeframe", "1h"))
        limit = asked.whole("limit", USUAL_CANDLES, 1, MOST_CANDLES)
        return await self._service.account.candles(_symbol(request), timeframe, limit)

    # -- acts ---------------------------------------------------------------------------------------------------

    async def trade(self, request: Request) -> TradeAnswer:
        """Send an order: 200, or 202 where it has become a proposal."""
        Parameters(request)
        body = await read_body(request, TradeBody, NEEDS_ORDER)
        _refuse_odd_symbol(body.symbol)
        return await self._service.trade(order_of(body, _key_of(request)))

    async def close_of_body(self, request: Request) -> CloseAnswer:
        """Close what a body names."""
        Parameters(request)
        body = await read_body(request, CloseBody, NEEDS_CLOSE)
        volume = None if body.volume is None else volume_of(body.volume)
        return await self._close(request, body.position_id, volume)

    async def close_of_path(self, request: Request) -> CloseAnswer:
        """Close what the path names; the query says how much. What a body says is not read."""
        asked = Parameters(request, "volume")
        volume: Decimal | None = volume_in(asked.needed("volume")) if asked.has("volume") else None
        position_id = _ticket(request, "position_id", "unknown_position")
        return await self._close(request, position_id, volume)

    async def _close(self, request: Request, position_id: str, volume: Decimal | None) -> CloseAnswer:
        """Close. A caller without a name who has gone meanwhile will ask again: that is not to close a second part."""
        name, account = _key_of(request), self._service.account.id
        answer = await self._service.close(position_id, volume, name)
        if name is None and await request.is_disconnected():
            self._service.was_not_told(account, volume, answer)
        return answer

    async def cancel_of_body(self, request: Request) -> CancelAnswer:
        """Take out the order that a body names."""
        Parameters(request)
        return await self._cancel((await read_body(request, CancelBody, NEEDS_CANCEL)).order_id)

    async def cancel_of_path(self, request: Request) -> CancelAnswer:
        """Take out the order that the path names."""
        Parameters(request)
        return await self._cancel(_ticket(request, "order_id", "unknown_order"))

    async def _cancel(self, order_id: str) -> CancelAnswer:
        await self._service.account.cancel(order_id)
        return CancelAnswer(success=True, order_id=order_id)


def _symbol(request: Request) -> str:
    symbol = str(request.path_params["symbol"]).strip()
    _refuse_odd_symbol(symbol)
    return symbol


def _refuse_odd_symbol(symbol: str) -> None:
    if len(symbol) > LONGEST_SYMBOL or SYMBOL.fullmatch(symbol.strip()) is None:
        raise ServiceRefused("unknown_symbol", f"{symbol.strip()[:LONGEST_SYMBOL]!r} is no symbol")


def _ticket(request: Request, name: str, code: Any) -> str:
    ticket = str(request.path_params[name])
    if TICKET.fullmatch(ticket) is None:
        raise ServiceRefused(code, f"there is no {ticket[:40]!r}")
    return ticket


def _timeframe(text: str) -> Mt4Timeframe:
    found = next((one for one in TIMEFRAMES if one == text), None)
    if found is None:
        raise ServiceRefused(
            "invalid_parameter", f"timeframe must be one of {', '.join(TIMEFRAMES)}, was {text[:40]!r}"
        )
    return found


def _key_of(request: Request) -> str | None:
    """Return the caller's own name of a request, None without one. That of another caller is another name."""
    return name_of(request.state.who, request.headers.get(KEY_HEADER))
