"""Committed events, from the journal: durable, numbered, the same from writer and standby."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Annotated

from flask import Response, jsonify
from pydantic import BaseModel, Field

from routes.http.describing import answers
from routes.http.errors import said
from routes.http.parsing import AskedNumber, ExactMoment, asks
from routes.http.replies import app_services
from routes.readers import reader_calls
from services.desk.publication import Snapshot
from services.stores.codec.committed_events import IDS_OF_A_ROW
from services.views.event_page import EventPage, Pruned, events_after, id_before
from wire import events as wire

events = reader_calls("events", __name__)

LONGEST_WAIT_SECONDS = 25
WAITING_AT_MOST = 8  # threads that long-polls may hold; one more caller is answered at once
HIGHEST_ID = 2**63 - 1
waiting_places = threading.BoundedSemaphore(WAITING_AT_MOST)


class EventsQuery(BaseModel):
    """Behind which event, how many at most, and how many seconds to wait for the first."""

    since_id: Annotated[AskedNumber, Field(ge=0, le=HIGHEST_ID)] = 0
    since_ts: ExactMoment | None = Field(default=None, description="begin with the events of this time, not with an id")
    types: str = Field(default="", max_length=500, description="only these types, separated by commas")
    limit: Annotated[AskedNumber, Field(ge=1, le=1000)] = 500
    wait: Annotated[AskedNumber, Field(ge=0, le=LONGEST_WAIT_SECONDS)] = 0


@events.get("/api/events")
@answers(wire.EventsAnswer, errors=(410, 503))
@asks(EventsQuery)
def show_events(query: EventsQuery) -> Response:
    """Return committed events behind `since_id`, oldest first; the stream's `event` messages have the same bodies.

    With `wait` the answer comes the moment there is one. Below the pruned part of the journal it is 410, and `oldest`
    is the first id that is still there: `since_id=oldest-1` begins with it.
    """
    try:
        page = _page(query)
    except Pruned as error:
        return said(str(error), 410, oldest=error.oldest)
    response = jsonify(wire.EventsAnswer(events=page.events, next=page.next))
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(query: EventsQuery) -> EventPage:
    """Read a page; wait for one when there is nothing and the caller would wait."""
    store = app_services().manager.store
    since = query.since_id if query.since_ts is None else id_before(store, query.since_ts)
    page = _read(query, since)
    if page.events or not query.wait or not waiting_places.acquire(blocking=False):
        return page
    try:
        return _wait_for(query, page)
    finally:
        waiting_places.release()


def _wait_for(query: EventsQuery, page: EventPage) -> EventPage:
    parts, deadline = app_services(), time.monotonic() + query.wait
    while not page.events and not parts.is_stopping() and (left := deadline - time.monotonic()) > 0:
        parts.manager.wait_until(_has_more_than(page.next // IDS_OF_A_ROW, parts.is_stopping), left)
        page = _read(query, page.next)
    return page


def _has_more_than(sequence: int, is_stopping: Callable[[], bool]) -> Callable[[Snapshot], bool]:
    """Return the question whether a row behind this one is committed, or the process is about to go."""
    return lambda snapshot: snapshot.desk.sequence > sequence or is_stopping()


def _read(query: EventsQuery, since_id: int) -> EventPage:
    parts = app_services()
    types = frozenset(name for name in query.types.split(",") if name)
    committed = parts.manager.snapshot.desk.sequence
    return events_after(parts.manager.store, parts.event_views, since_id, query.limit, committed, types)
