"""The CME Globex session for equity-index futures: trade date, open hours, thin days (SPEC 2, 10).

Globex trades from Sunday 18:00 to Friday 17:00 New York time with a break from 17:00 to 18:00 every day. Of the rules,
only this module and the engine's trading day use New York time; everything else is UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.market.holidays import FRIDAY, SATURDAY, SUNDAY, holiday_on
from services.market.instruments import INSTRUMENTS
from services.market.rolls import INDEX_ROLL
from wire.types import Instant

NEW_YORK = ZoneInfo("America/New_York")
SESSION_OPENS = time(18, 0)
SESSION_CLOSES = time(17, 0)
FROM_OPEN_TO_MIDNIGHT = timedelta(hours=6)
WEEKEND = "weekend"


def trade_date(instant: Instant) -> date:
    """Return the trade date of an aware instant: the New York date six hours later, never a weekend.

    The session that opens on Sunday 18:00 belongs to Monday, and so does everything after Friday's close.
    """
    day = (_new_york(instant) + FROM_OPEN_TO_MIDNIGHT).date()  # wall-clock hours: 18:00 rolls in DST too
    return day + timedelta(days=7 - day.weekday()) if day.weekday() >= SATURDAY else day


def is_open(instant: Instant) -> bool:
    """Return whether Globex equity-index futures trade at an aware instant. Holidays are considered."""
    if _is_weekend(instant):
        return False
    local = _new_york(instant)
    if SESSION_CLOSES <= local.time() < SESSION_OPENS:
        return False
    session = trade_date(instant)
    holiday = holiday_on(session)
    if holiday is None:
        return True
    return holiday.closes_at is not None and (local.date() < session or local.time() < holiday.closes_at)


def after_session_time(instant: Instant, duration: timedelta) -> Instant:
    """Return when the session has been open for ``duration`` since an aware instant; breaks do not count."""
    day = trade_date(instant)
    left = duration
    while True:
        opens, closes = _session_of(day)
        begins = max(opens, instant)
        if closes - begins >= left:
            return begins + left
        left -= max(closes - begins, timedelta(0))
        day += timedelta(days=1)


@lru_cache(maxsize=64)
def _session_of(day: date) -> tuple[Instant, Instant]:
    """Return when the session of a date opens and closes; the same instant twice when there is none."""
    opens = datetime.combine(day - timedelta(days=1), SESSION_OPENS, NEW_YORK).astimezone(UTC)
    holiday = holiday_on(day)
    if day.weekday() >= SATURDAY or (holiday is not None and holiday.closes_at is None):
        return opens, opens
    closes = SESSION_CLOSES if holiday is None or holiday.closes_at is None else holiday.closes_at
    return opens, datetime.combine(day, closes, NEW_YORK).astimezone(UTC)


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


def liquidity_of(assets: Iterable[str], instant: Instant) -> tuple[bool, str | None]:
    """Return ``liquidity`` at an instant; the reason names the futures among the assets that keep other hours.

    The table of holidays is that of equity indices. CL and GC often close later on the same day.
    """
    thin, reason = liquidity(instant)
    others = [asset for asset in assets if INSTRUMENTS[asset].roll not in (None, INDEX_ROLL)]
    if reason is None or reason == WEEKEND or not others:
        return thin, reason
    return thin, f"{reason} (hours of equity indices; those of {' and '.join(others)} may differ)"


def _new_york(instant: Instant) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} was not an aware instant")
    return instant.astimezone(NEW_YORK)


def _is_weekend(instant: Instant) -> bool:
    local = _new_york(instant)
    return (
        (local.weekday() == FRIDAY and local.time() >= SESSION_CLOSES)
        or local.weekday() == SATURDAY
        or (local.weekday() == SUNDAY and local.time() < SESSION_OPENS)
    )
