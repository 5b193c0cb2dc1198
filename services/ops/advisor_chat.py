"""One chat with the agent: its whole answer, or its events one by one as they come.

Only what the agent may say is passed on: an event that cannot be read, is too long or comes too late ends the stream
with an `error` event.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPResponse
from typing import Any

import msgspec

from services.ops.advisor_calls import SENTENCES, AdvisorCall
from services.ops.beside_call import FAILURES, Away, Bounds, Connection, Question, answer_of, away_by, read_whole
from wire.agent import ChatEvent, DoneEvent, ErrorEvent
from wire.encoding import encode

EVENT_STREAM = "text/event-stream"
ALIVE = Bounds(seconds=5.0, longest=64 * 1024, connect=2.0)
"""An agent that does not say so soon that it lives is not asked: a model may think long, a process may not hang."""

CHAT = Bounds(seconds=35.0, longest=1_000_000, connect=2.0)
"""The agent has 30 s for an answer."""

HEALTH_PATH = "/api/v1/health"

LONGEST_EVENT = 256 * 1024
KEEP_ALIVE = b":\n\n"
OK = 200

_events: msgspec.json.Decoder[Any] = msgspec.json.Decoder(ChatEvent)


class ChatCall(AdvisorCall):
    """A chat under way. A streamed one is a feed of the front (``serving/later.py``) once it `is_streaming`."""

    is_chat = True

    def __init__(self, url: str, question: Question, *, streams: bool) -> None:
        """Ask at `url`, for a stream or for one whole answer."""
        super().__init__(url, question, CHAT)
        self._greeting = Connection(url, ALIVE)
        self._streams = streams
        self._pieces: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._on_piece: Callable[[], None] | None = None
        self.is_streaming = False

    @property
    def is_over(self) -> bool:
        """Whether the answer is there, or its stream has begun."""
        return self.is_streaming or self._found is not None

    def give_up(self) -> None:
        """End it: nobody waits for it any more."""
        self._greeting.cut()
        super().give_up()

    def run(self, wake: Callable[[], None]) -> None:
        """Ask; a stream is read to its end."""
        try:
            answer_of(self._greeting, Question(HEALTH_PATH, self._question.headers), ALIVE)
            with self._connection.ask(self._question) as response:
                if self._streams and is_stream(response):
                    self.is_streaming = True
                    wake()
                    self._pass_on(response)
                else:
                    self._found = read_whole(response, self._bounds)
        except FAILURES as error:
            self._found = away_by(error)
        except Away as error:
            self._found = error
        finally:
            self._greeting.close()
            self._connection.close()
            wake()

    def _pass_on(self, response: HTTPResponse) -> None:
        """Queue each event as it comes. The last one is the agent's, or says why there is none."""
        try:
            for piece, is_last in pieces_of(response, self._bounds.longest):
                self._put(piece)
                if is_last:
                    break
            else:
                self._put(broken_off("the advisor broke off in the middle of its answer"))
        except FAILURES as error:
            away = away_by(error)
            self._put(broken_off(SENTENCES[away.reason]))
        self._put(None)

    def _put(self, piece: bytes | None) -> None:
        self._pieces.put(piece)
        on_piece = self._on_piece
        if on_piece is not None:
            on_piece()

    # -- what the front calls -------------------------------------------------------------------------------------

    def start(self, wake: Callable[[], None]) -> None:
        """Ask to be woken for each event; what is queued already wakes at once."""
        self._on_piece = wake
        wake()

    def take(self) -> tuple[bytes, bool]:
        """Return the events that have come, and whether more may come."""
        taken: list[bytes] = []
        with suppress(queue.Empty):
            while True:
                piece = self._pieces.get_nowait()
                if piece is None:
                    return b"".join(taken), False
                taken.append(piece)
        return b"".join(taken), True

    def close(self) -> None:
        """Its reader has gone, or has read it to the end."""
        self._on_piece = None
        self.give_up()


def is_stream(response: HTTPResponse) -> bool:
    """Return whether the agent answers with events."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return response.status == OK and kind == EVENT_STREAM


def broken_off(detail: str) -> bytes:
    """Return the event that ends a stream whose end never came."""
    return b"data: " + encode(ErrorEvent(error="advisor_away", detail=detail)) + b"\n\n"


def pieces_of(response: HTTPResponse, longest: int) -> Iterator[tuple[bytes, bool]]:
    """Yield each event as it is passed on, and whether it is the last. Raises ValueError for what is no event."""
    data: list[bytes] = []
    length = total = 0
    while line := response.readline(LONGEST_EVENT + 1):
        length, total = length + len(line), total + len(line)
        if length > LONGEST_EVENT or total > longest:
            raise ValueError("an event, or the whole answer, is too long")
        text = line.rstrip(b"\r\n")
        if text.startswith(b":"):
            yield KEEP_ALIVE, False
        elif text.startswith(b"data:"):
            data.append(text[5:].removeprefix(b" "))
        elif not text and data:
            yield event_of(b"\n".join(data))
            data = []
        length = length if data else 0


def event_of(text: bytes) -> tuple[bytes, bool]:
    """Return an event on one line, and whether it is the last. Raises ValueError when it is none of a chat."""
    event = _events.decode(text)
    piece = b"data: " + msgspec.json.format(text, indent=-1) + b"\n\n"
    return piece, isinstance(event, DoneEvent | ErrorEvent)
