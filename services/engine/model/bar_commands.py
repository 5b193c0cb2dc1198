"""The commands of the market's bars: what TradingView's one alert sends (SPEC 3)."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from services.engine.model.command import Command, Origin
from services.engine.model.feed import BaseName, MarketHours, ToldBrick, ToldLast
from wire.types import Instant, Price


class CloseBar(Command, frozen=True, tag="CloseBar", kw_only=True):
    """A bar of the base timeframe has closed: its price, and the bricks of all sizes that it formed (SPEC 3).

    ``symbol`` is the chart's, ``started_at`` the bar's start, ``sent_at`` when the alert fired. ``ohlc`` are open,
    high, low and close. ``bricks`` are ordered by size and number. ``last`` has the last brick of each size that has
    one; it is empty when the message told none. ``delivery``, ``continuous`` and ``stale_at`` are those of
    ``NotePrice`` and ``CloseBrick``. ``hours`` and ``silent_at`` are of the asset's calendar: when it last opened, and
    from when on the feed is silent unless another bar came.
    """

    origin: ClassVar[Origin] = "tradingview"
    asset: str
    symbol: str
    base: BaseName
    started_at: Instant
    sent_at: Instant
    ohlc: tuple[Price, Price, Price, Price]
    volume: Decimal | None = None
    bricks: tuple[ToldBrick, ...] = ()
    last: tuple[ToldLast, ...] = ()
    simulated: bool = False
    delivery: str | None = None
    continuous: str | None = None
    stale_at: Instant | None = None
    hours: MarketHours = MarketHours()
    silent_at: Instant | None = None

    @property
    def close(self) -> Price:
        return self.ohlc[3]


class NoteDelayedQuotes(Command, frozen=True, tag="NoteDelayedQuotes"):
    """A message named an exchange with delayed quotes, ``CME_MINI_DL:ES1!``: nothing of it is used (SPEC 4 row 16)."""

    origin: ClassVar[Origin] = "tradingview"
    asset: str
    symbol: str
