"""Bars as models read them: closed, whole and recent, made of the minutes that are held."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from msgspec import Struct

from advisor.bars import BarBook, BarsAway, Window
from advisor.ml.bars import SECONDS, BarsRefused, Minute, Series, series_of
from services.market.instruments import instrument_for
from sidecar.problems import RETRY_SECONDS, ServiceRefused
from wire.minutes import LONGEST_PAGE
from wire.ml_engine import MlTimeframe
from wire.types import Instant

logger = structlog.get_logger(__name__)

MINUTE = 60
SETTLES_SECONDS = 10
"""How long after a bar its last minute may still come; then the bar is what is there."""

RECENT_BARS = 2
"""A bar that ended more than so many bars of trade ago is not looked at any more."""

LATE_SECONDS = 15
"""How long after its end the bar that a forecast was for may still be on its way: it settles, and is fetched."""

LOOKED_AT = 60
MOST_BARS = 5_200
"""Of a timeframe: more than the longest lookback reads."""

Clock = Callable[[], datetime]


def now_utc() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class _Made(Struct, frozen=True):
    """A series, and what it was made of."""

    key: tuple[int, int, float, int]
    series: Series


class History:
    """Series of bars by symbol and timeframe, each made once for the same minutes."""

    def __init__(self, bars: BarBook, clock: Clock = now_utc) -> None:
        """Read the minutes of `bars`."""
        self._bars = bars
        self._clock = clock
        self._made: dict[tuple[str, MlTimeframe], _Made] = {}

    @property
    def is_up(self) -> bool:
        """Whether feeds answered when it was last asked."""
        return self._bars.is_up

    async def closed(self, symbol: str, timeframe: MlTimeframe) -> Series:
        """Return the closed bars that are known, also when they are old or none. Raises `ServiceRefused` (503)."""
        try:
            window = await self._bars.window(symbol)
        except BarsAway as error:
            raise ServiceRefused("no_bars", str(error), RETRY_SECONDS) from error
        seconds = SECONDS[timeframe]
        until = closed_until(window.minutes, seconds, self._clock())
        key = _key(window, until)
        made = self._made.get((symbol, timeframe))
        if made is None or made.key != key:
            made = _Made(key, _series(symbol, timeframe, window.minutes, until))
            self._made[symbol, timeframe] = made
        return made.series

    async def window(self, symbol: str) -> Window:
        """Return the newest closed minutes, oldest first, and until when they are known. Raises `ServiceRefused`."""
        try:
            return await self._bars.window(symbol)
        except BarsAway as error:
            raise ServiceRefused("no_bars", str(error), RETRY_SECONDS) from error

    async def recent(self, symbol: str, timeframe: MlTimeframe) -> Series:
        """Return the closed bars; the last of them ended just now, or with the session. Raises `ServiceRefused`."""
        series = await self.closed(symbol, timeframe)
        if not len(series):
            raise ServiceRefused(
                "no_bars",
                f"no recorded bars of {symbol} {timeframe}: a simulated or sampled market is not learned from",
            )
        ended = series.ends_at(len(series) - 1)
        if is_old(symbol, ended, timedelta(seconds=series.seconds), self._clock()):
            raise ServiceRefused(
                "stale", f"{symbol} {timeframe}: the last recorded bar ended at {ended:%Y-%m-%d %H:%M} UTC"
            )
        return series

    async def current(self, symbol: str, timeframe: MlTimeframe) -> Series:
        """Return the closed bars while the next one runs: what is told of that one still counts.

        Raises `ServiceRefused`, ``stale`` once that bar is over, and when none follows because the market has closed.
        """
        series = await self.recent(symbol, timeframe)
        ended = series.ends_at(len(series) - 1)
        if not instrument_for(symbol).calendar.is_open(ended):
            raise ServiceRefused(
                "stale", f"{symbol} {timeframe}: the market closed at {ended:%Y-%m-%d %H:%M} UTC, no bar follows yet"
            )
        until = ended + timedelta(seconds=series.seconds)
        if self._clock() > until + timedelta(seconds=LATE_SECONDS):
            raise ServiceRefused(
                "stale", f"{symbol} {timeframe}: the newest forecast was until {until:%Y-%m-%d %H:%M} UTC, no bar came"
            )
        return series


def closed_until(minutes: Sequence[Minute], seconds: int, now: Instant) -> int:
    """Return the end of the last bar that is over and whole, in seconds of the epoch."""
    second = int(now.timestamp())
    over = second // seconds * seconds
    has_last_minute = bool(minutes) and minutes[-1].t >= over - MINUTE
    return over if has_last_minute or second - over >= SETTLES_SECONDS else over - seconds


def is_old(symbol: str, ended: Instant, length: timedelta, now: Instant) -> bool:
    """Return whether the market has traded for more than two bars since one ended. Nights and weekends do not count."""
    calendar = instrument_for(symbol).calendar
    return now > calendar.after_session_time(ended, RECENT_BARS * length)


def _key(window: Window, until: int) -> tuple[int, int, float, int]:
    """Return what a series depends on; older minutes than the last ones change with a new load alone."""
    end = bisect_left(window.minutes, until, key=lambda minute: minute.t)
    return until, end, window.loaded_at, hash(tuple(window.minutes[max(0, end - LOOKED_AT) : end]))


def _series(symbol: str, timeframe: MlTimeframe, minutes: Sequence[Minute], until: int) -> Series:
    seconds = SECONDS[timeframe]
    newest = minutes[-MOST_BARS * seconds // MINUTE :]
    if len(newest) < len(minutes) or len(minutes) >= LONGEST_PAGE:  # they may begin within a bar
        first = next((place for place, minute in enumerate(newest) if minute.t % seconds == 0), len(newest))
        newest = newest[first:]
    try:
        return series_of(symbol, timeframe, newest, datetime.fromtimestamp(until, UTC))
    except BarsRefused as refused:
        logger.warning("recorded bars cannot be true", symbol=symbol, timeframe=timeframe, reason=str(refused))
        raise ServiceRefused("no_bars", f"{symbol} {timeframe}: {refused}") from refused
