"""An answer as it goes out: whole as JSON, or as server-sent events. When the asker goes, the work for them ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog
from msgspec import UNSET
from starlette.types import Message, Receive, Scope, Send

from advisor.agent.answer import Tell
from sidecar.problems import ServiceRefused
from wire.agent import ChatEvent, DoneEvent, ErrorEvent
from wire.encoding import encode

logger = structlog.get_logger(__name__)

STREAM_SECONDS = 40.0
Answered = TypeVar("Answered")
Answering = Callable[[Tell], Coroutine[Any, Any, DoneEvent]]
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class AskerGone(Exception):
    """Nobody waits for the answer any more."""


async def while_asked(receive: Receive, work: Coroutine[Any, Any, Answered]) -> Answered:
    """Do the work while the asker's connection lasts. Raises `AskerGone` when it has ended."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise AskerGone
        return task.result()
    finally:
        for one in (task, gone):
            one.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream:
    """The response of a streamed answer. Its status is sent with the first event, so that a refusal has its own."""

    def __init__(self, answering: Answering, conversation_id: str) -> None:
        """Send what `answering` tells, and then the whole answer."""
        self._answering = answering
        self._conversation_id = conversation_id
        self._has_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events. Raises `ServiceRefused` before the first one."""

        try:
            async with asyncio.timeout(STREAM_SECONDS):
                await self._serve(receive, send)
        except TimeoutError:
            return  # the reader does not read: the server cuts the connection of an answer that has no end

    async def _serve(self, receive: Receive, send: Send) -> None:
        async def tell(event: ChatEvent) -> None:
            await self._send(send, event)

        try:
            await self._send(send, await while_asked(receive, self._answering(tell)))
        except AskerGone:
            return
        except ServiceRefused as refused:
            if not self._has_begun:
                raise
            await self._send(send, self._fault(refused))
        except Exception:
            if not self._has_begun:
                raise
            logger.exception("an answer broke off")
            await self._send(send, self._fault(ServiceRefused("internal_error", "the service failed, see its log")))
        await send({"type": "http.response.body", "body": b""})

    def _fault(self, refused: ServiceRefused) -> ErrorEvent:
        return ErrorEvent(error=refused.code, detail=str(refused), conversation_id=self._conversation_id or UNSET)

    async def _send(self, send: Send, event: ChatEvent) -> None:
        if not self._has_begun:
            self._has_begun = True
            await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        body: Message = {"type": "http.response.body", "body": b"data: " + encode(event) + b"\n\n", "more_body": True}
        await send(body)
