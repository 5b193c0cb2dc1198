"""The agent: questions about the desk, and auto-trade, at one port of this machine (docs/reference/agent.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from advisor.agent.answer import OneQuestion
from advisor.agent.chat import Chat
from advisor.agent.desk_reader import DeskReader
from advisor.agent.offered import OFFERED
from advisor.agent.providers.choice import provider_of
from advisor.agent.settings import AgentSettings
from advisor.agent.toolbox import Toolbox
from advisor.channels.agent_access import AgentAccess, WebFirst
from advisor.channels.agent_openapi import openapi_document
from advisor.channels.agent_rest import AgentRest
from advisor.channels.auto_rest import AutoTradeService
from advisor.channels.explain_call import explain_routes
from advisor.models.engine import MlEngine
from advisor.models.history import History
from sidecar.keys import KeyDoor
from sidecar.listen import Listener
from sidecar.local_guard import LocalGuard, Refusal
from sidecar.problems import JSON, ServiceRefused, answer_http, answer_refused, problem_body
from sidecar.use import Use
from sidecar.web import WebClient

METHODS = "GET, HEAD, POST"


class AgentConfig(Protocol):
    """What the agent needs of the advisor's settings."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The addresses to listen on."""

    @property
    def service_secret(self) -> str | None:
        """What web shows, and what is shown to web."""

    @property
    def path(self) -> Path:
        """The advisor's file."""

    @property
    def cors_origins(self) -> frozenset[str]:
        """Origins whose pages may ask."""

    @property
    def agent(self) -> AgentSettings:
        """Which model words the answers."""


class AgentService:
    """All of the agent. With port 0 nothing of it listens."""

    def __init__(
        self, config: AgentConfig, use: Use, keys: KeyDoor, web: WebClient, ml: MlEngine, history: History
    ) -> None:
        """Build it; nothing runs before `running`."""
        self._config = config
        self._use = use
        self._provider = provider_of(config.agent)
        self._access = AgentAccess(keys, config.service_secret)
        self._toolbox = Toolbox(DeskReader(web), ml)
        chat = Chat(lambda: OneQuestion(self._toolbox), OFFERED, self._provider, fallback=config.agent.fallback)
        self._auto = AutoTradeService(config.path, web, ml, history, self._access)
        self._rest = AgentRest(chat, self._provider, self._access, web, use)

    def routes(self) -> list[Route]:
        """Return the calls, for a port of their own or beside those of the ML engine."""
        explaining = explain_routes(self._toolbox, self._access.admit)
        return [*self._rest.routes(), *explaining, *self._auto.routes()]

    @property
    def use(self) -> Use:
        """How much the port is used."""
        return self._use

    def listener(self, *beside: Route) -> Listener:
        """Return what serves the port, and the routes of others `beside` it."""
        app = guarded([*self.routes(), *beside], self._access, self._use.port, self._config.cors_origins)
        return Listener(self._use, self._config.hosts, app)

    def running(self) -> tuple[Callable[[], Coroutine[Any, Any, None]], ...]:
        """Return what runs beside the listener."""
        return self._keep_provider, self._auto.run

    async def _keep_provider(self) -> None:
        """Close the connections to the model's server when the advisor ends."""
        try:
            await asyncio.Event().wait()
        finally:
            if self._provider is not None:
                await self._provider.close()

    def stop(self) -> None:
        """Begin nothing more: the listener ends the answers that are under way."""

    def close(self) -> None:
        """Close the file of auto-trade."""
        self._auto.close()


def guarded(routes: Sequence[Route], access: AgentAccess, port: int, cors_origins: frozenset[str]) -> ASGIApp:
    """Return the application of the port: its calls and their document, behind the guard of this machine's ports."""
    faults: Any = {ServiceRefused: answer_refused, HTTPException: answer_http, Exception: answer_refused}
    document = Route("/openapi.json", show_document, methods=["GET"])
    app = Starlette(routes=[*routes, document], exception_handlers=faults)
    return WebFirst(app, LocalGuard(app, port, cors_origins, METHODS, refusal_body), access)


async def show_document(_request: Request) -> Response:
    """Answer what the agent is, for programs that make clients of it."""
    return Response(openapi_document(), media_type=JSON, headers={"Cache-Control": "no-store"})


def refusal_body(refusal: Refusal) -> bytes:
    """Return a refusal of the guard in the words of this service."""
    return problem_body("foreign_page", refusal.sentence)
