"""The OpenAPI document for people: calls by group, fields in words, an example to paste into a shell."""

from __future__ import annotations

import json
import shlex
from typing import Any

from msgspec import Struct

Json = dict[str, Any]

WHO = {
    "session": "operator",
    "bridgeSecret": "bridge",
    "serviceSecret": "service",
    "metricsToken": "metrics token",
    **dict.fromkeys(("apiKeyBearer", "apiKey"), "API key"),
}
SECRET_HEADERS = {  # how a shell sends a secret; its variable is the setting
    "bridgeSecret": '"X-Bridge-Secret: $BRIDGE_HEARTBEAT_SECRET"',
    "serviceSecret": '"X-Service-Secret: $SERVICE_SECRET"',
}
HOST = "http://127.0.0.1:8000"
PLACEHOLDERS = {"string": "…", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}


class Field(Struct, frozen=True):
    """A field or parameter in words."""

    name: str
    kind: str
    required: bool
    says: str


class Call(Struct, frozen=True):
    """One endpoint in words."""

    anchor: str
    method: str
    path: str
    summary: str
    says: str
    who: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answers: tuple[tuple[str, str], ...]
    gives: tuple[Field, ...]
    example: str


class Shape(Struct, frozen=True):
    """A schema that calls share."""

    name: str
    says: str
    fields: tuple[Field, ...]


class Group(Struct, frozen=True):
    """The endpoints with one tag."""

    title: str
    calls: tuple[Call, ...]


def groups(api: Json) -> list[Group]:
    """Return the document's calls by group, in the document's order."""
    calls: dict[str, list[Call]] = {tag["name"]: [] for tag in api["tags"]}
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            calls[operation["tags"][0]].append(_call(api, path, method.upper(), operation))
    return [Group(title, tuple(own)) for title, own in calls.items()]


def shapes(api: Json) -> list[Shape]:
    """Return every named schema with fields."""
    named = api["components"]["schemas"].items()
    return [Shape(n, s.get("description", ""), _fields(api, s)) for n, s in named if "properties" in s]


def _call(api: Json, path: str, method: str, operation: Json) -> Call:
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return Call(
        anchor=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        says=operation.get("description", "").replace("`", ""),
        who=_who(operation),
        parameters=tuple(_parameter(api, asked) for asked in operation.get("parameters", ())),
        body=_fields(api, schema),
        answers=tuple(
            (status, _resolved(api, answer)["description"]) for status, answer in operation["responses"].items()
        ),
        gives=_given(api, operation),
        example=example(api, path, method, operation, schema),
    )


def _who(operation: Json) -> str:
    named = [" ".join([WHO[name], *scopes]) for choice in operation["security"] for name, scopes in choice.items()]
    return " or ".join(dict.fromkeys(named)) or ("TradingView" if operation.get("x-secret-in-body") else "anybody")


def _given(api: Json, operation: Json) -> tuple[Field, ...]:
    good: Json = next((answer for status, answer in operation["responses"].items() if status < "400"), {})
    return _fields(api, good.get("content", {}).get("application/json", {}).get("schema", {}))


def _parameter(api: Json, asked: Json) -> Field:
    says = asked.get("description", "")
    if "default" in asked["schema"]:
        says = f"{says} default {json.dumps(asked['schema']['default'])}".strip()
    return Field(f"{asked['name']} ({asked['in']})", _kind(api, asked["schema"]), asked["required"], says)


def _fields(api: Json, schema: Json) -> tuple[Field, ...]:
    whole = _resolved(api, schema)
    required = whole.get("required", ())
    return tuple(
        Field(name, _kind(api, field), name in required, field.get("description", ""))
        for name, field in whole.get("properties", {}).items()
    )


def _resolved(api: Json, schema: Json) -> Json:
    if "$ref" not in schema:
        return schema
    kind, name = schema["$ref"].split("/")[-2:]
    whole: Json = api["components"][kind][name]
    return whole


def _kind(api: Json, schema: Json) -> str:
    """Say in words which values a schema allows."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return " | ".join(_resolved(api, schema)["enum"]) if "enum" in _resolved(api, schema) else name
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_kind(api, either) for either in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        placed = schema.get("prefixItems", [schema.get("items", {})])
        return f"list of {' | '.join(dict.fromkeys(_kind(api, item) for item in placed))}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"name → {_kind(api, schema['additionalProperties'])}"
    return f"{schema.get('format', schema.get('type', 'anything'))}{_bounds(schema)}"


def _bounds(schema: Json) -> str:
    low = schema.get("minimum", schema.get("minLength"))
    high = schema.get("maximum", schema.get("maxLength"))
    if "exclusiveMinimum" in schema:
        low = f"above {schema['exclusiveMinimum']}"
    words = f" {'' if low is None else low}…{'' if high is None else high}" if (low, high) != (None, None) else ""
    return words + (" letters" if words and schema.get("type") == "string" else "")


def example(api: Json, path: str, method: str, operation: Json, schema: Json) -> str:
    """Return the call as a ``curl`` line for a shell."""
    words = ["curl"]
    shown = next(iter(operation["security"][0]), None) if operation["security"] else None
    if shown == "session":
        words += ["-b", "cookies.txt"]
    elif shown is not None:
        words += ["-H", SECRET_HEADERS[shown]]
    if path == "/api/login":
        words += ["-c", "cookies.txt"]
    if method != "GET":
        words += ["-X", method]
    if schema:
        words += ["-H", shlex.quote("Content-Type: application/json"), "-d", _body(api, schema)]
    return " ".join([*words, HOST + path])


def _body(api: Json, schema: Json) -> str:
    return shlex.quote(json.dumps(sample(api, schema), ensure_ascii=False))


def sample(api: Json, schema: Json) -> Any:
    """Return a valid value: the required fields, or one field when none is required."""
    schema = _resolved(api, schema)
    for known in ("examples", "enum"):
        if known in schema:
            return schema[known][0]
    if "anyOf" in schema and "properties" not in schema:
        return sample(api, schema["anyOf"][0])
    if "properties" not in schema:
        return schema.get("minimum") or PLACEHOLDERS[schema.get("type", "string")]
    named = [name for name, field in schema["properties"].items() if "examples" in field and "x-alias-of" not in field]
    chosen = dict.fromkeys([*named, *schema.get("required", ())]) or list(schema["properties"])[:1]
    return {name: sample(api, schema["properties"][name]) for name in chosen}
