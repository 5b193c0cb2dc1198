"""The answer of ``GET /api/status``: the programs of a desk, as web hears of them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from wire.answers import OkAnswer
from wire.program import ProgramName
from wire.types import AwareTime, says

ProgramState = Literal["up", "degraded", "away", "off", "unknown", "not_heard"]
WhyNotUp = Literal[
    "refused",
    "unreachable",
    "silent",
    "unreadable",
    "other_desk",
    "read_on_the_way",
    "never_heard",
    "store_down",
    "broker_unreached",
    "desk_unheard",
    "port_taken",
    "one_port_away",
    "feeds_unheard",
    "models_refused",
    "provider_away",
    "not_well",
]


class ProgramPort(Struct, frozen=True, kw_only=True):
    """A port of a program, as it says itself or as web was told to ask it."""

    name: str
    port: Annotated[Annotated[int, Meta(ge=0, le=65_535)] | None, says("0 when it is switched off; null: not said")]
    state: Literal["listening", "taken", "off", "unknown"]


class ProgramRow(Struct, frozen=True, kw_only=True):
    """One program. What web has not heard is null, and never counts as well."""

    name: ProgramName
    state: Annotated[
        ProgramState,
        says(
            "up: heard, and it says that it is well; degraded: heard, and something is wrong; away: not heard now; "
            "off: web was told not to ask it; unknown: asked for the first time; not_heard: it is one that calls web, "
            "and it never did since this process began"
        ),
    ]
    why: Annotated[WhyNotUp | None, says("a code: why it is not up; null where there is nothing to say")]
    version: Annotated[str | None, says("as it says; null when it has not said")]
    heard_at: Annotated[AwareTime | None, says("when it was last heard; null when not, or not now")]
    age_s: Annotated[Annotated[int, Meta(ge=0)] | None, says("whole seconds since then")]
    since: Annotated[AwareTime | None, says("since when web finds the state so, where it is asked")]
    uptime_s: Annotated[Annotated[int, Meta(ge=0)] | None, says("how long it runs, as it says")]
    ports: tuple[ProgramPort, ...]


class StatusAnswer(OkAnswer, frozen=True, kw_only=True):
    """How the programs of the desk are: `web`, `bridge`, `feeds`, `advisor`, `tape`, in this order."""

    now: AwareTime
    role: Annotated[Literal["writer", "standby"], says("a standby hears no bridge and no tape")]
    version: Annotated[str, says("of web; another one beside it may read a message differently")]
    programs: tuple[ProgramRow, ...]
