"""A market for pictures: a walk of the price, and bricks with prices as TradingView closes them."""

from __future__ import annotations

import random
from typing import Any

from tests.browser.live_desk import LiveDesk

SIZES = ("1", "2.5", "4", "6", "8", "12")
STARTS = {"ES": 6_689.25, "NQ": 23_918.75}
STEPS = 1_500
LEG = 60  # steps between changes of mind


class PricedDesk(LiveDesk):
    """A desk whose bricks close where a Renko chart closes them: a turn takes two heights."""

    ends: dict[tuple[str, str], tuple[float, int]]

    def hears_brick(self, size: str, color: str, asset: str = "ES", **more: Any) -> None:
        self.loses_brick(size, color, asset)
        super().hears_brick(size, color, asset, close=self.ends[asset, size][0], **more)

    def _end(self, size: str, asset: str) -> tuple[float, int]:
        self.ends = getattr(self, "ends", {})
        return self.ends.get((asset, size), (STARTS[asset], 0))

    def loses_brick(self, size: str, color: str, asset: str = "ES") -> None:
        """Let a brick close whose alert never arrives."""
        end, way = self._end(size, asset)
        turned = 1 if color == "green" else -1
        self.ends[asset, size] = end + turned * float(size) * (1 if turned * way >= 0 else 2), turned

    def hears_a_walk(self, asset: str = "ES") -> None:
        """Let the price walk, the same way each time, and close every brick on its way."""
        dice, price, drift = random.Random(3), STARTS[asset], 0.0
        for step in range(STEPS):
            if step % LEG == 0:
                drift = dice.choice((-0.08, 0.1, 0.05, -0.03))
            price += dice.gauss(drift, 1.0)
            for size in SIZES:
                while color := self._closing(size, asset, price):
                    self.hears_brick(size, color, asset)

    def _closing(self, size: str, asset: str, price: float) -> str | None:
        (end, way), height = self._end(size, asset), float(size)
        if price >= end + height * (1 if way >= 0 else 2):
            return "green"
        return "red" if price <= end - height * (1 if way <= 0 else 2) else None
