"""Our calendars against those of pandas_market_calendars, on every day from 2024 to 2028.

The library is right but for the days listed here, each of which is in the table by hand with its source. A day that it
corrects makes the test fail: then its row goes. Its ``CME_Equity`` is stale as a whole (all short days end at 13:00,
and it still knows the pause that ended in June 2021); ``CME Globex Equity`` is the one to ask.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from importlib import import_module

import pytest

from services.market.calendars import CME_ENERGY, CME_EQUITY, CME_METALS, FX, Calendar, Session

FIRST, LAST = date(2024, 1, 1), date(2028, 12, 31)
GOOD_FRIDAYS = (date(2024, 3, 29), date(2025, 4, 18), date(2027, 3, 26), date(2028, 4, 14))
LABOR_DAYS = (date(2024, 9, 2), date(2025, 9, 1), date(2027, 9, 6), date(2028, 9, 4))
BLACK_FRIDAYS = (date(2024, 11, 29), date(2025, 11, 28), date(2027, 11, 26), date(2028, 11, 24))

WRONG_IN_EQUITY = {
    **dict.fromkeys(GOOD_FRIDAYS, "open until 09:15, as if every Good Friday had a jobs report"),
    date(2025, 1, 9): "an ordinary day: the day of mourning is missing",
}
WRONG_IN_COMMODITIES = {
    **dict.fromkeys(LABOR_DAYS, "13:00, the hour of before 2022"),
    **dict.fromkeys(BLACK_FRIDAYS, "13:45, the hour of before 2024"),
    date(2024, 12, 24): "an ordinary day: Christmas Eve is known in 2026 only",
    date(2025, 12, 24): "an ordinary day: Christmas Eve is known in 2026 only",
    date(2025, 7, 4): "14:30: a holiday on a Friday ends at 13:00, which is known in 2026 only",
    date(2027, 6, 18): "14:30: a holiday on a Friday ends at 13:00, which is known in 2026 only",
}
WRONG_IN_FX = {  # it says itself that it knows no holidays
    date(year, month, day): "an ordinary day"
    for year in range(FIRST.year, LAST.year + 1)
    for month, day in ((1, 1), (12, 25))
    if date(year, month, day).weekday() < 5
}


@cache
def sessions_of(name: str) -> dict[date, Session]:
    """Return the library's sessions by trade date, weekdays only: it gives FX a session on Sunday, too."""
    library = import_module("pandas_market_calendars")  # here: every worker of a run reads this file, one uses it
    schedule = library.get_calendar(name).schedule(FIRST.isoformat(), LAST.isoformat())
    found = {}
    for day, row in schedule.iterrows():
        opens, closes = (utc(row[column].timestamp()) for column in ("market_open", "market_close"))
        if day.weekday() < 5:
            found[day.date()] = Session(day.date(), opens, closes)
    return found


def utc(epoch_seconds: float) -> datetime:
    return datetime.fromtimestamp(epoch_seconds, UTC)


@pytest.mark.parametrize(
    ("calendar", "name", "wrong"),
    [
        (CME_EQUITY, "CME Globex Equity", WRONG_IN_EQUITY),
        (CME_ENERGY, "CMEGlobex_CL", WRONG_IN_COMMODITIES),
        (CME_METALS, "CMEGlobex_GC", WRONG_IN_COMMODITIES),
        (FX, "FOREX", WRONG_IN_FX),
    ],
    ids=["equity indices", "energy", "metals", "currencies"],
)
def test_every_day_of_five_years_is_the_librarys(calendar: Calendar, name: str, wrong: dict[date, str]) -> None:
    theirs = sessions_of(name)
    days = [date.fromordinal(number) for number in range(FIRST.toordinal(), LAST.toordinal() + 1)]
    assert len(theirs) > 5 * 250
    assert {day for day in days if calendar.session_of(day) != theirs.get(day)} == set(wrong)
