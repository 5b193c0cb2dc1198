"""The messages of the stream, and the bounded queue of each of its listeners (DESIGN 11)."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from contextlib import suppress

from msgspec import Struct

from services.live.packing import pack
from wire.bridge import QuoteEvent
from wire.encoding import encode

MESSAGES_QUEUED = 512
TICKS_QUEUED = 64  # messages; with more of them waiting a listener gets no ticks


class Message(Struct):
    """One message of the stream, encoded once for all listeners, and packed once for those who unpack it."""

    version: int
    event: str
    body: bytes
    wire: bytes
    _packed: bytes = b""

    @classmethod
    def of(cls, version: int, event: str, content: object) -> Message:
        """Encode a message as the lines of a server-sent event."""
        body = encode(content)
        return cls(version, event, body, b"id: %d\nevent: %s\ndata: %s\n\n" % (version, event.encode(), body))

    @classmethod
    def of_quotes(cls, version: int, quotes: Sequence[QuoteEvent]) -> Message:
        """Encode quotes as one message of several events: it takes one place in a queue."""
        parts = [cls.of(version, "quote", quote) for quote in quotes]
        return cls(version, "quote", parts[-1].body, b"".join(part.wire for part in parts))

    def packed(self) -> bytes:
        """Return the message compressed."""
        if not self._packed:
            self._packed = pack(self.wire)
        return self._packed


RESYNC = Message(0, "resync", b"{}", b"id:\nevent: resync\ndata: {}\n\n")
"""Its empty id makes a client forget its last one: resumed from there, it would miss the messages that were dropped."""

TICKS_MISSED = Message(0, "missed", b"{}", b"event: missed\ndata: {}\n\n")
"""Before the first ticks after some were left out; without an id, so that a client keeps its last one."""


class Listener:
    """One client's bounded queue. With ``quotes_only`` it receives quotes alone, else every message.

    One that ``unpacks`` is sent its messages packed: they are packed before they are queued. With ``every_tick`` it
    receives all ticks of a bridge, else now and then the newest; with ``quotes_only`` none, because a paper bridge
    fills orders at the quotes that it hears: it hears each price that the desk believes.
    """

    def __init__(self, *, quotes_only: bool, unpacks: bool = False, every_tick: bool = False) -> None:
        self.quotes_only = quotes_only
        self.every_tick = every_tick
        self.unpacks = unpacks
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._has_missed_ticks = False
        self.on_message: Callable[[], None] | None = None
        """Called in the sender's thread after a message was queued, and after the end."""

    def wants(self, message: Message) -> bool:
        return not self.quotes_only or message.event in ("quote", "ping")

    def offer(self, message: Message) -> bool:
        """Queue a message; return False when the queue is full and the client must resync."""
        if self._queue.qsize() >= MESSAGES_QUEUED:
            return False
        self._put(message)
        return True

    def offer_ticks(self, message: Message) -> None:
        """Queue ticks unless the queue is long: they are left out then, and end no stream.

        A listener that takes every tick hears ``missed`` before the next ones.
        """
        if self._queue.qsize() >= TICKS_QUEUED:
            self._has_missed_ticks = self.every_tick
            return
        if self._has_missed_ticks:
            self._has_missed_ticks = False
            self._put(TICKS_MISSED)
        self._put(message)

    def _put(self, message: Message | None) -> None:
        if self.unpacks and message is not None:
            message.packed()
        self._queue.put(message)
        if self.on_message is not None:
            self.on_message()

    def end(self, last: Message | None = None) -> None:
        """Drop the queued messages and end the stream, after ``last`` if it is given."""
        self.take_queued()
        if last is not None:
            self._put(last)
        self._put(None)

    def take_queued(self) -> list[Message]:
        """Take the queued messages, oldest first, without waiting for more."""
        return self.take()[0]

    def take(self) -> tuple[list[Message], bool]:
        """Take the queued messages, oldest first, without waiting for more; say whether the stream goes on."""
        taken: list[Message] = []
        with suppress(queue.Empty):
            while True:
                message = self._queue.get_nowait()
                if message is None:
                    return taken, False
                taken.append(message)
        return taken, True
