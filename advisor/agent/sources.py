"""Where the tools read: the desk and the ML engine. One object for each question."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, Protocol

from advisor.agent.desk_reader import DeskReader
from wire.ml_engine import AmdAnswer, MlTimeframe, RangeBands, RrConfig, SignalResponse
from wire.state import LiveDocument

RefusedBecause = Literal["unknown_tool", "invalid_arguments", "unknown_symbol", "not_traded_here", "no_trading_day"]
Clock = Callable[[], datetime]


class ToolRefused(Exception):
    """A tool was asked what it cannot answer; the message is one sentence. ``code`` is for programs."""

    def __init__(self, code: RefusedBecause, sentence: str) -> None:
        """Name the code."""
        super().__init__(sentence)
        self.code: RefusedBecause = code


class NothingThere(ToolRefused):
    """What was asked is well said, and there is nothing of it: an asset that this desk does not trade, a Sunday.

    To a person that is an answer, so the toolbox makes a result of it.
    """


class MlReader(Protocol):
    """The ML engine. Every call raises `ServiceRefused`, for instance ``not_trained``."""

    async def bands(self, symbol: str, timeframe: MlTimeframe) -> RangeBands: ...

    async def signal(self, symbol: str, timeframe: MlTimeframe, rr: RrConfig) -> SignalResponse: ...

    async def amd(self, symbol: str, timeframe: MlTimeframe, lookback: int) -> AmdAnswer: ...


def utc_now() -> datetime:
    return datetime.now(UTC)


class Sources:
    """What the tools of one question read. They see one state of the desk, so that their facts agree."""

    def __init__(self, desk: DeskReader, ml: MlReader, clock: Clock) -> None:
        """Read nothing yet."""
        self.desk = desk
        self.ml = ml
        self.clock = clock
        self._state: asyncio.Task[LiveDocument] | None = None

    async def state(self) -> LiveDocument:
        """Return the desk as it was when a tool of this question asked first. Raises `DeskAway`."""
        if self._state is None:
            self._state = asyncio.create_task(self.desk.state())
            self._state.add_done_callback(_look_at_failure)
        return await asyncio.shield(self._state)  # a tool that is given up takes the state from no other tool

    @property
    def seen(self) -> LiveDocument | None:
        """The desk as the tools of this question saw it; None while none has, or it does not answer."""
        is_there = self._state is not None and self._state.done() and self._state.exception() is None
        return self._state.result() if self._state is not None and is_there else None


def _look_at_failure(task: asyncio.Task[LiveDocument]) -> None:
    """Take note of a failure that no tool waits for any more, which asyncio would log as forgotten."""
    if not task.cancelled():
        task.exception()
