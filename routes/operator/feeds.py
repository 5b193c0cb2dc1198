"""What the set-up page shows of feeds, the program that tells others what the desk knows."""

from __future__ import annotations

from flask import Response

from routes.http.describing import answers
from routes.http.replies import app_services, fresh, reply
from routes.operator import operator_calls
from wire.feeds_answer import FeedsAnswer

feeds = operator_calls("feeds", __name__)


@feeds.get("/api/feeds")
@answers(FeedsAnswer)
def show_feeds() -> Response:
    """Return whether feeds answers, its ports and who is connected; asked at most every 2 s, waited for 0.3 s."""
    return fresh(reply(app_services().feeds.look()))
