"""``GET /openapi.json`` of the agent: its table of calls."""

from __future__ import annotations

from types import MappingProxyType

from msgspec import Struct

from advisor.channels.auto_openapi import AUTO_CALLS
from sidecar.mt4_openapi import AGENT_CALLS, DATA_CALLS
from sidecar.openapi import KEYED, READING, Call, Service, document_of
from wire.agent import (
    AgentHealth,
    ChatAnswer,
    ChatBody,
    DoneEvent,
    ErrorEvent,
    TokenEvent,
    ToolCallEvent,
    ToolResultEvent,
)
from wire.explain import Explained

TITLE = "Lockstep agent"
VERSION = "1"
DESCRIPTION = (
    "Questions about the desk, answered with the desk's own facts. Tools only read. Auto-trade keeps a shadow book of "
    "its own; in LIVE it proposes, and the operator decides: nothing here orders. Every error "
    "is `{error, detail, timestamp}`: `error` is a code. With `stream` an answer comes as server-sent events: each "
    "`data:` is one of the schemas whose names end in `Event`."
)
EVENTS: tuple[type[Struct], ...] = (TokenEvent, ToolCallEvent, ToolResultEvent, DoneEvent, ErrorEvent)
CALLS = (
    Call(
        method="get",
        path="/api/v1/health",
        name="health",
        says="How the agent, its language model and the desk are; 200 also when degraded",
        answers=MappingProxyType({200: AgentHealth}),
        errors=READING,
    ),
    Call(
        method="post",
        path="/api/v1/chat",
        name="chat",
        says="Answer a question about the desk; as server-sent events with `stream`",
        answers=MappingProxyType({200: ChatAnswer}),
        errors=(*KEYED, "invalid_parameter", "invalid_body", "body_too_large", "busy", "provider_away"),
        body=ChatBody,
        is_keyed=True,
        may_stream=True,
    ),
    Call(
        method="get",
        path="/api/v1/explain",
        name="explain",
        says="Explain why an entry is blocked, a day, or what one's own trades show, by rules",
        answers=MappingProxyType({200: Explained}),
        errors=(*KEYED, "invalid_parameter", "unknown_symbol", "web_away"),
        query=(
            ("about", {"type": "string", "enum": ["block", "day", "coach"]}, True),
            ("asset", {"type": "string", "description": "for `block`: the instrument"}, False),
            ("direction", {"type": "string", "enum": ["BUY", "SELL"]}, False),
            ("day", {"type": "string", "format": "date"}, False),
        ),
        is_keyed=True,
    ),
    *AUTO_CALLS,
)


def openapi_document() -> bytes:
    """Return the document as JSON: the agent's calls, and those of the MT4 account in both views."""
    calls = (*CALLS, *AGENT_CALLS, *DATA_CALLS)
    return document_of(Service(title=TITLE, version=VERSION, description=DESCRIPTION, calls=calls, messages=EVENTS))
