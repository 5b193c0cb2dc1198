"""The calls of the agent: ``GET /api/v1/health``, ``POST /api/v1/chat`` (docs/reference/agent.md)."""

from __future__ import annotations

import asyncio
import secrets
import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from advisor.agent.answer import Question, Tell
from advisor.agent.chat import Chat
from advisor.agent.conversations import Conversations, Owner
from advisor.agent.providers.provider import Provider, ProviderStatus
from advisor.channels.agent_access import AgentAccess, Seats
from advisor.channels.agent_stream import Answering, AskerGone, EventStream, while_asked
from sidecar.problems import JSON, ServiceRefused
from sidecar.queries import Parameters, read_body
from sidecar.use import Use
from sidecar.web import DeskAway, WebClient
from wire.agent import AgentHealth, ChatAnswer, ChatBody, ChatEvent, DoneEvent
from wire.encoding import encode

NEEDS = '`{"message": "…"}`, with `user_id`, `conversation_id` and `stream` where they are wanted'
HEALTH_HOLDS_SECONDS = 5.0
WEB_SECONDS = 2.0
CHECKS = "/api/keys/checks"
NO_KEYS = b'{"tokens": []}'
"""Asks web for nothing, and yet with the secret: so a wrong secret is noticed, too."""


class AgentRest:
    """Answers questions, and how the agent is."""

    def __init__(self, chat: Chat, provider: Provider | None, access: AgentAccess, web: WebClient, use: Use) -> None:
        """Let `chat` answer; without a `provider` it answers by rules."""
        self._chat = chat
        self._access = access
        self._use = use
        self._seats = Seats()
        self._conversations = Conversations()
        self._health = HealthWatch(provider, web)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/api/v1/health", self.show_health, methods=["GET"]),
            Route("/api/v1/chat", self.chat, methods=["POST"]),
        ]

    async def show_health(self, request: Request) -> Response:
        """Answer how the agent is; 200 also when degraded."""
        Parameters(request)
        return self._answer(encode(await self._health.read()))

    async def chat(self, request: Request) -> Response | ASGIApp:
        """Answer a question. Raises `ServiceRefused`."""
        who = await self._access.admit(request)
        Parameters(request)
        asked = await read_body(request, ChatBody, NEEDS)
        if not asked.message.strip():
            raise ServiceRefused("invalid_body", "the message is empty")
        owner = Owner(who, asked.user_id or "")
        name = asked.conversation_id or f"conv-{secrets.token_hex(8)}"
        turns = self._conversations.turns(owner, name)
        question = Question(message=asked.message, conversation_id=name, turns=turns)

        async def answering(tell: Tell) -> DoneEvent:
            with self._seats.taken_by(who):
                done = await self._chat.answer(question, tell)
            self._conversations.add(owner, name, question.message, done.response)
            self._use.note_sent()
            return done

        if asked.stream:
            return EventStream(answering, name)
        return await self._answer_whole(request, answering)

    async def _answer_whole(self, request: Request, answering: Answering) -> Response:
        try:
            done = await while_asked(request.receive, answering(ignore))
        except AskerGone:
            return Response(status_code=499)  # nobody reads it
        return self._answer(encode(answer_of(done)))

    def _answer(self, body: bytes) -> Response:
        return Response(body, media_type=JSON, headers={"Cache-Control": "no-store"})


async def ignore(_event: ChatEvent) -> None:
    """Take no notice of what happens meanwhile: the whole answer is asked for."""


def answer_of(done: DoneEvent) -> ChatAnswer:
    """Return a whole answer without its place in a stream."""
    return ChatAnswer(
        response=done.response,
        tool_calls=done.tool_calls,
        conversation_id=done.conversation_id,
        source=done.source,
        replaced=done.replaced,
        why=done.why,
        facts=done.facts,
    )


class HealthWatch:
    """How provider and web are, asked at most once in `HEALTH_HOLDS_SECONDS`, however many ask for it."""

    def __init__(self, provider: Provider | None, web: WebClient) -> None:
        """Ask nothing yet."""
        self._provider = provider
        self._web = web
        self._lock = asyncio.Lock()
        self._known: AgentHealth | None = None
        self._known_at = 0.0

    async def read(self) -> AgentHealth:
        """Return how the agent is."""
        async with self._lock:
            if self._known is None or time.monotonic() - self._known_at > HEALTH_HOLDS_SECONDS:
                self._known = await self._ask()
                self._known_at = time.monotonic()
            return self._known

    async def _ask(self) -> AgentHealth:
        provider, web_fault = await asyncio.gather(self._provider_status(), self._web_fault())
        reason = provider.reason or web_fault
        return AgentHealth(
            status="degraded" if reason else "healthy",
            llm_provider=self._provider.name if self._provider else "rules",
            model=self._provider.model if self._provider else "none",
            gpu_available=provider.gpu_available,
            web=web_fault is None,
            reason=reason,
        )

    async def _provider_status(self) -> ProviderStatus:
        return await self._provider.status() if self._provider else ProviderStatus()

    async def _web_fault(self) -> str | None:
        try:
            await self._web.post(CHECKS, NO_KEYS, WEB_SECONDS)
        except DeskAway as error:
            return "web_refuses" if error.why == "refused" else "web_away"
        return None
