"""HTTP to a model's server, with a bound on how much it may send: it may be broken, or no model's server at all."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import httpx

from advisor.agent.providers.provider import CONNECT_SECONDS, LONGEST_STREAM_BYTES, SILENCE_SECONDS

MOST_CONNECTIONS = 16
TIMEOUT = httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)


class BoundedTransport(httpx.AsyncBaseTransport):
    """Cuts every answer at `LONGEST_STREAM_BYTES`, with `httpx.ReadError`."""

    def __init__(self, url: str) -> None:
        """Verify certificates where `url` is https; where nothing is encrypted no authority is loaded."""
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.startswith("http://") else httpx.create_ssl_context()
        limits = httpx.Limits(max_connections=MOST_CONNECTIONS)
        self._wire = httpx.AsyncHTTPTransport(verify=verify, limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises `httpx.HTTPError`."""
        answer = await self._wire.handle_async_request(request)
        answer.stream = _BoundedStream(answer.stream)
        return answer

    async def aclose(self) -> None:
        """Close every connection."""
        await self._wire.aclose()


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError("the stream of an asynchronous answer is asynchronous")
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for chunk in self._stream:
            read += len(chunk)
            if read > LONGEST_STREAM_BYTES:
                raise httpx.ReadError(f"the answer has more than {LONGEST_STREAM_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
