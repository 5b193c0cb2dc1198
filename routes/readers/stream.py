"""The live stream: the full state on connect, then every change, as server-sent events (DESIGN 11)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Literal

from flask import Response, g, request
from flask_login import current_user
from pydantic import BaseModel

from routes.http.describing import answers, takes_header
from routes.http.errors import Busy
from routes.http.guards import guarded_by
from routes.http.later import stream_from
from routes.http.parsing import asks
from routes.http.replies import AppServices, app_services
from routes.readers import reader_calls
from services.access.keys import ApiKey
from services.access.sessions import Session
from services.live.broadcast import Broadcaster
from services.live.listeners import Listener
from services.live.packing import GZIP_HEAD, PackedStream, pack
from services.live.stream_places import Listens

stream = reader_calls("stream", __name__)

RECONNECT_MS = 1000
OPENING = b"retry: %d\n\n" % RECONNECT_MS
ASK_AGAIN_SECONDS = 5


class StreamQuery(BaseModel):
    """The topics, and the last event the caller received; an invalid id starts with the full state."""

    topics: Literal["state", "quotes"] = "state"
    last_event_id: str = ""


class ListenerFeed:
    """A listener's messages for the front. It ends when its caller is no longer admitted."""

    def __init__(
        self, broadcaster: Broadcaster, listener: Listener, is_admitted: Callable[[], bool], leave: Callable[[], None]
    ) -> None:
        self._broadcaster = broadcaster
        self._listener = listener
        self._is_admitted = is_admitted
        self._leave = leave
        self._packed = PackedStream() if listener.unpacks else None

    def opening(self) -> bytes:
        """Return how the stream begins."""
        if self._packed is None:
            return OPENING
        self._packed.note(OPENING)
        return GZIP_HEAD + pack(OPENING)

    def start(self, wake: Callable[[], None]) -> None:
        """Ask to be woken for each message; what is queued already wakes at once."""
        self._listener.on_message = wake
        wake()

    def take(self) -> tuple[bytes, bool]:
        """Return the queued messages, nothing once the caller is no longer admitted."""
        messages, goes_on = self._listener.take()
        if messages and not self._is_admitted():
            messages, goes_on = [], False
        if self._packed is None:
            return b"".join([message.wire for message in messages]), goes_on
        for message in messages:
            self._packed.note(message.wire)
        chunk = b"".join([message.packed() for message in messages])
        return chunk if goes_on else chunk + self._packed.end(), goes_on

    def close(self) -> None:
        """Stop listening."""
        self._listener.on_message = None
        self._broadcaster.leave(self._listener)
        self._leave()


@stream.get("/api/stream")
@guarded_by("stream_reader")
@answers(None, errors=(503,), media="text/event-stream")
@takes_header("Last-Event-ID", "the last event that was read; the stream goes on from there")
@asks(StreamQuery)
def listen(query: StreamQuery) -> Response:
    """Stream quotes to a bridge and everything to other readers; ``Last-Event-ID`` resumes."""
    services = app_services()
    leave = _take_place(services)
    quotes_only = query.topics == "quotes" or g.is_bridge
    unpacks = not quotes_only and request.accept_encodings["gzip"] > 0
    try:
        listener = services.broadcaster.listen(
            quotes_only=quotes_only,
            after=_last_event_id(query),
            unpacks=unpacks,
            every_tick=not g.is_bridge and g.is_service,
        )
    except Exception:
        leave()
        raise
    feed = ListenerFeed(services.broadcaster, listener, _admission(services), leave)
    stream_from(feed)
    response = Response(feed.opening(), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["X-Accel-Buffering"] = "no"
    if unpacks:
        response.headers["Content-Encoding"] = "gzip"
    return response


def _take_place(services: AppServices) -> Callable[[], None]:
    """Take a place among the caller's kind, and return what gives it back. Raises `Busy`."""
    key: ApiKey | None = g.get("api_key")
    kind: Listens = "bridge" if g.is_bridge else "service" if g.is_service else "operator" if key is None else "key"
    key_id = None if key is None else key.id
    if not services.stream_places.take(kind, key_id):
        raise Busy("as many streams are open as this caller may have", ASK_AGAIN_SECONDS, "too_many_streams")
    return partial(services.stream_places.give_back, kind, key_id)


def _last_event_id(query: StreamQuery) -> int | None:
    raw = request.headers.get("Last-Event-ID") or query.last_event_id
    return int(raw) if re.fullmatch(r"\d{1,18}", raw) else None


def _admission(services: AppServices) -> Callable[[], bool]:
    """Return the question whether the caller is still admitted: its API key or its session may have ended."""
    gatekeeper = services.gatekeeper
    key = g.get("api_key")
    if key is not None:
        return lambda: gatekeeper.keys.still_holds(key)
    if g.is_bridge or g.is_service or gatekeeper.is_open:
        return lambda: True
    session: Session = current_user.session
    return lambda: gatekeeper.sessions.holds(session)
