"""uvicorn's protocols and what more is needed: bounded heads, writes that never wait, closes that reach the wire.

A WebSocket writes at once or says that it cannot (``is_writable``). A close frame is written also to a reader that does
not read, and a connection that does not end by itself is cut.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

SOCKET = "lockstep.socket"
"""The name under which an application finds its `FeedSocket` among the scope's extensions."""

CUT_SECONDS = 5.0
HEAD_SECONDS = 10.0
LONGEST_HEAD_BYTES = 16_384
MOST_CONNECTIONS = 4_000
"""Connections of a port, those without a key too; the next one is cut at once."""

WAITING_BYTES = 32_768
"""What may wait in the process for a slow reader; the mailbox keeps what is beyond."""


class FeedSocket(WebSocketsSansIOProtocol):
    """One WebSocket. Everything here runs on the loop and never waits."""

    on_writable: Callable[[], None] | None = None
    """Called when the reader has read enough for more."""

    _is_deaf = False
    """What still comes is thrown away: the peer broke the protocol and was told so."""

    @property
    def is_open(self) -> bool:
        """Whether messages can be written: the handshake is done, and nobody has begun to close."""
        return self.handshake_complete and not self.close_sent and self.conn.state is State.OPEN

    @property
    def is_gone(self) -> bool:
        """Whether the peer has left."""
        return self.disconnected or self.transport.is_closing()

    @property
    def is_writable(self) -> bool:
        """Whether the reader keeps up."""
        return self.writable.is_set()

    def write_text(self, text: bytes) -> None:
        """Write one text message. Nothing happens once the socket is closing."""
        if self.is_open:
            self.conn.send_text(text)
            self.transport.write(b"".join(self.conn.data_to_send()))

    def close_with(self, code: int, reason: str = "") -> bool:
        """Write a close frame at once, also behind what a slow reader has not read. Return False if it is closing."""
        if not self.is_open:
            return False
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self._cut_later()
        return True

    # -- what uvicorn calls -------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound what waits in the process for the reader."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=WAITING_BYTES)

    def handle_connect(self, event: Request) -> None:
        """Show this socket to the application."""
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)  # uvicorn has none for a handshake that it refuses
        if scope is not None:
            scope["extensions"][SOCKET] = self

    def data_received(self, data: bytes) -> None:
        """Read frames, unless the peer has broken the protocol."""
        if not self._is_deaf:
            super().data_received(data)

    def resume_writing(self) -> None:
        """Go on with what waits."""
        super().resume_writing()
        if self.on_writable is not None:
            self.on_writable()

    def keepalive_timeout(self) -> None:
        """Close 1011, and cut a peer that is not there to read it."""
        super().keepalive_timeout()
        self._end_application(1011)
        self._cut_later()

    def handle_parser_exception(self) -> None:
        """Close with the code of the broken rule: 1002, 1007, 1009.

        The rest of what the peer sends is read and thrown away: unread bytes would make the system reset the
        connection, and the code would be lost.
        """
        if self._is_deaf:
            return
        self._is_deaf = True
        self.stop_keepalive()
        self._end_application(self.conn.close_sent.code if self.conn.close_sent is not None else 1002)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._cut_later()

    def _end_application(self, code: int) -> None:
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})

    def _cut_later(self) -> None:
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(CUT_SECONDS, self.transport.abort)


class HeadTooLong(Exception):
    """A request's head is longer than it may be."""


class FeedHttp(HttpToolsProtocol):
    """HTTP with a bound on the head's length, and on the time in which a request must be complete."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._await_request()
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._head_bytes = 0
        self._await_request()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the address. Raises HeadTooLong, which uvicorn answers with 400."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header. Raises HeadTooLong, which uvicorn answers with 400."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self._stop_waiting()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, and let go of what this protocol kept for it: there may be thousands."""
        self._stop_waiting()
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]
        self.headers = []

    def _count(self, added: int) -> None:
        self._head_bytes += added
        if self._head_bytes > LONGEST_HEAD_BYTES:
            raise HeadTooLong

    def _await_request(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
