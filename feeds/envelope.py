"""The envelope of every message of the market WebSocket, put around data that was encoded once for all sockets."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec


def enveloped(type: str, seq: int, body: bytes, now: datetime) -> bytes:
    """Return a message. `ts` has microseconds and ``+00:00``, `seq` is a string (the contract's words)."""
    ts = now.astimezone(UTC).isoformat(timespec="microseconds")
    return b'{"type":%b,"ts":"%b","seq":"%d","data":%b}' % (msgspec.json.encode(type), ts.encode(), seq, body)
