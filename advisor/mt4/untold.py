"""Closings that were done and whose callers had gone before they could be told. They are kept in memory.

A caller that sends such a call again, without a name, asks what became of the first one, and for no second part.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

from advisor.mt4.sent import UNTOLD_FOR
from wire.mt4 import CloseAnswer

Asked = tuple[str, str, Decimal]


class UntoldClosings:
    """What each call was answered that nobody heard, by account, position and lots."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._clock = clock
        self._answers: dict[Asked, tuple[float, CloseAnswer]] = {}

    def keep(self, account: str, volume: Decimal, answer: CloseAnswer) -> None:
        """Keep an answer for as long as its caller may ask again; older ones are forgotten."""
        now = self._clock()
        longest = UNTOLD_FOR.total_seconds()
        self._answers = {asked: kept for asked, kept in self._answers.items() if now - kept[0] < longest}
        self._answers[account, answer.position_id, volume] = now, answer

    def take(self, account: str, position_id: str, volume: Decimal) -> CloseAnswer | None:
        """Return what the same call was answered, once; None when there is no such answer."""
        at, answer = self._answers.pop((account, position_id, volume), (0.0, None))
        return answer if self._clock() - at < UNTOLD_FOR.total_seconds() else None
