"""What web says of feeds at ``GET /api/feeds``, and how it reads what feeds says of itself."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Struct

from wire.answers import OkAnswer
from wire.feeds_health import FeedsHealth
from wire.types import AwareTime, says

Found = Literal["up", "degraded", "away", "off", "unknown"]
Absence = Literal["refused", "unreachable", "silent", "unreadable", "other_desk"]


class FeedsAnswer(OkAnswer, frozen=True, kw_only=True):
    """Whether feeds answers web, and what it says of itself."""

    state: Annotated[Found, says("off: `FEEDS_URL` is off; unknown: asked for the first time, and not answered yet")]
    reason: Annotated[
        Absence | None,
        says(
            "why it is away: nobody listens there, the address cannot be reached, it gives no whole answer within a "
            "second, what answers is not feeds, or is the feeds of another desk; null while it is not away"
        ),
    ]
    since: Annotated[AwareTime | None, says("since when web finds it so; it asks when somebody looks")]
    asked_at: Annotated[AwareTime | None, says("when it was asked last")]
    url: Annotated[str | None, says("where it is asked; null when it is off")]
    health: Annotated[FeedsHealth | None, says("its own words; null while it is away")]


class _Named(Struct, frozen=True):
    program: Literal["lockstep.feeds"]


def read_health(body: bytes) -> FeedsHealth:
    """Return the answer of feeds.

    Raises msgspec.DecodeError (ValidationError is one) when the body is no such answer, the program's name included.
    """
    msgspec.json.decode(body, type=_Named)
    return msgspec.json.decode(body, type=FeedsHealth)
