"""The errors of the services on 8001, 8002, 8003: one table of code and status, and the body that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from msgspec import UNSET, UnsetType
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from wire.encoding import encode
from wire.service_problem import ServiceFault, ServiceProblem

JSON = "application/json"
RETRY_SECONDS = 5
STATUS: Mapping[ServiceFault, int] = MappingProxyType(
    {
        "invalid_parameter": 400,
        "invalid_body": 400,
        "missing_api_key": 401,
        "invalid_api_key": 401,
        "token_refused": 401,
        "missing_scope": 403,
        "foreign_page": 403,
        "unknown_symbol": 404,
        "unknown_job": 404,
        "unknown_model": 404,
        "unknown_account": 404,
        "unknown_position": 404,
        "unknown_order": 404,
        "unknown_decision": 404,
        "not_found": 404,
        "method_not_allowed": 405,
        "sync_running": 409,
        "not_connected": 409,
        "real_account": 409,
        "trade_refused": 409,
        "not_live": 409,
        "already_decided": 409,
        "expired": 409,
        "blocked": 409,
        "proposal_refused": 409,
        "body_too_large": 413,
        "rate_limit_exceeded": 429,
        "internal_error": 500,
        "no_price": 503,
        "no_provider": 503,
        "sync_failed": 503,
        "busy": 503,
        "keys_unknown": 503,
        "not_available": 503,
        "not_trained": 503,
        "no_bars": 503,
        "stale": 503,
        "provider_away": 503,
        "web_away": 503,
        "mt4_away": 503,
        "unknown_outcome": 503,
    }
)


class ServiceRefused(Exception):
    """A call is refused; the message is one sentence. Waiting ``retry_after_s``, or for ``job_id``, may help.

    ``reason`` is the code of the other program that refused.
    """

    def __init__(
        self,
        code: ServiceFault,
        sentence: str,
        retry_after_s: int | None = None,
        job_id: str | UnsetType = UNSET,
        reason: str | UnsetType = UNSET,
    ) -> None:
        """Name the code, which gives the status."""
        super().__init__(sentence)
        self.code: ServiceFault = code
        self.status = STATUS[code]
        self.retry_after_s = retry_after_s
        self.job_id = job_id
        self.reason = reason

    def response(self) -> Response:
        """Return the answer."""
        headers = {"Cache-Control": "no-store"}
        if self.code in ("missing_api_key", "invalid_api_key"):
            headers["WWW-Authenticate"] = "Bearer"
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        body = problem_body(self.code, str(self), self.job_id, self.reason)
        return Response(body, self.status, headers, media_type=JSON)


def problem_body(
    code: ServiceFault, detail: str, job_id: str | UnsetType = UNSET, reason: str | UnsetType = UNSET
) -> bytes:
    """Return the body of an error."""
    told = ServiceProblem(error=code, detail=detail, timestamp=datetime.now(UTC), job_id=job_id, reason=reason)
    return encode(told)


async def answer_refused(_request: Request, error: Exception) -> Response:
    """Answer a refused call, and a fault of the service as one."""
    if isinstance(error, ServiceRefused):
        return error.response()
    return ServiceRefused("internal_error", "the service failed, see its log").response()


async def answer_http(request: Request, error: Exception) -> Response:
    """Answer what Starlette refuses: an unknown path, a method that a path does not have."""
    if isinstance(error, HTTPException) and error.status_code == STATUS["method_not_allowed"]:
        response = ServiceRefused("method_not_allowed", f"{request.method} is not allowed here").response()
        response.headers.update(error.headers or {})
        return response
    return ServiceRefused("not_found", "there is nothing at this path").response()
