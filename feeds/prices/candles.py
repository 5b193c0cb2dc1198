"""The candles of one timeframe of one market, built price by price. Closed ones are kept up to a fixed number."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from feeds.prices.periods import Period, next_start, period_of
from feeds.prices.strat import scenario_of
from feeds.prices.types import Candle, Direction, PriceSource, Scenario, Timeframe
from services.market.calendars import Calendar
from wire.types import Instant

KEPT_CANDLES = 200
GRACE = timedelta(seconds=5)
"""How long after its end a candle still waits for late prices when no later one closes it."""
LATEST_DOUBTS = 3
"""How many closed candles a late price is compared with."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
Triggers = tuple[Decimal | None, Decimal | None]
"""High and low of the candle before; both or none."""
NO_TRIGGERS: Triggers = (None, None)


class Market(Struct, frozen=True):
    """Whose prices are never mixed: one contract of an asset, from one source, real or simulated."""

    asset: str
    contract: str
    source: PriceSource
    simulated: bool


class Broken(Struct, frozen=True):
    """The first price beyond a trigger of the current candle."""

    direction: Direction
    trigger: Decimal


class FormingCandle:
    """The candle that is being heard. Mutable, because each price changes seven of them."""

    __slots__ = ("close", "has_open", "high", "is_partial", "low", "open", "opened_at", "period", "triggers", "volume")

    def __init__(self, period: Period, price: Decimal, size: int | None, triggers: Triggers, is_partial: bool) -> None:
        self.period = period
        self.opened_at = period.start
        self.open = self.high = self.low = self.close = price
        self.volume = size
        self.triggers = triggers
        self.is_partial = is_partial
        self.has_open = not is_partial

    def first_break(self) -> Broken | None:
        """Return what its first price breaks: a gap opens beyond the trigger."""
        up, down = self.triggers
        if up is not None and self.open > up:
            return Broken("up", up)
        return Broken("down", down) if down is not None and self.open < down else None

    def add(self, price: Decimal, size: int | None, at: Instant, is_late: bool) -> Broken | None:
        """Add a price of the candle's time. A late one moves everything but the close."""
        if not is_late:
            self.close = price
        elif at < self.opened_at:
            self.has_open = False
        if self.volume is not None:
            self.volume = None if size is None else self.volume + size
        if price > self.high:
            highest, self.high = self.high, price
            up = self.triggers[0]
            return Broken("up", up) if up is not None and highest <= up < price else None
        if price < self.low:
            lowest, self.low = self.low, price
            down = self.triggers[1]
            return Broken("down", down) if down is not None and lowest >= down > price else None
        return None


