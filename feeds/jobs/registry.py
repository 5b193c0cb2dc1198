"""The syncs of feeds: who may begin one, which one runs, how each ended. One child process runs at a time.

A job is forgotten with the process: a sync that was killed is repeated, and that changes only what is missing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

import structlog

from feeds.jobs.child import ChildFailed
from feeds.jobs.messages import Done, Said
from feeds.jobs.sync import SyncOrder
from wire.data_service import JobStatus

logger = structlog.get_logger(__name__)

KEPT = 100
MOST_WAITING = 16
STALLS_AFTER_SECONDS = 300.0
"""So long a child may say nothing: a provider that waits for a server has its own, shorter limits."""

FEEDS_END = "feeds end: repeat it"

Child = Callable[[SyncOrder], AbstractAsyncContextManager[AsyncIterator[Said]]]


class SymbolBusy(Exception):
    """Another sync of the symbol runs or waits."""

    def __init__(self, job: Job) -> None:
        """Name it."""
        super().__init__(f"another sync of {job.order.symbol} runs: job {job.id}")
        self.job_id = job.id


class TooManyJobs(Exception):
    """As many syncs wait as may."""


class Job:
    """One sync and how far it is."""

    def __init__(self, order: SyncOrder) -> None:
        """Begin with nothing synced."""
        self.id = secrets.token_hex(8)
        self.order = order
        self.status: JobStatus = "running"
        self.rows = 0
        self.problems: tuple[str, ...] = ()
        self.has_provider = True
        self.has_ended = asyncio.Event()

    def end(self, status: JobStatus, *problems: str) -> None:
        """Note how it ended; only its first end counts."""
        if not self.has_ended.is_set():
            self.status, self.problems = status, problems
            self.has_ended.set()


class SyncJobs:
    """All syncs. Everything here runs on the loop of feeds."""

    def __init__(self, child: Child, stalls_after_seconds: float = STALLS_AFTER_SECONDS) -> None:
        """Run each job in a `child`."""
        self._child = child
        self._stalls_after = stalls_after_seconds
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._waiting: deque[Job] = deque()
        self._is_due = asyncio.Event()
        self.newest: dict[str, datetime] = {}
        """The newest minute of each provider that gave one."""

        self.ended = {"completed": 0, "failed": 0}
        """Jobs since the start, by how they ended."""

        self.rows = 0
        """Minutes added or changed since the start."""

    def find(self, name: str) -> Job | None:
        """Return the job of an id, None for one that is unknown or forgotten."""
        return self._jobs.get(name)

    @property
    def open(self) -> tuple[Job, ...]:
        """The jobs that run or wait."""
        return tuple(job for job in self._jobs.values() if not job.has_ended.is_set())

    def begin(self, order: SyncOrder) -> Job:
        """Have a sync run soon. The same order while it runs is the same job.

        Raises `SymbolBusy` while another sync of the symbol runs, `TooManyJobs` when too many wait.
        """
        for job in self.open:
            if job.order.is_same(order):
                return job
            if job.order.symbol == order.symbol:
                raise SymbolBusy(job)
        if len(self._waiting) >= MOST_WAITING:
            raise TooManyJobs
        job = Job(order)
        self._jobs[job.id] = job
        self._waiting.append(job)
        self._is_due.set()
        self._forget_old()
        return job

    def stop(self) -> None:
        """End every job, so that who waits for one is answered before feeds end."""
        for job in self.open:
            job.end("failed", FEEDS_END)

    async def run(self) -> None:
        """Run the jobs one after the other, until the task is cancelled."""
        while True:
            while self._waiting:
                job = self._waiting.popleft()
                if not job.has_ended.is_set():
                    await self._run_one(job)
            self._is_due.clear()
            await self._is_due.wait()

    async def _run_one(self, job: Job) -> None:
        logger.info("a sync begins", symbol=job.order.symbol, job=job.id)
        try:
            async with self._child(job.order) as said:
                await self._hear(job, said)
        except ChildFailed as error:
            job.end("failed", str(error))
        except TimeoutError:
            job.end("failed", f"nothing was heard of it for {self._stalls_after:.0f} s: repeat it")
        finally:
            job.end("failed", FEEDS_END)
            self.ended["completed" if job.status == "completed" else "failed"] += 1
            logger.info("a sync ended", symbol=job.order.symbol, job=job.id, status=job.status, rows=job.rows)

    async def _hear(self, job: Job, said: AsyncIterator[Said]) -> None:
        """Note what the child says up to its end. Raises `ChildFailed`, TimeoutError."""
        while True:
            message = await asyncio.wait_for(anext(said), self._stalls_after)
            self.rows += message.rows - job.rows
            job.rows = message.rows
            if isinstance(message, Done):
                job.has_provider = message.has_provider
                self._note_newest(message)
                job.end("failed" if message.failed or not message.has_provider else "completed", *message.problems)
                return

    def _note_newest(self, done: Done) -> None:
        for provider, seconds in done.newest.items():
            at = datetime.fromtimestamp(seconds, UTC)
            self.newest[provider] = max(at, self.newest.get(provider, at))

    def _forget_old(self) -> None:
        ended = [name for name, job in self._jobs.items() if job.has_ended.is_set()]
        for name in ended[: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[name]
