"""A chart of TradingView with the script on it: each close of a bar becomes the message that the one alert sends."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

from services.market.instruments import instrument_for
from services.market.renko import FormedBrick, RenkoStack
from tests.support.desk_process import TV_SECRET
from wire.tradingview import BASE_SECONDS, BaseTimeframe

Message = dict[str, Any]
SENT_AFTER_MS = 200  # after the bar's end; no message may come before it is sent


class Chart:
    """One asset on one base timeframe. Its first bar was told just before now; it had ``seen`` these prices before.

    The bricks are those of ``services/market/renko.py``, which ``tests/tradingview`` proves equal to the script's.
    """

    def __init__(
        self,
        symbol: str = "ES",
        tf: BaseTimeframe = "15S",
        seen: tuple[str, ...] = (),
        started_ms: int | None = None,
        asset: str = "ES",
        **fields: Any,
    ) -> None:
        self._length = BASE_SECONDS[tf] * 1000
        self._always = {"secret": TV_SECRET, "symbol": symbol, "tf": tf, **fields}
        told_by = int(time.time() * 1000) - SENT_AFTER_MS
        self.t = (told_by - self._length if started_ms is None else started_ms) // self._length * self._length
        self._renko = RenkoStack(instrument_for(asset))
        self._last: dict[str, Message] = {}
        for price in seen:
            self._formed(Decimal(price))

    def closes(self, price: str | float | Decimal, **fields: Any) -> Message:
        """Return the message of the next bar, which closed at this price."""
        close = Decimal(str(price))
        bricks = self._formed(close)
        message = {
            **self._always,
            "t": self.t,
            "now": self.t + self._length + SENT_AFTER_MS,
            "ohlc": [float(close)] * 4,
            **({"bricks": bricks} if bricks else {}),
            **({"last": dict(self._last)} if self._last else {}),
            **fields,
        }
        self.t += self._length
        return message

    def _formed(self, close: Decimal) -> list[Message]:
        numbers: dict[Decimal, int] = {}
        bricks = []
        for brick in self._renko.feed(close):
            numbers[brick.points] = numbers.get(brick.points, 0) + 1
            ends = _ends(brick)
            bricks.append({"size": float(brick.points), "k": numbers[brick.points], **ends})
            self._last[f"{brick.points:f}"] = ends
        return bricks


def _ends(brick: FormedBrick) -> Message:
    return {
        "color": brick.color,
        "lo": float(brick.lo * brick.tick_size),
        "hi": float(brick.hi * brick.tick_size),
    }


def as_sent(message: Message) -> bytes:
    """Return the body as the alert sends it."""
    return json.dumps(message).encode()
