"""Who may begin a sync, and how each one ends, whatever its child does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from feeds.jobs.child import ChildFailed
from feeds.jobs.messages import Done, Progress, Said
from feeds.jobs.registry import KEPT, MOST_WAITING, Job, SymbolBusy, SyncJobs, TooManyJobs
from feeds.jobs.sync import SyncOrder

JANUARY = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
DONE = Done(5, {"folder": 1_767_225_600}, (), False)


def order(symbol: str = "ES", provider: str | None = None) -> SyncOrder:
    return SyncOrder(symbol=symbol, start=JANUARY[0], end=JANUARY[1], provider=provider)


class Children:
    """Children that say what a test lets them say."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.ended: list[str] = []
        self.lines: asyncio.Queue[Said | Exception] = asyncio.Queue()

    @asynccontextmanager
    async def child(self, order: SyncOrder) -> AsyncIterator[AsyncIterator[Said]]:
        self.began.append(order.symbol)
        try:
            yield self._said()
        finally:
            self.ended.append(order.symbol)

    async def _said(self) -> AsyncIterator[Said]:
        while True:
            line = await self.lines.get()
            if isinstance(line, Exception):
                raise line
            yield line


def told(story: Callable[[SyncJobs, Children], Awaitable[None]], stalls_after: float = 300.0) -> None:
    """Run a story with jobs that run."""

    async def tell() -> None:
        children = Children()
        jobs = SyncJobs(children.child, stalls_after)
        running = asyncio.create_task(jobs.run())
        try:
            await story(jobs, children)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert children.began == children.ended

    asyncio.run(tell())


async def ended(job: Job) -> Job:
    await asyncio.wait_for(job.has_ended.wait(), 20)
    return job


def test_a_job_counts_its_rows_while_it_runs_and_knows_its_newest_minute() -> None:
    async def story(jobs: SyncJobs, children: Children) -> None:
        job = jobs.begin(order())
        children.lines.put_nowait(Progress(2))
        while job.rows < 2:
            await asyncio.sleep(0)
        assert (job.status, jobs.open) == ("running", (job,))
        children.lines.put_nowait(DONE)
        assert (await ended(job)).status == "completed"
        assert (job.rows, jobs.rows, jobs.open, jobs.find(job.id)) == (5, 5, (), job)
        assert jobs.newest == {"folder": datetime(2026, 1, 1, tzinfo=UTC)}

    told(story)


def test_the_same_order_again_is_the_same_job_and_another_one_of_the_symbol_waits_outside() -> None:
    async def story(jobs: SyncJobs, children: Children) -> None:
        job = jobs.begin(order())
        assert jobs.begin(order()) is job
        with pytest.raises(SymbolBusy, match=job.id):
            jobs.begin(order(provider="massive"))
        other = jobs.begin(order("NQ"))
        for _ in range(2):
            children.lines.put_nowait(DONE)
        await ended(job)
        await ended(other)
        assert children.began == ["ES", "NQ"]
        assert jobs.begin(order(provider="massive")) is not job
        children.lines.put_nowait(DONE)

    told(story)


@pytest.mark.parametrize(
    ("last", "status", "says"),
    [
        (ChildFailed("the sync ended early"), "failed", "ended early"),
        (Done(0, {}, ("massive: no answer",), True), "failed", "no answer"),
        (Done(0, {}, (), False, has_provider=False), "failed", ""),
        (Done(7, {}, ("folder: 1 left out",), False), "completed", "left out"),
    ],
)
def test_every_end_of_a_child_is_an_end_of_its_job(last: Said | Exception, status: str, says: str) -> None:
    async def story(jobs: SyncJobs, children: Children) -> None:
        job = jobs.begin(order())
        children.lines.put_nowait(last)
        await ended(job)
        assert job.status == status
        assert says in "; ".join(job.problems)
        assert jobs.ended[job.status] == 1
        after = jobs.begin(order())
        children.lines.put_nowait(DONE)
        assert (await ended(after)).status == "completed"

    told(story)


def test_a_child_that_says_nothing_is_ended() -> None:
    async def story(jobs: SyncJobs, children: Children) -> None:
        job = await ended(jobs.begin(order()))
        assert (job.status, children.ended) == ("failed", ["ES"])
        assert "nothing was heard" in job.problems[0]

    told(story, stalls_after=0.05)


def test_when_feeds_end_a_job_has_failed_and_its_child_is_gone() -> None:
    async def story(jobs: SyncJobs, children: Children) -> None:
        story_jobs.append(jobs.begin(order()))
        while not children.began:
            await asyncio.sleep(0)

    story_jobs: list[Job] = []
    told(story)
    assert story_jobs[0].status == "failed"


def test_jobs_that_wait_are_bounded_and_old_ones_are_forgotten() -> None:
    async def story(jobs: SyncJobs, children: Children) -> None:
        running = jobs.begin(order("S"))
        while not children.began:
            await asyncio.sleep(0)
        waiting = [jobs.begin(order(f"S{n}")) for n in range(MOST_WAITING)]
        with pytest.raises(TooManyJobs):
            jobs.begin(order("ONE MORE"))
        for _ in range(MOST_WAITING + 1):
            children.lines.put_nowait(DONE)
        for job in (running, *waiting):
            await ended(job)
        for n in range(KEPT):
            job = jobs.begin(order(f"T{n}"))
            children.lines.put_nowait(DONE)
            await ended(job)
        assert jobs.find(running.id) is None
        assert jobs.find(job.id) is job

    told(story)
