"""The market WebSocket ``/ws/market/v1``: who may connect, what is told to whom (market-feed.md).

Nothing between the check of the key and the accept waits: of many connections that come at once exactly one stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import msgspec
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from feeds.channels.market_socket import (
    COME_BACK_LATER,
    NOT_ENTITLED,
    REASONS,
    REPLACED,
    UNKNOWN_KEY,
    MarketCounts,
    MarketSocket,
)
from feeds.channels.topics import BREAKS, IN_FORCE, QUOTES, STATES, TopicsRequest
from feeds.desk import DeskPicture
from feeds.errors import RETRY_SECONDS, CallRefused
from feeds.hub import Part
from feeds.market_views import alert_body, latest_quote, state_of
from feeds.price_keeper import PriceKeeper
from feeds.prices.types import Alert, InForce
from services.market.instruments import INSTRUMENTS
from sidecar.keys import Hold, KeyDoor, key_in
from sidecar.mailbox import Letter
from sidecar.origins import is_foreign
from sidecar.rates import Rates
from sidecar.sockets import SOCKET, FeedSocket
from sidecar.use import Use
from sidecar.web import DeskAway
from wire.bridge import QuoteEvent
from wire.encoding import encode
from wire.keys import KeyCheck
from wire.market import MarketChannelName, MarketQuote, MarketState
from wire.stream import BrickHeard

CONNECT_SCOPE = "ws:connect"
MOST_SOCKETS = 2_000
UPGRADES = 30
UPGRADE_SECONDS = 60.0
STATE_PAUSE_SECONDS = 0.1
"""Changes of a state within this time come together."""


class MarketChannel(Part):
    """All connections of the market WebSocket. An ASGI application, and a part that hears the desk."""

    def __init__(
        self, keeper: PriceKeeper, desk: DeskPicture, keys: KeyDoor, use: Use, origins: Collection[str]
    ) -> None:
        """Tell what `keeper` knows to those whom `keys` let in."""
        self._keeper = keeper
        self._desk = desk
        self._keys = keys
        self._use = use
        self._origins = origins
        self._by_account: dict[str, MarketSocket] = {}
        self._sockets: set[MarketSocket] = set()
        self._upgrades = Rates(UPGRADES, UPGRADE_SECONDS)
        self._told_quotes: dict[str, object] = {}
        self._told_states: dict[str, MarketState] = {}
        self._changed: set[str] = set()
        self.counts = MarketCounts()
        keeper.sinks.append(self.on_alert)

    # -- connections --------------------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await receive()  # the request to connect
        wire: FeedSocket = scope["extensions"][SOCKET]
        try:
            check = await self._admit(Headers(scope=scope))
        except CallRefused as error:
            await self.refuse(error, send)
            return
        if wire.is_gone:
            return
        if isinstance(check, int):
            await send({"type": "websocket.accept"})
            self._close_unentered(wire, check)
            return
        await self._serve(MarketSocket(wire, check, self._use, self.counts), check, _token(scope), receive, send)

    async def _admit(self, headers: Headers) -> KeyCheck | int:
        """Return what the shown key opens, or the code to close with. Raises `CallRefused`."""
        if is_foreign(headers.get("origin"), headers.get("host"), self._origins):
            raise CallRefused("foreign_origin", "a page of another site may not connect")
        if len(self._sockets) >= MOST_SOCKETS:
            raise CallRefused("too_many_sockets", "as many sockets are open as feeds take", RETRY_SECONDS)
        token = key_in(headers)
        try:
            check = None if token is None else await self._keys.check(token)
        except DeskAway as error:
            raise CallRefused("keys_unknown", "keys cannot be checked now", RETRY_SECONDS) from error
        if check is None or check.account is None:
            return UNKNOWN_KEY
        if CONNECT_SCOPE not in check.scopes:
            return NOT_ENTITLED
        wait = self._upgrades.take(check.account)
        if wait is not None:
            raise CallRefused("rate_limit_exceeded", f"more than {UPGRADES} connections in a minute", wait)
        return check

    async def _serve(self, socket: MarketSocket, check: KeyCheck, token: str, receive: Receive, send: Send) -> None:
        hold = Hold(token, lambda found: self._on_key(socket, found), lambda: socket.close(COME_BACK_LATER))
        self._enter(socket)
        self._keys.hold(hold, check)
        try:
            await send({"type": "websocket.accept"})
            if self._by_account.get(socket.account) is not socket:
                socket.close(REPLACED)
            await self._hear(socket, receive)
        finally:
            self._keys.release(hold)
            self._leave(socket)

    def _enter(self, socket: MarketSocket) -> None:
        """Take the account's place. The older connection is told first; both in one step."""
        older = self._by_account.get(socket.account)
        self._by_account[socket.account] = socket
        self._sockets.add(socket)
        self._use.clients = len(self._sockets)
        if older is not None:
            older.close(REPLACED)

    def _leave(self, socket: MarketSocket) -> None:
        if self._by_account.get(socket.account) is socket:
            del self._by_account[socket.account]
        self._sockets.discard(socket)
        self._use.clients = len(self._sockets)
        self._count_close(socket.wire)

    async def _hear(self, socket: MarketSocket, receive: Receive) -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            request = socket.read(message.get("text"))
            if request is not None:
                self._obey(socket, request)

    def _close_unentered(self, wire: FeedSocket, code: int) -> None:
        """Close a connection whose key opens nothing, after the accept: a close before it would lose the code."""
        wire.close_with(code, REASONS[code])
        self._count_close(wire)

    async def refuse(self, error: CallRefused, send: Send) -> None:
        """Answer an upgrade with an error."""
        self.counts.refused[error.status] += 1
        headers = [(name.lower().encode(), value.encode()) for name, value in error.headers().items()]
        await send({"type": "websocket.http.response.start", "status": error.status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": error.body()})

    def _count_close(self, wire: FeedSocket) -> None:
        """Count a close that began here."""
        sent = wire.conn.close_sent
        if sent is not None and not wire.conn.close_rcvd_then_sent:
            self.counts.closes[sent.code] += 1

    def _on_key(self, socket: MarketSocket, check: KeyCheck | None) -> None:
        """Obey a change of the key: revoked, without the right to connect, or with other channels."""
        if check is None:
            socket.close(UNKNOWN_KEY)
        elif CONNECT_SCOPE not in check.scopes:
            socket.close(NOT_ENTITLED)
        else:
            socket.scopes = frozenset(check.scopes)
            socket.subscriptions.keep_only(socket.scopes)
            socket.forget_unwanted()

    # -- requests -----------------------------------------------------------------------------------------------

    def _obey(self, socket: MarketSocket, request: TopicsRequest) -> None:
        if request.op == "unsubscribe":
            ended = socket.subscriptions.unsubscribe(request)
            socket.forget_unwanted()
            socket.push(Letter("unsubscribed", encode(ended)))
            return
        taken = socket.subscriptions.subscribe(request, socket.scopes, self._known_symbols())
        socket.push(Letter("subscribed", encode(taken)))
        book = self._keeper.book
        if book is None:
            return
        for symbol in taken.symbols.get(QUOTES, ()):
            quote = latest_quote(book, symbol) if symbol in self._desk.assets() else None
            if quote is not None:
                socket.push(_quote_letter(quote))
        for symbol in taken.symbols.get(STATES, ()):
            if symbol in self._desk.assets():
                socket.push(_state_letter(state_of(book, self._desk, symbol)))

    def _known_symbols(self) -> Collection[str]:
        """Return the desk's symbols; while it was never heard, all that there may be."""
        return self._desk.assets() or INSTRUMENTS.keys()

    # -- what is told -------------------------------------------------------------------------------------------

    def on_quote(self, quote: QuoteEvent) -> None:
        """Tell the newest price of the asset, when this one made it another."""
        if quote.asset is not None:
            self._tell_price(quote.asset)

    def _tell_price(self, symbol: str) -> None:
        book = self._keeper.book
        if book is None or symbol not in self._desk.assets():
            return
        last = book.last(symbol)
        if last is None or self._told_quotes.get(symbol) is last:
            return
        self._told_quotes[symbol] = last
        self._note_change(symbol)
        latest = latest_quote(book, symbol)
        if latest is not None and self._hearers(QUOTES, symbol):
            self.tell(QUOTES, symbol, _quote_letter(latest))

    def on_brick(self, brick: BrickHeard) -> None:
        """Tell the state that the brick has changed."""
        self._note_change(brick.asset)

    def on_desk(self, desk: DeskPicture) -> None:
        """Tell the prices and states that a change of the desk has changed."""
        for symbol in desk.assets():
            self._tell_price(symbol)
            self._note_change(symbol)

    def on_alert(self, number: int, alert: Alert) -> None:
        """Tell an alert."""
        is_in_force = isinstance(alert, InForce)
        channel = IN_FORCE if is_in_force else BREAKS
        name = "alert.in_force" if is_in_force else "alert.simultaneous_break"
        self.tell(channel, None, Letter(name, encode(alert_body(number, alert))))

    def tell(self, channel: MarketChannelName, symbol: str | None, letter: Letter) -> None:
        """Send a letter to all who hear a channel, of one symbol where the channel has symbols."""
        for socket in self._hearers(channel, symbol):
            socket.push(letter)

    def _hearers(self, channel: MarketChannelName, symbol: str | None) -> list[MarketSocket]:
        return [one for one in self._sockets if one.subscriptions.hears(channel, symbol)]

    def _note_change(self, symbol: str) -> None:
        """Have the state of a symbol told soon, with what else changes meanwhile."""
        if not self._sockets:
            return
        if not self._changed:
            asyncio.get_running_loop().call_later(STATE_PAUSE_SECONDS, self._tell_states)
        self._changed.add(symbol)

    def _tell_states(self) -> None:
        changed, self._changed = self._changed, set()
        book = self._keeper.book
        if book is None:
            return
        for symbol in changed & set(self._desk.assets()):
            if not self._hearers(STATES, symbol):
                self._told_states.pop(symbol, None)
                continue
            state = state_of(book, self._desk, symbol)
            told = self._told_states.get(symbol)
            if told is None or msgspec.structs.replace(told, price=state.price) != state:
                self._told_states[symbol] = state
                self.tell(STATES, symbol, _state_letter(state))


def _token(scope: Scope) -> str:
    return key_in(Headers(scope=scope)) or ""


def _quote_letter(quote: MarketQuote) -> Letter:
    return Letter("quote", encode(quote), (QUOTES, quote.symbol))


def _state_letter(state: MarketState) -> Letter:
    return Letter("state", encode(state), (STATES, state.symbol))
