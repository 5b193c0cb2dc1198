"""What every MT4 account can do: one protocol for the paper account, the desk, and an account at MetaApi."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from advisor.mt4.asked import OrderAsked
from wire.mt4 import (
    AccountKind,
    AccountState,
    CloseAnswer,
    DealRow,
    Mt4Candle,
    Mt4Tick,
    Mt4Timeframe,
    OrderRow,
    PositionRow,
    TradeAnswer,
    UnknownClosing,
)


class Mt4Account(Protocol):
    """A connected account. Every call raises `ServiceRefused` when it cannot be answered."""

    @property
    def kind(self) -> AccountKind:
        """Which of the three it is."""

    @property
    def id(self) -> str:
        """Its name."""

    async def connect(self) -> AccountState:
        """Reach it, and return how it is."""

    async def status(self) -> AccountState:
        """Return how it is."""

    async def positions(self) -> tuple[PositionRow, ...]:
        """Return what it holds, oldest first."""

    async def orders(self) -> tuple[OrderRow, ...]:
        """Return what rests, oldest first."""

    async def deals(self, limit: int) -> tuple[DealRow, ...]:
        """Return its newest fills, oldest of them first."""

    async def tick(self, symbol: str) -> Mt4Tick:
        """Return the newest price of a symbol."""

    async def candles(self, symbol: str, timeframe: Mt4Timeframe, limit: int) -> tuple[Mt4Candle, ...]:
        """Return the newest closed candles, oldest first."""

    async def trade(self, order: OrderAsked) -> TradeAnswer:
        """Send an order."""

    async def close(self, position_id: str, volume: Decimal | None, name: str | None = None) -> CloseAnswer:
        """Close a position, all of it without a `volume`, once for each `name`. No gate stands before it."""

    def unknown(self) -> tuple[UnknownClosing, ...] | None:
        """Return the closings that nobody knows the outcome of, oldest first; None when that cannot be read."""

    async def cancel(self, order_id: str) -> None:
        """Take out a resting order."""

    async def disconnect(self) -> None:
        """Let it go: what is under way is answered first."""

    async def left(self) -> None:
        """Wait until every connection of it is closed."""
