"""A sync that takes long: its caller is answered in time, and asks again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from feeds.bars.types import Bar
from feeds.channels.data_keys import DataKeys
from feeds.channels.data_sync import DataSync
from feeds.jobs.messages import Done, Progress, Said
from feeds.jobs.registry import MOST_WAITING, SyncJobs
from feeds.jobs.sync import SyncOrder
from feeds.providers.provider import ProviderReport, ProviderStatus
from sidecar.keys import KeyDoor
from sidecar.problems import ServiceRefused
from sidecar.use import Use
from sidecar.web import WebClient

NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Everything:
    """A provider that says it has every symbol."""

    name = "everything"

    def status(self) -> ProviderStatus:
        return ProviderStatus(self.name, "ok")

    def covers(self, symbol: str) -> bool:
        return True

    def bars(self, symbol: str, start: datetime, end: datetime) -> Iterator[list[Bar]]:
        yield []

    def report(self) -> ProviderReport:
        return ProviderReport()


class Desk:
    """A data service whose syncs end when a test says so, and answer within a quarter of a second."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[Said] = asyncio.Queue()
        self.orders: list[SyncOrder] = []
        self.now = NOW
        self.jobs = SyncJobs(self._child)
        keys = DataKeys(KeyDoor(WebClient("http://127.0.0.1:9", None)), are_needed=False)
        self.sync = DataSync(
            self.jobs, (Everything(),), keys, Use("data", 0), lambda: self.now, answers_within_seconds=0.25
        )

    @asynccontextmanager
    async def _child(self, order: SyncOrder) -> AsyncIterator[AsyncIterator[Said]]:
        self.orders.append(order)
        yield self._said()

    async def _said(self) -> AsyncIterator[Said]:
        while True:
            yield await self.lines.get()

    async def begins(self, symbol: str, **body: str) -> tuple[int, dict[str, Any]]:
        return _read(await self.sync.begin(_request({"symbol": symbol}, body)))

    async def shows(self, job: str) -> tuple[int, dict[str, Any]]:
        return _read(await self.sync.show_job(_request({"job": job}, {})))


def _request(path: dict[str, str], body: dict[str, str]) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

    return Request({"type": "http", "headers": [], "query_string": b"", "path_params": path}, receive)


def _read(answer: Any) -> tuple[int, dict[str, Any]]:
    return answer.status_code, json.loads(answer.body)


def test_a_long_sync_is_running_then_completed_and_asking_begins_no_other() -> None:
    async def story() -> None:
        desk = Desk()
        running = asyncio.create_task(desk.jobs.run())
        desk.lines.put_nowait(Progress(40))
        status, answer = await desk.begins("ES", start_date="2026-11-01")
        assert (status, answer["status"], answer["rows_synced"]) == (202, "running", 40)
        assert (answer["start"], answer["end"]) == ("2026-11-01T00:00:00Z", "2026-11-20T00:00:00Z")
        assert await desk.begins("/ES", start_date="2026-11-01") == (202, answer)
        assert await desk.shows(answer["job_id"]) == (202, answer)
        assert len(desk.orders) == 1
        desk.lines.put_nowait(Done(90, {}, (), False))
        job = desk.jobs.find(answer["job_id"])
        assert job is not None
        await asyncio.wait_for(job.has_ended.wait(), 20)
        assert await desk.shows(answer["job_id"]) == (200, {**answer, "status": "completed", "rows_synced": 90})
        running.cancel()

    asyncio.run(story())


def test_a_sync_until_now_that_is_repeated_a_while_later_is_the_same_one() -> None:
    async def story() -> None:
        desk = Desk()  # nothing runs its jobs: all of them wait
        desk.now = NOW + timedelta(seconds=7, microseconds=123)
        first = await desk.begins("ES", start_date="2026-11-01")
        assert first[1]["end"] == "2026-11-20T00:00:00Z"  # of the running minute nothing is whole yet
        desk.now = NOW + timedelta(minutes=25)
        assert await desk.begins("ES", start_date="2026-11-01") == first
        assert await desk.begins("ES", start_date="2026-11-01", end_date="2026-12-24") == first
        for other in ({"end_date": "2026-11-19"}, {"start_date": "2026-11-02"}, {"provider": "everything"}):
            with pytest.raises(ServiceRefused) as refused:
                await desk.begins("ES", **{"start_date": "2026-11-01", **other})
            body = json.loads(bytes(refused.value.response().body))
            assert (body["error"], body["job_id"]) == ("sync_running", first[1]["job_id"])
        assert len(desk.jobs.open) == 1

    asyncio.run(story())


def test_an_end_in_the_future_is_now_and_too_many_symbols_at_once_are_told_to_wait() -> None:
    async def story() -> None:
        desk = Desk()  # nothing runs its jobs: all of them wait
        status, answer = await desk.begins("NQ", start_date="2026-11-01", end_date="2026-12-24")
        assert (status, answer["end"]) == (202, "2026-11-20T00:00:00Z")
        for n in range(MOST_WAITING - 1):
            desk.jobs.begin(SyncOrder(symbol=f"S{n}", start=NOW, end=NOW))
        with pytest.raises(ServiceRefused) as refused:
            await desk.begins("GC", start_date="2026-11-01")
        assert (refused.value.code, refused.value.retry_after_s) == ("busy", 5)

    asyncio.run(story())
