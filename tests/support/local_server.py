"""One local feed behind a real port, in a thread of the test: it can be told what no desk tells so quickly."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Self

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from sidecar.listen import LOOPBACKS, Listener
from sidecar.local_guard import LocalGuard
from sidecar.use import Use
from tests.support.desk_process import PATIENCE_SECONDS, eventually
from tests.support.ports import free_port


class LocalServer:
    """The port of one feed. Everything of it runs on a loop in a thread of its own.

    ``build`` is called on that loop with the feed's use, and returns the routes.
    """

    def __init__(self, name: str, build: Callable[[Use], list[BaseRoute]], ping_seconds: float = 20.0) -> None:
        self.use = Use(name, free_port())
        self._build = build
        self._ping_seconds = ping_seconds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def url(self, scheme: str = "ws") -> str:
        return f"{scheme}://127.0.0.1:{self.use.port}"

    def does(self, act: Callable[[], Any]) -> None:
        """Do something on the loop and wait until it is done."""
        asyncio.run_coroutine_threadsafe(self._call(act), self._loop).result(PATIENCE_SECONDS)

    async def _call(self, act: Callable[[], Any]) -> None:
        act()

    async def _begin(self) -> None:
        app = Starlette(routes=self._build(self.use))
        guard = LocalGuard(app, self.use.port, frozenset())
        self._listener = Listener(self.use, LOOPBACKS, guard, self._ping_seconds)
        self._serving = asyncio.create_task(self._listener.run())

    async def _end(self) -> None:
        self._listener.stop()
        await self._serving

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(PATIENCE_SECONDS)
        eventually(lambda: self.use.state == "listening")
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
