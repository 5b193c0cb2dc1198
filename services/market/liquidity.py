"""Whether the liquidity of a market is thin: a holiday or a weekend of its own calendar (SPEC 10)."""

from __future__ import annotations

from collections.abc import Iterable

from services.market.calendars import Calendar
from services.market.holidays import FRIDAY, MONDAY, Holiday
from services.market.instruments import INSTRUMENTS
from services.market.session import WEEKEND
from wire.types import Instant


def liquidity_in(calendar: Calendar, instant: Instant) -> str | None:
    """Return why liquidity is thin in the markets of a calendar, None on an ordinary day.

    It is a sentence for the trader, ``Thanksgiving — CME early close 14:30 ET``, or ``weekend``. Raises ValueError for
    a naive time.
    """
    if _is_weekend(calendar, instant):
        return WEEKEND
    day = calendar.trade_date(instant)
    holiday = calendar.holidays(day.year).get(day)
    return None if holiday is None else _sentence(holiday, calendar)


def liquidity_of(assets: Iterable[str], instant: Instant) -> tuple[bool, str | None]:
    """Return whether liquidity is thin for any of the assets, and why.

    Where they differ, each reason names its assets: ``weekend (ES and NQ)``. Raises KeyError for an unknown asset.
    """
    assets = tuple(assets)
    named: dict[str, list[str]] = {}
    for asset in assets:
        reason = liquidity_in(INSTRUMENTS[asset].calendar, instant)
        if reason is not None:
            named.setdefault(reason, []).append(asset)
    if not named:
        return False, None
    if len(named) == 1 and len(*named.values()) == len(assets):
        return True, next(iter(named))
    return True, "; ".join(f"{reason} ({' and '.join(thin)})" for reason, thin in named.items())


def _is_weekend(calendar: Calendar, instant: Instant) -> bool:
    day = calendar.trade_date(instant)
    if calendar.trades_on_weekends:
        return False
    if day.weekday() == MONDAY:
        return instant < calendar.nominal_open(day)
    return day.weekday() == FRIDAY and instant >= calendar.instant_at(day, calendar.closes)


def _sentence(holiday: Holiday, calendar: Calendar) -> str:
    if calendar.name.startswith("cme"):
        return holiday.sentence
    if holiday.closes_at is None:
        return f"{holiday.name} — {calendar.title} closed"
    return f"{holiday.name} — {calendar.title} close early {holiday.closes_at:%H:%M} ET"
