"""``POST /api/sync/{symbol}`` and ``GET /api/sync/jobs/{id}``: fetch bars from the providers (data-service.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.channels.data_keys import SYNC_SCOPE, DataKeys
from feeds.jobs.registry import Job, SymbolBusy, SyncJobs, TooManyJobs
from feeds.jobs.sync import SyncOrder
from feeds.providers.provider import Provider
from services.market.instruments import INSTRUMENTS
from sidecar.problems import JSON, RETRY_SECONDS, ServiceRefused
from sidecar.queries import Parameters, known_symbol, named, read_body, read_time
from sidecar.use import Use
from wire.data_service import SyncAnswer, SyncRequest
from wire.encoding import encode

ANSWERS_WITHIN_SECONDS = 20.0
LONGEST_DAYS = 9_500
COMPLETED, RUNNING = 200, 202


class DataSync:
    """The syncs that callers ask for. Each needs a key with ``data:sync``."""

    def __init__(
        self,
        jobs: SyncJobs,
        providers: tuple[Provider, ...],
        keys: DataKeys,
        use: Use,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        answers_within_seconds: float = ANSWERS_WITHIN_SECONDS,
    ) -> None:
        """Begin `jobs` of `providers`."""
        self._jobs = jobs
        self._providers = providers
        self._keys = keys
        self._use = use
        self._clock = clock
        self._answers_within = answers_within_seconds

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/api/sync/jobs/{job}", self._keyed(self.show_job), methods=["GET"]),
            Route("/api/sync/{symbol:path}", self._keyed(self.begin), methods=["POST"]),
        ]

    def _keyed(self, view: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            await self._keys.require(request, SYNC_SCOPE)
            response = await view(request)
            self._use.note_sent()
            return response

        return answer

    async def begin(self, request: Request) -> Response:
        """Begin a sync, and answer when it has ended, or with 202 after twenty seconds."""
        Parameters(request)
        order = await self._order(request)
        self._refuse_unknown_provider(order)
        if not await asyncio.to_thread(self._may_be_provided, order):  # it looks at folders
            raise ServiceRefused("no_provider", f"no provider that is switched on has {order.symbol}")
        try:
            job = self._jobs.begin(order)
        except SymbolBusy as error:
            raise ServiceRefused("sync_running", f"{error}: wait for it", RETRY_SECONDS, error.job_id) from error
        except TooManyJobs as error:
            raise ServiceRefused("busy", "as many syncs wait as may: ask again later", RETRY_SECONDS) from error
        with suppress(TimeoutError):
            await asyncio.wait_for(job.has_ended.wait(), self._answers_within)
        return answer_of(job)

    async def show_job(self, request: Request) -> Response:
        """Return how far a sync is."""
        Parameters(request)
        job = self._jobs.find(request.path_params["job"])
        if job is None:
            raise ServiceRefused("unknown_job", "there is no such job: feeds forget them when they end. Sync again")
        return answer_of(job)

    async def _order(self, request: Request) -> SyncOrder:
        symbol = known_symbol(request.path_params["symbol"], INSTRUMENTS)
        asked = await read_body(request, SyncRequest, "an object with start_date")
        now = self._clock().replace(second=0, microsecond=0)
        start = read_time("start_date", asked.start_date)
        end = now if asked.end_date is None else min(now, read_time("end_date", asked.end_date))
        if start >= end:
            raise ServiceRefused("invalid_parameter", "start_date must be before end_date, and before now")
        if (end - start).days > LONGEST_DAYS:
            raise ServiceRefused("invalid_parameter", f"one sync may have {LONGEST_DAYS} days, these are more")
        return SyncOrder(symbol=symbol, start=start, end=end, provider=asked.provider, ends_now=end == now)

    def _refuse_unknown_provider(self, order: SyncOrder) -> None:
        """Raise `ServiceRefused` (400) for a provider that there is not."""
        known = [one.name for one in self._providers]
        if order.provider is not None and order.provider not in known:
            raise ServiceRefused(
                "invalid_parameter", f"provider must be one of {named(known)}, was {order.provider[:40]!r}"
            )

    def _may_be_provided(self, order: SyncOrder) -> bool:
        asked = [one for one in self._providers if order.provider in (None, one.name)]
        return any(one.status().status != "off" and one.covers(order.symbol) for one in asked)


def answer_of(job: Job) -> Response:
    """Return the answer of a job as it is. Raises `ServiceRefused` (503) for one that failed."""
    if not job.has_provider:
        raise ServiceRefused("no_provider", f"no provider has {job.order.symbol}")
    if job.status == "failed":
        raise ServiceRefused("sync_failed", "; ".join(job.problems) or "the sync failed", RETRY_SECONDS)
    body = SyncAnswer(
        status=job.status,
        rows_synced=job.rows,
        job_id=job.id,
        symbol=job.order.symbol,
        start=job.order.start,
        end=job.order.end,
        problems=job.problems,
    )
    status = RUNNING if job.status == "running" else COMPLETED
    return Response(encode(body), status, {"Cache-Control": "no-store"}, media_type=JSON)
