"""The training of each night: a child process at 17:10 in New York, when the session of futures is over."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta

import structlog

from advisor.models.history import Clock, now_utc
from services.market.calendars import NEW_YORK
from wire.types import Instant

logger = structlog.get_logger(__name__)

TRAINS_AT = time(17, 10)
LONGEST_SLEEP_SECONDS = 600.0
"""The clock is looked at so often: a machine may sleep, or its clock be set."""

WORDS = ("-m", "advisor", "models", "train", "--new", "--with-parent")
ENDS_WITHIN_SECONDS = 2.0
ONE_DAY = timedelta(days=1)


class Nightly:
    """Starts the child, one at a time; it ends when the advisor does."""

    def __init__(
        self, words: Sequence[str] = WORDS, clock: Clock = now_utc, at: Callable[[Instant], Instant] | None = None
    ) -> None:
        """Run ``python`` with `words` at the times that `at` gives, by itself at 17:10 in New York."""
        self._words = tuple(words)
        self._clock = clock
        self._at = at or next_training

    async def run(self) -> None:
        """Train each night, until the task is cancelled."""
        while True:
            due = self._at(self._clock())
            while (left := (due - self._clock()).total_seconds()) > 0:
                await asyncio.sleep(min(left, LONGEST_SLEEP_SECONDS))
            await self.train()

    async def train(self) -> int | None:
        """Run one training and return how it ended, None when it could not be started."""
        try:
            child = await asyncio.create_subprocess_exec(sys.executable, *self._words, stdin=PIPE, stdout=DEVNULL)
        except OSError as error:
            logger.error("the nightly training could not be started", reason=error.strerror)
            return None
        logger.info("the nightly training began", pid=child.pid)
        try:
            code = await child.wait()
        finally:
            if child.stdin is not None:
                child.stdin.close()  # it ends at once then
            with suppress(TimeoutError, ProcessLookupError):
                await asyncio.wait_for(asyncio.shield(child.wait()), ENDS_WITHIN_SECONDS)
        logger.info("the nightly training ended", code=code)
        return code


def next_training(now: Instant) -> Instant:
    """Return the next 17:10 in New York after an instant."""
    wall = now.astimezone(NEW_YORK)
    day = wall.date() if wall.time() < TRAINS_AT else wall.date() + ONE_DAY
    return datetime.combine(day, TRAINS_AT, NEW_YORK).astimezone(UTC)
