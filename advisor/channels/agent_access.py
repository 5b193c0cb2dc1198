"""Who may use the agent: web, which shows the service secret, and programs with a key of the scope of the call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from sidecar.key_calls import KeyCalls, KeyRefused
from sidecar.keys import KeyDoor
from sidecar.problems import ServiceRefused
from sidecar.rates import Rates
from sidecar.service_secret import shows_secret
from wire.keys import SERVICE_HEADER
from wire.keys import Scope as KeyScope

WEB = "web"
"""The owner of what web asks; no key has this id."""

WEB_REQUESTS = 120
WEB_SECONDS = 60.0
MOST_AT_ONCE = 6
MOST_OF_ONE = 4
RETRY_SECONDS = 5


class AgentAccess:
    """Judges the secret or the key of a call."""

    def __init__(self, keys: KeyDoor, secret: str | None) -> None:
        """Without a `secret` keys alone open the agent."""
        self._keys = KeyCalls(keys)
        self._secret = secret
        self._of_web = Rates(WEB_REQUESTS, WEB_SECONDS)

    async def admit(self, request: Request, scope: KeyScope = "agent:chat") -> str:
        """Return who asks: the id of a key of this scope, or `WEB`. Raises `ServiceRefused`: 401, 403, 429, 503."""
        if SERVICE_HEADER in request.headers:
            return self._admit_web(request.headers)
        try:
            return str((await self._keys.require(request.headers, scope)).id)
        except KeyRefused as refused:
            raise ServiceRefused(refused.code, str(refused), refused.retry_after_s) from refused

    def _admit_web(self, headers: Headers) -> str:
        if not self.shows_secret(headers):
            raise ServiceRefused("invalid_api_key", "this is not the service secret of the desk")
        wait = self._of_web.take(WEB)
        if wait is not None:
            raise ServiceRefused("rate_limit_exceeded", f"more than {WEB_REQUESTS} requests in a minute", wait)
        return WEB

    def shows_secret(self, headers: Headers) -> bool:
        """Return whether the headers show the secret."""
        return shows_secret(headers, self._secret)


class WebFirst:
    """Lets web in past the guard of pages: where both run in containers it calls the agent by another name."""

    def __init__(self, app: ASGIApp, guarded: ASGIApp, access: AgentAccess) -> None:
        """Serve `app` to web, and `guarded` to everybody else."""
        self._app = app
        self._guarded = guarded
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        is_web = scope["type"] == "http" and self._access.shows_secret(Headers(scope=scope))
        await (self._app if is_web else self._guarded)(scope, receive, send)


class Seats:
    """How many questions are answered at one time, in all and of one who asks."""

    def __init__(self, most: int = MOST_AT_ONCE, of_one: int = MOST_OF_ONE) -> None:
        """Begin with every seat free."""
        self._most = most
        self._of_one = of_one
        self._taken: dict[str, int] = {}

    @contextmanager
    def taken_by(self, who: str) -> Iterator[None]:
        """Take a seat for as long as the context lasts. Raises `ServiceRefused` (503) where none is free."""
        if sum(self._taken.values()) >= self._most or self._taken.get(who, 0) >= self._of_one:
            raise ServiceRefused("busy", "as many questions are being answered as may be at one time", RETRY_SECONDS)
        self._taken[who] = self._taken.get(who, 0) + 1
        try:
            yield
        finally:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]
