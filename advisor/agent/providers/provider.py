"""What a language model is to the agent: it is given messages and tools, and gives text or asks for tools."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct

from wire.explain import Answerer

CONNECT_SECONDS = 3.0
SILENCE_SECONDS = 20.0
STATUS_SECONDS = 2.0
TEMPERATURE = 0.0
MOST_TOKENS = 700
LONGEST_STREAM_BYTES = 2_000_000
"""Of one reply of a model's server; what is beyond is cut."""

MOST_CALLS = 6
"""Tools that a model may ask for in one round."""


class ToolAsked(Struct, frozen=True):
    """A tool that the model asks for. Nothing of it is checked yet; `arguments` is None when they are no object."""

    id: str
    name: str
    arguments: dict[str, Any] | None


class Said(Struct, frozen=True, kw_only=True):
    """One message of the talk with the model. `tool` and `asked_id` belong to the result of a tool."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    asked: tuple[ToolAsked, ...] = ()
    tool: str = ""
    asked_id: str = ""


class ToolOffered(Struct, frozen=True):
    """A tool as the model hears of it; `parameters` is a JSON Schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


class ProviderStatus(Struct, frozen=True, kw_only=True):
    """How a provider is; `reason` is a code, None when it is well."""

    gpu_available: bool = False
    reason: str | None = None


class ProviderAway(Exception):
    """The provider does not answer, or not as it should; the message is one sentence."""


class ToolsRefused(ProviderAway):
    """The provider refused a request that offered tools: the model may not know any."""


class Provider(Protocol):
    """A language model. Every call raises `ProviderAway`."""

    name: Answerer
    model: str

    async def status(self) -> ProviderStatus:
        """Return how it is, within `STATUS_SECONDS`. Raises nothing."""

    async def takes_tools(self) -> bool:
        """Return whether the model asks for tools itself."""

    def reply(self, talk: Sequence[Said], tools: Sequence[ToolOffered]) -> AsyncGenerator[str | ToolAsked, None]:
        """Give pieces of text and tools that are asked for, as they come. Raises also `ToolsRefused`."""

    async def close(self) -> None:
        """Close every connection."""
