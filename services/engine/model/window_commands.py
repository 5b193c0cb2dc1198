"""Commands of the window: the markets' hours and news as facts, and the operator's lockout (SPEC 5.9)."""

from __future__ import annotations

from typing import ClassVar

from services.engine.model.command import Command, Origin
from services.engine.model.window import LockoutUntil, NewsTime, SessionHours


class NoteSessions(Command, frozen=True, tag="NoteSessions"):
    """Take note of the markets' sessions and of the news times; the calendars and the file lie outside the engine."""

    origin: ClassVar[Origin] = "clock"
    sessions: dict[str, tuple[SessionHours, ...]]
    news: tuple[NewsTime, ...] = ()
    news_fault: str | None = None


class LockOut(Command, frozen=True, tag="LockOut"):
    """The operator locks all entries until the end of the session, the next trading day or Sunday's open."""

    origin: ClassVar[Origin] = "operator"
    until: LockoutUntil


OfTheWindow = NoteSessions | LockOut
