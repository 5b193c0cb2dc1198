"""CME equity-index holidays, computed for any year.

Sources: CME Globex holiday calendars and NYSE rule 7.2 (a Saturday holiday is observed on Friday, a Sunday one on
Monday; New Year on a Saturday is not observed at all). A day of mourning cannot be computed: the declared ones since
2024 are listed, the next one is known only once CME has announced it. Hours are New York wall-clock time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, time, timedelta
from functools import lru_cache

from msgspec import Struct

MONDAY = 0
THURSDAY = 3
FRIDAY = 4
SATURDAY = 5
SUNDAY = 6
JUNETEENTH_SINCE = 2022
FLOOR_HOLIDAY_CLOSE = time(13, 0)  # the cash market is shut, futures halt at noon in Chicago
SHORT_DAY_CLOSE = time(13, 15)  # the cash market closes at 13:00, futures a quarter of an hour later
JOBS_REPORT_CLOSE = time(9, 15)  # Good Friday with the employment report: futures trade until 08:15 Chicago


class Holiday(Struct, frozen=True):
    """A holiday on the trade date that it affects. ``closes_at`` is New York time; ``None`` is closed all day."""

    on: date
    name: str
    closes_at: time | None = None

    @property
    def sentence(self) -> str:
        """The holiday's effect on trading: ``Thanksgiving — CME early close 13:00 ET``."""
        if self.closes_at is None:
            return f"{self.name} — CME closed"
        return f"{self.name} — CME early close {self.closes_at:%H:%M} ET"


def holiday_on(day: date) -> Holiday | None:
    """Return the CME equity-index holiday observed on this date, None without one."""
    return holidays_of(day.year).get(day)


def is_business_day(day: date) -> bool:
    """Return whether the exchange counts the date as a business day when it counts back from an expiry.

    Short days (the Friday after Thanksgiving, Christmas Eve) count, and so does a day of mourning, on which crude oil
    and gold traded as always; weekends and US holidays do not.
    """
    if day.weekday() >= SATURDAY:
        return False
    holiday = holiday_on(day)
    return holiday is None or holiday.closes_at == SHORT_DAY_CLOSE or holiday in DECLARED


def business_days_before(day: date, count: int) -> date:
    """Return the date ``count`` business days before ``day``, which need not be a business day itself."""
    while count:
        day -= timedelta(days=1)
        count -= is_business_day(day)
    return day


@lru_cache(maxsize=64)
def holidays_of(year: int) -> dict[date, Holiday]:
    """Return the year's holidays by date, in calendar order. The same dict is shared: do not change it."""
    return on_weekdays(holiday for rule in HOLIDAY_RULES for holiday in rule(year))


def on_weekdays(holidays: Iterable[Holiday]) -> dict[date, Holiday]:
    """Return holidays by date, in calendar order and without weekends; of two on one date the later one given holds."""
    kept = {holiday.on: holiday for holiday in holidays if holiday.on.weekday() < SATURDAY}
    return dict(sorted(kept.items()))


def easter_sunday(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (Oudin's algorithm)."""
    century = year // 100
    skipped_leaps = century - century // 4 - (8 * century + 13) // 25
    epact = (19 * (year % 19) + skipped_leaps + 15) % 30
    epact -= (epact // 28) * (1 - (29 // (epact + 1)) * ((21 - year % 19) // 11))
    weekday = (year + year // 4 + epact + 2 - century + century // 4) % 7
    days_past_march = epact - weekday + 28
    return date(year, 3, 1) + timedelta(days=days_past_march - 1)


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """Return the ``nth`` (1 = first) given weekday of a month; Monday is 0."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def observed(day: date) -> date:
    """Move a fixed-date holiday off the weekend: Saturday to Friday, Sunday to Monday."""
    return day + timedelta(days={SATURDAY: -1, SUNDAY: 1}.get(day.weekday(), 0))


def new_year(year: int) -> Iterator[Holiday]:
    """Closed on 1 January or the Monday after. On a Saturday it is not observed (NYSE rule 7.2)."""
    day = date(year, 1, 1)
    if day.weekday() != SATURDAY:
        yield Holiday(observed(day), "New Year's Day")


def monday_holidays(year: int) -> Iterator[Holiday]:
    """Yield the four holidays that always fall on a Monday."""
    memorial = date(year, 5, 31) - timedelta(days=date(year, 5, 31).weekday())
    yield Holiday(nth_weekday(year, 1, MONDAY, 3), "Martin Luther King Jr. Day", FLOOR_HOLIDAY_CLOSE)
    yield Holiday(nth_weekday(year, 2, MONDAY, 3), "Presidents' Day", FLOOR_HOLIDAY_CLOSE)
    yield Holiday(memorial, "Memorial Day", FLOOR_HOLIDAY_CLOSE)
    yield Holiday(nth_weekday(year, 9, MONDAY, 1), "Labor Day", FLOOR_HOLIDAY_CLOSE)


def good_friday(year: int) -> Iterator[Holiday]:
    """Closed, but open until 09:15 on a first Friday of the month, when the jobs report is published."""
    day = easter_sunday(year) - timedelta(days=2)
    yield Holiday(day, "Good Friday", JOBS_REPORT_CLOSE if day.day <= 7 else None)


def juneteenth(year: int) -> Iterator[Holiday]:
    """Observed by the exchange since 2022."""
    if year >= JUNETEENTH_SINCE:
        yield Holiday(observed(date(year, 6, 19)), "Juneteenth", FLOOR_HOLIDAY_CLOSE)


def independence_day(year: int) -> Iterator[Holiday]:
    """4 July or its observed day; 3 July is short when the holiday is a Tuesday to Friday."""
    day = date(year, 7, 4)
    if MONDAY < day.weekday() < SATURDAY:
        yield Holiday(date(year, 7, 3), "Independence Day eve", SHORT_DAY_CLOSE)
    yield Holiday(observed(day), "Independence Day", FLOOR_HOLIDAY_CLOSE)


def thanksgiving(year: int) -> Iterator[Holiday]:
    """The fourth Thursday of November and the short Friday after it."""
    day = nth_weekday(year, 11, THURSDAY, 4)
    yield Holiday(day, "Thanksgiving", FLOOR_HOLIDAY_CLOSE)
    yield Holiday(day + timedelta(days=1), "Day after Thanksgiving", SHORT_DAY_CLOSE)


def christmas(year: int) -> Iterator[Holiday]:
    """Christmas or its observed day, and a short Christmas Eve when that is a trading day of its own."""
    yield Holiday(date(year, 12, 24), "Christmas Eve", SHORT_DAY_CLOSE)
    yield Holiday(observed(date(year, 12, 25)), "Christmas Day")  # on 24 December it replaces the eve


def declared(year: int) -> Iterator[Holiday]:
    """Yield the year's closures that somebody declared and no rule knows."""
    yield from (holiday for holiday in DECLARED if holiday.on.year == year)


DECLARED = (
    # CME, 30 December 2024: equities until 08:30 Chicago for President Carter; energy, metals and FX as always
    Holiday(date(2025, 1, 9), "National Day of Mourning", time(9, 30)),
)
HOLIDAY_RULES: tuple[Callable[[int], Iterator[Holiday]], ...] = (
    new_year,
    monday_holidays,
    good_friday,
    juneteenth,
    independence_day,
    thanksgiving,
    christmas,
    declared,
)
