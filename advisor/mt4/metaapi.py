"""An account at MetaApi: read, and closed. What became of a trade is never guessed, and no trade is sent twice.

A connected account gets no orders of the calls in this version: those go the way of ``MT4_ROUTE``. `trade` is what the
bridge to MetaApi will use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

from advisor.mt4.asked import OrderAsked
from advisor.mt4.metaapi_answers import request_of, traded, unknown
from advisor.mt4.metaapi_client import MetaApiClient, OutcomeUnknown
from advisor.mt4.metaapi_closing import Closings
from advisor.mt4.metaapi_lookup import Found, LookUp, LookUps
from advisor.mt4.metaapi_models import MetaTrade
from advisor.mt4.metaapi_sending import Sender
from advisor.mt4.metaapi_settling import Settling
from advisor.mt4.metaapi_views import (
    MT4,
    candles_of,
    deal_rows,
    is_real,
    order_rows,
    position_row,
    state_of,
    text_of,
    tick_of,
)
from advisor.mt4.prices import utc_now
from advisor.mt4.sent import SentBook, client_id_of
from sidecar.problems import ServiceRefused
from sidecar.tasks import kept_running
from wire.encoding import encode
from wire.mt4 import (
    AccountKind,
    AccountState,
    CloseAnswer,
    DealRow,
    Mt4Candle,
    Mt4Tick,
    Mt4Timeframe,
    OrderRow,
    PositionRow,
    TradeAnswer,
    UnknownClosing,
)

DEALS_OF = timedelta(days=30)
Gate = Callable[[], Awaitable[None]]
"""Raises `ServiceRefused` when an account with real money may not be used."""


class MetaApiAccount:
    """One connected account."""

    kind: AccountKind = "metaapi"

    def __init__(
        self,
        client: MetaApiClient,
        account_id: str,
        sent: SentBook,
        gate: Gate,
        clock: Callable[[], datetime] = utc_now,
        look_ups: LookUps | None = None,
    ) -> None:
        """Ask `client`; `gate` stands before real money."""
        self.id = account_id
        self._client = client
        self._sent = sent
        self._gate = gate
        self._clock = clock
        look_ups = look_ups or LookUps()
        self._look_up = LookUp(client, look_ups)
        self._settling = Settling(client, account_id, sent, look_ups)
        self._closings = Closings(account_id, client, sent, self._look_up, self._settling)
        self._sender = Sender(client, sent)
        self._under_way = 0
        self._is_closed = False
        self._leaving: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def connect(self) -> AccountState:
        """Read the account. Raises `ServiceRefused`: 401, 404, 409 for real money or another platform, 503."""
        with self._call():
            account = await self._client.account()
        if account.platform.lower() != MT4:
            raise ServiceRefused("not_connected", "this is no account of MetaTrader 4", reason="not_mt4")
        if is_real(account):
            await self._gate()
        self._looking = asyncio.create_task(kept_running(self._settling.run))
        return state_of(self.id, account)

    async def disconnect(self) -> None:
        """Let the connections go once what is under way is answered."""
        if self._looking is not None:
            self._looking.cancel()
        self._leaving = asyncio.create_task(self._leave())

    async def left(self) -> None:
        """Wait until every connection is closed."""
        if self._leaving is not None:
            await self._leaving

    async def _leave(self) -> None:
        while self._under_way:
            await asyncio.sleep(0.05)
        self._is_closed = True
        await self._client.close()

    @contextmanager
    def _call(self) -> Iterator[None]:
        if self._is_closed:
            raise ServiceRefused("not_connected", "the account was disconnected meanwhile", reason="left")
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    # -- reading ------------------------------------------------------------------------------------------------

    async def status(self) -> AccountState:
        """Return the account."""
        with self._call():
            account = await self._client.account()
        self._settling.ask()
        return state_of(self.id, account)

    async def positions(self) -> tuple[PositionRow, ...]:
        """Return what is open."""
        with self._call():
            rows = await self._client.positions()
        self._settling.by_positions(rows)
        self._settling.ask()
        return tuple(position_row(one) for one in sorted(rows, key=lambda one: one.time))

    async def orders(self) -> tuple[OrderRow, ...]:
        """Return what rests."""
        with self._call():
            return order_rows(await self._client.orders())

    async def deals(self, limit: int) -> tuple[DealRow, ...]:
        """Return the newest fills of 30 days."""
        now = self._clock()
        with self._call():
            rows = await self._client.history_deals(now - DEALS_OF, now + timedelta(days=1))
        self._settling.by_deals(rows)
        return deal_rows(rows, limit)

    async def tick(self, symbol: str) -> Mt4Tick:
        """Return the newest price."""
        with self._call():
            try:
                return tick_of(await self._client.price(symbol))
            except ServiceRefused as refused:
                raise await self._which(refused, symbol) from None

    async def candles(self, symbol: str, timeframe: Mt4Timeframe, limit: int) -> tuple[Mt4Candle, ...]:
        """Return the newest closed candles."""
        with self._call():
            try:
                rows = await self._client.candles(symbol, timeframe, limit + 1)  # the newest may still be open
            except ServiceRefused as refused:
                raise await self._which(refused, symbol) from None
        return candles_of(rows, timeframe, limit, self._clock())

    async def _which(self, refused: ServiceRefused, symbol: str) -> ServiceRefused:
        """Return what a 404 of a symbol means: while the account is there it is the symbol that is not."""
        if refused.code != "unknown_account":
            return refused
        try:
            await self._client.account()
        except ServiceRefused as of_account:
            return of_account
        return ServiceRefused("unknown_symbol", f"the account has no symbol {symbol[:40]!r}")

    # -- closing ------------------------------------------------------------------------------------------------

    async def close(self, position_id: str, volume: Decimal | None, name: str | None = None) -> CloseAnswer:
        """Close a position, or a part of it, once for each `name`."""
        with self._call():
            return await self._closings.close(position_id, volume, name)

    def unknown(self) -> tuple[UnknownClosing, ...] | None:
        """Return the closings that nobody knows the outcome of."""
        return self._settling.unknown()

    async def cancel(self, order_id: str) -> None:
        """Take out a resting order."""
        client_id = client_id_of("CANCEL", None)
        request = MetaTrade(action_type="ORDER_CANCEL", order_id=order_id)
        with self._call():
            sent_at = self._sent.begin(client_id, self.id, encode(request).decode())
            try:
                await self._sender.send(client_id, request)
            except OutcomeUnknown as error:
                if not await self._look_up.cancelling(order_id, sent_at):
                    raise unknown(f"taking out order {order_id}", error.code) from None
                self._sent.end(client_id, "done", order_id=order_id)

    # -- trading ------------------------------------------------------------------------------------------------

    async def trade(self, order: OrderAsked) -> TradeAnswer:
        """Send an order, once for each `key`: what was sent by it before is looked up."""
        client_id = client_id_of(order.symbol, order.key)
        request = request_of(order, client_id)
        if client_id in self._sent.under_way:
            raise unknown("the same order, which is under way", "under_way")
        self._sent.under_way.add(client_id)
        try:
            with self._call():
                return await self._trade(client_id, request)
        finally:
            self._sent.under_way.discard(client_id)

    async def _trade(self, client_id: str, request: MetaTrade) -> TradeAnswer:
        text = encode(request).decode()
        before = self._sent.find(client_id)
        if before is not None:
            if (before.request, before.account) != (text, self.id):
                raise ServiceRefused("trade_refused", "this Idempotency-Key named another order", reason="key_reused")
            if before.outcome == "done":
                return traded(before.order_id, before.position_id)
            if before.outcome == "refused":
                raise ServiceRefused("trade_refused", "this order was refused before", reason="refused_before")
            return await self._looked_up(client_id, before.sent_at, "sent_before")
        await self._refuse_unless_allowed()
        sent_at = self._sent.begin(client_id, self.id, text)
        try:
            answer = await self._sender.send(client_id, request)
        except OutcomeUnknown as error:
            return await self._looked_up(client_id, sent_at, error.code)
        return traded(text_of(answer.order_id), text_of(answer.position_id))

    async def _looked_up(self, client_id: str, sent_at: datetime, code: str) -> TradeAnswer:
        found: Found | None = await self._look_up.trade(client_id, sent_at)
        if found is None:
            raise unknown(f"the order {client_id}", code)
        self._sent.end(client_id, "done", found.order_id, found.position_id)
        return traded(found.order_id, found.position_id)

    async def _refuse_unless_allowed(self) -> None:
        account = await self._client.account()
        if is_real(account):
            await self._gate()
        if account.investor_mode or not account.trade_allowed:
            reason = "investor_mode" if account.investor_mode else "trade_not_allowed"
            raise ServiceRefused("trade_refused", "the account may not trade", reason=reason)
