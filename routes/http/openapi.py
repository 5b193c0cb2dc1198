"""The API's description: OpenAPI 3.1, generated from the URL map and the decorators of the views.

Decorators describe a view's guard (``guarded_by``), body (``accepts``, ``reads``), query (``asks``), headers
(``takes_header``) and answers (``answers``). Errors follow from these and one table; the schemas of bodies come from
the models that parse them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask
from pydantic import BaseModel
from werkzeug.routing import Rule

from routes.http.describing import JSON_MEDIA, Answers, Header
from routes.http.guards import KEY_HEADER, OPENED_BY, Guard
from routes.http.origins import UNSAFE
from routes.http.schemas import BodySchema, schemas_of_answers, schemas_of_bodies, without_titles
from wire.answers import Problem
from wire.keys import SERVICE_HEADER

Json = dict[str, Any]
Names = dict[type, Json]  # a model -> the reference to its schema

TITLE = "Lockstep"
VERSION = "1"
DESCRIPTION = (
    "The desk between TradingView, the operator and the broker. Bodies are JSON; prices are plain numbers, times "
    'RFC 3339 in UTC. Every error is `{"ok": false, "error": sentence, …}`; every answer to a change carries the new '
    "`version` of the state."
)
ROOM_TITLES = {
    "orders": "Orders",
    "bridge_orders": "Orders",
    "controls": "Controls of the open trade",
    "waiting": "Entries that wait",
    "limits": "The day and its limits",
    "account": "The day and its limits",
    "lockout": "The day and its limits",
    "journal": "Journal",
    "broker": "Orders",
    "journal_bricks": "Journal",
    "journal_notes": "Journal",
    "journal_proposals": "Journal",
    "proposals": "Entries that wait",
    "portfolio": "Portfolio",
    "portfolio_notes": "Portfolio",
    "state": "State",
    "stream": "Stream",
    "events": "Events",
    "bricks": "Charts",
    "candles": "Charts",
    "advisor": "Advisor",
    "advisor_watch": "Advisor",
    "auto_trade": "Advisor",
    "chat": "Advisor",
    "what_if": "Advisor",
    "bridge": "Bridge",
    "bridge_fills": "Bridge",
    "bridge_ticks": "Bridge",
    "keys": "Keys",
    "key_check": "Keys",
    "webhooks": "TradingView",
    "bars": "TradingView",
    "dead_letters": "TradingView",
    "setup": "Session",
    "auth": "Session",
    "health": "Operations",
    "metrics": "Operations",
    "feeds": "Operations",
    "status": "Operations",
    "api_docs": "This description",
}
OPERATION_PREFIXES = {  # never change these: generated clients name their functions by operation ids
    "bridge_orders": "orders",
    "bridge_fills": "bridge",
    "bridge_ticks": "bridge",
    "journal_notes": "journal",
    "journal_proposals": "journal",
    "portfolio_notes": "portfolio",
    "key_check": "keys",
    "advisor_watch": "advisor",
    "bars": "webhooks",
    **dict.fromkeys(("health", "metrics"), "operations"),
}
ERRORS = {
    400: "The request cannot be read, or names what this desk does not have",
    401: "No valid session, secret or API key",
    403: "A page of another origin asked, or the API key does not have the scope",
    404: "No such order or trade",
    409: "The desk refuses as things stand: a gate is closed, nothing is there to change, or the report contradicts",
    410: "What was asked for is no longer kept",
    413: "The body is longer than 64 KiB",
    414: "The address with its query is longer than 4,094 bytes",
    422: "The Idempotency-Key came before with another request; a webhook that cannot be read is kept as a dead letter",
    423: "Locked: the 2.5pt management lock holds, or the lock is automatic only",
    429: "Too many wrong passwords; Retry-After says how long",
    503: "Not stored, not connected or not readable, nothing was changed; try again",
}
ADDRESS_TOO_LONG = 414
READERS = tuple(OPENED_BY)
GUARD_ERRORS: dict[Guard, tuple[int, ...]] = {
    "public": (),
    "operator": (401,),
    "bridge": (401,),
    **dict.fromkeys(READERS, (401, 403, 503)),
    "exit_door": (401, 403),
    "service": (401, 503),
    "what_if_reader": (401, 503),
    "tradingview": (401,),
}


def _keys(guard: Guard) -> list[Json]:
    """Return the ways to send a key: one for each scope that opens the guard, and each header."""
    return [{header: [scope]} for scope in OPENED_BY[guard] for header in ("apiKeyBearer", "apiKey")]


def _opened_by(guard: Guard, *others: str) -> list[Json]:
    return [{name: []} for name in others] + _keys(guard)


def _read_by(guard: Guard, *others: str) -> list[Json]:
    return _opened_by(guard, "session", *others)


GUARD_SECURITY: dict[Guard, list[Json]] = {
    "public": [],
    "operator": [{"session": []}],
    "bridge": [{"bridgeSecret": []}],
    "service": [{"serviceSecret": []}],
    "state_reader": _read_by("state_reader", "serviceSecret"),
    "stream_reader": _read_by("stream_reader", "serviceSecret", "bridgeSecret"),
    "events_reader": _read_by("events_reader", "serviceSecret"),
    "bricks_reader": _read_by("bricks_reader", "serviceSecret"),
    "journal_reader": _read_by("journal_reader", "serviceSecret"),
    "portfolio_reader": _read_by("portfolio_reader", "serviceSecret"),
    "auto_trade_reader": _read_by("auto_trade_reader", "serviceSecret"),
    "proposals_reader": _read_by("proposals_reader", "serviceSecret"),
    "signals_door": _read_by("signals_door"),
    "chat_door": _read_by("chat_door"),
    "proposer": _opened_by("proposer", "serviceSecret"),
    "exit_door": [{"session": []}, {"serviceSecret": []}],
    "what_if_reader": [{"session": []}, {"serviceSecret": []}],
    "metrics_reader": _read_by("metrics_reader", "metricsToken"),
    "tradingview": [],  # OpenAPI has no scheme for a secret in the body: the schemas and descriptions name the field
}
KEY_SAYS = (
    "It reads; where a call says so it asks the advisor or proposes. It never enters or exits. A key that is shown is "
    "judged alone: no session beside it helps."
)
SECURITY_SCHEMES = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "lockstep-{desk}",
        "description": "The operator's session, opened by `POST /api/login` for 24 h and ended by `POST /api/logout`. "
        "The cookie's name ends with eight digits of the desk's own; over https it begins with `__Host-`. Changing "
        "calls from another origin are refused. Without a dashboard password every caller is the operator.",
    },
    "bridgeSecret": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Bridge-Secret",
        "description": "`BRIDGE_HEARTBEAT_SECRET`. It may come as query `secret` or, in a POST, as body field `secret` "
        "instead.",
    },
    "serviceSecret": {
        "type": "apiKey",
        "in": "header",
        "name": SERVICE_HEADER,
        "description": "`SERVICE_SECRET`, which the programs beside web share. Without that setting nobody has one.",
    },
    "metricsToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "`METRICS_TOKEN`. It opens the metrics and nothing else; without that setting nobody has one.",
    },
    "apiKeyBearer": {
        "type": "http",
        "scheme": "bearer",
        "description": f"An API key of `flask desk keys add`, `lk_…`, with the scope that is named. {KEY_SAYS}",
    },
    "apiKey": {"type": "apiKey", "in": "header", "name": KEY_HEADER, "description": f"The same key. {KEY_SAYS}"},
}
TRADINGVIEW_SAYS = "\n\nThe body carries `TV_WEBHOOK_SECRET` as `secret`; any content type is read as JSON."


def document(app: Flask) -> Json:
    """Return the OpenAPI document of every described route of ``app``."""
    described = sorted(_described(app), key=lambda pair: (pair[0].rule, sorted(pair[0].methods or ())))
    schemas, names = _schemas([view for _, view in described])
    paths: dict[str, Json] = {}
    for rule, view in described:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(path, {})[method.lower()] = _operation(rule, method, view, names)
    used = {operation["tags"][0] for path in paths.values() for operation in path.values()}
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/", "description": "where this desk is served"}],
        "tags": [{"name": title} for title in dict.fromkeys(ROOM_TITLES.values()) if title in used],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {_error_name(status): _problem(status, names[Problem]) for status in ERRORS},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _described(app: Flask) -> Iterator[tuple[Rule, Callable[..., Any]]]:
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if hasattr(view, "__answers__"):
            yield rule, view


def _schemas(views: list[Any]) -> tuple[Json, Names]:
    """Return the schemas of the components, and a reference to the schema of each body and answer."""
    bodies, taken = schemas_of_bodies({view.__body__ for view in views if hasattr(view, "__body__")})
    given = {view.__answers__.model for view in views if view.__answers__.model}
    answered, shown = schemas_of_answers({*given, Problem})
    if shared := set(bodies) & set(answered):
        raise ValueError(f"these names stand for a body and for an answer: {sorted(shared)}")
    return dict(sorted({**bodies, **answered}.items())), {**taken, **shown}


def _operation(rule: Rule, method: str, view: Any, names: Names) -> Json:
    guard: Guard = view.__guard__
    summary, _, more = inspect.cleandoc(view.__doc__ or rule.rule).partition("\n\n")
    says = more + (TRADINGVIEW_SAYS if guard == "tradingview" else "")
    operation: Json = {
        "operationId": _operation_id(rule.endpoint),
        "tags": [ROOM_TITLES[rule.endpoint.split(".")[0]]],
        "summary": " ".join(summary.split()),
        "security": GUARD_SECURITY[guard],
    }
    if guard == "tradingview":
        operation["x-secret-in-body"] = True
    if says.strip():
        operation["description"] = says.strip()
    if parameters := [*_in_path(rule), *_in_query(view), *_in_headers(view)]:
        operation["parameters"] = parameters
    if hasattr(view, "__body__"):
        required = not getattr(view, "__body_may_be_empty__", False)
        operation["requestBody"] = {"required": required, "content": {JSON_MEDIA: {"schema": names[view.__body__]}}}
    operation["responses"] = _responses(method, rule.rule, view, names)
    return operation


def _operation_id(endpoint: str) -> str:
    blueprint, _, view = endpoint.partition(".")
    return f"{OPERATION_PREFIXES.get(blueprint, blueprint)}_{view}"


def _in_path(rule: Rule) -> list[Json]:
    text = {"type": "string", "minLength": 1}
    return [{"name": name, "in": "path", "required": True, "schema": text} for name in sorted(rule.arguments)]


def _in_query(view: Any) -> list[Json]:
    model: type[BaseModel] | None = getattr(view, "__query__", None)
    if model is None:
        return []
    schema = without_titles(model.model_json_schema(schema_generator=BodySchema))
    return [
        {"name": name, "in": "query", "required": False, "schema": asked}
        for name, asked in schema["properties"].items()
    ]


def _in_headers(view: Any) -> list[Json]:
    headers: tuple[Header, ...] = getattr(view, "__headers__", ())
    return [
        {
            "name": header.name,
            "in": "header",
            "required": False,
            "description": header.says,
            "schema": {"type": "string", **({"minLength": 1, "maxLength": header.longest} if header.longest else {})},
        }
        for header in headers
    ]


def _responses(method: str, path: str, view: Any, names: Names) -> Json:
    declared: Answers = view.__answers__
    responses: dict[int, Json] = {
        status: {"$ref": f"#/components/responses/{_error_name(status)}"} for status in errors_of(method, path, view)
    }
    if declared.model is not None:
        content = {declared.media: {"schema": names[declared.model]}}
        content |= {declared.also: {"schema": {"type": "string"}}} if declared.also else {}
        responses[declared.status] = {"description": inspect.getdoc(declared.model) or "", "content": content}
    elif declared.status < 400:
        content = {declared.media: {"schema": {"type": "object" if declared.media == JSON_MEDIA else "string"}}}
        responses[declared.status] = {"description": declared.media, "content": content}
    return {str(status): responses[status] for status in sorted(responses)}


def errors_of(method: str, path: str, view: Any) -> set[int]:
    """Return the errors of a view: those of its guard, those of the input it reads, those it declares.

    ``path`` is the rule of its address.
    """
    guard: Guard = view.__guard__
    declared: Answers = view.__answers__
    changes = method in UNSAFE
    follow = {
        400: hasattr(view, "__body__") or hasattr(view, "__query__"),
        403: changes and guard in ("public", "operator", "exit_door"),
        413: changes,
        ADDRESS_TOO_LONG: hasattr(view, "__query__") or "<" in path,
        503: guard == "bridge" or (changes and guard != "public"),
    }
    failed = {declared.status} if declared.status >= 400 else set()
    return {*GUARD_ERRORS[guard], *(status for status, is_so in follow.items() if is_so), *declared.errors, *failed}


def _error_name(status: int) -> str:
    return f"Error{status}"


def _problem(status: int, schema: Json) -> Json:
    answer: Json = {"description": ERRORS[status], "content": {JSON_MEDIA: {"schema": schema}}}
    if status in (429, 503):
        whole_seconds = {"type": "integer", "minimum": 0}
        answer["headers"] = {"Retry-After": {"description": "seconds, when known", "schema": whole_seconds}}
    return answer
