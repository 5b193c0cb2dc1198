"""The desk whose markets always trade: tests of LIVE run at any hour, and on weekends (SPEC 4, gate ``window``).

``gunicorn tests.support.open_market_desk:app``. Only the hours of the markets are another calendar's.
"""

from __future__ import annotations

from typing import Any

from app import served
from services.engine.model.window import SessionHours
from tests.support.builders import always_open
from wire.types import Instant

TOLD: dict[str, SessionHours] = {}


def sessions(asset: str, now: Instant) -> tuple[SessionHours, ...]:
    """Return one session that has long begun and ends in ten years, always the same one."""
    return (TOLD.setdefault(asset, always_open([asset], now)[asset][0]),)


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = application = served(sessions)
    return application
