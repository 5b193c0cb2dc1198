"""Every error in one table: exception -> status and body (STYLE, errors).

Bodies are ``{"ok": false, "error": sentence, ...}``. A refusal of the desk is a value and has its own table.
"""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, current_app, g, request
from msgspec import structs
from werkzeug.exceptions import HTTPException

from routes.http.error_codes import Code, code_of_status, title_of
from routes.http.request_ids import route
from services.desk.commit_batch import KeyReused
from services.desk.manager import StateManager
from services.engine.model.replies import Refusal
from services.engine.rules.refusals import REFUSALS
from services.stores.store import NotTheWriter, OutcomeUnknown, StoreError
from services.views.rows import rung_view
from wire.answers import Problem
from wire.asset import Facts
from wire.encoding import encode
from wire.types import ErrorCode, RefusalCode

log = structlog.get_logger(__name__)

REFUSAL_STATUS: dict[RefusalCode, int] = {rule.code: rule.status for rule in REFUSALS.values()}
DENIED = 401
TOO_LARGE = 413
RETRY_STORE_SECONDS = "2"


class Paused(Exception):
    """The view is called again when its pause is over; nobody sees what it answers now."""


class InvalidRequest(Exception):
    """The request cannot be read. ``field`` is the wrong field, ``reason`` its value and what is allowed."""

    def __init__(self, field: str, reason: str, status: int = 400, code: Code | None = None) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason
        self.status = status
        self.code = code or code_of_status(status)


class AccessDenied(Exception):
    """No valid session, secret or origin."""

    def __init__(self, sentence: str, status: int = 401) -> None:
        super().__init__(sentence)
        self.status = status


class Busy(Exception):
    """The call cannot be served now; the caller may try again later. ``detail`` is the sentence without time left."""

    def __init__(
        self, sentence: str, retry_after_s: int, code: ErrorCode, status: int = 503, detail: str | None = None
    ) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s
        self.code = code
        self.status = status
        self.detail = detail


def install(app: Flask) -> None:
    """Register a handler for each kind of exception."""
    app.register_error_handler(InvalidRequest, _invalid)
    app.register_error_handler(AccessDenied, _denied)
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(KeyReused, lambda error: error_answer(str(error), 422, "key_reused"))
    app.register_error_handler(StoreError, _store_failed)
    app.register_error_handler(Paused, lambda _: Response(status=204))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _fault)


def error_answer(
    sentence: str, status: int, code: Code, detail: str | None = None, facts: Facts | None = None, **more: Any
) -> Response:
    """Return the answer of an error without the fields that are None. An admitted operator also gets the version.

    Calls for front ends tell the time of their errors, as the services beside web do. ``detail`` is the sentence
    without what the title or another field says already; by itself it is the sentence.
    """
    if g.get("shows_version", False):
        more.setdefault("version", current_app.extensions["lockstep"].manager.snapshot.version)
    if g.get("tells_time", False):
        more.setdefault("timestamp", current_app.extensions["lockstep"].manager.now)
    known = {name: value for name, value in more.items() if value is not None}
    problem = Problem(
        error=sentence, code=code, title=title_of(code), detail=detail or sentence, facts=facts or {}, **known
    )
    response = _as_json(problem, status)
    if status == TOO_LARGE:
        response.headers["Connection"] = "close"  # the unread rest of the body would be parsed as the next request
    return response


def led_answer(detail: str, status: int, code: ErrorCode, **more: Any) -> Response:
    """Return the answer of an error whose sentence is composed of title and detail."""
    return error_answer(f"{title_of(code)} — {detail}", status, code, detail, **more)


def _as_json(problem: Problem, status: int) -> Response:
    """Encode the body here: an error must be answered whatever the application's JSON provider can do."""
    return Response(encode(problem), status, content_type="application/json")


def refused(refusal: Refusal, manager: StateManager) -> Response:
    """Return the answer to a command that the desk refused."""
    problem = Problem(
        error=refusal.sentence,
        code=refusal.code,
        title=refusal.title,
        detail=refusal.detail,
        facts=refusal.facts,
        version=manager.snapshot.version,
    )
    field = refusal.facts.get("field")
    if isinstance(field, str):
        problem = structs.replace(problem, field=field)
    if refusal.gate is not None:
        problem = structs.replace(
            problem,
            gate=refusal.gate,
            retry_after_s=refusal.retry_after_s,
            ladder=tuple([rung_view(rung, manager.now) for rung in refusal.ladder]),
        )
    return _as_json(problem, REFUSAL_STATUS[refusal.code])


def _invalid(error: InvalidRequest) -> Response:
    return error_answer(str(error), error.status, error.code, error.reason, field=error.field or None)


def _denied(error: AccessDenied) -> Response:
    return error_answer(str(error), error.status, "denied" if error.status == DENIED else "forbidden")


def _busy(error: Busy) -> Response:
    wait = error.retry_after_s
    facts: Facts = {} if error.detail is None else {"remaining_s": wait}
    response = error_answer(str(error), error.status, error.code, error.detail, facts, retry_after_s=wait)
    response.headers["Retry-After"] = str(wait)
    return response


def _store_failed(error: StoreError) -> Response:
    """Answer an error of the store. Whatever the code, the sentence says whether something may have changed."""
    code, verdict = _verdict(error)
    writer = error.writer if isinstance(error, NotTheWriter) else None
    facts: Facts = {} if writer is None else {"writer": writer}
    response = led_answer(f"{verdict}: {error}", 503, code, facts=facts, writer=writer)
    response.headers["Retry-After"] = RETRY_STORE_SECONDS
    return response


def _verdict(error: StoreError) -> tuple[ErrorCode, str]:
    if isinstance(error, NotTheWriter):
        return "standby", "nothing was changed"
    if isinstance(error, OutcomeUnknown):
        return "outcome_unknown", "look at the state before you try again"
    return "store_down", "nothing was changed"


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    response = error_answer(error.description or error.name, status, code_of_status(status))
    for name, value in error.get_headers():
        if name != "Content-Type":
            response.headers[name] = value
    return response


def _fault(error: Exception) -> Response:
    log.exception("fault", route=route(), method=request.method, error=type(error).__name__)
    sentence = "the desk made a mistake; nothing was acknowledged"
    return error_answer(sentence, 500, "fault", request_id=g.get("request_id"))
