"""Who may call the ML engine: anybody on this machine, else a key with ``signals:read`` or the service secret."""

from __future__ import annotations

from starlette.requests import Request

from sidecar.key_calls import KeyCalls, KeyRefused
from sidecar.keys import KeyDoor
from sidecar.problems import ServiceRefused
from sidecar.service_secret import shows_secret
from wire.keys import Scope

SCOPE: Scope = "signals:read"


class MlKeys:
    """Asks `keys`; with `are_needed` every call but ``/health`` needs one, or the service secret."""

    def __init__(self, keys: KeyDoor, secret: str | None, *, are_needed: bool) -> None:
        self._keys = keys
        self._secret = secret
        self._are_needed = are_needed
        self._calls = KeyCalls(keys)

    @property
    def for_streams(self) -> KeyDoor | None:
        """The keys that the socket asks, None when it asks for none."""
        return self._keys if self._are_needed else None

    async def let_read(self, request: Request) -> None:
        """Let a call read. Raises `ServiceRefused` where a key is needed and this one does not do."""
        if not self._are_needed or shows_secret(request.headers, self._secret):
            return
        try:
            await self._calls.require(request.headers, SCOPE)
        except KeyRefused as refused:
            raise ServiceRefused(refused.code, str(refused), refused.retry_after_s) from refused
