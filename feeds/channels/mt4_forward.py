"""``/api/mt4/…`` of the data service: passed on to the agent, which serves the MT4 account (docs/reference/mt4.md).

Keys are checked here first; what is passed on shows the service secret, and no key. An act that the agent was sent and
did not answer may have been done: that is 503 `unknown_outcome`, and it is not sent again.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sidecar.key_calls import KeyCalls, KeyRefused
from sidecar.keys import KeyDoor
from sidecar.mt4_keys import CLOSING, name_of
from sidecar.mt4_openapi import DATA_CALLS
from sidecar.problems import JSON, RETRY_SECONDS, ServiceRefused
from sidecar.queries import LONGEST_BODY
from sidecar.service_secret import shows_secret
from wire.keys import SERVICE_HEADER

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 40.0
"""The agent waits 25 s for candles, and looks up what became of a trade for some seconds more."""

CLOSE_SECONDS = 100.0
"""The agent needs 92 s at the most to say what became of a closing. Whoever gives up before that closes twice."""

MOST_CONNECTIONS = 16
USES = ("reads", "acts", "ends")
"""Connections for each use of their own: no number of slow readings holds back an order, and nothing a closing."""

KEY_HEADER = "Idempotency-Key"
PASSED_BACK = ("Retry-After",)
ENDS = ("/close", "/cancel")
READS = frozenset({"GET", "HEAD"})
PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._#+:=!-]*")
"""Of a path: what is passed on with the secret names an MT4 call, and leads to no other."""

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Mt4Forward:
    """Passes calls on to the agent."""

    def __init__(self, agent_url: str | None, secret: str | None, keys: KeyDoor) -> None:
        """Pass on to `agent_url` with `secret`; None when no program serves MT4."""
        self._secret = secret
        self._keys = KeyCalls(keys)
        self._clients = {} if agent_url is None else {use: _client(agent_url, secret) for use in USES}

    def routes(self) -> list[Route]:
        """Return the routes: the calls of the MT4 account, and no other path."""
        return [Route(call.path, self._forwarding(call.path), methods=[call.method.upper()]) for call in DATA_CALLS]

    def _forwarding(self, template: str) -> Callable[[Request], Awaitable[Response]]:
        async def forward(request: Request) -> Response:
            return await self.forward(request, template)

        return forward

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()

    async def forward(self, request: Request, template: str) -> Response:
        """Pass a call on. Raises `ServiceRefused`."""
        is_closing = template.endswith(ENDS)
        who = await self._admit(request, CLOSING if is_closing else "")
        path = _path_of(request, template)
        client = self._clients.get("ends" if is_closing else "reads" if request.method in READS else "acts")
        if client is None:
            raise ServiceRefused("not_available", "MT4 is off: AGENT_URL names no address")
        body = await _body_of(request)
        try:
            answer = await client.request(
                request.method,
                path,
                params=request.url.query.encode(),
                content=body,
                headers=_headers_of(request, who),
                timeout=httpx.Timeout(CLOSE_SECONDS if is_closing else ANSWER_SECONDS, connect=CONNECT_SECONDS),
            )
        except NOT_SENT as error:
            raise ServiceRefused("not_available", "the agent does not answer", RETRY_SECONDS) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise _broken(request, error) from error
        headers = {"Cache-Control": "no-store"}
        headers |= {name: answer.headers[name] for name in PASSED_BACK if name in answer.headers}
        return Response(answer.content, answer.status_code, headers, media_type=JSON)

    async def _admit(self, request: Request, apart: str) -> str:
        """Return who calls: the id of a key, or ``desk``. Raises `ServiceRefused`: 401, 403, 429, 503."""
        if SERVICE_HEADER in request.headers:
            if not shows_secret(request.headers, self._secret):
                raise ServiceRefused("invalid_api_key", "this is not the service secret of the desk")
            return "desk"
        try:
            if request.method in READS:
                return str((await self._keys.require(request.headers, "mt4:read", "mt4:trade")).id)
            return str((await self._keys.require(request.headers, "mt4:trade", apart=apart)).id)
        except KeyRefused as refused:
            raise ServiceRefused(refused.code, str(refused), refused.retry_after_s) from refused


def _client(url: str, secret: str | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=url,
        headers={SERVICE_HEADER: secret} if secret else {},
        limits=httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS),
        follow_redirects=False,
        trust_env=False,
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.startswith("http://") else True,
    )


def _path_of(request: Request, template: str) -> str:
    """Return the path with its parts written anew. Raises `ServiceRefused` (404) for one that is no name."""
    path = template
    for name, value in request.path_params.items():
        if PART.fullmatch(str(value)) is None:
            raise ServiceRefused("not_found", f"there is no {str(value)[:40]!r}")
        path = path.replace("{" + name + "}", quote(str(value), safe=""))
    return path


def _headers_of(request: Request, who: str) -> dict[str, str]:
    headers = {"Content-Type": JSON}  # whatever the caller says: no MT4 call has another body
    name = name_of(who, request.headers.get(KEY_HEADER))
    return headers if name is None else {**headers, KEY_HEADER: name}


async def _body_of(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise ServiceRefused("body_too_large", f"the body may have {LONGEST_BODY} bytes")
    return bytes(body)


def _broken(request: Request, error: Exception) -> ServiceRefused:
    """Return the refusal of a call that was sent and not answered."""
    if request.method in READS:
        return ServiceRefused("not_available", f"the agent broke off: {type(error).__name__}", RETRY_SECONDS)
    return ServiceRefused(
        "unknown_outcome", "the agent was told and did not answer: look at the account first", reason="agent_silent"
    )
