"""The trading day: which day an instant belongs to, when the day ends, and its drawdown (SPEC 2, 5.6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.engine.model.state import Desk
from wire.types import Instant

NEW_YORK = ZoneInfo("America/New_York")
FRIDAY = 4
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


# -- weeks, and the market's own begin of a day ------------------------------------------------------------------


def day_start(trading_day: date, roll: str) -> Instant:
    """Return the instant at which the market begins a trading day: Monday begins on Sunday, not on Friday evening."""
    rolls_at = time.fromisoformat(roll)
    first = trading_day - timedelta(days=1) if rolls_at.hour >= 12 else trading_day
    return datetime.combine(first, rolls_at, NEW_YORK).astimezone(UTC)


def next_day_start(now: Instant, roll: str, ahead: timedelta) -> Instant:
    """Return the begin of the first trading day that is at least ``ahead`` away."""
    day = trading_day_of(now + ahead, roll)
    while day_start(day, roll) < now + ahead:
        day += timedelta(days=1 if day.weekday() < FRIDAY else 3)
    return day_start(day, roll)


def week_start(now: Instant, roll: str) -> Instant:
    """Return when the week of ``now`` began: at Sunday's roll. What comes after Friday's roll is still its week."""
    day = trading_day_of(now, roll)
    monday = day - timedelta(days=day.weekday())
    begins = day_start(monday, roll)
    return begins if begins <= now else day_start(monday - timedelta(days=7), roll)


def next_week_start(now: Instant, roll: str, ahead: timedelta) -> Instant:
    """Return the begin of the first week that is at least ``ahead`` away."""
    later = now + ahead
    begins = week_start(later, roll)
    if begins == later:
        return begins
    day = trading_day_of(begins, roll)
    return day_start(day + timedelta(days=7), roll)


def last_before(ends_at: Instant, clock: str) -> Instant:
    """Return the last instant before ``ends_at`` at which New York's clocks showed ``clock``, such as ``15:55``."""
    local = ends_at.astimezone(NEW_YORK)
    shown = datetime.combine(local.date(), time.fromisoformat(clock), NEW_YORK)
    if shown >= local:
        shown = datetime.combine(local.date() - timedelta(days=1), time.fromisoformat(clock), NEW_YORK)
    return shown.astimezone(UTC)


def minute_of_day(now: Instant) -> int:
    """Return the minutes since midnight on New York's clocks."""
    local = now.astimezone(NEW_YORK)
    return local.hour * 60 + local.minute
