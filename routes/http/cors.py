"""Pages of other origins: a front end of one's own may read some calls, with an API key and never by the session.

Only the calls of ``FRONT_END_DOORS`` answer such a page, and only one whose origin ``CORS_ORIGINS`` lists. Cookies are
never allowed: the guard admits such a page by its key alone (``routes/http/guards.py``).
"""

from __future__ import annotations

from flask import Flask, Response, request

from routes.http.guards import FRONT_END_DOORS, KEY_HEADER, guard_of

METHODS = "GET, POST"
SENT_HEADERS = f"Authorization, {KEY_HEADER}, Content-Type"
SHOWN_HEADERS = "Retry-After"
KEPT_FOR_SECONDS = "600"
"""How long a browser remembers what it may call: 10 min."""


def install(app: Flask, listed: frozenset[str]) -> None:
    """Answer the preflight of a listed page before any guard is asked, and let it read the answers of its calls."""
    if not listed:
        return

    @app.before_request
    def answer_preflight() -> Response | None:
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        return Response(status=204) if is_preflight and _is_for_front_ends() and _is_listed(listed) else None

    @app.after_request
    def let_page_read(response: Response) -> Response:
        if not _is_for_front_ends():
            return response
        response.vary.add("Origin")  # a cache must not give one page's answer to another
        if _is_listed(listed):
            response.headers.update(_allowed())
        return response


def _is_for_front_ends() -> bool:
    return guard_of(request.endpoint) in FRONT_END_DOORS


def _is_listed(listed: frozenset[str]) -> bool:
    return request.headers.get("Origin", "").lower() in listed


def _allowed() -> dict[str, str]:
    """Return what the page may do. There is no ``Access-Control-Allow-Credentials``: no cookie is ever of use."""
    allowed = {"Access-Control-Allow-Origin": request.headers["Origin"]}
    if request.method != "OPTIONS":
        return {**allowed, "Access-Control-Expose-Headers": SHOWN_HEADERS}
    allowed |= {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": SENT_HEADERS,
        "Access-Control-Max-Age": KEPT_FOR_SECONDS,
    }
    if request.headers.get("Access-Control-Request-Private-Network") == "true":
        allowed["Access-Control-Allow-Private-Network"] = "true"
    return allowed
