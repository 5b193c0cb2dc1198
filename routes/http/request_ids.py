"""Gives every request an id, from the caller or generated, and puts it into the answer and every log line.

Logged are logins, answers of 500 and above, and requests longer than a second; all others, webhooks too, only at
DEBUG. Neither the query nor the requested path is logged, because they may hold a secret.
"""

from __future__ import annotations

import re
import secrets
import time

import structlog
from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, unbind_contextvars

log = structlog.get_logger(__name__)

HEADER = "X-Request-Id"
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")
SLOW_SECONDS = 1.0
WAITS_ON_PURPOSE = frozenset({"bridge_orders.hand_over"})
REFUSES_ON_PURPOSE = frozenset(
    {
        "health.show_readiness",  # a standby answers 503 to every probe
        *("advisor.show_range", "advisor.show_signals", "advisor.show_phase", "advisor.show_models"),
        *("advisor.explain", "chat.talk"),  # without a model, or an advisor, they are 503 each time a page asks
    }
)
LOGIN = "auth.log_in"


def install(app: Flask, *, logs_all: bool = False) -> None:
    """Give every request its id before any other handler runs. ``logs_all``: log each request, at DEBUG."""

    def end(response: Response) -> Response:
        if "request_id" not in g:
            return response  # the request failed before it got its id
        response.headers[HEADER] = g.request_id
        seconds = time.perf_counter() - g.began
        endpoint = request.endpoint
        is_slow = seconds > SLOW_SECONDS and endpoint not in WAITS_ON_PURPOSE
        has_failed = response.status_code >= 500 and endpoint not in REFUSES_ON_PURPOSE
        if logs_all or is_slow or has_failed or endpoint == LOGIN:
            _tell(response.status_code, seconds, is_slow, has_failed)
        return response

    app.before_request(_begin)
    app.after_request(end)
    app.teardown_request(_forget)


def _begin() -> None:
    given = request.headers.get(HEADER)
    g.request_id = given if given is not None and WELL_FORMED.fullmatch(given) else secrets.token_hex(8)
    g.began = time.perf_counter()
    bind_contextvars(request_id=g.request_id)


def _forget(fault: BaseException | None) -> None:
    unbind_contextvars("request_id")


def _tell(status: int, seconds: float, is_slow: bool, has_failed: bool) -> None:
    facts = {"method": request.method, "route": route(), "status": status, "ms": round(seconds * 1000, 2)}
    if has_failed:
        log.warning("request failed", **facts)
    elif is_slow:
        log.warning("request was slow", **facts)
    elif request.endpoint == LOGIN:
        log.info("login", **facts, address=request.remote_addr)
    else:
        log.debug("request", **facts)


def route() -> str | None:
    """Return the declared path, without the caller's values in it."""
    return request.url_rule.rule if request.url_rule is not None else None
