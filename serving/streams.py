"""Streams without a thread: each sends what its feed has, as fast as its reader reads."""

from __future__ import annotations

import asyncio
from collections import deque

import structlog

from serving.exchange import Exchange
from serving.later import Feed
from serving.soon import call_soon

SENT_AT_ONCE = 32
"""Streams that are served before others get their turn on the event loop."""

log = structlog.get_logger(__name__)


class Streams:
    """Every open stream. Used on the event loop only, but for a stream's `wake`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready: deque[_Stream] = deque()
        self._is_woken = False

    def begin(self, exchange: Exchange, feed: Feed, opening: bytes) -> None:
        """Send ``opening``, then what the feed gives, until it ends or its reader goes."""
        stream = _Stream(self, exchange, feed)
        exchange.is_waiting = True
        exchange.on_gone = stream.close
        if opening:
            exchange.send_chunk(opening)
        feed.start(stream.wake)

    def note_ready(self, stream: _Stream) -> None:
        """Serve this stream soon. Called from any thread."""
        self._ready.append(stream)
        if not self._is_woken:
            self._is_woken = True
            call_soon(self._loop, self._serve)

    def _serve(self) -> None:
        self._is_woken = False
        for _ in range(min(len(self._ready), SENT_AT_ONCE)):
            self._ready.popleft().send()
        if self._ready and not self._is_woken:
            self._is_woken = True
            self._loop.call_soon(self._serve)


class _Stream:
    """One stream: sends only while its reader reads, so that what waits stays in the feed's bounded queue."""

    __slots__ = ("_exchange", "_feed", "_is_over", "_is_ready", "_streams")

    def __init__(self, streams: Streams, exchange: Exchange, feed: Feed) -> None:
        self._streams = streams
        self._exchange = exchange
        self._feed = feed
        self._is_ready = False
        self._is_over = False

    def wake(self) -> None:
        """Note that the feed has something. Called from any thread."""
        if not self._is_ready:
            self._is_ready = True
            self._streams.note_ready(self)

    def send(self) -> None:
        """Send what the feed has."""
        self._is_ready = False
        if self._is_over:
            return
        connection = self._exchange.connection
        if connection.is_unread:
            connection.when_read(self.wake)
            return
        chunk, goes_on = self._feed.take()
        if chunk:
            self._exchange.send_chunk(chunk)
        if not goes_on:
            self.close()
            self._exchange.end_stream()

    def close(self) -> None:
        """End the feed; its reader may have gone already."""
        if not self._is_over:
            self._is_over = True
            self._exchange.on_gone = None
            self._feed.close()
