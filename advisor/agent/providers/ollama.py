"""Ollama, by its own client. Imported only where it is chosen: the client loads pydantic.

A model whose `/api/show` names no `tools` never asks for one. `/api/ps` says whether a GPU holds it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, cast

import httpx
import ollama

from advisor.agent.providers.bounded import TIMEOUT, BoundedTransport
from advisor.agent.providers.provider import (
    MOST_TOKENS,
    STATUS_SECONDS,
    TEMPERATURE,
    ProviderAway,
    ProviderStatus,
    Said,
    ToolAsked,
    ToolOffered,
    ToolsRefused,
)
from wire.explain import Answerer

FAULTS = (
    *(ollama.ResponseError, ollama.RequestError, httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError),
    *(ValueError, TypeError, AttributeError, KeyError, RecursionError),
)
"""What the client raises: also where an answer is no JSON, or JSON of another shape."""

CAPABILITIES_HOLD_SECONDS = 60.0
NOT_FOUND = 404
MAY_NOT_KNOW_TOOLS = {400, 422, 500, 501}


class OllamaProvider:
    """A model of Ollama at `host`."""

    name: Answerer = "ollama"

    def __init__(self, host: str, model: str) -> None:
        """Connect to nothing yet."""
        self.model = model
        self._transport = BoundedTransport(host)
        self._client = ollama.AsyncClient(
            host, timeout=TIMEOUT, transport=self._transport, follow_redirects=False, trust_env=False
        )
        self._takes_tools = False
        self._thinks = False
        self._asked_at: float | None = None

    async def status(self) -> ProviderStatus:
        """Return whether Ollama has the model, and whether a GPU holds it."""
        try:
            async with asyncio.timeout(STATUS_SECONDS):
                await self._client.show(self.model)
                running = await self._client.ps()
        except FAULTS as error:
            missing = isinstance(error, ollama.ResponseError) and error.status_code == NOT_FOUND
            return ProviderStatus(reason="model_missing" if missing else "provider_away")
        return ProviderStatus(gpu_available=any((one.size_vram or 0) > 0 for one in running.models if self._is(one)))

    def _is(self, running: Any) -> bool:
        return self.model in (running.model, str(running.model).removesuffix(":latest"))

    async def takes_tools(self) -> bool:
        """Return whether the model's capabilities name tools; they are asked for once in a minute."""
        now = time.monotonic()
        if self._asked_at is None or now - self._asked_at > CAPABILITIES_HOLD_SECONDS:
            try:
                shown = await self._client.show(self.model)
            except FAULTS as error:
                raise ProviderAway(sentence_of(error)) from error
            self._takes_tools = "tools" in (shown.capabilities or ())
            self._thinks = "thinking" in (shown.capabilities or ())
            self._asked_at = now
        return self._takes_tools

    async def reply(self, talk: Sequence[Said], tools: Sequence[ToolOffered]) -> AsyncGenerator[str | ToolAsked, None]:
        """Give pieces of text and tools that are asked for. Raises `ProviderAway`, `ToolsRefused`."""
        try:
            parts = await self._client.chat(
                self.model,
                messages=[message_of(one) for one in talk],
                tools=[function_of(tool) for tool in tools],
                stream=True,
                think=False if self._thinks else None,  # its thoughts would use up the time and the tokens
                options={"temperature": TEMPERATURE, "num_predict": MOST_TOKENS},
            )
            is_whole = False
            async with aclosing(cast(AsyncGenerator[ollama.ChatResponse, None], parts)) as reply:
                async for part in reply:
                    if part.message.content:
                        yield part.message.content
                    for call in part.message.tool_calls or ():
                        yield ToolAsked("", call.function.name, dict(call.function.arguments))
                    is_whole = is_whole or bool(part.done)
            if not is_whole:
                raise ProviderAway("the stream ended early")
        except FAULTS as error:
            if tools and isinstance(error, ollama.ResponseError) and error.status_code in MAY_NOT_KNOW_TOOLS:
                self._takes_tools = False
                raise ToolsRefused(sentence_of(error)) from error
            raise ProviderAway(sentence_of(error)) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


def message_of(said: Said) -> dict[str, Any]:
    """Return a message as Ollama takes it."""
    message: dict[str, Any] = {"role": said.role, "content": said.content}
    if said.asked:
        message["tool_calls"] = [
            {"function": {"name": one.name, "arguments": one.arguments or {}}} for one in said.asked
        ]
    if said.tool:
        message["tool_name"] = said.tool
    return message


def function_of(tool: ToolOffered) -> dict[str, Any]:
    """Return a tool as models are told of it."""
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def sentence_of(error: Exception) -> str:
    """Return why there is no answer, for the log: never what a server wrote."""
    status = getattr(error, "status_code", None)
    return f"{type(error).__name__} {status}" if isinstance(status, int) and status > 0 else type(error).__name__
