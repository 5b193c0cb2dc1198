"""Tasks that go on for as long as the program does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from sidecar.pauses import Pauses

logger = structlog.get_logger(__name__)

LONGEST_PAUSE_SECONDS = 30.0


async def kept_running(run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run something until it ends by itself. When it fails, log that and begin it anew after a pause."""
    pauses = Pauses(longest=LONGEST_PAUSE_SECONDS)
    while True:
        try:
            return await run()
        except Exception:
            logger.exception("a task failed and is begun anew", task=getattr(run, "__qualname__", str(run)))
        await asyncio.sleep(pauses.next_seconds())
