"""Calls that show an API key: one judgement of key, scope and rate, in words of no dialect."""

from __future__ import annotations

from typing import Literal

from starlette.datastructures import Headers

from sidecar.keys import KeyDoor, key_in
from sidecar.problems import RETRY_SECONDS
from sidecar.rates import Rates
from sidecar.web import DeskAway
from wire.keys import KeyCheck, Scope

REQUESTS = 120
REQUEST_SECONDS = 60.0
KeyFault = Literal["missing_api_key", "invalid_api_key", "missing_scope", "rate_limit_exceeded", "keys_unknown"]


class KeyRefused(Exception):
    """A call's key does not open it; the message is one sentence. Waiting may help after ``retry_after_s``."""

    def __init__(self, code: KeyFault, sentence: str, retry_after_s: int | None = None) -> None:
        super().__init__(sentence)
        self.code: KeyFault = code
        self.retry_after_s = retry_after_s


class KeyCalls:
    """Lets in whoever shows a key with the right scope, 120 times a minute."""

    def __init__(self, keys: KeyDoor) -> None:
        self._keys = keys
        self._requests = Rates(REQUESTS, REQUEST_SECONDS)

    async def require(self, headers: Headers, scope: Scope, *others: Scope, apart: str = "") -> KeyCheck:
        """Return what the shown key opens; one of the scopes does. What is counted `apart` is so by that word.

        Raises `KeyRefused`, also while keys cannot be checked.
        """
        token = key_in(headers)
        if token is None:
            raise KeyRefused("missing_api_key", "show one API key, as Authorization: Bearer or X-API-Key")
        try:
            check = await self._keys.check(token)
        except DeskAway as error:
            raise KeyRefused("keys_unknown", "keys cannot be checked now", RETRY_SECONDS) from error
        if check is None:
            raise KeyRefused("invalid_api_key", "the API key is unknown or revoked")
        wait = self._requests.take(f"{check.id}{apart}")
        if wait is not None:
            raise KeyRefused("rate_limit_exceeded", f"more than {REQUESTS} requests in a minute", wait)
        if not set(check.scopes).intersection((scope, *others)):
            raise KeyRefused("missing_scope", f"the API key has no scope {' or '.join((scope, *others))}")
        return check
