"""Checks answers against the committed OpenAPI document: everything in an answer must be documented."""

import json
import re
from functools import cache
from typing import Any

import requests
from jsonschema import Draft202012Validator, FormatChecker

from tests.support.desk_process import REPOSITORY

PATH = REPOSITORY / "docs" / "reference" / "openapi.json"
METHODS = ("get", "post", "delete")


@cache
def document() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
    return whole


def operations() -> list[tuple[str, str]]:
    """Return every documented call: method and path."""
    return [(method.upper(), path) for path, calls in document()["paths"].items() for method in calls]


def documented(answer: requests.Response) -> requests.Response:
    """Return the answer; fail when its status, its content type or a field is not documented."""
    method, path = str(answer.request.method), template_of(str(answer.request.path_url).split("?")[0])
    responses = document()["paths"][path][method.lower()]["responses"]
    status = str(answer.status_code)
    assert status in responses, f"{method} {path} answered an undocumented {status}: {answer.text[:300]}"
    content = resolved(responses[status])["content"]
    media = answer.headers["Content-Type"].split(";")[0]
    assert media in content, f"{method} {path} {status} is {media}"
    if media == "application/json":
        faults = [
            f"{fault.json_path}: {fault.message[:200]}" for fault in errors(content[media]["schema"], answer.json())
        ]
        assert faults == [], f"{method} {path} {status}: {faults[:5]}"
    return answer


def errors(schema: dict[str, Any], body: Any) -> list[Any]:
    whole = {**closed(schema), "components": {"schemas": closed(document()["components"]["schemas"])}}
    return list(Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(body))


def closed(schema: Any) -> Any:
    """Forbid undocumented fields: clients must accept new ones, but this repository must document them."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(item) for name, item in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        inner.setdefault("additionalProperties", False)
    return inner


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    kind, name = part["$ref"].split("/")[-2:]
    whole: dict[str, Any] = document()["components"][kind][name]
    return whole


def template_of(path: str) -> str:
    """Return the documented path that matches a requested one."""
    for template in document()["paths"]:
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path):
            found: str = template
            if "{" not in found or path not in document()["paths"]:
                return found
    raise AssertionError(f"{path} is not documented")
