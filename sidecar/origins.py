"""Which pages may use a port: its own, and those that ``CORS_ORIGINS`` names."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def is_foreign(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Return whether a request comes from a page of another site. Programs send no `origin`.

    An origin is our own when it names the same host and port as the request's `host`; behind a proxy that is its name.
    """
    if origin is None:
        return False
    spelled = origin.strip().rstrip("/").lower()
    if spelled in allowed:
        return False
    try:
        parts = urlsplit(spelled)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
        own = urlsplit(f"//{(host or '').strip().lower()}")
        own_port = own.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return True
    return not parts.hostname or (parts.hostname, port) != (own.hostname, own_port)
