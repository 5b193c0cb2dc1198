"""The errors of the market feed: one table of status and code, and the bodies that carry them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from wire.encoding import encode
from wire.market import MarketProblem, MarketProblemBody, MarketProblemCode

JSON = "application/json"
RETRY_SECONDS = 5
STATUS: Mapping[MarketProblemCode, int] = MappingProxyType(
    {
        "invalid_query": 400,
        "missing_api_key": 401,
        "invalid_api_key": 401,
        "missing_scope": 403,
        "foreign_origin": 403,
        "service_only": 403,
        "unknown_symbol": 404,
        "not_found": 404,
        "method_not_allowed": 405,
        "rate_limit_exceeded": 429,
        "internal_error": 500,
        "keys_unknown": 503,
        "desk_unknown": 503,
        "too_many_sockets": 503,
        "bars_unknown": 503,
    }
)


class CallRefused(Exception):
    """A call or upgrade is refused; the message is one sentence. Waiting may help after ``retry_after_s``."""

    def __init__(self, code: MarketProblemCode, sentence: str, retry_after_s: int | None = None) -> None:
        """Name the code, which gives the status."""
        super().__init__(sentence)
        self.code = code
        self.status = STATUS[code]
        self.retry_after_s = retry_after_s

    def body(self) -> bytes:
        """Return the error as JSON."""
        return encode(MarketProblem(error=MarketProblemBody(code=self.code, message=str(self))))

    def headers(self) -> dict[str, str]:
        """Return the headers that belong to it."""
        headers = {"Content-Type": JSON, "Cache-Control": "no-store"}
        if self.status == STATUS["missing_api_key"]:
            headers["WWW-Authenticate"] = "Bearer"
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        return headers


def answer_refused(_request: Request, error: Exception) -> Response:
    """Answer a refused call."""
    refused = error if isinstance(error, CallRefused) else CallRefused("internal_error", "feeds failed, see their log")
    return Response(refused.body(), refused.status, refused.headers())


def answer_http(request: Request, error: Exception) -> Response:
    """Answer what Starlette refuses: an unknown path, a method that a path does not have."""
    if isinstance(error, HTTPException) and error.status_code == STATUS["method_not_allowed"]:
        refused = CallRefused("method_not_allowed", f"{request.method} is not allowed here")
        return Response(refused.body(), refused.status, {**refused.headers(), **(error.headers or {})})
    return answer_refused(request, CallRefused("not_found", "there is nothing at this path"))
