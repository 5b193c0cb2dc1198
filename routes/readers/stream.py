"""The live stream: the full state on connect, then every change, as server-sent events (DESIGN 11)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Literal

from flask import Response, g, request
from flask_login import current_user
from pydantic import BaseModel

from routes.http.describing import answers, takes_header
from routes.http.errors import Busy
from routes.http.guards import guarded_by
from routes.http.later import later_of
from routes.http.parsing import asks
from routes.http.replies import app_services
from routes.readers import reader_calls
from services.access.sessions import Session
from services.live.broadcast import Broadcaster, Listener

stream = reader_calls("stream", __name__)

STREAMS_AT_MOST = 600
RECONNECT_MS = 1000
OPENING = b"retry: %d\n\n" % RECONNECT_MS
open_streams = threading.BoundedSemaphore(STREAMS_AT_MOST)


class StreamQuery(BaseModel):
    """The topics, and the last event the caller received; an invalid id starts with the full state."""

    topics: Literal["state", "quotes"] = "state"
    last_event_id: str = ""


class ListenerFeed:
    """A listener's messages for the front. It ends when its caller is no longer admitted."""

    def __init__(self, listener: Listener, is_admitted: Callable[[], bool], end: Callable[[], None]) -> None:
        self._listener = listener
        self._is_admitted = is_admitted
        self._end = end

    def start(self, wake: Callable[[], None]) -> None:
        """Ask to be woken for each message; what is queued already wakes at once."""
        self._listener.on_message = wake
        wake()

    def take(self) -> tuple[bytes, bool]:
        """Return the queued messages, nothing once the caller is no longer admitted."""
        chunk, goes_on = self._listener.take()
        if chunk and not self._is_admitted():
            return b"", False
        return chunk, goes_on

    def close(self) -> None:
        """Stop listening."""
        self._listener.on_message = None
        self._end()


@stream.get("/api/stream")
@guarded_by("stream_reader")
@answers(None, errors=(503,), media="text/event-stream")
@takes_header("Last-Event-ID", "the last event that was read; the stream goes on from there")
@asks(StreamQuery)
def listen(query: StreamQuery) -> Response:
    """Stream quotes to a bridge and everything to other readers; ``Last-Event-ID`` resumes."""
    if not open_streams.acquire(blocking=False):
        raise Busy(f"{STREAMS_AT_MOST} streams are open, no more are served", 5, "too_many_streams")
    quotes_only = query.topics == "quotes" or g.is_bridge
    broadcaster = app_services().broadcaster
    listener = broadcaster.listen(quotes_only=quotes_only, after=_last_event_id(query))
    response = _response(listener, lambda: _end(broadcaster, listener))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _response(listener: Listener, end: Callable[[], None]) -> Response:
    later = later_of(request)
    is_admitted = _admission()
    if later is not None:
        later.feed = ListenerFeed(listener, is_admitted, end)
        return Response(OPENING, mimetype="text/event-stream")
    response = Response(_events(takewhile(lambda _: is_admitted(), listener.chunks())), mimetype="text/event-stream")
    response.call_on_close(end)
    return response


def _last_event_id(query: StreamQuery) -> int | None:
    raw = request.headers.get("Last-Event-ID") or query.last_event_id
    return int(raw) if re.fullmatch(r"\d{1,18}", raw) else None


def _admission() -> Callable[[], bool]:
    """Return the question whether the caller is still admitted: its API key or its session may have ended."""
    gatekeeper = app_services().gatekeeper
    key = g.get("api_key")
    if key is not None:
        return lambda: gatekeeper.keys.holds(key)
    if g.is_bridge or gatekeeper.is_open:
        return lambda: True
    session: Session = current_user.session
    return lambda: gatekeeper.sessions.holds(session)


def _events(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield OPENING
    yield from chunks


def _end(broadcaster: Broadcaster, listener: Listener) -> None:
    broadcaster.leave(listener)
    open_streams.release()
