"""Committed events from the journal: they survive a restart, and writer and standby return the same ids."""

from __future__ import annotations

from typing import Annotated, get_args

from flask import Response
from pydantic import BaseModel, Field

from routes.http.describing import answers
from routes.http.errors import InvalidRequest, error_answer
from routes.http.guards import guarded_by
from routes.http.later import remembered, seconds_left, wait_for
from routes.http.parsing import AskedNumber, ExactMoment, asks
from routes.http.replies import app_services, fresh, reply
from routes.readers import reader_calls
from services.engine.model.events import AnyEvent
from services.stores.codec.committed_events import IDS_OF_A_ROW
from services.views.event_page import EventPage, NotInJournal, events_after, id_before
from wire import events as wire

events = reader_calls("events", __name__)

LONGEST_WAIT_SECONDS = 25
HIGHEST_ID = 2**63 - 1
EVENT_TYPES = frozenset(kind.kind_name() for kind in get_args(AnyEvent))


class EventsQuery(BaseModel):
    """The id after which to begin, the most events to return, and the seconds to wait for the first."""

    since_id: Annotated[AskedNumber, Field(ge=0, le=HIGHEST_ID)] = 0
    since_ts: ExactMoment | None = Field(default=None, description="begin with the events of this time, not with an id")
    types: str = Field(default="", pattern=r"^[A-Za-z,]*$", description="only these types, separated by commas")
    limit: Annotated[AskedNumber, Field(ge=1, le=1000)] = 500
    wait: Annotated[AskedNumber, Field(ge=0, le=LONGEST_WAIT_SECONDS)] = 0


@events.get("/api/events")
@guarded_by("events_reader")
@answers(wire.EventsAnswer, errors=(410, 503))
@asks(EventsQuery)
def show_events(query: EventsQuery) -> Response:
    """Return committed events after `since_id`, oldest first; the stream's `event` messages have the same bodies.

    With `wait` the answer comes as soon as there is one. When the requested events were pruned, or `since_id` is of
    another journal, the answer is 410, and `oldest` is the first id there is: `since_id=oldest-1` begins with it.
    """
    try:
        page = _page(query)
    except NotInJournal as error:
        return error_answer(str(error), 410, "events_gone", facts={"oldest": error.oldest}, oldest=error.oldest)
    return fresh(reply(wire.EventsAnswer(events=tuple(page.events), next=page.next)))


def _types_in(text: str) -> frozenset[str]:
    """Read the names of event types; a misspelled one is refused, since it would silently answer nothing."""
    types = frozenset(name for name in text.split(",") if name)
    unknown = sorted(types - EVENT_TYPES)
    if unknown:
        raise InvalidRequest("types", f"was {unknown[0]!r:.60}, it must be a type of event")
    return types


def _page(query: EventsQuery) -> EventPage:
    """Read a page. When it is empty, wait for an event as long as the caller asked: the view is then called again."""
    services = app_services()
    manager = services.manager
    since = query.since_id if query.since_ts is None else id_before(manager.store, query.since_ts)
    page = _read(query, remembered(since))
    left = seconds_left(query.wait)
    if not page.events and left > 0 and not services.is_stopping():
        read_until = page.next // IDS_OF_A_ROW
        wait_for(
            lambda: manager.snapshot.desk.sequence > read_until or services.is_stopping(), left, "events", page.next
        )
    return page


def _read(query: EventsQuery, since_id: int) -> EventPage:
    services = app_services()
    types = _types_in(query.types)
    return events_after(services.manager.store, services.event_views, since_id, query.limit, types)
