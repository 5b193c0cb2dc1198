"""TheStrat read a second time, all prices at once and one timeframe after the other. Slow and straightforward.

It shares the types of the price book and none of its logic: periods come from wall-clock times, candles from groups of
prices, and every break is looked for in the whole group.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import groupby

from msgspec import Struct

from services.market.calendars import FX
from services.market.instruments import instrument_for
from services.market.session import NEW_YORK

MINUTES = {"1m": 1, "15m": 15, "30m": 30, "60m": 60}
TIMEFRAMES = (*MINUTES, "4h", "1d", "1w")
OPENS = time(18)
FX_OPENS = time(17)


class Tick(Struct, frozen=True):
    """One price of an asset; ``place`` is its place among all."""

    place: int
    asset: str
    at: datetime
    price: Decimal


class Bar(Struct, frozen=True):
    """One candle with what it broke; no triggers and no scenario after a candle that was not wholly heard."""

    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    ticks: tuple[Tick, ...]
    is_partial: bool
    prior: tuple[Decimal, Decimal] | None

    @property
    def scenario(self) -> str | None:
        if self.prior is None or self.is_partial:
            return None
        broken = (self.high > self.prior[0], self.low < self.prior[1])
        return {(False, False): "1", (True, False): "2U", (False, True): "2D", (True, True): "3"}[broken]


class Break(Struct, frozen=True):
    """One alert, in the order in which it came."""

    place: int
    symbol: str
    timeframe: str
    start: datetime
    direction: str
    scenario: str
    trigger: Decimal
    price: Decimal
    at: datetime


def numbered(ticks: Iterable[tuple[str, datetime, Decimal]]) -> tuple[Tick, ...]:
    """Number the prices of a tape."""
    return tuple(Tick(place, *tick) for place, tick in enumerate(ticks))


def bars_of(ticks: Sequence[Tick], timeframe: str) -> list[Bar]:
    """Return the candles of one asset's prices."""
    bars: list[Bar] = []
    started = ((_start_of(tick.asset, timeframe, tick.at), tick) for tick in ticks)
    within = [(start, tick) for start, tick in started if start is not None]
    for start, group in groupby(within, key=lambda pair: pair[0]):
        inside = tuple(tick for _, tick in group)
        prices = [tick.price for tick in inside]
        prior = (bars[-1].high, bars[-1].low) if bars and not bars[-1].is_partial else None
        bars.append(Bar(start, prices[0], max(prices), min(prices), prices[-1], inside, not bars, prior))
    return bars


def breaks_of(ticks: Sequence[Tick]) -> list[Break]:
    """Return all alerts in force of all assets, in the order of the prices that caused them."""
    found: list[Break] = []
    for asset in {tick.asset for tick in ticks}:
        own = [tick for tick in ticks if tick.asset == asset]
        for timeframe in TIMEFRAMES:
            for bar in bars_of(own, timeframe):
                found.extend(_breaks_of_bar(bar, asset, timeframe))
    return sorted(found, key=lambda one: (one.place, TIMEFRAMES.index(one.timeframe)))


def simultaneous_of(breaks: Sequence[Break], members: Sequence[str]) -> list[tuple[Break, ...]]:
    """Return each group of breaks of all members within a minute; each break is in one group at most."""
    found: list[tuple[Break, ...]] = []
    used: set[Break] = set()
    for last in breaks:
        like_it = [one for one in breaks if (one.timeframe, one.direction) == (last.timeframe, last.direction)]
        chosen = []
        for member in members:
            minute = [
                one
                for one in like_it
                if one.symbol == member and timedelta(0) <= last.at - one.at <= timedelta(seconds=60)
            ]
            free = [one for one in minute if one not in used and one.place <= last.place]
            chosen.extend(free[-1:])
        if len(chosen) == len(members) and last in chosen:
            found.append(tuple(sorted(chosen, key=lambda one: one.at)))
            before = [one for one in like_it if one.place <= last.place]
            used.update(before)
    return found


