"""The tools as a model hears of them: name, purpose, and their arguments as JSON Schema without references."""

from __future__ import annotations

from typing import Any

import msgspec

from advisor.agent.providers.provider import ToolOffered
from advisor.agent.tool import Tool
from advisor.agent.tools import TOOLS


def offered(tool: Tool) -> ToolOffered:
    """Return one tool."""
    return ToolOffered(tool.name, tool.description, schema_of(tool.parameters))


def schema_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the schema of arguments, with what it refers to put in its place."""
    schema = msgspec.json.schema(struct)
    named = schema.pop("$defs", {})
    found: dict[str, Any] = _resolved(schema, named)
    return found


def _resolved(schema: Any, named: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_resolved(one, named) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(named[schema["$ref"].rsplit("/", 1)[-1]], named)
    return {
        name: _resolved(inner, named) for name, inner in schema.items() if name != "title" or isinstance(inner, dict)
    }


OFFERED = tuple(offered(tool) for tool in TOOLS)
