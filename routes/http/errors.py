"""Every error in one table: what went wrong -> status and body (STYLE, errors).

Bodies are ``{"ok": false, "error": sentence, ...}``. A refusal of the desk is a value and has its own table.
"""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, current_app, g, jsonify, request
from msgspec import structs
from werkzeug.exceptions import HTTPException

from routes.http.request_ids import route
from services.desk.commit_batch import KeyReused
from services.desk.manager import StateManager
from services.engine.model.replies import Refusal
from services.engine.rules.refusals import REFUSALS
from services.stores.store import NotTheWriter, OutcomeUnknown, StoreError
from services.views.rows import rung_view
from wire.answers import Problem
from wire.types import RefusalCode

log = structlog.get_logger(__name__)

REFUSAL_STATUS: dict[RefusalCode, int] = {rule.code: rule.status for rule in REFUSALS.values()}
TOO_LARGE = 413
RETRY_STORE_SECONDS = "2"


class InvalidRequest(Exception):
    """The request cannot be read. ``field`` names where, ``reason`` says what it was and should be."""

    def __init__(self, field: str, reason: str, status: int = 400) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason
        self.status = status


class AccessDenied(Exception):
    """No valid session, secret or origin."""

    def __init__(self, sentence: str, status: int = 401) -> None:
        super().__init__(sentence)
        self.status = status


class Busy(Exception):
    """Too many streams or attempts; trying again later helps."""

    def __init__(self, sentence: str, retry_after_s: int, status: int = 503) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s
        self.status = status


def install(app: Flask) -> None:
    """Answer each kind of exception as the table says."""
    app.register_error_handler(InvalidRequest, _invalid)
    app.register_error_handler(AccessDenied, lambda error: said(str(error), error.status))
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(KeyReused, lambda error: said(str(error), 422))
    app.register_error_handler(StoreError, _store_failed)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _fault)


def said(sentence: str, status: int, **more: Any) -> Response:
    """Return the body of an error; what is None is left out. An admitted operator is told the version too."""
    if g.get("tells_version", False):
        more.setdefault("version", current_app.extensions["lockstep"].manager.snapshot.version)
    known = {name: value for name, value in more.items() if value is not None}
    response = jsonify(Problem(error=sentence, **known))
    response.status_code = status
    if status == TOO_LARGE:
        response.headers["Connection"] = "close"  # the rest of the body is still on its way
    return response


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
    if refusal.gate is not None:
        problem = structs.replace(
            problem,
            gate=refusal.gate,
            retry_after_s=refusal.retry_after_s,
            ladder=tuple([rung_view(rung, manager.now) for rung in refusal.ladder]),
        )
    response = jsonify(problem)
    response.status_code = REFUSAL_STATUS[refusal.code]
    return response


def _invalid(error: InvalidRequest) -> Response:
    return said(str(error), error.status, field=error.field or None, detail=error.reason)


def _busy(error: Busy) -> Response:
    response = said(str(error), error.status, retry_after_s=error.retry_after_s)
    response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _store_failed(error: StoreError) -> Response:
    response = said(
        f"{_verdict(error)}: {error}", 503, writer=error.writer if isinstance(error, NotTheWriter) else None
    )
    response.headers["Retry-After"] = RETRY_STORE_SECONDS
    return response


def _verdict(error: StoreError) -> str:
    if isinstance(error, NotTheWriter):
        return "STANDBY — nothing was changed"
    if isinstance(error, OutcomeUnknown):
        return "OUTCOME UNKNOWN — look at the state before you try again"
    return "NOT STORED — nothing was changed"


def _http_error(error: HTTPException) -> Response:
    response = said(error.description or error.name, error.code or 500)
    for name, value in error.get_headers():
        if name != "Content-Type":
            response.headers[name] = value
    return response


def _fault(error: Exception) -> Response:
    log.exception("fault", route=route(), method=request.method, error=type(error).__name__)
    return said("the desk made a mistake; nothing was acknowledged", 500, request_id=g.get("request_id"))
