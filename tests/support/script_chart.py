"""A chart with the script on it, for stories: each close of a bar is the command that the one alert's message is."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from services.engine.model.bar_commands import CloseBar
from services.engine.model.feed import BASE_LENGTH, BaseName, MarketHours, ToldBrick, ToldLast
from services.market.bar_hours import open_since, silent_from
from services.market.instruments import continuous_named, delivery_named, instrument_for
from services.market.renko import RenkoStack
from services.market.session import after_session_time, trade_date
from tests.support.builders import TUESDAY, new_york
from wire.tradingview import STREAM_OF_SIZE

A_DAY = timedelta(hours=23)
FIRED_AFTER = timedelta(milliseconds=200)


class ScriptChart:
    """The bricks of one asset on one base timeframe. It had ``seen`` these prices before its first bar.

    ``tells_last``: whether its messages carry each size's last brick.
    """

    def __init__(
        self,
        at: str = "09:31:00",
        on: str = TUESDAY,
        seen: tuple[object, ...] = (5250,),
        base: BaseName = "15S",
        symbol: str = "CME_MINI:ES1!",
        asset: str = "ES",
        unit: Decimal | None = None,
        tells_last: bool = True,
    ) -> None:
        self.starts_at = new_york(on, at)
        self.symbol = symbol
        self.base: BaseName = base
        self._asset = asset
        self._instrument = instrument_for(asset)
        self._tells_last = tells_last
        self.renko = RenkoStack(self._instrument, unit)
        self._last: dict[str, ToldLast] = {}
        self._close = Decimal(str(seen[-1] if seen else 5250))
        for price in seen:
            self._formed(Decimal(str(price)), "")

    @property
    def length(self) -> timedelta:
        return timedelta(seconds=BASE_LENGTH[self.base])

    def waits(self, bars: int = 1) -> ScriptChart:
        """Let so many bars pass in which nothing is traded."""
        self.starts_at += bars * self.length
        return self

    def waits_until(self, at: str, on: str = TUESDAY) -> ScriptChart:
        self.starts_at = new_york(on, at)
        return self

    def closes(self, price: object, sent_at: datetime | None = None, opened: object = None) -> CloseBar:
        """Return the message of the next bar, which closed at this price. It opened where the last one closed."""
        close = Decimal(str(price))
        start, ended = self.starts_at, self.starts_at + self.length
        first = self._close if opened is None else Decimal(str(opened))
        bricks = self._formed(close, f"{self.symbol}|{self.base}|{{size}}|{int(start.timestamp() * 1000)}|{{k}}")
        self.starts_at = ended
        self._close = close
        calendar, sent = self._instrument.calendar, sent_at or ended + FIRED_AFTER
        return CloseBar(
            asset=self._asset,
            symbol=self.symbol,
            base=self.base,
            started_at=start,
            sent_at=sent,
            ohlc=(first, max(first, close), min(first, close), close),
            bricks=bricks,
            last=tuple([self._last[size] for size in STREAM_OF_SIZE if size in self._last]) if self._tells_last else (),
            delivery=delivery_named(self.symbol, self._asset, sent.date()),
            continuous=continuous_named(self.symbol, self._asset, trade_date(sent)),
            stale_at=after_session_time(sent, A_DAY),
            hours=MarketHours(*open_since(calendar, start)),
            silent_at=silent_from(calendar, self.base, ended),
        )

    def loses(self, price: object) -> ScriptChart:
        """Close a bar whose message is never heard."""
        self.closes(price)
        return self

    def _formed(self, close: Decimal, bar_id: str) -> tuple[ToldBrick, ...]:
        numbers: dict[Decimal, int] = {}
        told = []
        for brick in self.renko.feed(close):
            numbers[brick.points] = k = numbers.get(brick.points, 0) + 1
            lo, hi = brick.lo * brick.tick_size, brick.hi * brick.tick_size
            size = f"{brick.points:f}"
            stream = STREAM_OF_SIZE[size]
            told.append(ToldBrick(stream, k, brick.color, lo, hi, bar_id.format(size=size, k=k)))
            self._last[size] = ToldLast(stream, brick.color, lo, hi)
        return tuple(told)
