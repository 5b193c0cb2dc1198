"""Work that several callers wait for: done once, and not longer waited for than a caller has time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

import structlog

logger = structlog.get_logger(__name__)

Found = TypeVar("Found")
PATIENCE_SECONDS = 1.5
"""Web waits 2 s for an answer."""


class StillUnderWay(Exception):
    """The work goes on; asking again later may find it done."""


class SharedWork(Generic[Found]):
    """One task for each key. A caller that leaves does not end it."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Let each caller wait so long."""
        self._patience = patience_seconds
        self._tasks: dict[str, asyncio.Task[Found]] = {}
        self._waiting: Counter[str] = Counter()
        self._unheard: dict[str, BaseException] = {}

    async def result(self, key: str, work: Callable[[], Coroutine[Any, Any, Found]]) -> Found:
        """Return what the work under way for `key` gives; begin it when there is none.

        Work that failed when nobody waited for it any more fails for the next who asks; the one after begins it anew.

        Raises `StillUnderWay`, and what the work raises.
        """
        task = self._tasks.get(key)
        if task is None:
            if (failed := self._unheard.pop(key, None)) is not None:
                raise failed
            task = self._tasks[key] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._ended(key, done))
        self._waiting[key] += 1
        try:
            await asyncio.wait({task}, timeout=self._patience)
        finally:
            self._waiting[key] -= 1
        if not task.done():
            raise StillUnderWay
        return task.result()

    def _ended(self, key: str, done: asyncio.Task[Found]) -> None:
        """Keep a failure that nobody waits for."""
        del self._tasks[key]
        error = None if done.cancelled() else done.exception()
        if error is not None and not self._waiting[key]:
            self._unheard[key] = error
            logger.warning(
                "work that nobody waited for any more has failed", work=key, error=f"{type(error).__name__}: {error}"
            )
