"""Look at the way on which requests come: does ``TRUSTED_PROXIES`` fit?"""

from __future__ import annotations

from flask import Flask, request

from routes.http.guards import Guard, guard_of
from services.access.proxies import ProxySigns
from wire.keys import SERVICE_HEADER

COMES_DIRECTLY: frozenset[Guard] = frozenset({"bridge", "stream_reader", "metrics_reader"})  # past the proxy, by right
PROBES = frozenset({"health.show_health", "health.show_readiness"})


def install(app: Flask, signs: ProxySigns) -> None:
    """Look at each request of a browser or a webhook, whoever sent it. It is never refused for that."""

    @app.before_request
    def look() -> None:
        endpoint = request.endpoint
        if endpoint is None or endpoint in PROBES or guard_of(endpoint) in COMES_DIRECTLY:
            return
        if SERVICE_HEADER in request.headers:  # feeds beside web; no browser and no webhook sends it
            return
        signs.look(_peer(), request.headers.get("X-Forwarded-For"))


def _peer() -> str:
    """Return the address of the connection, whatever the headers claim."""
    before_the_fix: dict[str, str] = request.environ.get("werkzeug.proxy_fix.orig", {})
    return before_the_fix.get("REMOTE_ADDR") or request.remote_addr or ""
