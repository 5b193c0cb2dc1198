"""What routes share: the application's services, and the answers to decided commands."""

from __future__ import annotations

import threading
from typing import cast

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
from services.live.bridge_callers import BridgeCallers
from services.live.broadcast import Broadcaster
from services.live.clock_watch import ClockWatch
from services.live.programs_heard import ProgramsHeard
from services.live.stream_places import StreamPlaces
from services.live.ticks import TickBook
from services.notifications.delivery import NoticeCounter
from services.ops.advisor_calls import AdvisorCalls
from services.ops.advisor_watch import AdvisorWatch
from services.ops.config import Config
from services.ops.feeds_candles import FeedsCandles
from services.ops.feeds_watch import FeedsWatch
from services.ops.metrics import Metrics
from services.ops.what_if_days import WhatIfDays
from services.views.asset_view import asset_view
from services.views.event_rows import EventViews
from services.views.state_view import state_document
from wire.answers import AssetAnswer, VersionAnswer
from wire.asset import AssetState
from wire.state import StateDocument


class AppServices(Struct, frozen=True):
    """The services that ``create_app`` built."""

    config: Config
    manager: StateManager
    broadcaster: Broadcaster
    activity: ActivityLog
    gatekeeper: Gatekeeper
    stopping: threading.Event
    metrics: Metrics
    bricks: BrickStore
    notice_counter: NoticeCounter
    event_views: EventViews
    bridge_callers: BridgeCallers
    clock_watch: ClockWatch
    stream_places: StreamPlaces
    programs: ProgramsHeard
    ticks: TickBook
    feeds: FeedsWatch
    candles: FeedsCandles
    advisor: AdvisorCalls
    advisor_watch: AdvisorWatch
    what_if: WhatIfDays

    def is_stopping(self) -> bool:
        """Return whether the process is about to stop, so that long waits end early."""
        return self.stopping.is_set()

    def end_streams(self) -> None:
        """End streams and long waits, so that the process can stop at once."""
        self.stopping.set()
        self.manager.wake()
        self.broadcaster.stop()
        self.advisor.stop()
        self.what_if.stop()

    def note_bridge(self, kind: str, text: str, outcome: Outcome, *, merge: bool = False) -> None:
        """Add a bridge's message to the activity log, unless it is journaled: the commit adds those."""
        if outcome.is_journaled:
            return
        now = self.manager.now
        answered = outcome.answer
        if isinstance(answered, Refusal):
            line = refused_line(now, kind, text, explanation_of(answered))
        else:
            line = LogLine(now, kind, None, text, "duplicate" if getattr(answered, "duplicate", False) else "ok")
        self.activity.note("rithmic", line, merge=merge)


def app_services() -> AppServices:
    return cast(AppServices, current_app.extensions["lockstep"])


def whole_state() -> StateDocument:
    """Return the state document as of now."""
    services = app_services()
    return state_document(services.manager.snapshot, services.activity.as_document(), services.manager.now)


def answer_with_asset(outcome: Outcome, symbol: str) -> Response:
    """Answer a command that changed an asset: with the refusal, or with the asset's part of the state."""
    if isinstance(outcome.answer, Refusal):
        return refused(outcome.answer, app_services().manager)
    return reply(AssetAnswer(version=outcome.version, asset=asset_part(outcome, symbol)))


def asset_part(outcome: Outcome, symbol: str) -> AssetState:
    """Return the asset's part of the state after the command."""
    return asset_view(outcome.desk, outcome.desk.assets[symbol], app_services().manager.now)


def answer(outcome: Outcome, body: VersionAnswer) -> Response:
    """Answer a command with its refusal, or with ``body``."""
    return refused(outcome.answer, app_services().manager) if isinstance(outcome.answer, Refusal) else reply(body)


def reply(body: Struct, status: int = 200) -> Response:
    """Answer with ``body``."""
    response = jsonify(body)
    response.status_code = status
    return response


def fresh(response: Response) -> Response:
    """Forbid browsers and proxies to store the answer."""
    response.headers["Cache-Control"] = "no-store"
    return response
