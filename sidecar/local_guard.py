"""Who may use a local port: programs on this machine, and pages that CORS_ORIGINS names.

Any page that a browser shows may open a WebSocket to localhost, and a name that points to 127.0.0.1 makes a foreign
page look like one of ours (DNS rebinding). So every request must name this machine as its ``Host``, and an ``Origin``
that is not this port's own must be listed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wire.local_feeds import JournalFault

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
CORS_SECONDS = "600"
READING = "GET, HEAD"
SENT_HEADERS = "Authorization, X-API-Key, Content-Type, Idempotency-Key"
REFUSED = 403


class Refusal(msgspec.Struct, frozen=True):
    """Why a request is refused: an HTTP status and one sentence."""

    status: int
    sentence: str


def fault_body(refusal: Refusal) -> bytes:
    """Return a refusal as the local feeds tell it."""
    return msgspec.json.encode(JournalFault(refusal.sentence))


class LocalGuard:
    """Wraps the application of one local port. ``port`` is the one that it listens on.

    Pages of `cors_origins` may use `methods`. `body_of` writes a refusal in the words of this port. A port that is not
    `is_local` may be called by any name, and asks for keys itself; pages of other sites are refused there, too.
    """

    def __init__(
        self,
        app: ASGIApp,
        port: int,
        cors_origins: frozenset[str],
        methods: str = READING,
        body_of: Callable[[Refusal], bytes] = fault_body,
        *,
        is_local: bool = True,
    ) -> None:
        self._app = app
        self._is_local = is_local
        self._methods = methods
        self._body_of = body_of
        self._hosts = frozenset(f"{name}:{port}" for name in LOOPBACK_NAMES)
        self._own_origins = frozenset(f"http://{host}" for host in self._hosts)
        self._listed = cors_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it before anything of it is read."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self.refusal_of(headers)
        if refusal is not None:
            await refuse(scope, send, refusal, body_of=self._body_of)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        elif self._is_listed(headers):
            await self._serve_page(scope, receive, send, headers)
        else:
            await self._app(scope, receive, _with(send, {"Vary": "Origin"}))

    def refusal_of(self, headers: Mapping[str, str]) -> Refusal | None:
        """Return why these headers are refused, None when they are admitted."""
        host = headers.get("host", "").lower()
        if self._is_local and host not in self._hosts:
            return Refusal(REFUSED, "this feed is for programs on its own machine: call it localhost or 127.0.0.1")
        origin = headers.get("origin")
        own = frozenset({f"http://{host}", f"https://{host}"}) if not self._is_local else self._own_origins
        if origin is not None and origin.lower() not in own | self._listed:
            return Refusal(REFUSED, "pages of this origin may not use this feed: CORS_ORIGINS does not name it")
        if origin is None and headers.get("sec-fetch-site") == "cross-site":
            return Refusal(REFUSED, "a page of another site may not use this feed")
        return None

    def _is_listed(self, headers: Mapping[str, str]) -> bool:
        return headers.get("origin", "").lower() in self._listed

    async def _serve_page(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        """Serve a page of a listed origin: it may read the answer, and ask beforehand whether it may call."""
        allowed = {"Access-Control-Allow-Origin": headers["origin"], "Vary": "Origin"}
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            allowed |= {
                "Access-Control-Allow-Methods": self._methods,
                "Access-Control-Allow-Headers": SENT_HEADERS,
                "Access-Control-Max-Age": CORS_SECONDS,
            }
            if headers.get("access-control-request-private-network") == "true":
                allowed["Access-Control-Allow-Private-Network"] = "true"
            await _answer(send, 204, b"", allowed)
        else:
            await self._app(scope, receive, _with(send, allowed))


async def refuse(
    scope: Scope,
    send: Send,
    refusal: Refusal,
    headers: Mapping[str, str] | None = None,
    body_of: Callable[[Refusal], bytes] = fault_body,
) -> None:
    """Answer a refusal: to a WebSocket as the HTTP answer to its handshake, before it is accepted."""
    body = body_of(refusal)
    told = {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})}
    prefix = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    await _answer(send, refusal.status, body, told, prefix)


async def _answer(
    send: Send, status: int, body: bytes, headers: Mapping[str, str], prefix: str = "http.response"
) -> None:
    told = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    told.append((b"content-length", str(len(body)).encode()))
    await send({"type": f"{prefix}.start", "status": status, "headers": told})
    await send({"type": f"{prefix}.body", "body": body})


def _with(send: Send, headers: Mapping[str, str]) -> Send:
    """Return a ``send`` that adds headers to the answer, and those that keep other pages from reading it."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            told = MutableHeaders(scope=message)
            told["X-Content-Type-Options"] = "nosniff"
            told["Cross-Origin-Resource-Policy"] = "same-site"
            for name, value in headers.items():
                told[name] = value
        await send(message)

    return send_with_headers
