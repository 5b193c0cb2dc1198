"""Health checks for a supervisor or load balancer: is the process alive, and is it ready."""

from __future__ import annotations

from typing import Literal

from flask import Blueprint, Response
from pydantic import BaseModel, Field

from routes.http.describing import answers
from routes.http.errors import Busy
from routes.http.guards import guarded_by
from routes.http.parsing import asks
from routes.http.replies import app_services, fresh, reply
from wire.answers import OkAnswer, ReadyAnswer

health = Blueprint("health", __name__)

ASK_AGAIN_SECONDS = 2


class ReadyQuery(BaseModel):
    """The role that the process must have to count as ready."""

    role: Literal["writer"] | None = Field(None, description="be ready as the writer only")


@health.get("/healthz")
@guarded_by("public")
@answers(OkAnswer, errors=(503,))
def show_health() -> Response:
    """Return that the process is alive and its writer moves; else it should be restarted."""
    if app_services().manager.is_frozen and not app_services().is_stopping():
        raise Busy("the writer does not move", ASK_AGAIN_SECONDS, "frozen")
    return fresh(reply(OkAnswer()))


@health.get("/readyz")
@guarded_by("public")
@answers(ReadyAnswer, errors=(503,))
@asks(ReadyQuery)
def show_readiness(query: ReadyQuery) -> Response:
    """Return whether requests can be served: the store answers, and the process is not about to stop.

    With `role=writer` a standby is not ready, so that a load balancer finds the one process that trades.
    """
    snapshot = app_services().manager.snapshot
    if app_services().is_stopping():
        raise Busy("this process is about to end", ASK_AGAIN_SECONDS, "stopping")
    if snapshot.store != "up":
        raise Busy("the store does not answer", ASK_AGAIN_SECONDS, "store_down")
    if query.role == "writer" and snapshot.role != "writer":
        raise Busy("this process is the standby", ASK_AGAIN_SECONDS, "standby")
    return fresh(reply(ReadyAnswer(role=snapshot.role, store="up")))
