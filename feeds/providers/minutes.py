"""Minutes from the rows of a price file: whole ones only, and only of the contract that was the front one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from feeds.bars.rows import FIRST_T, LAST_T
from feeds.bars.types import MINUTE, Bar
from feeds.providers.provider import Reporting
from services.market.calendars import Calendar
from services.market.instruments import INSTRUMENTS, contract_named
from services.market.price_files.options import PriceBar, PriceTick, RefusedRow
from services.market.price_files.reader import PriceFile
from services.market.spelling import delivery_of
from wire.types import Instant

ONE_MINUTE = timedelta(seconds=MINUTE)
MOST_AT_ONCE = 2_000
Keep = Callable[[Instant], bool]


class Growing:
    """A minute while its ticks or shorter bars are read."""

    def __init__(self, t: int, row: PriceTick | PriceBar) -> None:
        self.t = t
        self.open, self.high, self.low, self.close, self.volume = _prices(row)

    def add(self, row: PriceTick | PriceBar) -> None:
        """Add what came next within the minute."""
        _, high, low, self.close, volume = _prices(row)
        self.high = max(self.high, high)
        self.low = min(self.low, low)
        self.volume = None if self.volume is None or volume is None else self.volume + volume

    def bar(self, symbol: str) -> Bar:
        """Return the minute."""
        return Bar(symbol, self.t, self.open, self.high, self.low, self.close, _whole(self.volume), "provider")


def minutes_of(prices: PriceFile, symbol: str, spelling: str, is_over: Keep, left_out: Reporting) -> Iterator[Bar]:
    """Yield the minutes of a file of an asset; what is left out is reported.

    ``spelling`` is how the file names its symbol: one with a delivery month gives the minutes of the trade dates on
    which the desk's own contract is of that month. ``is_over`` says of the start of a minute whether it had ended:
    an export ends with the running one, which is less than the whole. Raises PriceFileError.
    """
    if prices.bar_length is not None and prices.bar_length > ONE_MINUTE:
        reason = f"its bars are of {prices.bar_length.total_seconds():.0f} s, only minutes and shorter ones are kept"
        left_out.leave_out(prices.name, None, reason)
        return
    rows = _readable(prices, left_out)
    made = _whole_minutes(prices, symbol, rows, left_out) if prices.bar_length == ONE_MINUTE else None
    keep = _front_contract(symbol, spelling)
    others = 0
    for start, bar in made or _put_together(prices, symbol, rows, left_out):
        if not keep(start):
            others += 1
        elif not is_over(start):
            left_out.leave_out(prices.name, None, f"the minute {start:%Y-%m-%d %H:%M} was not over yet")
        elif FIRST_T <= bar.t < LAST_T:
            yield bar
        else:
            left_out.leave_out(prices.name, None, f"the minute {start:%Y-%m-%d %H:%M} is before the year 2000")
    if others:
        reason = f"{others} of its minutes are of days on which another contract than {spelling} was the front one"
        left_out.leave_out(prices.name, None, reason, others)


def _readable(prices: PriceFile, left_out: Reporting) -> Iterator[PriceTick | PriceBar]:
    for row in prices.rows:
        if isinstance(row, RefusedRow):
            left_out.leave_out(prices.name, row.line, row.reason)
        else:
            yield row


def _whole_minutes(
    prices: PriceFile, symbol: str, rows: Iterator[PriceTick | PriceBar], left_out: Reporting
) -> Iterator[tuple[Instant, Bar]]:
    for row in rows:
        if not isinstance(row, PriceBar):
            continue
        t = int(row.start.timestamp())
        if t % MINUTE or row.start.microsecond:
            left_out.leave_out(prices.name, row.line, f"the bar began at {row.start:%H:%M:%S}, not with a minute")
            continue
        yield (
            row.start,
            Bar(symbol, t, row.open, row.high, row.low, row.close, _whole(row.volume), "provider"),
        )


def _put_together(
    prices: PriceFile, symbol: str, rows: Iterator[PriceTick | PriceBar], left_out: Reporting
) -> Iterator[tuple[Instant, Bar]]:
    """Yield the minutes of ticks or short bars; the first and the last one only when nothing of them can be missing."""
    calendar = INSTRUMENTS[symbol].calendar
    growing: Growing | None = None
    started: Instant | None = None
    ended: Instant | None = None
    for row in rows:
        at = row.at if isinstance(row, PriceTick) else row.start
        t = int(at.timestamp()) // MINUTE * MINUTE
        if growing is None:
            growing, started = Growing(t, row), at.replace(second=0, microsecond=0)
            is_whole = _begins_with(at, row, calendar)
        elif t == growing.t:
            growing.add(row)
        elif t < growing.t:
            left_out.leave_out(prices.name, row.line, "time went back: sort the file by time")
            continue
        else:
            if is_whole and started is not None:
                yield started, growing.bar(symbol)
            elif not is_whole:
                left_out.leave_out(prices.name, None, "its first minute may have begun before it")
            growing, started, is_whole = Growing(t, row), at.replace(second=0, microsecond=0), True
        ended = at + (prices.bar_length or timedelta(0))
    if growing is not None and started is not None and ended is not None:
        if is_whole and _ends_with(started, ended, calendar):
            yield started, growing.bar(symbol)
        else:
            left_out.leave_out(prices.name, None, "its last minute may have gone on after it")


def _begins_with(at: Instant, row: PriceTick | PriceBar, calendar: Calendar) -> bool:
    """Return whether a first row is the first of its minute: a bar from its second 0, or the session opens in it."""
    if isinstance(row, PriceBar):
        return at.second == 0
    session = calendar.session_of(calendar.trade_date(at))
    return session is not None and session.opens <= at < session.opens + ONE_MINUTE


def _ends_with(started: Instant, ended: Instant, calendar: Calendar) -> bool:
    """Return whether a last minute is whole: a bar ends with it, or the session does."""
    if ended == started + ONE_MINUTE:
        return True
    session = calendar.session_of(calendar.trade_date(started))
    return session is not None and session.closes == started + ONE_MINUTE


def _front_contract(symbol: str, spelling: str) -> Keep:
    """Return whether a minute belongs to the contract that a file names; every one does where it names no month."""
    instrument = INSTRUMENTS[symbol]
    roll = instrument.roll
    days: dict[date, bool] = {}

    def keep(start: Instant) -> bool:
        day = instrument.calendar.trade_date(start)
        if day not in days:
            named = contract_named(spelling, day)
            front = None if roll is None else delivery_of(roll.front_month(day), day)
            days[day] = named is None or roll is None or named.delivery == front
        return days[day]

    return keep if roll is not None else lambda _start: True


def _prices(row: PriceTick | PriceBar) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal | None]:
    if isinstance(row, PriceTick):
        return row.price, row.price, row.price, row.price, row.size
    return row.open, row.high, row.low, row.close, row.volume


def _whole(volume: Decimal | None) -> Decimal | int | None:
    return int(volume) if volume is not None and volume == int(volume) else volume
