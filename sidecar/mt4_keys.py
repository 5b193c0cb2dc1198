"""The name of an order: what its caller calls it, and who the caller is. The same one again is the same order."""

from __future__ import annotations

from hashlib import blake2b

from sidecar.problems import ServiceRefused

DESK = "desk"
"""Who shows the service secret. What it passes on is named already."""

CLOSING = "/close"
"""Closings and cancellations are counted apart from all other calls of a key."""

LONGEST = 200


def name_of(who: str, key: str | None) -> str | None:
    """Return the name of an ``Idempotency-Key``, None without one. Raises `ServiceRefused` (400) for an odd one."""
    if key is None:
        return None
    if not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable() and key.strip() == key):
        raise ServiceRefused("invalid_parameter", f"Idempotency-Key must be 1 to {LONGEST} printable characters")
    if who == DESK:
        return key
    caller = blake2b(who.encode(), digest_size=4).hexdigest()  # so that the names of each caller can be counted
    return f"{caller}.{blake2b(f'{who}:{key}'.encode(), digest_size=16).hexdigest()}"
