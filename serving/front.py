"""The ASGI application: hands each whole request to Flask in a thread of its caller's kind, and sends the answer."""

from __future__ import annotations

import asyncio
import time
from asyncio import FIRST_COMPLETED
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from serving.callers import Callers, Kind
from serving.connections import Connections
from serving.later import Feed, Later, Pause
from serving.pools import Full, Pools
from serving.wsgi import Answer, call, environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Receive = Callable[[], Any]
Send = Callable[[Any], Any]
PAUSES_AT_MOST = 64
"""Of one place. One more is over at once: its caller gets an answer without waiting."""

LOOK_AGAIN_SECONDS = 1.0
"""Time alone may end a pause, without a change of the desk: an order's lease runs out."""

FULL_BODY = (
    b'{"ok":false,"error":"TOO BUSY \xe2\x80\x94 too many requests of this kind wait, try again in 1 s",'
    b'"code":"busy","title":"TOO BUSY","detail":"too many requests of this kind wait","facts":{},"retry_after_s":1}'
)
FULL_HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", b"%d" % len(FULL_BODY)),
    (b"retry-after", b"1"),
    (b"cache-control", b"no-store"),
]


class Front:
    """Serves one Flask application. Everything but Flask itself runs on the event loop."""

    def __init__(self, application: WSGIApplication, connections: Connections | None = None) -> None:
        self.connections = connections or Connections()
        self._application = application
        self._callers = Callers()
        self._pools = Pools()
        self._pauses: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Event] = set()
        self._is_woken = False

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served")
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        body = (await receive())["body"]
        environ = environ_of(scope, body, scope["state"].get("announced", len(body)))
        kind, shown = self._callers.kind_of(scope)
        try:
            answer = await self._ask(kind, environ, receive)
        except Full:
            await _send(send, 503, FULL_HEADERS, FULL_BODY)
            return
        if answer is None:
            return
        self._callers.learn(shown, answer.later.caller)
        if answer.later.feed is not None:
            await self._stream(answer, answer.later.feed, receive, send, is_head=scope["method"] == "HEAD")
            return
        headers = [*answer.headers, (b"connection", b"close")] if answer.closes else answer.headers
        await _send(send, answer.status, headers, answer.body)
        self._note_served(scope, answer)

    def wake(self) -> None:
        """Let every pause look again whether it is over. Called from any thread, after each change of the desk."""
        if self._loop is not None and self._waiting and not self._is_woken:
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._look_again)

    def stop(self) -> None:
        """End the threads when their work is done."""
        self._pools.stop()

    # -- a request ----------------------------------------------------------------------------------------------

    async def _ask(self, kind: Kind, environ: dict[str, Any], receive: Receive) -> Answer | None:
        """Return the application's answer, after its pauses; None when the caller has gone meanwhile."""
        later = Later()
        answer = await self._pools.run(kind, partial(call, self._application, environ, later))
        while (pause := answer.later.pause) is not None:
            if not await self._wait(pause, receive):
                return None
            environ["wsgi.input"].seek(0)
            later = Later(deadline=pause.deadline)
            answer = await self._pools.run(kind, partial(call, self._application, environ, later))
        return answer

    async def _wait(self, pause: Pause, receive: Receive) -> bool:
        """Wait until the pause is over. Return False when the caller has gone: it must not be given anything."""
        if self._pauses[pause.place] >= PAUSES_AT_MOST:
            return True
        self._pauses[pause.place] += 1
        gone = asyncio.ensure_future(receive())
        changed = asyncio.Event()
        self._waiting.add(changed)
        try:
            while not pause.is_over() and (left := pause.deadline - time.monotonic()) > 0:
                looks = asyncio.ensure_future(changed.wait())
                await asyncio.wait((gone, looks), timeout=min(left, LOOK_AGAIN_SECONDS), return_when=FIRST_COMPLETED)
                looks.cancel()
                changed.clear()
                if gone.done():
                    return False
            return True
        finally:
            self._waiting.discard(changed)
            self._pauses[pause.place] -= 1
            gone.cancel()

    def _look_again(self) -> None:
        self._is_woken = False
        for changed in self._waiting:
            changed.set()

    def _note_served(self, scope: Any, answer: Answer) -> None:
        connection = scope["state"].get("connection")
        if connection is not None:
            self.connections.served(connection, is_known=bool(answer.later.caller))

    # -- a stream -----------------------------------------------------------------------------------------------

    async def _stream(self, answer: Answer, feed: Feed, receive: Receive, send: Send, *, is_head: bool) -> None:
        """Send what the feed gives until it ends or its reader has gone."""
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        gone = asyncio.ensure_future(receive())
        gone.add_done_callback(lambda _: ready.set())
        try:
            headers = [row for row in answer.headers if row[0] != b"content-length"]
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            if is_head:
                await send({"type": "http.response.body", "body": b""})
                return
            if answer.body:
                await send({"type": "http.response.body", "body": answer.body, "more_body": True})
            feed.start(lambda: loop.call_soon_threadsafe(ready.set))
            goes_on = True
            while goes_on and not gone.done():
                await ready.wait()
                ready.clear()
                chunk, goes_on = feed.take()
                if chunk:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            feed.close()


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
