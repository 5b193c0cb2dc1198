"""The ML engine as a program of another process sees it: its answers over HTTP, its refusals with their codes."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import TypeVar

import httpx
import msgspec
from msgspec import Struct

from sidecar.problems import ServiceRefused
from wire.encoding import encode
from wire.keys import SERVICE_HEADER
from wire.ml_engine import AmdAnswer, MlTimeframe, RangeBands, RrConfig, SignalResponse
from wire.service_problem import ServiceProblem

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0
LONGEST_SYMBOL = 40
Shape = TypeVar("Shape", bound=Struct)


class RemoteMl:
    """Ranges, signals and phases of the ML engine at `url`. Every call raises `ServiceRefused`."""

    def __init__(self, url: str, secret: str | None) -> None:
        """Show `secret`, which also opens an engine that asks for keys."""
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={SERVICE_HEADER: secret} if secret else {},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.startswith("http://") else True,
        )

    async def bands(self, symbol: str, timeframe: MlTimeframe) -> RangeBands:
        """Return the usual range of the next bar."""
        return await self._ask("GET", f"/api/range/{_named(symbol)}", RangeBands, {"timeframe": timeframe})

    async def signal(self, symbol: str, timeframe: MlTimeframe, rr: RrConfig) -> SignalResponse:
        """Return the better side by the numbers."""
        body = encode({"symbol": symbol, "timeframe": timeframe})
        return await self._ask("POST", "/generate/signal", SignalResponse, {"rr_config": rr}, body)

    async def amd(self, symbol: str, timeframe: MlTimeframe, lookback: int) -> AmdAnswer:
        """Return the phase."""
        query = {"timeframe": timeframe, "lookback_periods": lookback}
        return await self._ask("POST", f"/api/amd/{_named(symbol)}", AmdAnswer, query)

    async def _ask(
        self,
        method: str,
        path: str,
        shape: type[Shape],
        query: Mapping[str, str | int],
        body: bytes = b"",
    ) -> Shape:
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            answer = await self._client.request(method, path, params=query, content=body, headers=headers)
            if answer.is_success:
                return msgspec.json.decode(answer.content, type=shape)
            problem = msgspec.json.decode(answer.content, type=ServiceProblem)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            sentence = f"the ML engine does not answer: {type(error).__name__}"
            raise ServiceRefused("not_available", sentence) from error
        raise ServiceRefused(problem.error, problem.detail)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


def _named(symbol: str) -> str:
    """Return a symbol that is no path of its own. Raises `ServiceRefused`."""
    if not symbol.isascii() or not symbol.isalnum() or len(symbol) > LONGEST_SYMBOL:
        raise ServiceRefused("unknown_symbol", f"{symbol[:LONGEST_SYMBOL]!r} is no symbol")
    return symbol