def setups_of(ticks: Sequence[Tick], timeframe: str) -> set[tuple[str, str, Decimal, Decimal, datetime, bool]]:
    """Return name, direction, trigger, stop, candle and whether in force, of one asset's prices.

    The last candle is the current one, unless the last price came while the market was shut.
    """
    bars = bars_of(ticks, timeframe)
    is_closed = bool(ticks) and _start_of(ticks[-1].asset, timeframe, ticks[-1].at) is None
    scenarios = [None, *(bar.scenario for bar in bars), *(["1"] if is_closed else [])]
    closed = bars if is_closed else bars[:-1]
    if not closed or None in scenarios[-2:]:
        return set()
    first, second, now = scenarios[-3:]
    found = set()
    for direction, third in (("up", "2U"), ("down", "2D")):
        name = _name(first, str(second), third)
        if name and now in ("1", third):
            signal = closed[-1]
            prices = (signal.high, signal.low) if direction == "up" else (signal.low, signal.high)
            found.add((name, direction, *prices, signal.start, now == third))
    return found


def _name(first: str | None, second: str, third: str) -> str | None:
    if second == "1":
        return {"2U": "2-1-2", "2D": "2-1-2", "3": "3-1-2"}.get(first or "")
    if second[0] != "2" or second == third:
        return None
    return {"1": "1-2-2", "3": "3-2-2"}.get(first or "", "2-2")


def _breaks_of_bar(bar: Bar, asset: str, timeframe: str) -> Iterable[Break]:
    if bar.prior is None:
        return
    high, low = bar.prior
    above = next((tick for tick in bar.ticks if tick.price > high), None)
    below = next((tick for tick in bar.ticks if tick.price < low), None)
    for direction, tick, other, trigger in (("up", above, below, high), ("down", below, above, low)):
        if tick is not None:
            is_second = other is not None and other.place < tick.place
            scenario = "3" if is_second else {"up": "2U", "down": "2D"}[direction]
            yield Break(tick.place, asset, timeframe, bar.start, direction, scenario, trigger, tick.price, tick.at)


def _start_of(asset: str, timeframe: str, at: datetime) -> datetime | None:
    """Return when the candle of an instant begins, None when the market of a long one is shut."""
    if timeframe in MINUTES:
        length = MINUTES[timeframe]
        return at.replace(minute=at.minute // length * length, second=0, microsecond=0)
    day = instrument_for(asset).calendar.trade_date(at)
    if timeframe == "1w":
        return _week_start(asset, at, day)
    if not _trades(asset, at):
        return None
    opened = _open_of(asset, day)
    if timeframe == "1d":
        return opened
    clock = opened
    while clock + timedelta(hours=4) <= at:
        clock += timedelta(hours=4)
    return clock


def _week_start(asset: str, at: datetime, day: date) -> datetime | None:
    """Return the first open hour of the week, None before it and after the last one."""
    trading = _open_hours(asset, day - timedelta(days=day.weekday()))
    is_over = trading[-1] < at and not _trades(asset, at)
    return None if at < trading[0] or is_over else trading[0]


@lru_cache
def _open_hours(asset: str, monday: date) -> list[datetime]:
    hours = [_open_of(asset, monday) + timedelta(hours=count) for count in range(24 * 5)]
    return [hour for hour in hours if _trades(asset, hour)]


def _open_of(asset: str, day: date) -> datetime:
    opens = FX_OPENS if instrument_for(asset).calendar is FX else OPENS
    return datetime.combine(day - timedelta(days=1), opens, NEW_YORK).astimezone(UTC)


def _trades(asset: str, at: datetime) -> bool:
    """Return whether the asset trades; its holidays are those of the table, its hours are told here once more."""
    calendar = instrument_for(asset).calendar
    local = at.astimezone(NEW_YORK)
    opens = FX_OPENS if calendar is FX else OPENS
    day = local.date() + timedelta(days=local.time() >= opens)
    if day.weekday() >= 5 or (calendar is not FX and time(17) <= local.time() < OPENS):
        return False
    holiday = calendar.holidays(day.year).get(day)
    if holiday is None:
        return True
    return holiday.closes_at is not None and (local.date() < day or local.time() < holiday.closes_at)
