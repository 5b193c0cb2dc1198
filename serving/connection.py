"""One connection: reads whole requests within their deadlines, answers them in their order, hangs up."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from serving import refusals
from serving.exchange import Exchange
from serving.limits import (
    BODY_SECONDS,
    HEAD_SECONDS,
    IDLE_SECONDS,
    LINGER_SECONDS,
    READ_AT_LEAST_BYTES,
    STREAM_UNREAD_SECONDS,
    UNREAD_SECONDS,
    UNSENT_BYTES,
)
from serving.reading import Request, RequestReader, Stage
from serving.wsgi import Place

if TYPE_CHECKING:
    from serving.front import Front

NEVER = float("inf")
WORTH_COUNTING = 4 * 1024
"""Bytes of a body that is not whole: fewer are not counted."""

SECONDS_OF = {Stage.BETWEEN: IDLE_SECONDS, Stage.HEAD: HEAD_SECONDS, Stage.BODY: BODY_SECONDS}


class Connection(asyncio.Protocol):
    """A caller's connection. Its deadlines are kept by `look`, which the front calls twice a second."""

    __slots__ = (
        "_current",
        "_front",
        "_is_closing",
        "_is_unread",
        "_on_read",
        "_reader",
        "_steps",
        "_transport",
        "_unsent",
        "_until",
        "_waiting",
        "is_leaving",
        "place",
    )

    def __init__(self, front: Front) -> None:
        self._front = front
        self._reader = RequestReader()
        self._waiting: deque[Request] = deque()
        self._current: Exchange | None = None
        self._steps = 0
        self._until = NEVER
        self._is_closing = False
        self._is_unread = False
        self._unsent = 0
        self._on_read: Callable[[], None] | None = None
        self._transport: asyncio.Transport
        self.place = Place()
        self.is_leaving = False
        """The process is about to end: the answer that is under way is the last."""

    # -- what the event loop calls ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin. The first request must be there soon."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=UNSENT_BYTES)
        self.place = _place_of(transport)
        self._until = time.monotonic() + HEAD_SECONDS
        self._front.connections.opened(self, self.place.address)

    def data_received(self, data: bytes) -> None:
        """Read on; begin the first request that is whole."""
        if self._is_closing:
            return
        reader = self._reader
        self._waiting.extend(reader.feed(data))
        if reader.body_bytes > WORTH_COUNTING:
            self._front.connections.holds(self, reader.body_bytes)
        self._go_on()

    def eof_received(self) -> bool:
        """The caller says no more. It still gets the answer that a thread works for."""
        self._reader.is_over = True
        return self._current is not None and not self._current.is_waiting

    def connection_lost(self, exc: Exception | None) -> None:
        """Let everything go."""
        self._until = NEVER
        self._is_closing = True
        self._waiting.clear()
        self._reader.close()
        self._front.connections.closed(self)
        if self._current is not None:
            self._current.lose()
            self._current = None

    def pause_writing(self) -> None:
        """The caller does not read as fast as it is answered."""
        self._is_unread = True
        self._until = time.monotonic() + self._patience()
        self._unsent = self._transport.get_write_buffer_size()
        self._front.connections.holds(self, self._unsent)

    def resume_writing(self) -> None:
        """The caller has read what it was sent."""
        self._is_unread = False
        self._front.connections.holds(self, 0)
        self._until = NEVER
        if self._is_closing:
            self._until = time.monotonic() + UNREAD_SECONDS
        elif self._on_read is not None:
            on_read, self._on_read = self._on_read, None
            on_read()
        else:
            self._go_on()

    # -- what the front calls -----------------------------------------------------------------------------------

    @property
    def is_unread(self) -> bool:
        """Whether what was sent is still waiting for its reader."""
        return self._is_unread

    def when_read(self, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` when the caller has read what it was sent."""
        self._on_read = go_on

    def send(self, data: bytes) -> None:
        """Send these bytes."""
        self._transport.write(data)

    def answered(self, *, closes: bool) -> None:
        """The answer of the request whose turn it was is sent."""
        self._current = None
        self._on_read = None
        if closes:
            self._hang_up()
        else:
            self._go_on()

    def look(self, now: float) -> None:
        """End what has taken too long."""
        if now < self._until:
            return
        if self._is_unread and self._reads_on():
            self._until = now + self._patience()
        elif self._is_unread or self._is_closing:
            self.cut()
        elif self._reader.stage is Stage.BETWEEN:
            self._transport.close()
            self._close_by(now + UNREAD_SECONDS)
        else:
            self._refuse(refusals.SLOW)

    def _patience(self) -> float:
        """Return in how many seconds some of the answer must be read."""
        is_stream = self._current is not None and self._current.is_waiting
        return STREAM_UNREAD_SECONDS if is_stream else UNREAD_SECONDS

    def _reads_on(self) -> bool:
        """Return whether a slow caller has read some of its answer since this was last asked."""
        before, self._unsent = self._unsent, self._transport.get_write_buffer_size()
        self._front.connections.holds(self, self._unsent)
        return before - self._unsent >= READ_AT_LEAST_BYTES

    def cut(self) -> None:
        """Close it now, whatever it is doing."""
        self._is_closing = True
        self._transport.abort()

    def leave(self) -> None:
        """Close it, after the answer that is under way."""
        self.is_leaving = True
        if self._current is None and not self._waiting:
            self._transport.close()
            self._close_by(time.monotonic() + UNREAD_SECONDS)

    # -- one request after the other ----------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Begin the next request when it is whole and its turn; set the deadline of one that is not whole."""
        if self._is_closing:
            return
        if self._current is None and self._waiting and not self._is_unread:
            self._begin(self._waiting.popleft())
        self._pace()
        if self._is_unread or self._is_closing:
            return
        if self._current is not None:
            self._until = NEVER
        elif self._reader.is_over:
            self._end()
        else:
            self._wait_for_more()

    def _wait_for_more(self) -> None:
        reader = self._reader
        if reader.wants_continue:
            reader.wants_continue = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._steps != reader.steps or self._until == NEVER:
            self._steps = reader.steps
            self._until = time.monotonic() + SECONDS_OF[reader.stage]

    def _begin(self, request: Request) -> None:
        self._front.connections.holds(self, 0)
        self._current = Exchange(self, request, self._front.callers.look_at(request))
        self._front.take(self._current)

    def _pace(self) -> None:
        """Read no further while requests wait for their turn."""
        if self._waiting:
            self._transport.pause_reading()
        elif not self._transport.is_reading():
            self._transport.resume_reading()

    def _end(self) -> None:
        """Nothing more is read, and nothing waits: say why if the caller must be told."""
        if self._reader.refusal is not None:
            self._front.note_refused(self.place.address, self._reader.refusal)
            self._refuse(self._reader.refusal)
        else:
            self._hang_up()

    def _refuse(self, refusal: refusals.FrontRefusal) -> None:
        self._transport.write(refusal.as_bytes())
        self._hang_up()

    def _hang_up(self) -> None:
        """Close; what the caller still sends is thrown away for a moment, because a reset could lose the answer."""
        if self._is_closing:
            return
        self._waiting.clear()
        may_still_send = self._reader.refusal is not None or self._reader.stage is not Stage.BETWEEN
        if may_still_send and not self.is_leaving and self._transport.can_write_eof():
            self._transport.resume_reading()
            self._transport.write_eof()
            self._close_by(time.monotonic() + LINGER_SECONDS)
        else:
            self._transport.close()
            self._close_by(time.monotonic() + UNREAD_SECONDS)

    def _close_by(self, until: float) -> None:
        self._is_closing = True
        self._until = until


def _place_of(transport: asyncio.BaseTransport) -> Place:
    caller: Any = transport.get_extra_info("peername")
    own: Any = transport.get_extra_info("sockname")
    if not isinstance(caller, tuple) or not isinstance(own, tuple):
        return Place()
    return Place(caller[0], caller[1], own[0], own[1])
