"""What the house gives its routes: the desk's parts, and how a decided command is answered."""

from __future__ import annotations

import threading
from typing import Any, cast

from flask import Response, current_app, jsonify
from msgspec import Struct

from routes.http.errors import refused
from services.access.gatekeeper import Gatekeeper
from services.desk.commit_batch import Outcome
from services.desk.manager import StateManager
from services.engine.model.replies import Refusal
from services.engine.rules.refusals import explanation_of
from services.live.activity import ActivityLog, LogLine, refused_line
from services.live.bricks import BrickStore
from services.live.broadcast import Broadcaster
from services.ops.config import Config
from services.ops.metrics import Metrics
from services.views.asset_view import asset_view
from services.views.state_view import state_document


class AppServices(Struct, frozen=True):
    """The parts that ``create_app`` put together."""

    config: Config
    manager: StateManager
    broadcaster: Broadcaster
    activity: ActivityLog
    gatekeeper: Gatekeeper
    stopping: threading.Event
    metrics: Metrics
    bricks: BrickStore

    def is_stopping(self) -> bool:
        """Tell whether the process is about to go: long waits end early."""
        return self.stopping.is_set()

    def note_bridge(self, kind: str, text: str, outcome: Outcome, *, merge: bool = False) -> None:
        """Write a bridge's message into the log."""
        now, answered = self.manager.now, outcome.answer
        if isinstance(answered, Refusal):
            line = refused_line(now, kind, text, explanation_of(answered))
        else:
            line = LogLine(now, kind, None, text, "duplicate" if getattr(answered, "duplicate", False) else "ok")
        self.activity.note("rithmic", line, merge=merge)


def app_services() -> AppServices:
    return cast(AppServices, current_app.extensions["lockstep"])


def whole_state() -> dict[str, Any]:
    """Return the state document as of now."""
    parts = app_services()
    return state_document(parts.manager.snapshot, parts.activity.as_document(), parts.manager.now)


def answer_with_asset(outcome: Outcome, symbol: str, status: int = 200, **more: Any) -> Response:
    """Answer a command that changed an asset, with that asset's part of the state."""
    return answer(outcome, {**more, "asset": asset_part(outcome, symbol)}, status)


def asset_part(outcome: Outcome, symbol: str) -> dict[str, Any] | None:
    """Return one asset's part of the state as the command left it."""
    asset = outcome.desk.assets.get(symbol)
    return asset_view(outcome.desk, asset, app_services().manager.now) if asset is not None else None


def answer(outcome: Outcome, body: dict[str, Any], status: int = 200) -> Response:
    """Answer a command: the desk's refusal, or ``body`` with the new version."""
    if isinstance(outcome.answer, Refusal):
        return refused(outcome.answer, app_services().manager)
    response = jsonify({"ok": True, **body, "version": outcome.version})
    response.status_code = status
    return response
