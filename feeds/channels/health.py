"""``GET /health``: the same answer on every port that serves HTTP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.health import Checkup
from wire.encoding import encode


def health_route(checkup: Checkup) -> Route:
    """Return the route that reports how feeds are. It answers 200 also when they are degraded."""

    async def show_health(_request: Request) -> Response:
        return Response(encode(checkup.report()), media_type="application/json", headers={"Cache-Control": "no-store"})

    return Route("/health", show_health, methods=["GET"])
