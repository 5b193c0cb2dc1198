"""What one connection may send, and for how long (docs/explanation/serving.md)."""

from __future__ import annotations

HEAD_BYTES = 8 * 1024
HEAD_SECONDS = 5.0
"""From the first moment of a connection, or the first byte of its next request, to the end of the head."""

BODY_BYTES = 64 * 1024
BODY_SECONDS = 5.0
"""From the end of the head to the last byte of the body."""

UNREAD_SECONDS = 10.0
"""How long a caller may leave its answer unread before its connection is cut."""

IDLE_SECONDS = 75
"""How long a connection may stay open without a request."""

CONNECTIONS_AT_MOST = 4096
FILES_KEPT_FREE = 128
"""Of the process's open files: for the store, logs, notices and what it starts."""

PER_ADDRESS_AT_MOST = 256
"""Connections of one address. A proxy of the desk is exempt: it speaks for many."""
