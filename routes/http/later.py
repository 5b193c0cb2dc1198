"""Wait for a change of the desk: without a thread behind the front, else in this one."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Request, request

from routes.http.errors import Paused
from routes.http.replies import app_services
from serving.later import KEY, Later, Pause


def later_of(current: Request) -> Later | None:
    """Return what the front has left with the request, None without a front."""
    later: Later | None = current.environ.get(KEY)
    return later


def seconds_left(wanted: float) -> float:
    """Return how long this request may still wait, of the seconds that its caller asked for."""
    later = later_of(request)
    return wanted if later is None else later.seconds_left(wanted)


def wait_for(is_over: Callable[[], bool], seconds: float, place: str) -> None:
    """Wait until ``is_over``, at most so long. Raises `Paused` behind the front: the view begins anew afterwards."""
    later = later_of(request)
    if later is None:
        app_services().manager.wait_until(lambda _: is_over(), seconds)
        return
    later.pause = Pause(is_over, later.deadline or time.monotonic() + seconds, place)
    raise Paused
