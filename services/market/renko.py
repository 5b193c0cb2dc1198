"""Build Renko bricks from prices, by the method that TradingView calls Traditional.

The next brick closes one size beyond the last close with the trend, or two sizes against it; a jump closes
several at once. The grid is anchored at the first price. Counting is done in whole ticks, so a brick is never
missed or doubled by rounding. Pure and incremental: the same prices always give the same bricks.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from services.market.instruments import Instrument
from wire.tradingview import STREAM_POINTS
from wire.types import Price

BrickColor = Literal["green", "red"]

LARGEST_JUMP = 10_000  # bricks of one size that one price may close


class PriceJump(ValueError):
    """A price too far away to be a move of the market. The bricks are unchanged."""


class FormedBrick(Struct, frozen=True):
    """A brick that has just closed. ``points`` is its size; ``close`` is ``open`` plus or minus that size."""

    points: Decimal
    color: BrickColor
    open: Price
    close: Price


class Renko:
    """One brick size of one instrument.

    Raises ValueError when the size, in points, is not a whole number of the instrument's ticks or below one.
    """

    def __init__(self, instrument: Instrument, points: Decimal) -> None:
        self.points = points
        self._instrument = instrument
        self._size = instrument.ticks_in(points)
        if self._size < 1:
            raise ValueError(f"brick size was {points} points, must be at least one tick")
        self._close: int | None = None
        self._trend = 0  # 1 after a green brick, -1 after a red one, 0 before the first

    def feed(self, price: Price) -> tuple[FormedBrick, ...]:
        """Apply one price and return the bricks that it closed, oldest first. Most prices close none.

        Raises PriceJump, and changes nothing, for a price more than 10,000 bricks away.
        """
        return self.feed_ticks(self._instrument.ticks(price))

    def feed_ticks(self, price: int) -> tuple[FormedBrick, ...]:
        """Do the same with a price in ticks."""
        if self._close is None:
            self._close = price
            return ()
        if abs(price - self._close) > LARGEST_JUMP * self._size:
            raise PriceJump(f"price went from {self._close} to {price} ticks of {self._instrument.symbol}")
        formed = []
        while not self.reds_at < price < self.greens_at:
            formed.append(self._close_brick(1 if price >= self.greens_at else -1))
        return tuple(formed)

    @property
    def greens_at(self) -> int:
        """The price in ticks that closes the next green brick. Only known after the first price."""
        return self._anchor + self._size * (1 if self._trend >= 0 else 2)

    @property
    def reds_at(self) -> int:
        """The price in ticks that closes the next red brick. Only known after the first price."""
        return self._anchor - self._size * (1 if self._trend <= 0 else 2)

    @property
    def _anchor(self) -> int:
        if self._close is None:
            raise ValueError("no price was fed yet")
        return self._close

    def _close_brick(self, direction: int) -> FormedBrick:
        self._close = self.greens_at if direction > 0 else self.reds_at
        self._trend = direction
        tick = self._instrument.tick_size
        return FormedBrick(
            points=self.points,
            color="green" if direction > 0 else "red",
            open=(self._close - direction * self._size) * tick,
            close=self._close * tick,
        )


class RenkoStack:
    """All six brick sizes of one instrument, fed with the same prices (SPEC 2)."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._series = [Renko(instrument, points) for points in sorted(STREAM_POINTS.values())]
        self._highest_reds_at: int | None = None  # strictly between these two prices no size closes a brick
        self._lowest_greens_at = 0

    def feed(self, price: Price) -> tuple[FormedBrick, ...]:
        """Apply one price and return the bricks that it closed: smallest size first, oldest first within a size.

        Raises PriceJump, and changes nothing, for a price more than 10,000 of the smallest bricks away.
        """
        ticks = self._instrument.ticks(price)
        if self._highest_reds_at is not None and self._highest_reds_at < ticks < self._lowest_greens_at:
            return ()
        formed = [brick for renko in self._series for brick in renko.feed_ticks(ticks)]
        self._highest_reds_at = max(renko.reds_at for renko in self._series)
        self._lowest_greens_at = min(renko.greens_at for renko in self._series)
        return tuple(formed)
