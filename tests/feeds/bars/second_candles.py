"""Candles made a second time, by another way: each minute asks a list of days that is written down from scratch.

It shares no code with ``feeds/bars`` or ``services/market``: days and weeks are wall-clock arithmetic of New York, the
holidays of the weeks that are tested stand here by hand (CME's calendars, docs/reference/sessions.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
LENGTHS = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60}
CLOSED = {date(2026, 4, 3), date(2026, 12, 25)}  # Good Friday, Christmas
EARLY = {date(2026, 11, 26): time(13), date(2026, 11, 27): time(13, 15), date(2026, 12, 24): time(13, 15)}
FX_CLOSED = {date(2026, 12, 25)}
FIVE_PM = time(17)


class Minute(NamedTuple):
    """One stored minute, as the second reading needs it."""

    t: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int | None


class Day(NamedTuple):
    """One trade date: when it begins by the clock on the wall, its session, and its week."""

    on: date
    rolls: int
    opens: int | None
    closes: int | None


class Made(NamedTuple):
    """One candle of the second reading."""

    start: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int | None
    minutes: int


def new_york(day: date, clock: time) -> int:
    return int(datetime.combine(day, clock, NEW_YORK).astimezone(UTC).timestamp())


def days_of(kind: str, first: date, last: date) -> list[Day]:
    """List the trade dates from `first` to `last`: `kind` is cme, fx or crypto."""
    if kind == "crypto":
        midnights = [int(datetime.combine(day, time(), UTC).timestamp()) for day in dates(first, last)]
        return [Day(day, at, at, at + 86_400) for day, at in zip(dates(first, last), midnights, strict=True)]
    opens, holidays = (time(18), CLOSED) if kind == "cme" else (FIVE_PM, FX_CLOSED)
    days = []
    for day in dates(first, last):
        if day.weekday() >= 5:
            continue
        back = 3 if day.weekday() == 0 else 1  # Monday begins on Friday evening, its session on Sunday evening
        rolls, opened = new_york(day - timedelta(days=back), opens), new_york(day - timedelta(days=1), opens)
        closed = new_york(day, EARLY.get(day, FIVE_PM) if kind == "cme" else FIVE_PM)
        days.append(Day(day, rolls, *((None, None) if day in holidays else (opened, closed))))
    return days


def dates(first: date, last: date) -> list[date]:
    return [first + timedelta(days=count) for count in range((last - first).days + 1)]


def candles(minutes: Iterable[Minute], timeframe: str, days: list[Day]) -> list[Made]:
    """Sort every minute into its period, then make one candle of each."""
    periods: dict[int, list[Minute]] = {}
    for minute in minutes:
        periods.setdefault(start_of(minute.t, timeframe, days), []).append(minute)
    return [made(start, sorted(periods[start])) for start in sorted(periods)]


def start_of(t: int, timeframe: str, days: list[Day]) -> int:
    """Return where the market opens in the period of a minute."""
    if timeframe in LENGTHS:
        length = LENGTHS[timeframe] * 60
        return t - t % length
    day = [one for one in days if one.rolls <= t][-1]
    assert day.opens is not None, f"{t} lies on {day.on}, a holiday"
    if timeframe == "1d":
        return day.opens
    if timeframe == "4h":
        return day.opens + (t - day.opens) // 14_400 * 14_400
    monday = day.on - timedelta(days=day.on.weekday())
    week = [one for one in days if monday <= one.on < monday + timedelta(days=7)]
    return next(one.opens for one in week if one.opens is not None)


def made(start: int, minutes: list[Minute]) -> Made:
    volumes = [minute.volume for minute in minutes]
    known = [volume for volume in volumes if volume is not None]
    return Made(
        start=start,
        open=minutes[0].open,
        high=max(minute.high for minute in minutes),
        low=min(minute.low for minute in minutes),
        close=minutes[-1].close,
        volume=sum(known) if len(known) == len(volumes) else None,
        minutes=len(minutes),
    )
