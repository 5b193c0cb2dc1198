"""Any server of ``/v1/chat/completions``: llama.cpp, LM Studio, vLLM, Ollama, or a paid one. Plain HTTP, no package.

Whether a model takes tools no such server says: they are offered, and where the server refuses the request they are not
offered again for ten minutes.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from advisor.agent.providers.bounded import TIMEOUT, BoundedTransport
from advisor.agent.providers.provider import (
    MOST_CALLS,
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
from wire.encoding import encode
from wire.explain import Answerer

FAULTS = (
    *(httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError),
    *(msgspec.DecodeError, UnicodeError, RecursionError),
)
OK = 200
MAY_NOT_KNOW_TOOLS = {400, 422, 500, 501}
WITHOUT_TOOLS_SECONDS = 600.0
LONGEST_ARGUMENTS = 10_000
DONE = "[DONE]"


class _Function(Struct):
    name: str | None = None
    arguments: str | None = None


class _CallPart(Struct):
    index: int = 0
    id: str | None = None
    function: _Function | None = None


class _Delta(Struct):
    content: str | None = None
    tool_calls: list[_CallPart] | None = None


class _Choice(Struct):
    delta: _Delta


class _Chunk(Struct):
    choices: list[_Choice] = []


_chunk = msgspec.json.Decoder(_Chunk)


class OpenAiProvider:
    """A model of the server at `base_url`, whose address ``/chat/completions`` follows."""

    name: Answerer = "openai"

    def __init__(self, base_url: str, model: str, key: str | None) -> None:
        """Connect to nothing yet."""
        self.model = model
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=TIMEOUT,
            transport=BoundedTransport(base_url),
            follow_redirects=False,
            trust_env=False,
        )
        self._tools_again_at = 0.0

    async def status(self) -> ProviderStatus:
        """Return whether the server answers; where it computes it does not say."""
        try:
            answer = await self._client.get("/models", timeout=STATUS_SECONDS)
        except FAULTS:
            return ProviderStatus(reason="provider_away")
        return ProviderStatus(reason=None if answer.status_code == OK else "provider_away")

    async def takes_tools(self) -> bool:
        """Return whether tools are offered: yes, until the server has refused them."""
        return time.monotonic() >= self._tools_again_at

    async def reply(self, talk: Sequence[Said], tools: Sequence[ToolOffered]) -> AsyncGenerator[str | ToolAsked, None]:
        """Give pieces of text, and behind them the tools that are asked for. Raises `ProviderAway`, `ToolsRefused`."""
        calls = _Calls()
        try:
            async with self._client.stream("POST", "/chat/completions", **_request(self.model, talk, tools)) as answer:
                self._check(answer.status_code, offered=bool(tools))
                async for delta in _deltas(answer):
                    for part in delta.tool_calls or ():
                        calls.add(part)
                    if delta.content:
                        yield delta.content
        except FAULTS as error:
            raise ProviderAway(type(error).__name__) from error
        for asked in calls.whole():
            yield asked

    def _check(self, status: int, *, offered: bool) -> None:
        if status == OK:
            return
        if offered and status in MAY_NOT_KNOW_TOOLS:
            self._tools_again_at = time.monotonic() + WITHOUT_TOOLS_SECONDS
            raise ToolsRefused(f"status {status}")
        raise ProviderAway(f"status {status}")

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


class _Calls:
    """Tools that a model asks for, put together of the parts in which they come."""

    def __init__(self) -> None:
        self._parts: dict[int, tuple[str, str, str]] = {}

    def add(self, part: _CallPart) -> None:
        """Add a part. Raises `ProviderAway` for more than a model may ask for."""
        name, arguments = (part.function.name or "", part.function.arguments or "") if part.function else ("", "")
        before_id, before_name, before = self._parts.get(part.index, ("", "", ""))
        if len(self._parts) > MOST_CALLS or len(before) + len(arguments) > LONGEST_ARGUMENTS:
            raise ProviderAway("the model asks for too much")
        self._parts[part.index] = (before_id or part.id or "", before_name + name, before + arguments)

    def whole(self) -> list[ToolAsked]:
        """Return the tools in the order in which they were begun."""
        return [ToolAsked(one, name, _object_in(arguments)) for one, name, arguments in self._parts.values()]


def _object_in(arguments: str) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(arguments or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return None


async def _deltas(answer: httpx.Response) -> AsyncIterator[_Delta]:
    """Give what the server-sent events hold. Raises `ProviderAway` where the stream ends early."""
    async for line in answer.aiter_lines():
        text = line.removeprefix("data:").strip()
        if not line.startswith("data:") or not text:
            continue
        if text == DONE:
            return
        for choice in _chunk.decode(text).choices[:1]:
            yield choice.delta
    raise ProviderAway("the stream ended early")


def _request(model: str, talk: Sequence[Said], tools: Sequence[ToolOffered]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message_of(one) for one in talk],
        "stream": True,
        "temperature": TEMPERATURE,
        "max_tokens": MOST_TOKENS,
    }
    if tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": one.name, "description": one.description, "parameters": one.parameters},
            }
            for one in tools
        ]
    return {"content": encode(body), "headers": {"Content-Type": "application/json"}}


def _message_of(said: Said) -> dict[str, Any]:
    message: dict[str, Any] = {"role": said.role, "content": said.content}
    if said.asked:
        message["tool_calls"] = [
            {
                "id": one.id,
                "type": "function",
                "function": {"name": one.name, "arguments": encode(one.arguments or {}).decode()},
            }
            for one in said.asked
        ]
    if said.tool:
        message["tool_call_id"] = said.asked_id
    return message
