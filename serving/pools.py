"""Threads for the application, by kind of caller: a crowd of one kind waits for its own threads, nobody else's."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from types import MappingProxyType

from serving.callers import KINDS, Kind

# Webhooks that wait together share a commit: their threads are as many as are worth one.
THREADS: Mapping[Kind, int] = MappingProxyType(
    {
        "exit": 2,
        "operator": 6,
        "bridge": 4,
        "webhook": 16,
        "service": 3,
        "reader": 3,
        "health": 1,
        "login": 2,
        "unproven": 4,
        "anybody": 2,
    }
)
WAITING_AT_MOST: Mapping[Kind, int] = MappingProxyType(
    {
        "exit": 64,
        "operator": 256,
        "bridge": 64,
        "webhook": 512,
        "service": 64,
        "reader": 64,
        "health": 64,
        "login": 128,
        "unproven": 256,
        "anybody": 256,
    }
)
STRANGERS: frozenset[Kind] = frozenset({"unproven", "anybody"})
STRANGERS_OF_ONE_ADDRESS = 64
"""Strangers' requests of one address that may wait. Behind a proxy that is the address which the proxy names."""

RESTS_PER_SECOND_WORKED = 4.0
"""While more wait, a strangers' thread rests so long after each: they have a fifth of its time, the desk the others."""

RESTS_AT_MOST_SECONDS = 0.25

Work = Callable[[], None]


class Full(Exception):
    """So many requests of this kind wait that one more would be answered too late."""


class Pool:
    """The threads of one kind of caller. They begin when they are first needed."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._threads = 0
        self._inside = 0

    def submit(self, work: Work) -> None:
        """Have a thread do ``work``, which must not raise. Raises `Full`."""
        if self._inside >= THREADS[self._kind] + WAITING_AT_MOST[self._kind]:
            raise Full
        self._inside += 1
        if self._threads < min(self._inside, THREADS[self._kind]):
            self._threads += 1
            threading.Thread(target=self._run, name=f"{self._kind}-{self._threads}", daemon=True).start()
        self._work.put(work)

    def done(self) -> None:
        """Count one less."""
        self._inside -= 1

    def stop(self) -> None:
        """End the threads when their work is done."""
        for _ in range(self._threads):
            self._work.put(None)

    def _run(self) -> None:
        rests = RESTS_PER_SECOND_WORKED if self._kind in STRANGERS else 0.0
        while (work := self._work.get()) is not None:
            began = time.thread_time()
            work()
            if rests and not self._work.empty():
                time.sleep(min((time.thread_time() - began) * rests, RESTS_AT_MOST_SECONDS))


class Pools:
    """All threads. Used on the event loop only."""

    def __init__(self) -> None:
        self._pools = {kind: Pool(kind) for kind in KINDS}
        self._strangers: Counter[str] = Counter()

    def submit(self, kind: Kind, address: str, work: Work) -> None:
        """Have a thread of this kind do ``work``, which must not raise. Raises `Full`."""
        if kind not in STRANGERS:
            self._pools[kind].submit(work)
            return
        if self._strangers[address] >= STRANGERS_OF_ONE_ADDRESS:
            raise Full
        self._pools[kind].submit(work)
        self._strangers[address] += 1

    def done(self, kind: Kind, address: str) -> None:
        """Note that such work is done."""
        self._pools[kind].done()
        if kind in STRANGERS:
            self._strangers[address] -= 1
            if not self._strangers[address]:
                del self._strangers[address]

    def stop(self) -> None:
        """End the threads when their work is done."""
        for pool in self._pools.values():
            pool.stop()
