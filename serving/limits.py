"""What one connection may send, what all of them may hold, and for how long (docs/explanation/serving.md)."""

from __future__ import annotations

URL_BYTES = 4094
HEAD_BYTES = 8 * 1024
HEADERS_AT_MOST = 100
HEAD_SECONDS = 5.0
"""From the first moment of a connection, or the first byte of its next request, to the end of the head."""

BODY_BYTES = 64 * 1024
BODY_SECONDS = 5.0
"""From the end of the head to the last byte of the body."""

CHUNKED_BYTES = 8 * BODY_BYTES
"""A body in chunks with all that is around them: small chunks weigh more than what they carry."""

PIPELINED_AT_MOST = 16
"""Whole requests of one connection that wait for their turn. What follows them is not read."""

UNREAD_SECONDS = 10.0
"""In which a caller must read some of its answer: the rest of it, or ``READ_AT_LEAST_BYTES``. Else it is cut."""

READ_AT_LEAST_BYTES = 16 * 1024

STREAM_UNREAD_SECONDS = 30.0
"""The same of a stream: a page on a bad line hears `resync` rather than nothing."""

UNSENT_BYTES = 4 * 1024
"""An answer of which more than this waits to be sent counts as unread."""

KERNEL_BYTES = 128 * 1024
"""What the kernel keeps of one connection's answer. Left to itself it keeps megabytes of what nobody reads."""

LINGER_SECONDS = 1.0
"""After a refusal: how long what the caller still sends is thrown away, so that it can read why."""

IDLE_SECONDS = 75.0
"""How long a connection may stay open without a request."""

CONNECTIONS_AT_MOST = 4096
FILES_KEPT_FREE = 128
"""Of the process's open files: for the store, logs, notices and what it starts."""

PER_ADDRESS_AT_MOST = 1024
"""Connections of strangers from one address, at most half of all. A proxy of the desk is exempt: it speaks for many."""

REPLACED_PER_SECOND = 32
"""Connections of strangers that take the place of another of their own address. More are closed at the entrance."""

KNOWN_ADDRESSES_KEPT = 1024
"""Addresses from which a guard has admitted somebody: their newest connection is always let in."""

HELD_BYTES = 16 * 1024 * 1024
"""Bodies that are not whole and answers that are not read, of all connections together."""

ACCEPTED_AT_ONCE = 32
"""New connections before those that are open get their turn."""
