"""``FLAT_BY``: the time from which nothing is held until the session closes (SPEC 5.9). All functions are pure."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from services.engine.model.state import Desk
from services.engine.model.trading_day import day_end, last_before
from services.engine.rules.session import session_of
from wire.types import Instant

BEFORE_AN_EARLY_CLOSE = timedelta(minutes=5)
WARNED_BEFORE = timedelta(minutes=5)


class FlatTime(Struct, frozen=True):
    """When the asset must be flat, and until when no entry passes."""

    begins: Instant
    ends: Instant

    def holds(self, now: Instant) -> bool:
        return self.begins <= now < self.ends


def flat_time_of(desk: Desk, symbol: str, now: Instant) -> FlatTime | None:
    """Return the flat time of the asset's running or next session, None while ``FLAT_BY`` is off.

    A session that closes before that time of day is left 5 min before its close. Where no session is known, the
    trading day's end takes the place of its close.
    """
    clock = desk.rules.flat_by
    if clock is None or desk.generation < 5:
        return None
    session = session_of(desk, symbol, now)
    if session is None:
        ends = day_end(desk.day.trading_day, desk.rules.day_roll)
        return FlatTime(last_before(ends, clock), ends)
    begins = last_before(session.closes, clock)
    if begins < session.opens:
        begins = session.closes - BEFORE_AN_EARLY_CLOSE
    return FlatTime(begins, session.closes)


def must_be_flat(desk: Desk, symbol: str, now: Instant) -> bool:
    """Return whether the asset's flat time runs now."""
    flat_time = flat_time_of(desk, symbol, now)
    return flat_time is not None and flat_time.holds(now)


def next_flat_time(desk: Desk, now: Instant) -> FlatTime | None:
    """Return the flat time of all assets that runs or comes first, None while there is none."""
    times = [flat_time_of(desk, symbol, now) for symbol in desk.assets]
    to_come = [one for one in times if one is not None and now < one.ends]
    return min(to_come, key=lambda one: one.begins, default=None)
