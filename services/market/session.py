"""The CME Globex session for equity-index futures: trade date, open hours, thin days (SPEC 2, 10).

Globex trades from Sunday 18:00 to Friday 17:00 New York time with a break from 17:00 to 18:00 every day. The trading
day of the desk and its calendar of thin days follow it, whatever is traded; the hours of each instrument are those of
its own calendar (``services/market/calendars.py``).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from services.market.calendars import CME_EQUITY
from services.market.holidays import FRIDAY, SATURDAY, SUNDAY, holiday_on
from wire.types import Instant

NEW_YORK = CME_EQUITY.zone
WEEKEND = "weekend"
SESSION_OPENS = time(18, 0)
SESSION_CLOSES = time(17, 0)


def trade_date(instant: Instant) -> date:
    """Return the trade date of an aware instant: the New York date six hours later, never a weekend.

    The session that opens on Sunday 18:00 belongs to Monday, and so does everything after Friday's close.
    """
    return CME_EQUITY.trade_date(instant)


def is_open(instant: Instant) -> bool:
    """Return whether Globex equity-index futures trade at an aware instant. Holidays are considered."""
    return CME_EQUITY.is_open(instant)


def after_session_time(instant: Instant, duration: timedelta) -> Instant:
    """Return when the session has been open for ``duration`` since an aware instant; breaks do not count."""
    return CME_EQUITY.after_session_time(instant, duration)


def session_of(day: date) -> tuple[Instant, Instant]:
    """Return when the session of a date opens and closes (UTC); the same instant twice when there is none."""
    session = CME_EQUITY.session_of(day)
    if session is not None:
        return session.opens, session.closes
    opens = CME_EQUITY.nominal_open(day)
    return opens, opens


def liquidity(when: Instant | date) -> tuple[bool, str | None]:
    """Return whether liquidity is thin on a date, or on the trade date of an aware instant, and why.

    The reason is a sentence for the trader, ``Thanksgiving — CME early close 13:00 ET``, or ``weekend``. An ordinary
    day gives ``(False, None)``.
    """
    if isinstance(when, datetime):
        weekend = _is_weekend(when)
        day = trade_date(when)
    else:
        weekend = when.weekday() >= SATURDAY
        day = when
    if weekend:
        return True, WEEKEND
    holiday = holiday_on(day)
    return (True, holiday.sentence) if holiday else (False, None)


def _is_weekend(instant: Instant) -> bool:
    local = instant.astimezone(NEW_YORK)
    return (
        (local.weekday() == FRIDAY and local.time() >= SESSION_CLOSES)
        or local.weekday() == SATURDAY
        or (local.weekday() == SUNDAY and local.time() < SESSION_OPENS)
    )
