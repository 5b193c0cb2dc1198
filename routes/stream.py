"""The live stream: full state on connect, then what changes, as server-sent events (DESIGN 8)."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

from flask import Blueprint, Response, g, request

from routes.errors import Busy, InvalidRequest
from routes.guards import guarded_by
from routes.replies import house
from services.broadcast import Broadcaster, Listener

stream = Blueprint("stream", __name__)

STREAMS_AT_MOST = 80  # of 128 threads: the rest answers clicks, webhooks and bridges
RECONNECT_MS = 1000
open_streams = threading.BoundedSemaphore(STREAMS_AT_MOST)


@stream.get("/api/stream")
@guarded_by("operator_or_bridge")
def listen() -> Response:
    """Stream to an operator everything, to a bridge the quotes; ``Last-Event-ID`` resumes."""
    topics = request.args.get("topics", "state")
    if topics not in ("state", "quotes"):
        raise InvalidRequest("topics", "must be state or quotes")
    if not open_streams.acquire(blocking=False):
        raise Busy(f"{STREAMS_AT_MOST} streams are open, no more are served", retry_after_s=5)
    quotes_only = topics == "quotes" or g.is_bridge
    broadcaster = house().broadcaster
    listener = broadcaster.listen(quotes_only=quotes_only, after=_last_event_id())
    response = Response(_events(listener), mimetype="text/event-stream")
    response.call_on_close(lambda: _end(broadcaster, listener))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _last_event_id() -> int | None:
    raw = request.headers.get("Last-Event-ID") or request.args.get("last_event_id", "")
    return int(raw) if re.fullmatch(r"\d{1,18}", raw) else None


def _events(listener: Listener) -> Iterator[bytes]:
    yield b"retry: %d\n\n" % RECONNECT_MS
    for message in listener.messages():
        yield message.as_sse()


def _end(broadcaster: Broadcaster, listener: Listener) -> None:
    broadcaster.leave(listener)
    open_streams.release()
