"""One listener of the stream inside this process: without HTTP, but encoded as on the wire."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from services.live.broadcast import Broadcaster
from services.live.listeners import Listener


class Told(NamedTuple):
    """One message of the stream: name, version, body, and its bytes on the wire."""

    event: str
    version: int
    body: dict[str, Any]
    size: int


def chunks_of(listener: Listener) -> Iterator[bytes]:
    """Yield what a listener hears as it comes, several messages together, until its stream ends."""
    ready = threading.Event()
    listener.on_message = ready.set
    goes_on = True
    while goes_on:
        messages, goes_on = listener.take()
        if messages:
            yield b"".join([message.wire for message in messages])
        elif goes_on:
            ready.wait()
            ready.clear()


class Heard:
    """Collects a broadcaster's messages in a thread until the block ends."""

    def __init__(self, broadcaster: Broadcaster) -> None:
        self._broadcaster = broadcaster
        self._listener = broadcaster.listen()
        self.messages: list[Told] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        for chunk in chunks_of(self._listener):
            self.messages += [_read(lines) for lines in chunk.split(b"\n\n") if lines]

    def of(self, event: str) -> list[Told]:
        return [message for message in self.messages if message.event == event]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._broadcaster.leave(self._listener)
        self._listener.end()
        self._thread.join(5)


def _read(lines: bytes) -> Told:
    named = dict(line.split(b": ", 1) for line in lines.split(b"\n"))
    return Told(named[b"event"].decode(), int(named[b"id"]), json.loads(named[b"data"]), len(lines) + 2)
