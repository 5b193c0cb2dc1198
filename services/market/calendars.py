"""When a market trades: one calendar for each kind of instrument (docs/reference/sessions.md).

A calendar splits all time into *trade dates* and says when each date's *session* opens and closes. A trade date begins
at its roll and ends where the next begins; every instant has exactly one, also at night and over a weekend. Without
weekends, what comes after Friday's roll belongs to Monday. Hours are wall-clock time of the calendar's zone, answers
are UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

from msgspec import Struct

from services.market.commodity_holidays import commodity_holidays_of
from services.market.holidays import MONDAY, SATURDAY, Holiday, holidays_of, on_weekdays
from wire.types import Instant

NEW_YORK = ZoneInfo("America/New_York")
ONE_DAY = timedelta(days=1)
WEEKEND_DAYS = timedelta(days=2)

HolidaysOf = Callable[[int], Mapping[date, Holiday]]


class Session(Struct, frozen=True):
    """The hours in which a market trades on one trade date: from ``opens`` until just before ``closes`` (UTC)."""

    on: date
    opens: Instant
    closes: Instant


class Calendar(Struct, frozen=True, eq=False):
    """The hours of one kind of market. Offsets count from midnight of the trade date, by the clock on the wall.

    ``rolls`` is where the trade date begins, ``opens`` where its session begins, ``closes`` where an ordinary one ends.
    """

    name: str
    title: str
    zone: ZoneInfo
    rolls: timedelta
    opens: timedelta
    closes: timedelta
    holidays: HolidaysOf
    trades_on_weekends: bool = False

    def trade_date(self, instant: Instant) -> date:
        """Return the trade date that an aware instant belongs to. Raises ValueError for a naive one."""
        day = (self._on_the_wall(instant) - self.rolls).date()  # wall-clock hours: the roll is right in DST, too
        if self.trades_on_weekends or day.weekday() < SATURDAY:
            return day
        return day + timedelta(days=7 - day.weekday())

    def session_of(self, day: date) -> Session | None:
        """Return the session of a trade date, None on a weekend or a holiday without trading."""
        return _session_of(self, day)

    def day_of(self, day: date) -> tuple[Instant, Instant]:
        """Return when a trade date begins and ends, whether or not its market opens; Monday begins on Friday evening.

        Raises ValueError for a Saturday or Sunday of a calendar that has none.
        """
        if not self.trades_on_weekends and day.weekday() >= SATURDAY:
            raise ValueError(f"{day} was a weekend, {self.title} has no such trade date")
        waits = day.weekday() == MONDAY and not self.trades_on_weekends
        return self.instant_at(day - WEEKEND_DAYS if waits else day, self.rolls), self.instant_at(
            day + ONE_DAY, self.rolls
        )

    def nominal_open(self, day: date) -> Instant:
        """Return when the session of a trade date opens, or would open if it were no holiday."""
        return self.instant_at(day, self.opens)

    def is_open(self, instant: Instant) -> bool:
        """Return whether the market trades at an aware instant. Holidays are considered."""
        session = self.session_of(self.trade_date(instant))
        return session is not None and session.opens <= instant < session.closes

    def sessions_from(self, instant: Instant) -> Iterator[Session]:
        """Yield the sessions that end after an aware instant, in their order, without end."""
        day = self.trade_date(instant)
        while True:
            session = self.session_of(day)
            if session is not None and session.closes > instant:
                yield session
            day += ONE_DAY

    def next_open(self, instant: Instant) -> Instant | None:
        """Return when the market next begins to trade after an aware instant, None for one that never stops.

        A session that begins where the last one ended, as in FX from Monday to Friday, is no opening.
        """
        if self._never_stops:
            return None
        trades_since = None
        for session in self.sessions_from(instant):
            if session.opens > instant and session.opens != trades_since:
                return session.opens
            trades_since = session.closes
        return None

    def next_close(self, instant: Instant) -> Instant | None:
        """Return when the market next stops trading after an aware instant, None for one that never stops.

        A session that ends where the next one begins is no close.
        """
        if self._never_stops:
            return None
        last: Session | None = None
        for session in self.sessions_from(instant):
            if last is not None and session.opens != last.closes:
                return last.closes
            last = session
        return None

    def after_session_time(self, instant: Instant, duration: timedelta) -> Instant:
        """Return when the market has been open for ``duration`` since an aware instant; breaks do not count."""
        sessions = self.sessions_from(instant)
        left = duration
        while True:
            session = next(sessions)
            begins = max(session.opens, instant)
            if session.closes - begins >= left:
                return begins + left
            left -= session.closes - begins

    @property
    def _never_stops(self) -> bool:
        return self.trades_on_weekends and self.closes - self.opens == ONE_DAY

    def instant_at(self, day: date, offset: timedelta) -> Instant:
        """Return the instant that lies ``offset`` from midnight of a date by the clock on the wall."""
        return (datetime.combine(day, time(), self.zone) + offset).astimezone(UTC)

    def _on_the_wall(self, instant: Instant) -> datetime:
        if instant.tzinfo is None:
            raise ValueError(f"{instant.isoformat()} was not an aware instant")
        return instant.astimezone(self.zone)


@lru_cache(maxsize=4096)
def _session_of(calendar: Calendar, day: date) -> Session | None:
    if not calendar.trades_on_weekends and day.weekday() >= SATURDAY:
        return None
    holiday = calendar.holidays(day.year).get(day)
    closes = calendar.closes
    if holiday is not None:
        if holiday.closes_at is None:
            return None
        closes = timedelta(hours=holiday.closes_at.hour, minutes=holiday.closes_at.minute)
    return Session(day, calendar.instant_at(day, calendar.opens), calendar.instant_at(day, closes))


def fx_holidays_of(year: int) -> dict[date, Holiday]:
    """Return the two days on which no bank quotes currencies, where they are weekdays; nothing is observed later."""
    return on_weekdays((Holiday(date(year, 1, 1), "New Year's Day"), Holiday(date(year, 12, 25), "Christmas Day")))


def no_holidays_of(year: int) -> Mapping[date, Holiday]:
    """Return no holidays: cryptocurrencies trade on every day."""
    return NONE


NONE: Mapping[date, Holiday] = MappingProxyType({})
EVENING_6PM = timedelta(hours=-6)
EVENING_5PM = timedelta(hours=-7)
AFTERNOON_5PM = timedelta(hours=17)
MIDNIGHT = timedelta(0)

CME_EQUITY = Calendar(
    "cme_equity", "CME equity indices", NEW_YORK, EVENING_6PM, EVENING_6PM, AFTERNOON_5PM, holidays_of
)
CME_ENERGY = Calendar(
    "cme_energy", "CME energy", NEW_YORK, EVENING_6PM, EVENING_6PM, AFTERNOON_5PM, commodity_holidays_of
)
CME_METALS = Calendar(
    "cme_metals", "CME metals", NEW_YORK, EVENING_6PM, EVENING_6PM, AFTERNOON_5PM, commodity_holidays_of
)
FX = Calendar("fx", "currencies", NEW_YORK, EVENING_5PM, EVENING_5PM, AFTERNOON_5PM, fx_holidays_of)
INDEX_CFD = Calendar("index_cfd", "index CFDs", NEW_YORK, EVENING_5PM, EVENING_6PM, AFTERNOON_5PM, holidays_of)
SPOT_METALS = Calendar(
    "spot_metals", "spot metals", NEW_YORK, EVENING_5PM, EVENING_6PM, AFTERNOON_5PM, commodity_holidays_of
)
CRYPTO = Calendar(
    "crypto",
    "cryptocurrencies",
    ZoneInfo("UTC"),
    MIDNIGHT,
    MIDNIGHT,
    ONE_DAY,
    no_holidays_of,
    trades_on_weekends=True,
)
CALENDARS: Mapping[str, Calendar] = MappingProxyType(
    {calendar.name: calendar for calendar in (CME_EQUITY, CME_ENERGY, CME_METALS, FX, INDEX_CFD, SPOT_METALS, CRYPTO)}
)
