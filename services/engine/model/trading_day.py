"""The trading day: which day an instant belongs to, when the day ends, and its drawdown (SPEC 2, 5.6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.engine.model.state import Desk
from wire.types import Instant

NEW_YORK = ZoneInfo("America/New_York")
SATURDAY = 5
CME_ROLL = "18:00"
WARNING_MARKS = (50, 70, 85)  # percent of the daily stop


def trading_day_of(now: Instant, roll: str) -> date:
    """Return the trading day that ``now`` belongs to; the weekend belongs to Monday.

    ``roll`` is New York wall-clock time. A roll at noon or later begins the trading day of the next date (CME rolls at
    18:00); a roll before noon begins the trading day of the same date.
    """
    local = now.astimezone(NEW_YORK)
    rolls_at = time.fromisoformat(roll)
    day = local.date()
    if rolls_at.hour >= 12 and local.time() >= rolls_at:
        day += timedelta(days=1)
    elif rolls_at.hour < 12 and local.time() < rolls_at:
        day -= timedelta(days=1)
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() >= SATURDAY else day


def trade_date(now: Instant) -> date:
    """Return the CME trade date of ``now``, whatever the desk's own day is: contracts roll by it."""
    return trading_day_of(now, CME_ROLL)


@lru_cache(maxsize=64)
def day_end(trading_day: date, roll: str) -> Instant:
    """Return the instant at which the trading day ends and the next one begins."""
    rolls_at = time.fromisoformat(roll)
    last_date = trading_day if rolls_at.hour >= 12 else trading_day + timedelta(days=1)
    return datetime.combine(last_date, rolls_at, NEW_YORK).astimezone(UTC)


def drawdown_pct(desk: Desk) -> Decimal | None:
    """Return the day's loss in percent of start equity, negative for a gain, None while unknown."""
    start = desk.day.start_equity
    equity = desk.live.equity
    if start is None or equity is None:
        return None
    return (start - equity) / start * 100
