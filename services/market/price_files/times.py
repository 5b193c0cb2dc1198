"""Times as people's programs write them, turned into UTC: epochs, ISO 8601, and the dates of many countries.

The way a file writes its times is found in a sample of them and kept: a row that is written otherwise is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from msgspec import Struct

from services.market.price_files.options import (
    DateOrder,
    ReadingOptions,
    Unrecognised,
    WrongRow,
    say,
    shown,
)
from services.market.price_files.zones import LocalClock, clock_of
from wire.types import Instant

ReadTime = Callable[[str], Instant]
Way = Literal["epoch", "iso", "day"]

EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
EPOCH = re.compile(r"(\d{9,19})(\.\d+)?", re.ASCII)
EPOCH_DIGITS = {9: 1, 10: 1, 12: 10**3, 13: 10**3, 15: 10**6, 16: 10**6, 18: 10**9, 19: 10**9}
ZONED = re.compile(r"\d{4}-\d\d-\d\d.*(?:Z|[+-]\d\d:?\d\d|[+-]\d\d)", re.ASCII)
NAIVE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?", re.ASCII)
DATED = r"(?P<date>\d{8}|\d{1,4}[./-]\d{1,2}[./-]\d{1,4})[T ,]*"
OFFSET = r"(?: ?(?P<half>[AP]M))?(?: ?(?P<offset>Z|(?:UTC|GMT)?[+-]\d\d:?\d\d|UTC|GMT))?"
WITH_COLONS = re.compile(
    DATED + r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.:](?P<fraction>\d{1,9}))?)?" + OFFSET,
    re.ASCII | re.IGNORECASE,
)
COMPACT = re.compile(
    DATED + r"(?P<hour>\d\d)(?P<minute>\d\d)(?:(?P<second>\d\d)(?:[ .]?(?P<fraction>\d{1,9}))?)?" + OFFSET,
    re.ASCII | re.IGNORECASE,
)
DATE_ONLY = re.compile(r"\d{8}|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}", re.ASCII)
DATE_PARTS = re.compile(r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})", re.ASCII)
MILLISECONDS_OF_A_DAY = 86_400_000
NOON = 12
LONGEST_MONTH = 31


def way_of_times(sample: Sequence[str], options: ReadingOptions, is_utc: bool, newest_first: bool = False) -> ReadTime:
    """Return how the times of a sample are read. ``is_utc`` is what the header says of times without a zone.

    Raises Unrecognised for times that are none, that may be of two days, or whose zone nobody says.
    """
    texts = [text.strip() for text in sample]
    if not texts:
        raise Unrecognised("it holds no row")
    if _most(texts, lambda text: DATE_ONLY.fullmatch(text) is not None and _is_date(text)):
        raise Unrecognised(f"its times are days ({texts[0]}): bars of a day are not read, only shorter ones")
    if options.day is not None and _most(texts, _is_of_a_day):
        return _milliseconds_of(options.day, _clock(options, is_utc, newest_first))
    if _most(texts, lambda text: EPOCH.fullmatch(text) is not None and _epoch_unit(text) is not None):
        return _epoch
    if _most(texts, lambda text: ZONED.fullmatch(text) is not None):
        return _zoned
    if _most(texts, lambda text: NAIVE.fullmatch(text) is not None):
        return _naive(_clock(options, is_utc, newest_first))
    for pattern in (WITH_COLONS, COMPACT):
        matched = [match for match in map(pattern.fullmatch, texts) if match is not None]
        if len(matched) * 2 > len(texts):
            order = options.date_order or _order_of([match["date"] for match in matched])
            has_zones = all(match["offset"] is not None for match in matched)
            return _written(pattern, order, None if has_zones else _clock(options, is_utc, newest_first))
    raise Unrecognised(f"its times are not understood: {shown(texts[0])}")


def _most(texts: Sequence[str], fits: Callable[[str], bool]) -> bool:
    return sum(map(fits, texts)) * 2 > len(texts)


def _is_of_a_day(text: str) -> bool:
    """Return whether a text is milliseconds of a day."""
    return text.isascii() and text.isdecimal() and int(text) < MILLISECONDS_OF_A_DAY


def _is_date(text: str) -> bool:
    """Return whether eight digits are a date and no milliseconds of a day; any other date is one."""
    return not text.isdigit() or (1 <= int(text[4:6]) <= 12 and 1 <= int(text[6:]) <= 31 and text[:2] in ("19", "20"))


def _clock(options: ReadingOptions, is_utc: bool, newest_first: bool) -> LocalClock:
    if is_utc:  # what a file says of itself counts more than what is said of it
        return clock_of("UTC", newest_first)
    if options.time_zone is not None:
        return clock_of(options.time_zone, newest_first)
    raise Unrecognised(f"its times have no zone: say it by {say('time_zone')}")


def _epoch_unit(text: str) -> int | None:
    """Return how many of its units are a second, by the number of digits: 10 digits are seconds until 2286."""
    return EPOCH_DIGITS.get(len(text.partition(".")[0]))


def _epoch(text: str) -> Instant:
    text = text.strip()
    matched = EPOCH.fullmatch(text)
    unit = _epoch_unit(text)
    if matched is None or unit is None:
        raise WrongRow(f"the time was {shown(text)}, must be an epoch time")
    whole = int(matched[1])
    at = EPOCH_START + timedelta(seconds=whole // unit, microseconds=whole % unit * 10**6 // unit)
    if matched[2] is not None:
        at += timedelta(seconds=float(matched[2])) / unit
    return _in_bounds(at, text)


def _in_bounds(at: Instant, text: str) -> Instant:
    if not EARLIEST <= at < LATEST:
        raise WrongRow(f"the time was {shown(text)}, must be of a year from 1970 to 2099")
    return at


def _zoned(text: str) -> Instant:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            at = datetime.fromisoformat(text.strip().replace(" +", "+").replace(" -", "-").replace(" Z", "Z"))
        except ValueError:
            raise WrongRow(f"the time was {shown(text)}, must be as 2024-01-15T14:30:00Z") from None
    if at.tzinfo is None:
        raise WrongRow(f"the time was {shown(text)}, without the zone that other rows have")
    return _in_bounds(at if at.tzinfo is UTC else at.astimezone(UTC), text)


def _naive(clock: LocalClock) -> ReadTime:
    def read(text: str) -> Instant:
        try:
            wall = datetime.fromisoformat(text.strip())
        except ValueError:
            raise WrongRow(f"the time was {shown(text)}, must be as 2024-01-15 14:30:00") from None
        if wall.tzinfo is not None:
            return _in_bounds(wall.astimezone(UTC), text)
        return _in_bounds(clock.to_utc(wall), text)

    return read


def _milliseconds_of(day: date, clock: LocalClock) -> ReadTime:
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - on the wall of the file's zone

    def read(text: str) -> Instant:
        if not _is_of_a_day(text):
            raise WrongRow(f"the time was {shown(text)}, must be milliseconds of the day")
        return _in_bounds(clock.to_utc(midnight + timedelta(milliseconds=int(text))), text)

    return read


class _Minute(Struct):
    """The minute that was read last: rows of the same one are read by their seconds alone."""

    text: str = "\0"
    length: int = 0
    cut: int = 1
    separator: str = ""
    start: Instant = EPOCH_START

    def instant_of(self, text: str) -> Instant | None:
        """Return the instant of a time in the same minute, written alike; None for any other."""
        if len(text) != self.length or not text.startswith(self.text):
            return None
        second, separator, fraction = text[self.cut : self.cut + 2], text[self.cut + 2 : self.cut + 3], ""
        if self.separator:
            fraction = text[self.cut + 3 :]
        if separator != self.separator or not f"{second}{fraction}".isdecimal() or second > "59" or not text.isascii():
            return None
        return self.start + timedelta(0, int(second), int(fraction[:6].ljust(6, "0")))


def _written(pattern: re.Pattern[str], order: DateOrder, clock: LocalClock | None) -> ReadTime:
    """Return how times are read by a pattern; ``clock`` is None where every row has its zone."""
    dates: dict[str, datetime] = {}
    minute = _Minute()

    def read(text: str) -> Instant:
        text = text.strip()
        known = minute.instant_of(text)
        if known is not None:
            return known
        matched = pattern.fullmatch(text)
        if matched is None:
            raise WrongRow(f"the time was {shown(text)}, written otherwise than the others")
        try:
            midnight = dates.get(matched["date"])
            if midnight is None:
                dates.clear()
                midnight = dates[matched["date"]] = _midnight(matched["date"], order)
            wall = midnight + _time_of_day(matched)
        except ValueError as wrong:
            raise WrongRow(f"the time was {shown(text)}: {wrong}") from None
        at = _in_bounds(_on_the_clock(wall, matched["offset"], clock, text), text)
        if clock is None or not clock.is_doubled:
            _remember(minute, matched, at)
        return at

    return read


def _on_the_clock(wall: datetime, offset: str | None, clock: LocalClock | None, text: str) -> Instant:
    if offset is not None:
        return (wall - _offset(offset)).replace(tzinfo=UTC)
    if clock is None:
        raise WrongRow(f"the time was {shown(text)}, without the zone that other rows have")
    return clock.to_utc(wall)


def _remember(minute: _Minute, matched: re.Match[str], at: Instant) -> None:
    """Keep the minute of a time that ends with its seconds or a fraction behind one separator."""
    second, fraction = matched.end("second"), matched.start("fraction")
    ends_plainly = matched.end() in (second, matched.end("fraction"))
    if second < 0 or not ends_plainly or (fraction >= 0 and fraction != second + 1):
        return
    minute.cut = matched.start("second")
    minute.text = matched.string[: minute.cut]
    minute.length = len(matched.string)
    minute.separator = matched.string[second:fraction] if fraction >= 0 else ""
    minute.start = at.replace(second=0, microsecond=0)


def _midnight(text: str, order: DateOrder) -> datetime:
    """Return a date as its midnight, on the wall of its zone. Raises ValueError for no date."""
    is_short = False
    if text.isdigit():
        year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    else:
        matched = DATE_PARTS.fullmatch(text)
        if matched is None:
            raise ValueError("no date")
        first, second, third = (int(part) for part in matched.groups())
        is_short = max(len(matched[1]), len(matched[3])) < 4  # the year 0001 is none of this century
        if len(matched[1]) == 4 or order == "ymd":
            year, month, day = first, second, third
        else:
            year, day, month = (third, first, second) if order == "dmy" else (third, second, first)
    return datetime(year + 2000 if is_short and year < 100 else year, month, day)  # noqa: DTZ001 - on the wall of its zone


def _time_of_day(matched: re.Match[str]) -> timedelta:
    hour, minute, second = int(matched["hour"]), int(matched["minute"]), int(matched["second"] or 0)
    half = (matched["half"] or "").upper()
    if half:
        if not 1 <= hour <= NOON:
            raise ValueError("no hour of a half day")
        hour = hour % NOON + (NOON if half == "PM" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError("no time of a day")
    fraction = (matched["fraction"] or "").ljust(6, "0")[:6]
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=int(fraction))


def _offset(text: str) -> timedelta:
    text = text.upper().removeprefix("UTC").removeprefix("GMT")
    if text in ("", "Z"):
        return timedelta(0)
    plain = text[1:].replace(":", "")
    ahead = timedelta(hours=int(plain[:2]), minutes=int(plain[2:]))
    return ahead if text[0] == "+" else -ahead


def _order_of(dates: Sequence[str]) -> DateOrder:
    """Return whether day or month comes first in dates such as 15.01.2024; a date that is ordered by size is ymd.

    Of two digits each, the year may be the first or the last: 24/01/15 is of two days, 24/01/32 is not. Raises
    Unrecognised when every date of the sample may be both.
    """
    parts = [matched for text in dates if (matched := DATE_PARTS.fullmatch(text)) is not None]
    others = [matched for matched in parts if len(matched[1]) < 4]
    if not others:
        return "ymd"
    if any(int(matched[2]) > NOON for matched in others):
        return "mdy"
    is_year_last = any(int(matched[3]) > LONGEST_MONTH for matched in others)
    if not is_year_last and any(int(matched[1]) > LONGEST_MONTH for matched in others):
        return "ymd"
    if is_year_last and any(int(matched[1]) > NOON for matched in others):
        return "dmy"
    known = "dmy or mdy" if is_year_last else "dmy, mdy or ymd"
    raise Unrecognised(f"{others[0][0]} may be of two days: say {known} by {say('date_order')}")
