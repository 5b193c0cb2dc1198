"""Which calls of the data service need an API key: a sync always, the others where LOCAL_FEEDS_REQUIRE_KEY asks."""

from __future__ import annotations

from starlette.requests import Request

from sidecar.key_calls import KeyCalls, KeyRefused
from sidecar.keys import KeyDoor
from sidecar.problems import ServiceRefused
from wire.keys import KeyCheck, Scope

SYNC_SCOPE: Scope = "data:sync"


class DataKeys:
    """Asks `keys`; with `are_needed` also for reading."""

    def __init__(self, keys: KeyDoor, *, are_needed: bool) -> None:
        self._keys = keys
        self._are_needed = are_needed
        self._calls = KeyCalls(keys)

    @property
    def for_streams(self) -> KeyDoor | None:
        """The keys that the stream asks, None when it asks for none."""
        return self._keys if self._are_needed else None

    async def let_read(self, request: Request, scope: Scope) -> None:
        """Let a call read. Raises `ServiceRefused` where a key is needed and this one does not do."""
        if self._are_needed:
            await self.require(request, scope)

    async def require(self, request: Request, scope: Scope) -> KeyCheck:
        """Return what the shown key opens. `ServiceRefused`: 401, 403, 429, or 503 while keys cannot be checked."""
        try:
            return await self._calls.require(request.headers, scope)
        except KeyRefused as refused:
            raise ServiceRefused(refused.code, str(refused), refused.retry_after_s) from refused
