"""The data service: bars, snapshots, syncs and the stream at one port of this machine (data-service.md)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.bars.worker import BarWorker
from feeds.channels.data_fill import fill
from feeds.channels.data_keys import DataKeys
from feeds.channels.data_openapi import openapi_document
from feeds.channels.data_rest import DataRest
from feeds.channels.data_stream import DataStream
from feeds.channels.data_sync import DataSync
from feeds.channels.mt4_forward import Mt4Forward
from feeds.config import FeedsConfig
from feeds.desk import DeskPicture
from feeds.hub import Hears
from feeds.jobs.child import child_of
from feeds.jobs.providers import providers_of
from feeds.jobs.registry import SyncJobs
from feeds.price_keeper import PriceKeeper
from sidecar.keys import KeyDoor
from sidecar.listen import LOOPBACKS, Listener
from sidecar.local_guard import LocalGuard, Refusal
from sidecar.problems import JSON, ServiceRefused, answer_http, answer_refused, problem_body
from sidecar.use import Use

METHODS = "GET, HEAD, POST"


class DataService:
    """All of the data service. With port 0 nothing of it listens, and no bar is fetched."""

    def __init__(self, config: FeedsConfig, use: Use, keys: KeyDoor, keeper: PriceKeeper, desk: DeskPicture) -> None:
        """Build it; nothing runs before `running`."""
        self.jobs = SyncJobs(child_of)
        self._config = config
        self._use = use
        self._bars = BarWorker(config.bars_path)
        self._providers = tuple(providers_of(config))
        asked = DataKeys(keys, are_needed=config.require_key)
        self._rest = DataRest(self._bars, keeper, desk, self.jobs, self._providers, asked, use)
        self._sync = DataSync(self.jobs, self._providers, asked, use)
        self._mt4 = Mt4Forward(config.agent_url, config.service_secret, keys)
        self._stream = DataStream(use, asked.for_streams, keeper, self._bars)

    @property
    def parts(self) -> tuple[Hears, ...]:
        """What hears the desk; after the price keeper."""
        return (self._stream,)

    def listener(self) -> Listener:
        """Return what serves the port, on loopback alone."""
        routes = (
            *self._rest.routes(),
            *self._sync.routes(),
            Route("/openapi.json", show_document, methods=["GET"]),
            *self._mt4.routes(),
            self._stream.route("/ws/stream"),
        )
        faults: Any = {ServiceRefused: answer_refused, HTTPException: answer_http, Exception: answer_refused}
        app = Starlette(routes=routes, exception_handlers=faults)
        guarded = LocalGuard(app, self._use.port, self._config.cors_origins, METHODS, refusal_body)
        return Listener(self._use, LOOPBACKS, guarded, self._config.ping_seconds)

    def running(self) -> tuple[Callable[[], Coroutine[Any, Any, None]], ...]:
        """Return what runs beside the listener."""
        return (self.jobs.run, self._fill) if self._use.port else ()

    async def _fill(self) -> None:
        await fill(self._config.data_fill, self._providers, self._bars, self.jobs)

    def stop(self) -> None:
        """End the syncs, and answer who waits for one."""
        self.jobs.stop()

    async def close(self) -> None:
        """Close the file of bars, and the connections to the agent."""
        self._bars.close()
        await self._mt4.close()


async def show_document(_request: Request) -> Response:
    """Answer what the service is, for programs that make clients of it."""
    return Response(openapi_document(), media_type=JSON, headers={"Cache-Control": "no-store"})


def refusal_body(refusal: Refusal) -> bytes:
    """Return a refusal of the guard in the words of this service."""
    return problem_body("foreign_page", refusal.sentence)
