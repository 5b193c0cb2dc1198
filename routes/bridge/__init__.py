"""The bridge's calls. BRIDGE_HEARTBEAT_SECRET opens them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, request

from routes.http.errors import InvalidRequest
from routes.http.guards import GuardedCalls
from routes.http.replies import app_services
from services.engine.model.bridge_commands import NoteUnreadable
from services.ops.logs import blackout

Returned = TypeVar("Returned")
LONGEST_PATH = 120
LONGEST_ID = 64


def bridge_calls(name: str, import_name: str) -> Blueprint:
    """Make a blueprint whose views are guarded as ``bridge``, unless one declares another guard."""
    return GuardedCalls(name, import_name, "bridge")


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
