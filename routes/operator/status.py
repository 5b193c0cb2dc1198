"""What the status page shows: the programs of the desk, as web hears of them."""

from __future__ import annotations

from flask import Response, request

from routes.http.describing import answers
from routes.http.replies import app_services, fresh, reply
from routes.operator import operator_calls
from services.ops.programs import Heard, status_of
from wire.status_answer import StatusAnswer

status = operator_calls("status", __name__)


@status.get("/api/status")
@answers(StatusAnswer)
def show_status() -> Response:
    """Return how web, bridge, feeds, advisor and tape are: ports, ages, versions.

    Feeds and the advisor are asked at most every 2 s and waited for 0.3 s each; the bridge and the tape call web, and
    are known by their last call.
    """
    services = app_services()
    feeds, advisor = services.feeds.look(), services.advisor_watch.look()
    heard = Heard(
        snapshot=services.manager.snapshot,
        programs=services.programs,
        feeds=feeds,
        advisor=advisor,
        port=int(request.environ["SERVER_PORT"]),
        now=services.manager.now,
    )
    return fresh(reply(status_of(heard)))
