"""The desk whose markets always trade: tests of LIVE run at any hour, and on weekends (SPEC 4, gate ``window``).

``gunicorn tests.support.open_market_desk:app``. Only the hours of the markets are another calendar's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app import served
from services.engine.model.trading_day import last_before
from services.engine.model.window import SessionHours
from wire.types import Instant

ROLL = "18:00"


def sessions(asset: str, now: Instant) -> tuple[SessionHours, ...]:
    """Return sessions of a day, from 18:00 to 18:00 in New York: the one ends where the next begins."""
    opens = last_before(now + timedelta(microseconds=1), ROLL)
    closes = _next(opens)
    return SessionHours(opens, closes), SessionHours(closes, _next(closes))


def _next(roll: Instant) -> Instant:
    return last_before(roll + timedelta(hours=30), ROLL)


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = application = served(sessions)
    return application
