"""One connection: uvicorn's HTTP protocol with deadlines and limits, which hands on whole requests only."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from serving.limits import BODY_BYTES, BODY_SECONDS, HEAD_BYTES, HEAD_SECONDS, UNREAD_SECONDS

if TYPE_CHECKING:
    from serving.front import Front

log = structlog.get_logger(__name__)
REFUSED = (
    b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n"
    b"cache-control: no-store\r\n\r\n%s"
)
PROBLEM = '{{"ok":false,"error":"{detail}","code":"{code}","title":"{title}","detail":"{detail}","facts":{{}}}}'
TOO_SLOW = (b"408 Request Timeout", "request_timeout", "TOO SLOW", "the request did not arrive within 5 s")
TOO_LONG = (b"431 Request Header Fields Too Large", "invalid", "INVALID", "the head is longer than 8 KiB")
MALFORMED = (b"400 Bad Request", "invalid", "INVALID", "this is no HTTP request")


class DeskProtocol(HttpToolsProtocol):
    """A connection whose head, body and reader each have a deadline.

    The application is asked once the body is whole. A body that is too long is cut: the application sees its length,
    answers 413, and the connection ends.
    """

    app: Front

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._front: Front = self.config.loaded_app
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_head = True
        self._incomplete: RequestResponseCycle | None = None
        self._too_long = False
        self._is_reported = False
        self.announced: dict[int, int] = {}
        self.pipeline: deque[Any]

    # -- the connection -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect(HEAD_SECONDS)
        self._front.connections.opened(self, self.client[0] if self.client else "")

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.connections.closed(self)
        self._expect(None)
        self._stop_unread()
        super().connection_lost(exc)

    def cut(self) -> None:
        """Close the connection now, whatever it is doing."""
        self.transport.abort()

    def _expect(self, seconds: float | None) -> None:
        """Begin a deadline, in place of the one that runs; None ends it."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._is_late)

    def _is_late(self) -> None:
        if self._head_bytes or not self._in_head:
            self._refuse(*TOO_SLOW)
        else:
            self.transport.close()  # it never said anything

    def _refuse(self, status: bytes, code: str, title: str, detail: str) -> None:
        """Answer without asking the application, and hang up."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or self.cycle is self._incomplete:
            body = PROBLEM.format(code=code, title=title, detail=detail).encode()
            self.transport.write(REFUSED % (status, len(body), body))
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        log.warning("a request could not be read", address=self.client[0] if self.client else "", detail=msg)
        self._refuse(*MALFORMED)

    # -- its readers --------------------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_unread()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self.cut)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_unread()

    def _stop_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    # -- requests -----------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._too_long:
            return  # the answer is on its way, the rest of the body goes nowhere
        if self._in_head:
            if self._deadline is None:
                self._expect(HEAD_SECONDS)
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._refuse(*TOO_LONG)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        super().on_headers_complete()
        self._expect(BODY_SECONDS)
        announced = next((value for name, value in self.headers if name == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > BODY_BYTES:
            self._cut_body(int(announced))
        elif self.expect_100_continue:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.cycle.waiting_for_100_continue = False

    def on_body(self, body: bytes) -> None:
        if self._too_long:
            return
        if self.cycle is not None and len(self.cycle.body) + len(body) > BODY_BYTES:
            self._cut_body(BODY_BYTES + 1)
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._too_long:
            return
        super().on_message_complete()
        self._in_head = True
        self._expect(None)
        self._start_incomplete()

    def _cut_body(self, length: int) -> None:
        """Hand the request on without its body, and with the length that it was to have."""
        self._too_long = True
        self._expect(None)
        self.cycle.body = bytearray()
        self.cycle.more_body = False
        self.cycle.keep_alive = False
        self.cycle.waiting_for_100_continue = False
        self.cycle.scope["state"]["announced"] = length
        self.cycle.message_event.set()
        self._start_incomplete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.scope["state"]["connection"] = self
        if cycle.more_body and cycle is self.cycle:
            self._incomplete = cycle
        else:
            super()._start_asgi_task(cycle, app)

    def _start_incomplete(self) -> None:
        if self._incomplete is not None:
            cycle, self._incomplete = self._incomplete, None
            super()._start_asgi_task(cycle, self.app)


__all__ = ["DeskProtocol", "httptools"]
