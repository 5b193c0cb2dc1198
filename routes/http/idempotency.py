"""The header by which a caller says that it sends the same request again (SPEC 4)."""

from __future__ import annotations

from flask import request

from routes.http.errors import InvalidRequest

LONGEST_KEY = 200


def idempotency_key() -> str | None:
    """Return the request's Idempotency-Key, None without one. Raises InvalidRequest."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        raise InvalidRequest("Idempotency-Key", f"must be 1 to {LONGEST_KEY} characters")
    return key
