"""Note which program of ours has called, by its ``User-Agent``; asked after the guard, so that no stranger is noted."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, request

from routes.http.guards import Guard, guard_of
from services.live.programs_heard import OURS, ProgramsHeard
from wire.types import Instant

OF_PROGRAMS: frozenset[Guard] = frozenset({"bridge", "tradingview"})


def install(app: Flask, heard: ProgramsHeard, now: Callable[[], Instant]) -> None:
    """Note the programs that call with the bridge's or the webhooks' secret. It must stand behind the guards."""

    @app.before_request
    def note_program() -> None:
        agent = request.headers.get("User-Agent", "")
        if agent.startswith(OURS) and request.url_rule is not None and guard_of(request.endpoint) in OF_PROGRAMS:
            heard.hear(agent, now())
