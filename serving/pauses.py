"""Answers that wait for the desk without a thread: they look again after each change, and once a second."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from serving.exchange import Exchange
from serving.later import Pause
from serving.soon import call_soon

LOOK_AGAIN_SECONDS = 1.0
"""Time alone may end a pause, without a change of the desk: an order's lease runs out."""

PAUSES_OF_A_PLACE = 256
PAUSES_OF_A_CALLER = 8
"""Of one place. One more is over at once: its caller gets an answer without waiting."""

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Waiting:
    exchange: Exchange
    pause: Pause
    go_on: Callable[[], None]
    timer: asyncio.TimerHandle | None = None


class Pauses:
    """Every pause of this process. Used on the event loop only, but for `wake`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: set[_Waiting] = set()
        self._counted: Counter[tuple[str, bytes | None]] = Counter()
        self._of_place: Counter[str] = Counter()
        self._is_woken = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, exchange: Exchange, pause: Pause, go_on: Callable[[], None]) -> bool:
        """Call ``go_on`` once the pause is over, unless the caller goes. Return False when too many wait already."""
        key = (pause.place, exchange.seen.shown)
        if self._counted[key] >= PAUSES_OF_A_CALLER or self._of_place[pause.place] >= PAUSES_OF_A_PLACE:
            return False
        waiting = _Waiting(exchange, pause, go_on)
        self._counted[key] += 1
        self._of_place[pause.place] += 1
        self._waiting.add(waiting)
        exchange.is_waiting = True
        exchange.on_gone = lambda: self._abandon(waiting)
        self._look(waiting)  # what has changed since the view looked woke nobody
        return True

    def wake(self) -> None:
        """Let every pause look again. Called from any thread, after each change of the desk."""
        if self._waiting and not self._is_woken:
            self._is_woken = True
            call_soon(self._loop, self._look_again)

    def _look_again(self) -> None:
        self._is_woken = False
        for waiting in list(self._waiting):
            if waiting in self._waiting:
                self._look(waiting)

    def _look(self, waiting: _Waiting) -> None:
        if waiting.timer is not None:
            waiting.timer.cancel()
        left = waiting.pause.deadline - time.monotonic()
        if left <= 0 or _is_over(waiting.pause):
            self._remove(waiting)
            waiting.go_on()
        else:
            waiting.timer = self._loop.call_later(min(left, LOOK_AGAIN_SECONDS), self._look, waiting)

    def _abandon(self, waiting: _Waiting) -> None:
        """Its caller has gone."""
        self._remove(waiting)
        if waiting.pause.on_gone is not None:
            waiting.pause.on_gone()

    def _remove(self, waiting: _Waiting) -> None:
        if waiting.timer is not None:
            waiting.timer.cancel()
        self._waiting.discard(waiting)
        waiting.exchange.is_waiting = False
        waiting.exchange.on_gone = None
        key = (waiting.pause.place, waiting.exchange.seen.shown)
        self._counted[key] -= 1
        self._of_place[waiting.pause.place] -= 1
        if not self._counted[key]:
            del self._counted[key]


def _is_over(pause: Pause) -> bool:
    try:
        return pause.is_over()
    except Exception:
        log.exception("a pause could not look at the desk")
        return True
