"""Every request has an id: taken from the caller or made here, in every log line, in the answer.

What is logged of a request: logins always, answers of 500 and above, and what took longer than a second. Everything
else, webhooks too, at DEBUG. Neither the query nor the path as typed is ever logged: they may hold a secret.
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
REFUSES_ON_PURPOSE = frozenset({"health.show_readiness"})  # a standby says so every few seconds
LOGIN = "auth.log_in"


def install(app: Flask, *, tells_all: bool = False) -> None:
    """Give every request its id, before anything else looks at it. ``tells_all``: log each at DEBUG."""

    def end(response: Response) -> Response:
        if "request_id" not in g:
            return response  # it failed before it began
        response.headers[HEADER] = g.request_id
        seconds = time.perf_counter() - g.began
        endpoint = request.endpoint
        is_slow = seconds > SLOW_SECONDS and endpoint not in WAITS_ON_PURPOSE
        has_failed = response.status_code >= 500 and endpoint not in REFUSES_ON_PURPOSE
        if tells_all or is_slow or has_failed or endpoint == LOGIN:
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
    """Return the path as it was declared, without what the caller put into it."""
    return request.url_rule.rule if request.url_rule is not None else None