class Series:
    """The candles of one timeframe. It hears prices in order; what comes late only widens what is still open.

    A closed candle never changes its prices. A late price outside of one marks it partial: its true range is unknown.
    """

    def __init__(self, market: Market, timeframe: Timeframe, calendar: Calendar) -> None:
        self.timeframe = timeframe
        self.closed: deque[Candle] = deque(maxlen=KEPT_CANDLES)
        self._market = market
        self._calendar = calendar
        self._forming: FormingCandle | None = None
        self._begins = self._ends = LONG_AGO  # of the current period, also one in which the market is shut
        self._missed: tuple[Instant, Instant] | None = None  # not heard, since the newest candle began
        self._is_first = True
        self._unstored = 0  # closed candles that changed since the last call of `changed`
        self._is_changed = False  # the forming candle did

    @property
    def forming(self) -> Candle | None:
        """The current candle as it is now; None before the first price and after its end."""
        return None if self._forming is None else self._candle(self._forming, is_closed=False)

    def newest(self, limit: int) -> list[Candle]:
        """Return the newest candles, oldest first, the forming one included."""
        forming = self.forming
        kept = [*self.closed, *([forming] if forming is not None else [])]
        return kept[-limit:] if limit > 0 else []

    def newest_open(self) -> Decimal | None:
        """Return the open of the newest candle; None when its first price was not heard."""
        if self._forming is not None:
            return self._forming.open if self._forming.has_open else None
        return self.closed[-1].open if self.closed and self.closed[-1].has_open else None

    def newest_close(self) -> Decimal | None:
        """Return the last price of the newest candle."""
        if self._forming is not None:
            return self._forming.close
        return self.closed[-1].close if self.closed else None

    def hear(self, price: Decimal, size: int | None, at: Instant, is_late: bool) -> Broken | None:
        """Add a price and return what it broke first. While the market is shut it belongs to no long candle."""
        self._is_changed = True
        if at >= self._ends:
            return self._begin(price, size, at)
        if self._forming is not None and at >= self._begins:
            return self._forming.add(price, size, at, is_late)
        self._doubt(price, at)
        return None

    def pass_time(self, now: Instant) -> None:
        """Close the forming candle when it ended more than ``GRACE`` ago."""
        if self._forming is not None and now >= self._ends + GRACE:
            self._close()

    def miss(self, since: Instant, until: Instant) -> None:
        """Mark what may lack prices between two instants, and remember them for the next candle."""
        forming = self._forming
        if forming is not None and since < self._ends and until > self._begins:
            forming.is_partial = True
            self._is_changed = True
        if self._missed is not None:
            since, until = min(since, self._missed[0]), max(until, self._missed[1])
        self._missed = (since, until)

    def changed(self) -> list[Candle]:
        """Return the candles that changed since the last call."""
        count, self._unstored = min(self._unstored, len(self.closed)), 0
        found = list(self.closed)[-count:] if count else []
        forming = self.forming if self._is_changed else None
        self._is_changed = False
        return found if forming is None else [*found, forming]

    def restore(self, candle: Candle) -> None:
        """Take a stored candle, newer than all before it, as the newest."""
        self._close()
        self._unstored = 0
        self._begins, self._ends = candle.start, candle.end
        self._missed = None
        self._is_first = False
        if candle.is_closed:
            self.closed.append(candle)
            return
        triggers = (candle.trigger_up, candle.trigger_down)
        forming = FormingCandle(Period(candle.start, candle.end), candle.open, candle.volume, triggers, False)
        forming.high, forming.low, forming.close = candle.high, candle.low, candle.close
        forming.is_partial, forming.has_open = candle.is_partial, candle.has_open
        self._forming = forming

    def _begin(self, price: Decimal, size: int | None, at: Instant) -> Broken | None:
        self._close()
        period = period_of(self.timeframe, at, self._calendar)
        self._begins, self._ends = period.start, period.end
        if not period.is_session:
            return None
        is_partial = self._is_first or (self._missed is not None and self._missed[1] > period.start)
        self._forming = FormingCandle(period, price, size, self._triggers_of(period.start), is_partial)
        self._forming.opened_at = at
        self._missed = None
        self._is_first = False
        return self._forming.first_break()

    def _triggers_of(self, start: Instant) -> Triggers:
        """Return high and low of the candle before ``start``; none where another may lie between, unheard."""
        if not self.closed or self.closed[-1].is_partial or self._market.source != "ticks":
            return NO_TRIGGERS
        prior = self.closed[-1]
        was_away = self._missed is not None and self._missed[0] < start and self._missed[1] > prior.end
        if was_away and next_start(self.timeframe, prior.end, self._calendar) < start:
            return NO_TRIGGERS
        return prior.high, prior.low

    def _close(self) -> None:
        if self._forming is not None:
            self.closed.append(self._candle(self._forming, is_closed=True))
            self._forming = None
            self._unstored += 1

    def _doubt(self, price: Decimal, at: Instant) -> None:
        """Mark the closed candle whose time a late price has, when it lies outside; the next one loses its triggers."""
        for back in range(1, min(LATEST_DOUBTS, len(self.closed)) + 1):
            candle = self.closed[-back]
            if candle.start <= at < candle.end and not candle.low <= price <= candle.high:
                self.closed[-back] = replace(candle, is_partial=True, scenario=_scenario(candle, is_partial=True))
                self._unstored = max(self._unstored, back)
                self._untrigger(back - 1)

    def _untrigger(self, back: int) -> None:
        """Take the triggers from the candle ``back`` places from the end, 0 for the forming one."""
        if back:
            self.closed[-back] = replace(self.closed[-back], trigger_up=None, trigger_down=None, scenario=None)
        elif self._forming is not None:
            self._forming.triggers = NO_TRIGGERS

    def _candle(self, forming: FormingCandle, is_closed: bool) -> Candle:
        up, down = forming.triggers
        return Candle(
            symbol=self._market.asset,
            contract=self._market.contract,
            timeframe=self.timeframe,
            start=forming.period.start,
            end=forming.period.end,
            open=forming.open,
            high=forming.high,
            low=forming.low,
            close=forming.close,
            volume=forming.volume,
            source=self._market.source,
            simulated=self._market.simulated,
            is_closed=is_closed,
            is_partial=forming.is_partial,
            has_open=forming.has_open,
            trigger_up=up,
            trigger_down=down,
            scenario=scenario_of(forming.high, forming.low, up, down, forming.is_partial),
        )


def _scenario(candle: Candle, is_partial: bool) -> Scenario | None:
    return scenario_of(candle.high, candle.low, candle.trigger_up, candle.trigger_down, is_partial)
