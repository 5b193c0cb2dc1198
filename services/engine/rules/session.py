"""The session of an asset's market, by the facts that the desk was told (SPEC 4, 5.9). All functions are pure."""

from __future__ import annotations

from datetime import timedelta

from services.engine.model.state import Desk
from services.engine.model.trading_day import next_day_start, next_week_start
from services.engine.model.window import LockoutUntil, SessionHours
from wire.types import Instant

OPEN_FOR = timedelta(hours=1)
"""A lockout to the end of the session ends at a close before which the market was open so long."""
AHEAD = timedelta(hours=8)
"""What is decided under stress holds over a night: a lockout or a looser setting ends or begins no sooner."""


def session_of(desk: Desk, symbol: str, now: Instant) -> SessionHours | None:
    """Return the running session, else the next one; None while nobody has told either."""
    return next((hours for hours in desk.facts.sessions.get(symbol, ()) if now < hours.closes), None)


def is_open(hours: SessionHours, now: Instant) -> bool:
    return hours.opens <= now < hours.closes


def lockout_end(desk: Desk, until: LockoutUntil, now: Instant) -> Instant:
    """Return when a lockout that begins now ends (SPEC 5.9).

    ``session``: the next close at which the market will have been open for an hour, of several markets the last one;
    where no session is known, as ``day``. ``day``: the next trading day that is 8 h away. ``week``: Sunday's open, the
    one after where it is less than 8 h away.
    """
    roll = desk.rules.day_roll
    if until == "week":
        return next_week_start(now, roll, AHEAD)
    next_day = next_day_start(now, roll, AHEAD)
    if until == "day":
        return next_day
    closes = [_close_after_an_hour(desk, symbol, now) for symbol in desk.assets]
    known = [close for close in closes if close is not None]
    return max(known) if closes and len(known) == len(closes) else next_day


def _close_after_an_hour(desk: Desk, symbol: str, now: Instant) -> Instant | None:
    sessions = desk.facts.sessions.get(symbol, ())
    return next((hours.closes for hours in sessions if hours.closes - max(hours.opens, now) >= OPEN_FOR), None)
