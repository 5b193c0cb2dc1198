"""Events of the window: hours and news noted, the lockout, the time to be flat (SPEC 5.9)."""

from __future__ import annotations

from services.engine.model.event import Event
from services.engine.model.window import LockoutUntil
from wire.types import Instant


class SessionsNoted(Event, frozen=True, tag="SessionsNoted"):
    """Hours of markets or news times changed. ``news`` counts those to come."""

    assets: tuple[str, ...]
    news: int = 0
    news_fault: str | None = None


class LockedOut(Event, frozen=True, tag="LockedOut"):
    """The operator locked entries until ``ends_at``."""

    until: LockoutUntil
    ends_at: Instant


OfTheWindow = SessionsNoted | LockedOut
