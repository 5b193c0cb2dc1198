"""Threads for Flask, by kind of caller: a crowd of one kind waits for its own threads and takes nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import TypeVar

from serving.callers import KINDS, Kind

Result = TypeVar("Result")
THREADS: Mapping[Kind, int] = MappingProxyType({"exit": 2, "operator": 6, "bridge": 4, "webhook": 8, "anybody": 4})
WAITING_AT_MOST: Mapping[Kind, int] = MappingProxyType(
    {"exit": 64, "operator": 256, "bridge": 64, "webhook": 512, "anybody": 64}
)


class Full(Exception):
    """So many requests of this kind wait that one more would be answered too late."""


class Pools:
    """The threads. Used on the event loop only."""

    def __init__(self) -> None:
        self._executors = {kind: ThreadPoolExecutor(THREADS[kind], thread_name_prefix=kind) for kind in KINDS}
        self._inside = dict.fromkeys(KINDS, 0)

    async def run(self, kind: Kind, work: Callable[[], Result]) -> Result:
        """Run ``work`` in a thread of this kind and return its result. Raises `Full`."""
        if self._inside[kind] >= THREADS[kind] + WAITING_AT_MOST[kind]:
            raise Full
        self._inside[kind] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executors[kind], work)
        finally:
            self._inside[kind] -= 1

    def stop(self) -> None:
        """Begin nothing more; what runs ends by itself."""
        for executor in self._executors.values():
            executor.shutdown(wait=False, cancel_futures=True)
