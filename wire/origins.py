"""The setting ``CORS_ORIGINS``: pages of other origins that may use what a program opens to them."""

from __future__ import annotations

from urllib.parse import urlsplit

USUAL_PORTS = {"http": 80, "https": 443}
"""A browser leaves these out of an origin."""


class NoOrigin(ValueError):
    """A part of the list is no origin. The sentence names it."""


def origins_of(text: str) -> frozenset[str]:
    """Return the origins of a list with commas, ``scheme://name:port`` as a browser sends it. Raises NoOrigin."""
    return frozenset(_as_sent(part.strip()) for part in text.split(",") if part.strip())


def _as_sent(text: str) -> str:
    """Return an origin in small letters and without its scheme's own port. Raises NoOrigin."""
    fault = NoOrigin(f"CORS_ORIGINS must list origins such as http://localhost:5173, was {text!r:.200}")
    try:
        parts = urlsplit(text.rstrip("/").lower())
        port = parts.port
    except ValueError:
        raise fault from None
    is_name = bool(parts.hostname) and text.isascii() and text.isprintable() and not set(text) & set(" @*")
    if parts.scheme not in USUAL_PORTS or not is_name or port == 0 or parts.path or parts.query or parts.fragment:
        raise fault
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{name}" + ("" if port in (None, USUAL_PORTS[parts.scheme]) else f":{port}")
