"""Whether a caller shows the desk's service secret."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from wire.keys import SERVICE_HEADER


def shows_secret(headers: Mapping[str, str], secret: str | None) -> bool:
    """Return whether `headers` show `secret`, compared in constant time. Without a `secret` nobody does."""
    shown = headers.get(SERVICE_HEADER, "")
    return secret is not None and hmac.compare_digest(shown.encode(), secret.encode())
