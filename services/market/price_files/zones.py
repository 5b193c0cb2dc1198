"""The clock on a file's wall: a zone, a fixed offset, or a broker's clock that follows New York's at a distance."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.market.price_files.options import Unrecognised, WrongRow, shown
from wire.types import Instant

OFFSET = re.compile(r"(?:UTC|GMT)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d\d))?", re.ASCII)
SHIFTED = re.compile(r"(?P<zone>[A-Za-z_]+(?:/[A-Za-z0-9_+-]+?)+)(?P<shift>[+-]\d{1,2})", re.ASCII)
KNOWN = {"New_York": "America/New_York", "Chicago": "America/Chicago", "London": "Europe/London"}
ONE_DAY = timedelta(days=1)


class LocalClock:
    """Turns times on the wall into UTC. In the hour that comes twice in autumn the order of the rows decides.

    ``shift`` is how far the file's clock is ahead of the zone's: 7 h of New York is the usual one of forex brokers.
    """

    def __init__(self, zone: ZoneInfo | None, shift: timedelta, newest_first: bool = False) -> None:
        self._zone = zone
        self._shift = shift
        self._newest_first = newest_first
        self._hour: datetime | None = None
        self._offset = self._later_offset = timedelta(0)
        self._newest_wall: datetime | None = None
        self._is_second = newest_first

    def to_utc(self, wall: datetime) -> Instant:
        """Return the instant of a naive time. Raises WrongRow for one that a change of the clock left out."""
        wall -= self._shift
        if self._zone is None:
            return wall.replace(tzinfo=UTC)
        hour = wall.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._enter(hour, self._zone)
        if self._offset == self._later_offset:
            return (wall - self._offset).replace(tzinfo=UTC)
        if self._offset < self._later_offset:
            raise WrongRow(f"the time {wall:%Y-%m-%d %H:%M} did not exist in {self._zone.key}: the clock went forward")
        return (wall - self._of_twice(wall)).replace(tzinfo=UTC)

    @property
    def is_doubled(self) -> bool:
        """Whether the hour that was read last comes twice."""
        return self._offset != self._later_offset

    def _enter(self, hour: datetime, zone: ZoneInfo) -> None:
        self._hour = hour
        self._offset = hour.replace(tzinfo=zone).utcoffset() or timedelta(0)
        self._later_offset = hour.replace(tzinfo=zone, fold=1).utcoffset() or timedelta(0)
        if self._newest_wall is not None and abs(hour - self._newest_wall) > ONE_DAY:
            self._newest_wall = None
            self._is_second = self._newest_first

    def _of_twice(self, wall: datetime) -> timedelta:
        """Return the offset of a time that comes twice: the second one once the rows have gone back."""
        if self._newest_wall is not None:
            if wall < self._newest_wall and not self._newest_first:
                self._is_second = True
            elif wall > self._newest_wall and self._newest_first:
                self._is_second = False
        self._newest_wall = wall
        return self._later_offset if self._is_second else self._offset


def clock_of(text: str, newest_first: bool = False) -> LocalClock:
    """Return the clock that an option names. Raises Unrecognised for a zone that is unknown."""
    if text.upper() in ("UTC", "GMT", "Z"):
        return LocalClock(None, timedelta(0), newest_first)
    fixed = OFFSET.fullmatch(text)
    if fixed is not None:
        ahead = timedelta(hours=int(fixed["hours"]), minutes=int(fixed["minutes"] or 0))
        return LocalClock(None, ahead if fixed["sign"] == "+" else -ahead, newest_first)
    shifted = SHIFTED.fullmatch(text) if not text.startswith("Etc/") else None
    name = shifted["zone"] if shifted else text
    shift = timedelta(hours=int(shifted["shift"])) if shifted else timedelta(0)
    try:
        return LocalClock(ZoneInfo(KNOWN.get(name, name)), shift, newest_first)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unrecognised(
            f"the time zone was {shown(text)}, must be as America/New_York, UTC, +02:00 or America/New_York+7"
        ) from None
