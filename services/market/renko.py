"""Build Renko bricks from prices, by the method that TradingView calls Traditional, on an absolute grid.

The next brick closes one size beyond the last close with the trend, or two sizes against it; a jump closes several at
once. Bricks lie on multiples of their size, counted from a price of 0, so that chains that began at different prices
become the same chain. Prices are whole ticks: no brick is missed or doubled by rounding. Pure and incremental: the same
prices always give the same bricks. Why so: docs/explanation/bricks.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Annotated, Literal, Self

from msgspec import Meta, Struct

from services.market.instruments import Instrument
from wire.tradingview import STREAM_POINTS
from wire.types import Price

BrickColor = Literal["green", "red"]

LARGEST_JUMP = 10_000  # bricks of one size that one price may close
TO_SETTLE_A_NEW_CHAIN = 2
TO_SETTLE_AFTER_A_GAP = 3
SIZES = tuple(sorted(STREAM_POINTS.values()))


class PriceJump(ValueError):
    """A price too far away to be a move of the market. The bricks are unchanged."""


class FormedBrick(Struct, frozen=True, gc=False):
    """A brick that has just closed. ``points`` is its size in units; ``lo`` and ``hi`` are its ends in ticks."""

    points: Decimal
    color: BrickColor
    lo: int
    hi: int
    tick_size: Price

    @property
    def open(self) -> Price:
        """The price at which it began."""
        return (self.lo if self.color == "green" else self.hi) * self.tick_size

    @property
    def close(self) -> Price:
        """The price at which it closed: one size above or below its open."""
        return (self.hi if self.color == "green" else self.lo) * self.tick_size


class ChainState(Struct, frozen=True):
    """Where the chain of one brick size stands. It decides all bricks to come.

    ``points`` is the size in units. ``lo`` and ``hi`` are the ends of the last brick in ticks; before the first brick
    the grid's prices around the first price, before any price None. ``color`` is the last brick's, None before the
    first. ``to_settle`` counts the bricks still to form until the chain is certainly the one that saw every price.
    """

    points: Decimal
    lo: int | None = None
    hi: int | None = None
    color: BrickColor | None = None
    to_settle: Annotated[int, Meta(ge=0, le=TO_SETTLE_AFTER_A_GAP)] = TO_SETTLE_A_NEW_CHAIN


class StackState(Struct, frozen=True):
    """Where all sizes of one instrument stand, as JSON stores it. ``tick_size`` and ``unit`` are in price."""

    symbol: str
    tick_size: Price
    unit: Price
    chains: tuple[ChainState, ...]


class Renko:
    """One brick size of one instrument.

    ``points`` is the size in units. ``unit`` is the price of one point, by default the instrument's own (SPEC 2).
    Raises ValueError when the size is not a whole number of the instrument's ticks or below one.
    """

    def __init__(self, instrument: Instrument, points: Decimal, unit: Price | None = None) -> None:
        self.points = points
        self.color: BrickColor | None = None
        self.to_settle = TO_SETTLE_A_NEW_CHAIN
        self._symbol = instrument.symbol
        self._tick_size = instrument.tick_size
        self._size = _size_in_ticks(instrument, points, unit)
        self._lo: int | None = None
        self._hi = 0
        self._greens_at = self._reds_at = 0

    @property
    def state(self) -> ChainState:
        """Where the chain stands."""
        hi = None if self._lo is None else self._hi
        return ChainState(self.points, self._lo, hi, self.color, self.to_settle)

    @property
    def has_begun(self) -> bool:
        """Whether a price was fed."""
        return self._lo is not None

    @property
    def greens_at(self) -> int:
        """The price in ticks that closes the next green brick. Only known after the first price."""
        return self._known(self._greens_at)

    @property
    def reds_at(self) -> int:
        """The price in ticks that closes the next red brick. Only known after the first price."""
        return self._known(self._reds_at)

    def feed(self, price: Price) -> tuple[FormedBrick, ...]:
        """Apply one price and return the bricks that it closed, oldest first. Most prices close none.

        Raises PriceJump, and changes nothing, for a price more than 10,000 bricks away.
        """
        return self.feed_ticks(round(price / self._tick_size))

    def feed_ticks(self, price: int, after_gap: bool = False) -> tuple[FormedBrick, ...]:
        """Do the same with a price in ticks. ``after_gap``: prices before it may have been missed."""
        had_begun = self.has_begun
        formed = tuple([brick for _, brick in self.feed_many((price,))])
        if after_gap and had_begun:
            self.to_settle = TO_SETTLE_AFTER_A_GAP  # bricks of the gap's own jump prove nothing
        return formed

    def feed_many(self, prices: Sequence[int]) -> list[tuple[int, FormedBrick]]:
        """Apply many prices in ticks; return each brick behind the place of its price, counted from 0.

        Raises PriceJump, and changes nothing, when one of them is too far away.
        """
        if not prices:
            return []
        if not self.has_begun:
            return self._begin(prices)
        size, points, tick_size = self._size, self.points, self._tick_size
        reds_at, greens_at = self._reds_at, self._greens_at
        formed: list[tuple[int, FormedBrick]] = []
        for place, price in enumerate(prices):
            if reds_at < price < greens_at:
                continue
            if abs(price - reds_at - size) > LARGEST_JUMP * size:
                raise PriceJump(f"price went from {reds_at + size} to {price} ticks of {self._symbol}")
            while price >= greens_at:
                brick = FormedBrick(points, "green", greens_at - size, greens_at, tick_size)
                formed.append((place, brick))
                reds_at, greens_at = greens_at - 2 * size, greens_at + size
            while price <= reds_at:
                brick = FormedBrick(points, "red", reds_at, reds_at + size, tick_size)
                formed.append((place, brick))
                reds_at, greens_at = reds_at - size, reds_at + 2 * size
        if formed:
            self._stand_at(formed[-1][1], len(formed))
        return formed

    def adopt(self, lo: int, hi: int, color: BrickColor) -> bool:
        """Take over the last brick, in ticks, of a chain that saw every price; the chain is settled.

        Returns whether it stood there already. Raises ValueError for a brick that is not on this size's grid.
        """
        if hi - lo != self._size or lo % self._size:
            raise ValueError(f"the brick was {lo} to {hi} ticks, is not on the grid of {self._size} ticks")
        stood_there = (self._lo, self._hi, self.color) == (lo, hi, color)
        self._place(lo, hi)
        self.color = color
        self.to_settle = 0
        return stood_there

    def restore(self, state: ChainState) -> None:
        """Put a state back. Raises ValueError for one of another size or off the grid."""
        if state.points != self.points or (state.lo is None) != (state.hi is None):
            raise ValueError(f"the state was {state}, is none of {self.points} points")
        if state.lo is None or state.hi is None:
            self._lo = None
        else:
            widths = (self._size,) if state.color else (0, self._size)
            if state.lo % self._size or state.hi - state.lo not in widths:
                raise ValueError(f"the state was {state.lo} to {state.hi} ticks, is not on the grid of {self._size}")
            self._place(state.lo, state.hi)
        self.color = state.color
        self.to_settle = state.to_settle

    def _known(self, price: int) -> int:
        if self._lo is None:
            raise ValueError("no price was fed yet")
        return price

    def _place(self, lo: int, hi: int) -> None:
        self._lo = lo
        self._hi = hi
        self._greens_at = hi + self._size
        self._reds_at = lo - self._size

    def _begin(self, prices: Sequence[int]) -> list[tuple[int, FormedBrick]]:
        """Begin between the grid's prices around the first price, and go on; nothing is begun when one is refused."""
        self._place(prices[0] // self._size * self._size, -(-prices[0] // self._size) * self._size)
        try:
            return self.feed_many(prices)
        except PriceJump:
            self._lo = None
            raise

    def _stand_at(self, brick: FormedBrick, formed: int) -> None:
        self._place(brick.lo, brick.hi)
        self.color = brick.color
        self.to_settle = max(0, self.to_settle - formed)


class RenkoStack:
    """All six brick sizes of one instrument, fed with the same prices (SPEC 2).

    ``unit`` is the price of one point, by default the instrument's own. Raises ValueError when a size is not a whole
    number of ticks.
    """

    def __init__(self, instrument: Instrument, unit: Price | None = None) -> None:
        self._instrument = instrument
        self._unit = instrument.unit if unit is None else unit
        self._series = {points: Renko(instrument, points, unit) for points in SIZES}
        self._highest_reds_at: int | None = None  # strictly between these two prices no size closes a brick
        self._lowest_greens_at = 0

    @classmethod
    def restored(cls, instrument: Instrument, state: StackState, unit: Price | None = None) -> Self:
        """Return a stack that goes on where the state was taken; feed the next price as one after a gap if any passed.

        Raises ValueError for the state of another symbol, tick, unit or set of sizes: begin a new stack then.
        """
        stack = cls(instrument, unit)
        kept = (state.symbol, state.tick_size, state.unit, tuple(chain.points for chain in state.chains))
        needed = (instrument.symbol, instrument.tick_size, stack._unit, SIZES)
        if kept != needed:
            raise ValueError(f"the state was of {kept}, must be of {needed}")
        for chain in state.chains:
            stack._series[chain.points].restore(chain)
        stack._look_for_nearest()
        return stack

    @property
    def state(self) -> StackState:
        """Where all sizes stand, to be stored."""
        chains = tuple(renko.state for renko in self._series.values())
        return StackState(self._instrument.symbol, self._instrument.tick_size, self._unit, chains)

    @property
    def is_settled(self) -> bool:
        """Whether each size's chain is certainly the one that saw every price."""
        return not any(renko.to_settle for renko in self._series.values())

    def feed(self, price: Price) -> tuple[FormedBrick, ...]:
        """Apply one price and return the bricks that it closed: smallest size first, oldest first within a size.

        Raises PriceJump, and changes nothing, for a price more than 10,000 of the smallest bricks away.
        """
        return self.feed_ticks(self._instrument.ticks(price))

    def feed_ticks(self, price: int, after_gap: bool = False) -> tuple[FormedBrick, ...]:
        """Do the same with a price in ticks. ``after_gap``: prices before it may have been missed."""
        if not after_gap and self._highest_reds_at is not None:
            is_between = self._highest_reds_at < price < self._lowest_greens_at
            if is_between:
                return ()
        formed = [brick for renko in self._series.values() for brick in renko.feed_ticks(price, after_gap)]
        self._look_for_nearest()
        return tuple(formed)

    def feed_many(self, prices: Sequence[int]) -> list[tuple[int, FormedBrick]]:
        """Apply many prices in ticks, as an import does; return each brick behind the place of its price, from 0.

        The order is that of ``feed``. Raises PriceJump, and changes nothing, when one of them is too far away. Only the
        smallest size can refuse a price, and it is asked first.
        """
        formed = [found for renko in self._series.values() for found in renko.feed_many(prices)]
        formed.sort(key=itemgetter(0))  # keeps the sizes of one price in their order
        self._look_for_nearest()
        return formed

    def adopt(self, points: Decimal, lo: int, hi: int, color: BrickColor) -> bool:
        """Take over the last brick, in ticks, of a chain that saw every price; that size is settled.

        Returns whether it stood there already. Raises ValueError for an unknown size and for a brick off its grid.
        """
        renko = self._series.get(points)
        if renko is None:
            raise ValueError(f"the size was {points} points, must be one of {', '.join(map(str, SIZES))}")
        stood_there = renko.adopt(lo, hi, color)
        self._look_for_nearest()
        return stood_there

    def _look_for_nearest(self) -> None:
        """Find the two prices between which no size closes a brick; there are none before the first price."""
        series = self._series.values()
        if all(renko.has_begun for renko in series):
            self._highest_reds_at = max([renko.reds_at for renko in series])
            self._lowest_greens_at = min([renko.greens_at for renko in series])


def _size_in_ticks(instrument: Instrument, points: Decimal, unit: Price | None) -> int:
    """Return a size in ticks. Raises ValueError when it is no whole number of ticks, or below one."""
    size = points * (instrument.unit if unit is None else unit) / instrument.tick_size
    if size != int(size):
        raise ValueError(f"{points} points was not a whole number of ticks of {instrument.symbol}")
    if size < 1:
        raise ValueError(f"brick size was {points} points, must be at least one tick")
    return int(size)
