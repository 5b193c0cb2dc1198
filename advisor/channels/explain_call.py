"""``GET /api/v1/explain``: a block, a day or many days, explained by rules (docs/reference/agent.md)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import TypeVar, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from advisor.agent.explanations import explained
from advisor.agent.toolbox import Toolbox
from sidecar.problems import JSON, ServiceRefused
from sidecar.queries import Parameters
from wire.encoding import encode
from wire.explain import About
from wire.types import Side

ABOUTS: tuple[About, ...] = get_args(About)
SIDES: tuple[Side, ...] = get_args(Side)
Admits = Callable[[Request], Awaitable[str]]
Choice = TypeVar("Choice", bound=str)


def explain_routes(toolbox: Toolbox, admits: Admits) -> list[Route]:
    """Return the call. `admits` raises `ServiceRefused` for who may not ask."""

    async def explain(request: Request) -> Response:
        await admits(request)
        asked = Parameters(request, "about", "asset", "direction", "day")
        about = _one_of("about", asked.needed("about"), ABOUTS)
        asset = asked.needed("asset") if asked.has("asset") else None
        direction = _one_of("direction", asked.needed("direction"), SIDES) if asked.has("direction") else None
        day = _day(asked.needed("day")) if asked.has("day") else None
        answer = await explained(toolbox, about, asset, direction, day)
        return Response(encode(answer), media_type=JSON, headers={"Cache-Control": "no-store"})

    return [Route("/api/v1/explain", explain, methods=["GET"])]


def _one_of(name: str, text: str, choices: tuple[Choice, ...]) -> Choice:
    if text not in choices:
        raise ServiceRefused("invalid_parameter", f"{name} must be one of {', '.join(choices)}, was {text[:40]!r}")
    return next(choice for choice in choices if choice == text)


def _day(text: str) -> str:
    """Return a day as it is written; words such as ``yesterday`` are for people and models, not for this call."""
    try:
        if len(text) == len("2026-11-17"):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        text = text[:40]
    raise ServiceRefused("invalid_parameter", f"day must be like 2026-11-17, was {text[:40]!r}")
