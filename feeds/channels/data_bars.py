"""Questions of the data service to the stored bars."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from feeds.bars.store import BarStore
from feeds.bars.worker import BarsAway, BarWorker
from sidecar.problems import RETRY_SECONDS, ServiceRefused

Found = TypeVar("Found")


async def ask_bars(bars: BarWorker, question: Callable[[BarStore], Found]) -> Found:
    """Return what `question` finds in the stored bars. Raises `ServiceRefused` (503) while they cannot be asked."""
    try:
        return await bars.ask(question)
    except BarsAway as error:
        if error.is_busy:
            raise ServiceRefused("busy", "as many questions wait for the bars as may", RETRY_SECONDS) from error
        raise ServiceRefused("not_available", "the stored bars cannot be read", RETRY_SECONDS) from error
