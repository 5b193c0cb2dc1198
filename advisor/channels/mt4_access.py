"""Who may use the MT4 account: programs with a key of ``mt4:read`` or ``mt4:trade``, and the programs of the desk.

No call is open without one of them, on this machine neither.
"""

from __future__ import annotations

from starlette.requests import Request

from sidecar.key_calls import KeyCalls, KeyRefused
from sidecar.keys import KeyDoor
from sidecar.mt4_keys import CLOSING, DESK
from sidecar.problems import ServiceRefused
from sidecar.rates import Rates
from sidecar.service_secret import shows_secret
from wire.keys import SERVICE_HEADER

DESK_REQUESTS = 600
DESK_SECONDS = 60.0


class Mt4Access:
    """Judges the secret or the key of a call."""

    def __init__(self, keys: KeyDoor, secret: str | None) -> None:
        """Without a `secret` keys alone open the account."""
        self._keys = KeyCalls(keys)
        self._secret = secret
        self._of_desk = Rates(DESK_REQUESTS, DESK_SECONDS)

    async def let_read(self, request: Request) -> str:
        """Return who reads: the id of a key, or ``desk``. Raises `ServiceRefused`: 401, 403, 429, 503."""
        return await self._admit(request, is_trade=False)

    async def let_trade(self, request: Request) -> str:
        """Return who connects, trades, closes or disconnects. Raises `ServiceRefused`: 401, 403, 429, 503."""
        return await self._admit(request, is_trade=True)

    async def let_close(self, request: Request) -> str:
        """Return who closes. It is counted apart: however often somebody reads, closing is not held back by that."""
        return await self._admit(request, is_trade=True, apart=CLOSING)

    async def _admit(self, request: Request, *, is_trade: bool, apart: str = "") -> str:
        if SERVICE_HEADER in request.headers:
            if not shows_secret(request.headers, self._secret):
                raise ServiceRefused("invalid_api_key", "this is not the service secret of the desk")
            wait = self._of_desk.take(DESK + apart)
            if wait is not None:
                raise ServiceRefused("rate_limit_exceeded", f"more than {DESK_REQUESTS} requests in a minute", wait)
            return DESK
        try:
            check = await (
                self._keys.require(request.headers, "mt4:trade", apart=apart)
                if is_trade
                else self._keys.require(request.headers, "mt4:read", "mt4:trade")
            )
        except KeyRefused as refused:
            raise ServiceRefused(refused.code, str(refused), refused.retry_after_s) from refused
        return str(check.id)
