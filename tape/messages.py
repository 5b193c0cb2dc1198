"""What TradingView would send: heartbeats and closed bricks as webhook messages (SPEC 3).

Tape time is moved to now: ``timestamp`` and ``bar_ts`` are the moment of sending, because the desk judges
freshness by them. Where a brick stood on the tape is kept in its ``bar_id``, under an id of the run, so that
a second run of the same tape is not taken for duplicates.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from services.market.renko import FormedBrick
from services.market.ticks import Tick
from wire.tradingview import HEARTBEAT_PATH, STREAMS, BrickAlert, PriceAlert, encode
from wire.types import Instant, Price

TapeSource = Literal["recorded", "simulated"]

BRICK_WEBHOOKS: Mapping[Decimal, str] = {row.points: row.path for row in STREAMS}


class Message(Struct, frozen=True):
    """One POST: the webhook's path and its JSON body."""

    webhook: str
    body: bytes


class MessageWriter(Struct, frozen=True):
    """Writes the messages of one run. A ``simulated`` source is named in every message."""

    asset: str
    secret: str
    run_id: str
    source: TapeSource = "recorded"

    def heartbeat(self, price: Price, moment: Instant) -> Message:
        """Write the price at the moment of sending."""
        alert = PriceAlert(
            secret=self.secret, symbol=self.asset, price=price, timestamp=iso_utc(moment), source=self._named_source
        )
        return Message(HEARTBEAT_PATH, encode(alert))

    def brick(self, brick: FormedBrick, tick: Tick, ordinal: int, moment: Instant) -> Message:
        """Write a brick closed by a tick; ``ordinal`` counts the bricks of its size in this run."""
        tape_ms = int(tick.at.timestamp() * 1000)
        alert = BrickAlert(
            secret=self.secret,
            asset=self.asset,
            color=brick.color,
            bar_id=f"{self.run_id}|{self.asset}|tape|{brick.points}|{tape_ms}|{ordinal}",
            bar_ts=iso_utc(moment),
            close=brick.close,
            source=self._named_source,
        )
        return Message(BRICK_WEBHOOKS[brick.points], encode(alert))

    @property
    def _named_source(self) -> str | None:
        return self.source if self.source == "simulated" else None


def iso_utc(moment: Instant) -> str:
    """Return a UTC instant as ``2026-11-20T14:30:00.000Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
