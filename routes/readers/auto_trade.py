"""How auto-trade is, as the agent says it: what it decided last, and what its shadow book shows. Web only asks."""

from __future__ import annotations

from flask import Response

from routes.http.describing import answers
from routes.http.guards import GuardedCalls
from routes.readers.asking import asked
from services.ops.beside_call import Question
from wire.auto_trade import AutoStatus

auto_trade = GuardedCalls("auto_trade", __name__, "auto_trade_reader")

STATUS_PATH = "/api/v1/auto-trade/status"


@auto_trade.get("/api/auto-trade/status")
@answers(AutoStatus, errors=(404, 429, 503))
def show_auto_trade() -> Response:
    """Return whether the agent's auto-trade is on, its mode, its last decision, and its results with intervals."""
    return asked("agent", Question(STATUS_PATH), AutoStatus)
