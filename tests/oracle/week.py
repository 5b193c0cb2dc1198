"""Days, weeks and sessions on New York's clocks, and what the week has made (SPEC 2, 5.8, 5.9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from tests.oracle.model import Oracle

NEW_YORK = ZoneInfo("America/New_York")
ROLL, CLOSE = time(18), time(17)
ONE_DAY, EIGHT_HOURS = timedelta(days=1), timedelta(hours=8)
SUNDAY, FRIDAY, SATURDAY = 6, 4, 5


def new_york(on: date, at: time) -> datetime:
    return datetime.combine(on, at, NEW_YORK)


def is_at_or_after(one: datetime, other: datetime) -> bool:
    """Compare instants, not clocks: on the night of the change two of them show the same time."""
    return one.timestamp() >= other.timestamp()


def trading_day(now: datetime) -> date:
    """18:00 New York begins the next date's day; the weekend belongs to Monday."""
    moved = now.astimezone(NEW_YORK).replace(tzinfo=None) + timedelta(hours=6)
    return (moved + timedelta(days={SATURDAY: 2, SUNDAY: 1}.get(moved.weekday(), 0))).date()


def begins_of_days(now: datetime) -> Iterator[datetime]:
    """The begins of trading days from yesterday on: at 18:00 from Sunday to Thursday."""
    on = now.astimezone(NEW_YORK).date() - ONE_DAY
    while True:
        if on.weekday() not in (FRIDAY, SATURDAY):
            yield new_york(on, ROLL)
        on += ONE_DAY


def next_day(now: datetime) -> datetime:
    """When the first trading day begins that is at least 8 h away."""
    return next(at for at in begins_of_days(now) if is_at_or_after(at, now + EIGHT_HOURS))


def next_week(now: datetime) -> datetime:
    """Sunday's open, the one after where it is less than 8 h away."""
    sundays = (at for at in begins_of_days(now) if at.weekday() == SUNDAY)
    return next(at for at in sundays if is_at_or_after(at, now + EIGHT_HOURS))


def week_of(now: datetime) -> datetime:
    """When the week of ``now`` began."""
    on = now.astimezone(NEW_YORK).date()
    while on.weekday() != SUNDAY or not is_at_or_after(now, new_york(on, ROLL)):
        on -= ONE_DAY
    return new_york(on, ROLL)


def session(now: datetime) -> tuple[datetime, datetime]:
    """The running session or the next one: from 18:00 to 17:00 of the next date, Sunday to Friday."""
    for opens in begins_of_days(now):
        closes = new_york(opens.date() + ONE_DAY, CLOSE)
        if not is_at_or_after(now, closes):
            return opens, closes
    raise AssertionError("days have no end")


def minute_of(now: datetime) -> int:
    local = now.astimezone(NEW_YORK)
    return local.hour * 60 + local.minute


def minutes(hours: str | None) -> frozenset[int] | None:
    """``09:30-11:30,14:00-16:00`` as minutes of the day; None is any time, ``none`` is no time."""
    if hours is None:
        return None
    found: set[int] = set()
    for part in hours.split(",") if hours != "none" else ():
        first, last = (int(end[:2]) * 60 + int(end[3:]) for end in part.split("-"))
        found |= {(first + more) % 1440 for more in range((last - first) % 1440)}
    return frozenset(found)


# -- what the week has made ----------------------------------------------------------------------------------------


def week_result(oracle: Oracle) -> Decimal:
    """Net results of the week's closed trades, and what the open ones show."""
    return oracle.week.closed + oracle.open_result


def left_of_week(oracle: Oracle) -> Decimal | None:
    """What the week may still lose, None without a limit."""
    usd, pct = oracle.rules["weekly_loss_usd"], oracle.rules["weekly_loss_pct"]
    start = oracle.start if oracle.week.start is None else oracle.week.start
    limits = [limit for limit in (usd, None if pct is None else start * pct / 100) if limit is not None]
    return min(limits) + week_result(oracle) if limits else None
