"""What web says of the advisor at ``GET /api/advisor``: its two ports, each in its own words."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from wire.agent import AgentHealth
from wire.answers import OkAnswer
from wire.feeds_answer import Found
from wire.ml_engine import MlHealth
from wire.types import AwareTime, says

NotThere = Literal["refused", "unreachable", "silent", "unreadable", "read_on_the_way"]
WHY_AWAY = (
    "why it is away: nobody listens there, the address cannot be reached, it gives no whole answer within a second, "
    "what answers is no advisor, or it is not asked because everybody on the way would read the secret; null while it "
    "is not away"
)
WHEN_OFF = "off: its address is off; unknown: asked for the first time, and not answered yet"


class MlFound(Struct, frozen=True, kw_only=True):
    """The ML engine: ranges, signals, phases, models."""

    state: Annotated[Found, says(WHEN_OFF)]
    reason: Annotated[NotThere | None, says(WHY_AWAY)]
    since: Annotated[AwareTime | None, says("since when web finds it so; it asks when somebody looks")]
    asked_at: Annotated[AwareTime | None, says("when it was asked last")]
    url: Annotated[str | None, says("where it is asked; null when it is off")]
    health: Annotated[MlHealth | None, says("its own words; null while it is away")]


class AgentFound(Struct, frozen=True, kw_only=True):
    """The agent: chat and explanations, with its provider and model."""

    state: Annotated[Found, says(WHEN_OFF)]
    reason: Annotated[NotThere | None, says(WHY_AWAY)]
    since: Annotated[AwareTime | None, says("since when web finds it so; it asks when somebody looks")]
    asked_at: Annotated[AwareTime | None, says("when it was asked last")]
    url: Annotated[str | None, says("where it is asked; null when it is off")]
    health: Annotated[AgentHealth | None, says("its own words; null while it is away")]


class AdvisorAnswer(OkAnswer, frozen=True, kw_only=True):
    """Whether the advisor answers web, and what it says of itself."""

    state: Annotated[
        Found,
        says(
            "of both ports together: off where both are off; away where none that is on answers; degraded where one "
            "is away or says that it is not well; up where all that are on are well"
        ),
    ]
    ml: MlFound
    agent: AgentFound
