"""Have the event loop call something, from any thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def call_soon(loop: asyncio.AbstractEventLoop, act: Callable[..., object], *arguments: Any) -> None:
    """Have the loop call ``act``. A loop that has ended calls nothing: nobody is left to hear of it."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(act, *arguments)
