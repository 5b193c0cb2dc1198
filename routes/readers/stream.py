"""The live stream: the full state on connect, then every change, as server-sent events (DESIGN 11)."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from itertools import takewhile
from typing import Literal

from flask import Response, g, request
from flask_login import current_user
from pydantic import BaseModel

from routes.http.describing import answers, takes_header
from routes.http.errors import Busy
from routes.http.guards import guarded_by
from routes.http.parsing import asks
from routes.http.replies import app_services
from routes.readers import reader_calls
from services.access.sessions import Session
from services.live.broadcast import Broadcaster, Listener

stream = reader_calls("stream", __name__)

STREAMS_AT_MOST = 80  # of 128 threads; the others answer clicks, webhooks and bridges
RECONNECT_MS = 1000
open_streams = threading.BoundedSemaphore(STREAMS_AT_MOST)


class StreamQuery(BaseModel):
    """The topics, and the last event the caller received; an invalid id starts with the full state."""

    topics: Literal["state", "quotes"] = "state"
    last_event_id: str = ""


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
    response = Response(_events(_until_revoked(listener.chunks())), mimetype="text/event-stream")
    response.call_on_close(lambda: _end(broadcaster, listener))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _last_event_id(query: StreamQuery) -> int | None:
    raw = request.headers.get("Last-Event-ID") or query.last_event_id
    return int(raw) if re.fullmatch(r"\d{1,18}", raw) else None


def _until_revoked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Return the stream; each ping ends it when the caller's API key was revoked or the session has ended."""
    gatekeeper = app_services().gatekeeper
    key = g.get("api_key")
    if key is not None:
        return takewhile(lambda _: gatekeeper.keys.holds(key), chunks)
    if g.is_bridge or gatekeeper.is_open:
        return chunks
    session: Session = current_user.session
    return takewhile(lambda _: gatekeeper.sessions.holds(session), chunks)


def _events(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield b"retry: %d\n\n" % RECONNECT_MS
    yield from chunks


def _end(broadcaster: Broadcaster, listener: Listener) -> None:
    broadcaster.leave(listener)
    open_streams.release()
