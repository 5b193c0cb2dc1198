"""The bridge's calls. BRIDGE_HEARTBEAT_SECRET opens them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, Response, request

from routes.http.errors import InvalidRequest
from routes.http.guards import GuardedCalls
from routes.http.replies import app_services
from services.engine.model.bridge_commands import NoteUnreadable
from services.engine.rules.owner_fence import is_fenced_out
from services.ops.logs import blackout
from wire.bridge import BRIDGE_TIME_HEADER, DESK_TIME_HEADER

Returned = TypeVar("Returned")
LONGEST_PATH = 120
LONGEST_ID = 64


def bridge_calls(name: str, import_name: str) -> Blueprint:
    """Make a blueprint whose views are guarded as ``bridge``, unless one declares another guard."""
    calls = GuardedCalls(name, import_name, "bridge")
    calls.after_request(_tell_time)
    return calls


def _tell_time(response: Response) -> Response:
    """Tell the desk's time with every answer: a bridge judges the age of an order by it (SPEC 5.8)."""
    response.headers[DESK_TIME_HEADER] = app_services().manager.now.isoformat()
    return response


def compare_clocks(instance: str | None, as_of: datetime | None = None) -> None:
    """Compare the bridge's clock with the desk's: by the header that tells it, else by the time of its data.

    The clock of a second process that may not claim says nothing of the one that does (SPEC 8.2).
    """
    services = app_services()
    if is_fenced_out(services.manager.snapshot.desk, instance, services.manager.now):
        return
    told = _moment(request.headers.get(BRIDGE_TIME_HEADER, ""))
    note = None
    if told is not None:
        note = services.clock_watch.hear_clock(told, services.manager.now)
    elif as_of is not None:
        note = services.clock_watch.hear_data(as_of, services.manager.now)
    if note is not None:
        services.manager.note_clock(note)


def _moment(text: str) -> datetime | None:
    """Read a time with its zone, None when it is none."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    return told if told.tzinfo is not None else None


def alerts_unreadable(*, tells_fills: bool = False) -> Callable[[Callable[..., Returned]], Callable[..., Returned]]:
    """Raise an alert on the desk when the body cannot be read; the answer stays 400. It stands above ``accepts``."""

    def decorate(view: Callable[..., Returned]) -> Callable[..., Returned]:
        @wraps(view)
        def note_first(*args: Any, **kwargs: Any) -> Returned:
            try:
                return view(*args, **kwargs)
            except InvalidRequest as error:
                order_id = kwargs.get("order_id")
                path = blackout.masked(request.path)[:LONGEST_PATH]
                named = order_id and blackout.masked(order_id)[:LONGEST_ID]
                note = NoteUnreadable(path, blackout.masked(str(error)), tells_fills, named)
                app_services().manager.submit(note)
                raise

        return note_first

    return decorate
