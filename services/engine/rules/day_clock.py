"""Times of day as settings hold them: ``15:55``, and hours such as ``09:30-11:30,14:00-16:00`` (SPEC 5.9).

All are New York time. Hours may pass midnight; ``none`` are no hours at all.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache

from services.engine.model.trading_day import minute_of_day
from wire.types import Instant

CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
DAY_MINUTES = 24 * 60
OPENS_AT = 18 * 60  # minutes of the New York day at which CME opens
NO_HOURS = "none"
SKIPPED = range(60, 180)
"""Minutes of the day that daylight saving time skips or repeats: no time of day may lie in them."""


def clock_fault(text: str) -> str | None:
    """Return what is wrong with a time of day, None when it is right."""
    minute = _minute(text)
    if minute is None:
        return "it must be a New York time such as 15:55"
    return "it must not lie between 01:00 and 03:00" if minute in SKIPPED else None


def hours_fault(text: str) -> str | None:
    """Return what is wrong with hours of a day, None when they are right."""
    if text == NO_HOURS:
        return None
    for part in text.split(","):
        ends = [_minute(end.strip()) for end in part.split("-")]
        if len(ends) != 2 or None in ends or ends[0] == ends[1]:
            return "it must be New York hours such as 09:30-16:00, comma between several"
    return None


@lru_cache(maxsize=64)
def minutes_of(hours: str) -> frozenset[int]:
    """Return the minutes of the day that lie within the hours. Raises ValueError for what is no hours."""
    if hours_fault(hours) is not None:
        raise ValueError(f"{hours!r} was no hours of a day")
    minutes: set[int] = set()
    for part in hours.split(",") if hours != NO_HOURS else ():
        begins, ends = (_minute(end.strip()) or 0 for end in part.split("-"))
        length = (ends - begins) % DAY_MINUTES
        minutes.update((begins + more) % DAY_MINUTES for more in range(length))
    return frozenset(minutes)


@lru_cache(maxsize=64)
def common_hours(one: str, other: str) -> str:
    """Return the hours that lie within both."""
    if minutes_of(one) <= minutes_of(other):
        return one
    return other if minutes_of(other) <= minutes_of(one) else _hours(minutes_of(one) & minutes_of(other))


def earlier_clock(one: str, other: str) -> str:
    """Return the time of day that comes first after the open of CME's day, 18:00 New York, wherever the desk's begins.

    To be flat by 18:00 or soon after is to be flat all day.
    """
    return min(one, other, key=lambda clock: ((_minute(clock) or 0) - OPENS_AT) % DAY_MINUTES)


@lru_cache(maxsize=1024)
def opens_within(hours: str, minute: Instant) -> Instant | None:
    """Return the first minute from ``minute`` on that lies within the hours, None when there are no hours."""
    inside = minutes_of(hours)
    steps = (minute + timedelta(minutes=more) for more in range(DAY_MINUTES + len(SKIPPED)))
    return next((step for step in steps if minute_of_day(step) in inside), None)


def _minute(text: str) -> int | None:
    shown = CLOCK.fullmatch(text)
    return None if shown is None else int(shown[1]) * 60 + int(shown[2])


def _hours(minutes: frozenset[int]) -> str:
    """Write minutes of the day as hours. What passes midnight is written as one part."""
    begins = sorted(minute for minute in minutes if (minute - 1) % DAY_MINUTES not in minutes)
    parts = []
    for begin in begins:
        end = begin
        while end % DAY_MINUTES in minutes:
            end += 1
        parts.append(f"{_clock(begin)}-{_clock(end)}")
    return ",".join(parts) or NO_HOURS


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"
