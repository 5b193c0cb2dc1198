"""Who is calling, as far as the front must know: each kind of caller has threads of its own.

A caller is recognised by what it shows (a header, a secret in the query or in the body), after a guard of the
application has once admitted a request that showed the same. Nothing is admitted here: whoever is taken for somebody
else waits in another queue, no more.
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from hashlib import blake2b
from typing import Literal, NamedTuple, get_args

from serving.later import Caller
from serving.reading import Request

Kind = Literal["exit", "operator", "bridge", "webhook", "service", "reader", "health", "login", "unproven", "anybody"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CREDENTIALS_KEPT = 4096
EXITS = frozenset({b"/api/exit", b"/api/exit-all"})
HEALTH = frozenset({b"/healthz", b"/readyz"})
LOGIN = b"/api/login"
SHOWN_IN_HEADERS = frozenset({b"cookie", b"x-bridge-secret", b"x-service-secret", b"authorization", b"x-api-key"})
SECRET_IN_BODY = re.compile(rb'"secret"\s*:\s*("[^"\\]{1,512}")')


class Seen(NamedTuple):
    """What kind of caller sent a request, and the digest of what it showed."""

    kind: Kind
    shown: bytes | None


class Callers:
    """What the application has admitted lately, as digests. Used on the event loop only."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Caller] = OrderedDict()
        self._key = secrets.token_bytes(16)

    def look_at(self, request: Request) -> Seen:
        """Return who seems to call: unproven who shows what no guard has admitted yet, anybody who shows nothing."""
        path = request.target.partition(b"?")[0]
        if path in HEALTH:
            return Seen("health", None)
        shown = self._digest(request)
        if path == LOGIN:
            return Seen("login", shown)
        known = None if shown is None else self._known.get(shown)
        if known == "operator" and path in EXITS:
            return Seen("exit", shown)
        if shown is None:
            return Seen("anybody", None)
        return Seen(known or "unproven", shown)

    def learn(self, shown: bytes | None, caller: Caller | None, status: str) -> None:
        """Remember whom a guard has admitted, and forget whom it has refused."""
        if shown is None:
            return
        if caller is not None:
            self._known[shown] = caller
            self._known.move_to_end(shown)
            if len(self._known) > CREDENTIALS_KEPT:
                self._known.popitem(last=False)
        elif status.startswith("401"):
            self._known.pop(shown, None)

    def _digest(self, request: Request) -> bytes | None:
        parts = [value for name, value in request.headers if name in SHOWN_IN_HEADERS]
        if b"secret=" in request.target:
            query = request.target.partition(b"?")[2]
            parts.extend(part for part in query.split(b"&") if part.startswith(b"secret="))
        if not parts and request.body:
            found = SECRET_IN_BODY.search(request.body)
            if found is not None:
                parts.append(found[1])
        return blake2b(b"\n".join(parts), key=self._key, digest_size=12).digest() if parts else None
