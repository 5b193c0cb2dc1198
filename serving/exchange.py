"""One request and its answer, as the front sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from serving.callers import Seen
from serving.reading import Request
from serving.wsgi import WITHOUT_BODY, Answer, Place

if TYPE_CHECKING:
    from serving.connection import Connection


class Exchange:
    """A request whose turn it is. It is answered by `answer`, `refuse`, or `begin_stream` with what follows."""

    __slots__ = ("connection", "is_gone", "is_waiting", "on_gone", "request", "seen")

    def __init__(self, connection: Connection, request: Request, seen: Seen) -> None:
        self.connection = connection
        self.request = request
        self.seen = seen
        self.is_gone = False
        self.is_waiting = False
        """No thread works for it: it waits for the desk, or streams. Its caller may go."""

        self.on_gone: Callable[[], None] | None = None
        """Called once when the caller has gone before the end."""

    @property
    def place(self) -> Place:
        """The two ends of the connection."""
        return self.connection.place

    @property
    def has_chunks(self) -> bool:
        """Whether a stream is sent in chunks. HTTP/1.0 has none: there the end of the connection ends it."""
        return self.request.version == "1.1"

    def lose(self) -> None:
        """Note that the caller has gone."""
        self.is_gone = True
        if self.on_gone is not None:
            self.on_gone()
            self.on_gone = None

    def answer(self, answer: Answer, date: bytes) -> None:
        """Send the whole answer."""
        closes = answer.closes or not self.request.keeps_alive or self.connection.is_leaving
        is_head = self.request.method == "HEAD"
        parts = [answer.head, date]
        if answer.status[:3] not in WITHOUT_BODY:
            length = answer.length if is_head and answer.length is not None else str(len(answer.body))
            parts.append(b"Content-Length: %s\r\n" % length.encode())
        parts.append(b"Connection: close\r\n\r\n" if closes else b"\r\n")
        if not is_head:
            parts.append(answer.body)
        self.connection.send(b"".join(parts))
        self.connection.answered(closes=closes)

    def refuse(self, refusal: bytes) -> None:
        """Send an answer of the front's own; it ends the connection."""
        self.connection.send(refusal)
        self.connection.answered(closes=True)

    def begin_stream(self, answer: Answer, date: bytes) -> None:
        """Send the head of a stream. With HEAD that is all."""
        ends = b"Transfer-Encoding: chunked\r\n\r\n" if self.has_chunks else b"Connection: close\r\n\r\n"
        self.connection.send(answer.head + date + ends)
        if self.request.method == "HEAD":
            self.connection.answered(closes=not self.request.keeps_alive)

    def send_chunk(self, chunk: bytes) -> None:
        """Send a part of the stream."""
        self.connection.send(b"%x\r\n%s\r\n" % (len(chunk), chunk) if self.has_chunks else chunk)

    def end_stream(self) -> None:
        """End the stream."""
        if self.has_chunks:
            self.connection.send(b"0\r\n\r\n")
        self.connection.answered(closes=not self.request.keeps_alive or self.connection.is_leaving)
