"""What the agent says (port 8003): health, chat as JSON and as server-sent events.

Contract: docs/reference/contracts/platform-services.md; every field is explained in docs/reference/agent.md.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from wire.explain import Answerer, ToolName, ToolResult
from wire.service_problem import ServiceFault
from wire.types import says

LONGEST_MESSAGE = 4_000
Message = Annotated[str, Meta(min_length=1, max_length=LONGEST_MESSAGE)]
ShortName = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9._:-]+$")]


class AgentHealth(Struct, frozen=True, kw_only=True):
    """How the agent is; degraded while its provider or web is away."""

    status: Literal["healthy", "degraded"]
    llm_provider: Answerer
    model: Annotated[str, says("`none` for the rules")]
    gpu_available: bool
    web: Annotated[bool, says("whether the desk answers")]
    reason: Annotated[str | None, says("a code: why it is degraded; null when it is well")]


class ChatBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /api/v1/chat` takes."""

    message: Message
    user_id: ShortName | None = None
    conversation_id: ShortName | None = None
    stream: bool = False


class ToolCall(Struct, frozen=True, kw_only=True):
    """One tool that was asked, and what it found."""

    tool: ToolName
    arguments: dict[str, Any]
    result: ToolResult


WhyReplaced = Literal[
    "number",
    "copied",
    "claim",
    "no_prose",
    "no_figure",
    "no_facts",
    "repeated",
    "too_long",
    "provider",
]
"""Why the facts stand in the words of the rules instead of a model's."""


class ChatAnswer(Struct, frozen=True, kw_only=True):
    """An answer. Every number of it is among the results of `tool_calls`.

    Beside a model's words stand the desk's own, in `facts`: what a model leaves out is said there.
    """

    response: str
    tool_calls: tuple[ToolCall, ...]
    conversation_id: str
    source: Annotated[Answerer, says("who worded it")]
    replaced: Annotated[bool, says("the model's words were dropped: the facts stand instead, worded by rules")] = False
    why: Annotated[WhyReplaced | None, says("a code: why the model's words were dropped; null when they were not")] = (
        None
    )
    facts: Annotated[
        str | None, says("the same results in the desk's own words; null when these are `response` already")
    ] = None


class TokenEvent(Struct, frozen=True, kw_only=True, tag_field="type", tag="token"):
    """A piece of the answer. Pieces are sent once their sentence is checked."""

    text: str


class ToolCallEvent(Struct, frozen=True, kw_only=True, tag_field="type", tag="tool_call"):
    """A tool is asked."""

    tool: ToolName
    arguments: dict[str, Any]


class ToolResultEvent(Struct, frozen=True, kw_only=True, tag_field="type", tag="tool_result"):
    """A tool has answered."""

    result: ToolResult


class DoneEvent(Struct, frozen=True, kw_only=True, tag_field="type", tag="done"):
    """The whole answer, as without a stream. When it is replaced, its response takes the place of what was sent."""

    response: str
    tool_calls: tuple[ToolCall, ...]
    conversation_id: str
    source: Answerer
    replaced: bool = False
    why: WhyReplaced | None = None
    facts: str | None = None


class ErrorEvent(Struct, frozen=True, kw_only=True, tag_field="type", tag="error"):
    """The answer broke off."""

    error: Annotated[
        Literal[ServiceFault, "advisor_away"], says("advisor_away: of web, when the agent fell silent or broke off")
    ]
    detail: str
    conversation_id: str | UnsetType = UNSET


ChatEvent = TokenEvent | ToolCallEvent | ToolResultEvent | DoneEvent | ErrorEvent
