"""The body of a request: read by the guard's hook, decoded once, handed on to the guard and to the view."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from pydantic import BaseModel, ValidationError

from routes.http.errors import InvalidRequest
from routes.http.faults import first_fault

Body = TypeVar("Body", bound=BaseModel)

BODY_LIMIT = 64 * 1024
DEEPEST = 201  # objects and lists around a value: more are refused, whatever field they are in
SECRET_IN_TEXT = re.compile(rb'"secret"\s*:\s*"((?:[^"\\]|\\.){1,512})"')
PART_OF_JSON = re.compile(
    rb'(?P<key>"(?:[^"\\]|\\.)*"\s*:)|(?P<begin>[\[{])|(?P<end>[\]}])|(?P<plain>"(?:[^"\\]|\\.)*"|[^\s,"\[\]{}]+)'
)


class Unreadable(Struct, frozen=True):
    """The body is not a JSON object; ``reason`` says what it was."""

    reason: str


class SentBody:
    """The body of one request. It is decoded when somebody first asks, and never again."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @cached_property
    def decoded(self) -> dict[str, Any] | Unreadable:
        """The JSON object, read strictly: no NaN, no infinity, no comments, nothing behind it."""
        try:
            value = msgspec.json.decode(self.raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return Unreadable(f"not valid JSON ({error})" if self.raw else "empty, it must be a JSON object")
        if not isinstance(value, dict):
            return Unreadable(f"a JSON {type(value).__name__}, it must be an object")
        return value

    def read_as(self, model: type[Body]) -> Body:
        """Check the body by its model. Raises InvalidRequest that names the first wrong field."""
        if isinstance(self.decoded, Unreadable):
            raise InvalidRequest("", f"the body was {self.decoded.reason}")
        _refuse_too_deep(self.raw)
        try:
            return model.model_validate(self.decoded)
        except ValidationError as error:
            raise InvalidRequest(*first_fault(error)) from None


def secret_within(raw: bytes) -> str | None:
    """Return the secret that stands in a body which is no valid JSON, such as one with a bare NaN."""
    found = SECRET_IN_TEXT.search(raw)
    if found is None:
        return None
    try:
        secret: str = msgspec.json.decode(b'"' + found[1] + b'"', type=str)
    except msgspec.DecodeError:
        return None
    return secret


def _refuse_too_deep(raw: bytes) -> None:
    """Raise InvalidRequest where valid JSON has a value below ``DEEPEST`` objects and lists."""
    if raw.count(b"[") + raw.count(b"{") < DEEPEST:
        return
    depth = 0
    for found in PART_OF_JSON.finditer(raw):
        if found.lastgroup == "end":
            depth -= 1
        elif found.lastgroup != "key" and depth == DEEPEST:
            line, column = _place(raw, found.start())
            raise InvalidRequest("", f"Invalid JSON: recursion limit exceeded at line {line} column {column}")
        elif found.lastgroup == "begin":
            depth += 1


def _place(raw: bytes, index: int) -> tuple[int, int]:
    """Return line and column of a byte, counted from 1."""
    return raw.count(b"\n", 0, index) + 1, index - raw.rfind(b"\n", 0, index)
