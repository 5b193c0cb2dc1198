"""The ML engine: ranges, signals, phases and model cards at one port (docs/reference/ml-engine.md)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from advisor.bars import BarBook, FeedsBars
from advisor.channels.ml_keys import MlKeys
from advisor.channels.ml_openapi import ml_document
from advisor.channels.ml_rest import MlRest
from advisor.channels.ml_socket import MlSocket
from advisor.config import AdvisorConfig
from advisor.coverage import CoverageBook
from advisor.models.engine import MlEngine
from advisor.models.history import History
from advisor.models.nightly import Nightly
from advisor.models.sessions import SessionCounts
from advisor.models.shelf import Shelf
from advisor.models.watch import Watch
from sidecar.keys import KeyDoor
from sidecar.listen import Listener
from sidecar.local_guard import LocalGuard, Refusal
from sidecar.problems import JSON, ServiceRefused, answer_http, answer_refused, problem_body
from sidecar.use import Use
from sidecar.web import WebClient

METHODS = "GET, HEAD, POST"
Runs = Callable[[], Coroutine[Any, Any, None]]


class MlService:
    """All of the ML engine. With port 0 nothing of it listens, and the agent is answered all the same."""

    def __init__(self, config: AdvisorConfig, use: Use, keys: KeyDoor) -> None:
        """Build it; nothing runs before `running`."""
        self._config = config
        self._use = use
        self._feeds = None if config.feeds_url is None else WebClient(config.feeds_url, config.service_secret)
        feeds = FeedsBars(self._feeds)
        self._bars = BarBook(feeds)
        self._coverage = CoverageBook(config.path)
        self._shelf = Shelf(config.models_path)
        self.history = History(self._bars)
        self.engine = MlEngine(self.history, self._shelf, self._coverage, SessionCounts(feeds))
        self._watch = Watch(self.history, self._shelf, self.engine, self._coverage)
        asked = MlKeys(keys, config.service_secret, are_needed=config.require_key or not config.is_local)
        self._rest = MlRest(self.engine, asked, use)
        self._socket = MlSocket(use, asked.for_streams)
        self._nightly = Nightly()
        self._connect()

    def _connect(self) -> None:
        self._shelf.on_change = self._watch.look_anew
        self._watch.on_signal = self._socket.tell_signal
        self._watch.on_phase = self._socket.tell_phase

    def listener(self, *beside: BaseRoute) -> Listener:
        """Return what serves the port, and the routes of others `beside` it."""
        routes = (
            *self._rest.routes(),
            Route("/openapi.json", show_document, methods=["GET"]),
            self._socket.route("/ws/signals"),
            *beside,
        )
        faults: Any = {ServiceRefused: answer_refused, HTTPException: answer_http, Exception: answer_refused}
        app = Starlette(routes=routes, exception_handlers=faults)
        listed, is_local = self._config.cors_origins, self._config.is_local
        guarded = LocalGuard(app, self._use.port, listed, METHODS, refusal_body, is_local=is_local)
        return Listener(self._use, self._config.hosts, guarded)

    def running(self) -> tuple[Runs, ...]:
        """Return what runs beside the listener."""
        always = self._shelf.run, self._bars.run, self._watch.run
        return (*always, self._nightly.run) if self._config.nightly else always

    async def close(self) -> None:
        """Let go of feeds and of the files."""
        self._coverage.close()
        if self._feeds is not None:
            await self._feeds.close()


async def show_document(_request: Request) -> Response:
    """Answer what the service is, for programs that make clients of it."""
    return Response(ml_document(), media_type=JSON, headers={"Cache-Control": "no-store"})


def refusal_body(refusal: Refusal) -> bytes:
    """Return a refusal of the guard in the words of this service."""
    return problem_body("foreign_page", refusal.sentence)
