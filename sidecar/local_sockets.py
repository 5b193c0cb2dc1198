"""The WebSockets of local ports: who is connected, and what waits for a slow one.

A message is written at once while its reader keeps up. What waits is bounded: of prices and votes the newest is kept,
other messages are never left out, and a reader who is too slow for them is closed with 1013.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from sidecar.keys import Hold, KeyDoor, key_in
from sidecar.mailbox import ROOM, Letter, Mailbox, MailboxFull
from sidecar.sockets import SOCKET, FeedSocket
from sidecar.use import Use
from sidecar.web import DeskAway
from wire.encoding import encode
from wire.keys import KeyCheck, Scope
from wire.local_feeds import JournalFault

logger = structlog.get_logger(__name__)

MOST_CLIENTS = 64
TRY_AGAIN_SECONDS = "5"
TOO_SLOW = 1013
TRY_LATER = 1013
NO_KEY = 4401
NO_SCOPE = 4403


class LocalClient:
    """One connected program."""

    def __init__(self, socket: FeedSocket, use: Use, query: Mapping[str, str], name: str, room: int = ROOM) -> None:
        self.query = query
        self.name = name
        self._socket = socket
        self._use = use
        self._waiting = Mailbox(room)
        self.on_sent: Callable[[Letter], None] = lambda letter: None
        """Hears each message once it is written."""

        socket.on_writable = self._write_waiting

    def send(self, letter: Letter) -> None:
        """Write a message, or let it wait while the reader is slow."""
        if not self._socket.is_open:
            return
        try:
            self._waiting.put(letter)
        except MailboxFull:
            self.close(TOO_SLOW, "too slow: messages would be lost")
            return
        self._write_waiting()

    def close(self, code: int, reason: str = "") -> None:
        """Close the connection; nothing that waits is sent any more."""
        self._waiting = Mailbox(0)
        self._socket.close_with(code, reason)

    def _write_waiting(self) -> None:
        while len(self._waiting) and self._socket.is_open and self._socket.is_writable:
            letter = self._waiting.take()
            self._socket.write_text(letter.body)
            self._use.note_sent()
            self.on_sent(letter)


class LocalChannel:
    """The connected programs of one local feed. ``keys`` is None unless LOCAL_FEEDS_REQUIRE_KEY asks for keys."""

    query_names: frozenset[str] = frozenset()
    """The parameters that a connection may name."""

    def __init__(self, use: Use, scope: Scope, keys: KeyDoor | None) -> None:
        self.clients: list[LocalClient] = []
        self._use = use
        self._scope: Scope = scope
        self._keys = keys
        self._present = 0  # connected, or on the way to it

    # -- what a feed says -----------------------------------------------------------------------------------------

    def refusal_of(self, query: Mapping[str, str]) -> str | None:
        """Return why a connection with this query is refused, None when it is admitted."""
        unknown = sorted(set(query) - self.query_names)
        return f"{unknown[0]!r:.60} is no parameter of this feed" if unknown else None

    def fault_of(self, status: int, sentence: str) -> bytes:
        """Return the body with which a connection is refused before it is accepted."""
        return encode(JournalFault(sentence))

    def expect(self, client: LocalClient) -> None:
        """Hear that a program is about to be accepted."""

    def welcome(self, client: LocalClient) -> None:
        """Hear that a program was accepted, before anything else is sent to it."""

    def hear(self, client: LocalClient, text: str | None) -> None:
        """Hear what a program says, None for a binary message. Most feeds are only listened to, and ignore it."""

    def farewell(self, client: LocalClient) -> None:
        """Hear that a program has gone."""

    def send_to_all(self, letter: Letter) -> None:
        """Send a message to everybody who is connected."""
        for client in tuple(self.clients):
            client.send(letter)

    # -- connections ----------------------------------------------------------------------------------------------

    def route(self, path: str) -> WebSocketRoute:
        """Return the route of this feed."""
        return WebSocketRoute(path, self.serve)

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one program until it leaves."""
        if self._present >= MOST_CLIENTS:
            await self._deny(websocket, 503, f"{MOST_CLIENTS} programs are connected already")
            return
        self._present += 1
        try:
            await self._admit(websocket)
        finally:
            self._present -= 1

    async def _admit(self, websocket: WebSocket) -> None:
        refusal = self.refusal_of(websocket.query_params)
        if refusal is not None:
            await self._deny(websocket, 400, refusal)
            return
        token = key_in(websocket.headers)
        try:
            check = None if self._keys is None or token is None else await self._keys.check(token)
        except DeskAway:
            await self._deny(websocket, 503, "the desk is away: nobody can say whether this key holds")
            return
        if self._keys is not None and (check is None or self._scope not in check.scopes):
            await self._turn_away(websocket, check)
        else:
            await self._listen(websocket, token, check)

    async def _deny(self, websocket: WebSocket, status: int, sentence: str) -> None:
        """Answer the handshake with an HTTP status, before it is accepted."""
        headers = {"Cache-Control": "no-store"} | ({"Retry-After": TRY_AGAIN_SECONDS} if status == 503 else {})
        body = self.fault_of(status, sentence)
        await websocket.send_denial_response(Response(body, status, headers, media_type="application/json"))

    async def _turn_away(self, websocket: WebSocket, check: KeyCheck | None) -> None:
        """Close the connection: its key does not do. A close before the accept would be HTTP 403, without the code."""
        await websocket.accept()
        if check is None:
            await websocket.close(NO_KEY, "an API key is needed")
        else:
            await websocket.close(NO_SCOPE, f"the key needs the scope {self._scope}")

    async def _listen(self, websocket: WebSocket, token: str | None, check: KeyCheck | None) -> None:
        socket: Any = websocket.scope["extensions"][SOCKET]
        name = _name_of(websocket, check)
        client = LocalClient(socket, self._use, websocket.query_params, name)
        hold: Hold | None = None
        self.expect(client)
        try:
            await websocket.accept()
            hold = self._hold_key(client, token, check)  # not before: what is not open yet could not be closed
            self.welcome(client)
            self.clients.append(client)
            self._use.clients = len(self.clients)
            while (message := await websocket.receive())["type"] != "websocket.disconnect":
                self.hear(client, message.get("text"))
        finally:
            if client in self.clients:
                self.clients.remove(client)
            self._use.clients = len(self.clients)
            if hold is not None and self._keys is not None:
                self._keys.release(hold)
            self.farewell(client)

    def _hold_key(self, client: LocalClient, token: str | None, check: KeyCheck | None) -> Hold | None:
        """Close the connection as soon as its key is revoked or loses the scope."""
        if self._keys is None or token is None or check is None:
            return None

        def on_change(now: KeyCheck | None) -> None:
            if now is None:
                client.close(NO_KEY, "the API key was revoked")
            elif self._scope not in now.scopes:
                client.close(NO_SCOPE, f"the key has no scope {self._scope} any more")

        hold = Hold(token, on_change, lambda: client.close(TRY_LATER, "the desk is away"))
        self._keys.hold(hold, check)
        return hold


def _name_of(websocket: WebSocket, check: KeyCheck | None) -> str:
    """Return by which name a program is known when it comes back: ``?client=``, else its key and its user agent."""
    named = websocket.query_params.get("client")
    agent = named or websocket.headers.get("user-agent", "")
    key = check.id if check is not None and check.id is not None else ""
    return f"{key}|{agent}"[:200]
