"""Calls to web through its service door: every answer that is no success is a `DeskAway` with the reason's code."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

SECRET_HEADER = "X-Service-Secret"  # noqa: S105 - the name of the header
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
MOST_CONNECTIONS = 32
DENIED = {401, 403}
GONE = 410
FAILING = 500


class DeskAway(Exception):
    """Web does not answer, or not as it should. ``why`` is a code.

    ``unreachable``: no connection; ``refused``: not with this secret; ``silent``: no byte in time; ``broke_off``: an
    answer ended early; ``failing``: it answers with an error.
    """

    def __init__(self, why: str, sentence: str) -> None:
        """Name the code, and a sentence for the log."""
        super().__init__(sentence)
        self.why = why


class EventsGone(Exception):
    """The journal does not hold what follows the id that was asked for; it begins with the event ``oldest``."""

    def __init__(self, oldest: int) -> None:
        """Name the first event that there is."""
        super().__init__(f"the journal begins with event {oldest}")
        self.oldest = oldest


class WebClient:
    """Web, as the service that knows ``SERVICE_SECRET`` sees it. One connection pool for all calls."""

    def __init__(self, url: str, secret: str | None) -> None:
        """Call web at `url`. Without a secret web refuses every call."""
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={SECRET_HEADER: secret} if secret else {},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS),
            follow_redirects=False,
            trust_env=False,
            verify=_verification(url),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def get(self, path: str, answer_seconds: float = ANSWER_SECONDS, **query: str | int) -> bytes:
        """Return the body of an answer. Raises `DeskAway`, `EventsGone`."""
        return await self._send("GET", path, answer_seconds, params=query)

    async def post(self, path: str, body: bytes, answer_seconds: float = ANSWER_SECONDS) -> bytes:
        """Send JSON and return the body of the answer. Raises `DeskAway`."""
        headers = {"Content-Type": "application/json"}
        return await self._send("POST", path, answer_seconds, content=body, headers=headers)

    async def exchange(
        self, method: str, path: str, body: bytes | None = None, answer_seconds: float = ANSWER_SECONDS, **headers: str
    ) -> tuple[int, bytes]:
        """Call web and return status and body of any answer below 500, refusals included.

        In a header's name ``_`` stands for ``-``. Raises `DeskAway` also for 401, 403 and from 500 on: with those
        nobody knows what became of the call.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            named["Content-Type"] = "application/json"
        timeout = httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS)
        try:
            answer = await self._client.request(method, path, timeout=timeout, content=body, headers=named)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise _away_by(error) from error
        if answer.status_code in DENIED or answer.status_code >= FAILING:
            raise _away(answer.status_code)
        return answer.status_code, answer.content

    @asynccontextmanager
    async def stream(
        self, path: str, silence_seconds: float, last_event_id: str | None
    ) -> AsyncIterator[httpx.Response]:
        """Open server-sent events; reading fails after so many seconds without a byte. Raises `DeskAway`."""
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        timeout = httpx.Timeout(silence_seconds, connect=CONNECT_SECONDS)
        try:
            async with self._client.stream("GET", path, headers=headers, timeout=timeout) as answer:
                if answer.status_code // 100 != 2:
                    raise _away(answer.status_code)
                yield answer
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise _away_by(error) from error

    async def _send(self, method: str, path: str, answer_seconds: float, **request: Any) -> bytes:
        timeout = httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS)
        try:
            answer = await self._client.request(method, path, timeout=timeout, **request)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise _away_by(error) from error
        if answer.status_code == GONE:
            raise EventsGone(_oldest(answer.content))
        if answer.status_code // 100 != 2:
            raise _away(answer.status_code)
        return answer.content


def _verification(url: str) -> ssl.SSLContext:
    """Return how certificates are verified. Where nothing is encrypted the authorities need not be loaded (3 MiB)."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.startswith("http://") else httpx.create_ssl_context()


def _oldest(body: bytes) -> int:
    """Read the first event of a 410. Raises `DeskAway` when the answer does not say it."""
    try:
        return _gone.decode(body).oldest
    except msgspec.DecodeError as error:
        raise DeskAway("failing", f"web says 410 without the oldest event: {error}") from error


class _Gone(msgspec.Struct):
    oldest: int


_gone = msgspec.json.Decoder(_Gone)


def _away(status: int) -> DeskAway:
    if status in DENIED:
        return DeskAway("refused", f"web refuses the service secret ({status})")
    return DeskAway("failing", f"web answers {status}")


def _away_by(error: Exception) -> DeskAway:
    name = type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.InvalidURL):
        return DeskAway("unreachable", f"web does not answer: {name}")
    if isinstance(error, httpx.TimeoutException):
        return DeskAway("silent", f"web sends nothing: {name}")
    return DeskAway("broke_off", f"web broke off: {name}")
