"""What the set-up page shows of the advisor, the program that computes and explains."""

from __future__ import annotations

from flask import Response

from routes.http.describing import answers
from routes.http.replies import app_services, fresh, reply
from routes.operator import operator_calls
from wire.advisor_answer import AdvisorAnswer

advisor_watch = operator_calls("advisor_watch", __name__)


@advisor_watch.get("/api/advisor")
@answers(AdvisorAnswer)
def show_advisor() -> Response:
    """Return whether the advisor's two ports answer, and what each says; asked at most every 2 s, waited for 0.3 s."""
    return fresh(reply(app_services().advisor_watch.look()))
