"""Holidays of CME's energy and metals futures, which keep one table between them, computed for any year.

They trade longer than equity indices on most holidays: until 14:30 New York, on a holiday that falls on a Friday until
13:00. The rules hold since 2022, the hours of the Friday after Thanksgiving since 2024 (before, 13:45). Sources, date
by date: docs/reference/sessions.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from functools import lru_cache

from msgspec.structs import replace

from services.market.holidays import (
    FLOOR_HOLIDAY_CLOSE,
    FRIDAY,
    SHORT_DAY_CLOSE,
    Holiday,
    christmas,
    good_friday,
    independence_day,
    juneteenth,
    monday_holidays,
    new_year,
    on_weekdays,
    thanksgiving,
)

HOLIDAY_CLOSE = time(14, 30)
FRIDAY_HOLIDAY_CLOSE = time(13, 0)  # nothing reopens in the evening: the weekend begins
DAY_AFTER_THANKSGIVING_CLOSE = time(14, 45)
DAY_AFTER_THANKSGIVING_CLOSE_BEFORE_2024 = time(13, 45)
CHRISTMAS_EVE_CLOSE = time(13, 45)


@lru_cache(maxsize=64)
def commodity_holidays_of(year: int) -> dict[date, Holiday]:
    """Return the year's holidays by date, in calendar order. The same dict is shared: do not change it."""
    return on_weekdays(_holidays(year))


def _holidays(year: int) -> Iterator[Holiday]:
    yield from new_year(year)
    yield from (replace(holiday, closes_at=None) for holiday in good_friday(year))  # also when a jobs report is due
    for rule in (monday_holidays, juneteenth, independence_day):
        # the eve of Independence Day is an ordinary day here
        yield from (_floor_holiday(holiday) for holiday in rule(year) if holiday.closes_at == FLOOR_HOLIDAY_CLOSE)
    for holiday in thanksgiving(year):
        yield _day_after_thanksgiving(holiday) if _is_short_day(holiday) else _floor_holiday(holiday)
    for holiday in christmas(year):
        yield replace(holiday, closes_at=CHRISTMAS_EVE_CLOSE) if _is_short_day(holiday) else holiday


def _is_short_day(holiday: Holiday) -> bool:
    return holiday.closes_at == SHORT_DAY_CLOSE


def _floor_holiday(holiday: Holiday) -> Holiday:
    closes_at = FRIDAY_HOLIDAY_CLOSE if holiday.on.weekday() == FRIDAY else HOLIDAY_CLOSE
    return replace(holiday, closes_at=closes_at)


def _day_after_thanksgiving(holiday: Holiday) -> Holiday:
    is_old = holiday.on.year < 2024
    closes_at = DAY_AFTER_THANKSGIVING_CLOSE_BEFORE_2024 if is_old else DAY_AFTER_THANKSGIVING_CLOSE
    return replace(holiday, closes_at=closes_at)
