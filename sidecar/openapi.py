"""``GET /openapi.json`` of a service: OpenAPI 3.1, made from the Structs of the wire and one table of calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from sidecar.problems import STATUS
from wire.encoding import encode
from wire.schemas import REFERENCE, Json, schemas_of_answers, without_titles
from wire.service_problem import ServiceFault, ServiceProblem

TIME: Json = {"type": "string", "format": "date-time"}
FLAG: Json = {"type": "string", "enum": ["0", "1"], "default": "0"}
SYMBOL: Json = {"type": "string", "description": "the instrument, also as platforms spell it: `ES`, `CME_MINI:ES1!`"}
PATH_SCHEMAS: dict[str, Json] = {
    "symbol": SYMBOL,
    "job": {"type": "string"},
    "position_id": {"type": "string"},
    "order_id": {"type": "string"},
    "decision": {"type": "string"},
}
WORDS = {200: "Done", 202: "Accepted, not done yet"}
READING: tuple[ServiceFault, ...] = ("invalid_parameter", "foreign_page", "internal_error")
KEYED: tuple[ServiceFault, ...] = (
    *("missing_api_key", "invalid_api_key", "missing_scope", "foreign_page", "rate_limit_exceeded"),
    *("internal_error", "keys_unknown"),
)


class Call(Struct, frozen=True, kw_only=True):
    """One call: where, what it says, its parameters (name, schema, needed), its answers and its errors.

    An answer with `is_list` is an array of that Struct; with `may_stream` it comes as server-sent events when asked to.
    """

    method: str
    path: str
    name: str
    says: str
    answers: Mapping[int, type[Struct]]
    errors: tuple[ServiceFault, ...]
    query: tuple[tuple[str, Json, bool], ...] = ()
    body: type[Struct] | None = None
    is_keyed: bool = False
    is_list: bool = False
    may_stream: bool = False


class Service(Struct, frozen=True, kw_only=True):
    """What a document describes: the service, its calls, and the messages of its sockets."""

    title: str
    version: str
    description: str
    calls: tuple[Call, ...]
    messages: tuple[type[Struct], ...] = ()


def document_of(service: Service) -> bytes:
    """Return the document as JSON."""
    answers = {struct for call in service.calls for struct in call.answers.values()}
    named, references = schemas_of_answers([*answers, ServiceProblem, *service.messages])
    bodies = [call.body for call in service.calls if call.body is not None]
    read, written = msgspec.json.schema_components(bodies, ref_template=REFERENCE + "{name}")
    named |= without_titles(written)
    references |= dict(zip(bodies, read, strict=True))
    paths: dict[str, Json] = {}
    for call in service.calls:
        paths.setdefault(call.path, {})[call.method] = _operation(call, references)
    document = {
        "openapi": "3.1.0",
        "info": {"title": service.title, "version": service.version, "description": service.description},
        "paths": paths,
        "components": {
            "schemas": named,
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        },
    }
    return encode(document)


def _operation(call: Call, references: Mapping[type, Json]) -> Json:
    operation: dict[str, Any] = {
        "operationId": call.name,
        "summary": call.says,
        "parameters": [*_path_parameters(call.path), *_query_parameters(call)],
        "responses": {**_successes(call, references), **_failures(call, references[ServiceProblem])},
    }
    if call.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(references[call.body])}
    if call.is_keyed:
        operation["security"] = [{"key": []}]
    return operation


def _path_parameters(path: str) -> list[Json]:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": PATH_SCHEMAS[name]} for name in names]


def _query_parameters(call: Call) -> list[Json]:
    return [{"name": name, "in": "query", "required": needed, "schema": schema} for name, schema, needed in call.query]


def _successes(call: Call, references: Mapping[type, Json]) -> Json:
    def schema_of(model: type[Struct]) -> Json:
        return {"type": "array", "items": references[model]} if call.is_list else references[model]

    also: Json = {"text/event-stream": {"schema": {"type": "string"}}} if call.may_stream else {}
    return {
        str(status): {"description": WORDS[status], "content": _json(schema_of(model)) | also}
        for status, model in call.answers.items()
    }


def _failures(call: Call, problem: Json) -> Json:
    codes: dict[int, list[str]] = {}
    for code in call.errors:
        codes.setdefault(STATUS[code], []).append(f"`{code}`")
    return {
        str(status): {"description": ", ".join(names), "content": _json(problem)}
        for status, names in sorted(codes.items())
    }


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}
