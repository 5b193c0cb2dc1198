"""Who is calling, as far as the front must know: each kind of caller has threads of its own.

A caller is recognised by what it carries (cookie, header, query), after a guard of the application has once admitted a
request that carried it. Nothing is admitted here: a wrong guess costs a place in a queue.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import Any, Literal, get_args

Kind = Literal["exit", "operator", "bridge", "webhook", "anybody"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CREDENTIALS_KEPT = 4096
EXITS = frozenset({"/api/exit", "/api/exit-all"})
CREDENTIAL_HEADERS = frozenset({b"cookie", b"x-bridge-secret", b"authorization", b"x-api-key"})


class Callers:
    """The credentials that the application has admitted lately, as digests. Used on the event loop only."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Kind] = OrderedDict()
        self._key = blake2b(str(id(self)).encode(), digest_size=16).digest()

    def kind_of(self, scope: Any) -> tuple[Kind, bytes | None]:
        """Return the kind of caller, and the digest under which `learn` may remember it."""
        path: str = scope["path"]
        if path.startswith("/tv_"):
            return "webhook", None
        shown = self._digest(scope)
        kind: Kind = "anybody" if shown is None else self._known.get(shown, "anybody")
        if kind == "operator" and path in EXITS:
            kind = "exit"
        return kind, shown

    def learn(self, shown: bytes | None, caller: str) -> None:
        """Remember what a guard has recognised; an empty ``caller`` is nobody and is forgotten."""
        if shown is None:
            return
        if caller not in ("operator", "bridge"):
            self._known.pop(shown, None)
            return
        self._known[shown] = "operator" if caller == "operator" else "bridge"
        self._known.move_to_end(shown)
        while len(self._known) > CREDENTIALS_KEPT:
            self._known.popitem(last=False)

    def _digest(self, scope: Any) -> bytes | None:
        parts = [value for name, value in scope["headers"] if name in CREDENTIAL_HEADERS]
        query: bytes = scope["query_string"]
        if b"secret=" in query:
            parts.extend(part for part in query.split(b"&") if part.startswith(b"secret="))
        return blake2b(b"\n".join(parts), key=self._key, digest_size=12).digest() if parts else None
