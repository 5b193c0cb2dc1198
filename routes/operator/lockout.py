"""The operator's lockout: no entry until the session's end, the next trading day or Sunday (SPEC 5.9)."""

from __future__ import annotations

from flask import Response
from pydantic import Field

from routes.http.describing import answers
from routes.http.parsing import OperatorBody, accepts
from routes.http.replies import answer, app_services
from routes.operator import operator_calls
from services.engine.model.replies import LockoutTaken
from services.engine.model.window import LockoutUntil
from services.engine.model.window_commands import LockOut
from wire.answers import LockoutAnswer, VersionAnswer

lockout = operator_calls("lockout", __name__)


class LockoutBody(OperatorBody):
    until: LockoutUntil = Field(description="the session's end, the next trading day, or Sunday's open")


@lockout.post("/api/lockout")
@answers(LockoutAnswer)
@accepts(LockoutBody)
def lock_out(body: LockoutBody) -> Response:
    """Lock all entries; exits work. Nothing takes it back, and a second call can only lengthen it."""
    outcome = app_services().manager.submit(LockOut(body.until))
    taken = outcome.answer
    if not isinstance(taken, LockoutTaken):
        return answer(outcome, VersionAnswer(version=outcome.version))
    held = taken.lockout
    locked = LockoutAnswer(version=outcome.version, until=held.until, since=held.since, ends_at=held.ends_at)
    return answer(outcome, locked)
