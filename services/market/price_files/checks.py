"""Which prices cannot be true: at which no market trades, far from all others, a high below a low, a bar twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from services.market.instruments import TRADES_BELOW_ZERO
from services.market.price_files.options import PriceBar, PriceTick, WrongRow, say
from wire.types import Instant, Price

MOST_TIMES = 3
"""A price more than so many times its neighbour, or less than this part of it, is a misplaced point, not a market."""

BELOW_ZERO_DISTANCE = Decimal(60)
"""The same for what trades below zero, in USD: crude oil fell by 56 in one day of April 2020."""


class Plausible:
    """Compares each row with those before it. It begins with the median of a sample, so that no first row leads it."""

    def __init__(self, asset: str | None, sample: Iterable[Price], bar_length: timedelta | None) -> None:
        known = sorted(sample)
        self._may_be_below_zero = asset in TRADES_BELOW_ZERO
        self._last = known[len(known) // 2] if known else None
        self._bar_length = bar_length
        self._newest: Instant | None = None

    def check_tick(self, tick: PriceTick) -> None:
        """Raise WrongRow for a price that cannot be true."""
        self._check_price(tick.price)
        self._last = tick.price

    def check_bar(self, bar: PriceBar) -> None:
        """Raise WrongRow for a bar that cannot be true, or that overlaps the one before it."""
        if bar.high < bar.low:
            raise WrongRow(f"the high {bar.high} was below the low {bar.low}")
        for name, price in (("open", bar.open), ("close", bar.close)):
            if not bar.low <= price <= bar.high:
                raise WrongRow(f"the {name} {price} lay outside {bar.low} to {bar.high}")
        self._check_price(bar.low)
        self._check_price(bar.high)
        if self._newest is not None and self._bar_length is not None:
            apart = abs(bar.start - self._newest)
            if not apart:
                raise WrongRow(f"a second bar of {bar.start:%Y-%m-%d %H:%M:%S} UTC")
            if apart < self._bar_length:
                raise WrongRow(
                    f"the bar began {apart.total_seconds():.0f} s from the last one, in a file of bars of "
                    f"{self._bar_length.total_seconds():.0f} s (say the length by {say('bar_seconds')})"
                )
        self._newest = bar.start
        self._last = bar.close

    def _check_price(self, price: Price) -> None:
        last = self._last
        if self._may_be_below_zero:
            if last is not None and abs(price - last) > max(BELOW_ZERO_DISTANCE, abs(last) * 2):
                raise WrongRow(f"the price {price} was absurd beside {last}")
            return
        if price <= 0:
            raise WrongRow(f"the price was {price}, must be above 0")
        if last is not None and not last <= price * MOST_TIMES <= last * MOST_TIMES * MOST_TIMES:
            raise WrongRow(f"the price {price} was absurd beside {last}")
