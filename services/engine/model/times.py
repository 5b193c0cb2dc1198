"""Time arithmetic: countdowns and candles. In the engine only ``trading_day.py`` uses the New York time zone."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from wire.types import Instant

AHEAD_TOLERANCE = timedelta(seconds=60)  # TradingView's clock may run ahead of this machine's by so much


def candle_start(now: Instant, candle_seconds: int) -> Instant:
    """Return the start of the wall-clock candle that ``now`` lies in (SPEC 5.1).

    ``candle_seconds`` divides an hour and New York is a whole number of hours from UTC. So candles counted from the
    epoch match candles of New York's clock, also on the two days of the year when that clock changes.
    """
    whole = int(now.timestamp())
    return datetime.fromtimestamp(whole - whole % candle_seconds, UTC)


def candle_end(start: Instant, candle_seconds: int) -> Instant:
    """Return the instant at which the candle that began at ``start`` ends."""
    return start + timedelta(seconds=candle_seconds)


def seconds_until(moment: Instant, now: Instant) -> int:
    """Return the whole seconds left until ``moment``, rounded up, never negative."""
    return max(0, math.ceil((moment - now).total_seconds()))


def countdown(left: timedelta) -> str:
    """Format a time left: ``04:23`` below one hour, else ``2:04:23``."""
    seconds = max(0, math.ceil(left.total_seconds()))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def is_younger(moment: Instant | None, than_seconds: int, now: Instant) -> bool:
    """Return whether ``moment`` is known and less than ``than_seconds`` old."""
    return moment is not None and now < moment + timedelta(seconds=than_seconds)
