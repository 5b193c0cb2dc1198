"""The answer of ``GET /health`` of feeds, on every port that serves HTTP. No secret is in it."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal

from msgspec import Meta, Struct

from wire.types import AwareTime, says

PortState = Literal["listening", "taken", "off"]
PROGRAM = "lockstep.feeds"
MOST_PORTS = 16
MARK_DIGITS = 16


def mark_of(writer: str) -> str:
    """Return what distinguishes a desk from others: a digest of its `writer`, the name of the process that decides."""
    return sha256(writer.encode()).hexdigest()[:MARK_DIGITS]


class FeedsWeb(Struct, frozen=True, kw_only=True):
    """Whether feeds hear web."""

    is_up: bool
    since: Annotated[AwareTime, says("since when that is so")]
    why: Annotated[
        str | None,
        says("why not: `not_asked_yet` `unreachable` `refused` `broke_off` `silent` `failing`; null while it is up"),
    ]
    desk: Annotated[str | None, says("a mark of the desk that was heard last; null before the first")] = None


class FeedsPort(Struct, frozen=True, kw_only=True):
    """One feed and its port."""

    name: Annotated[str, says("`market` `consensus` `telemetry` `journal` `signals` `data`")]
    port: Annotated[int, Meta(ge=0, le=65535, description="0 when it is switched off")]
    state: PortState
    clients: Annotated[int, Meta(ge=0, description="connected now")]
    sent: Annotated[int, Meta(ge=0, description="messages, or answers, since the start")]
    last_sent_at: Annotated[AwareTime | None, says("null before the first")]


class FeedsHealth(Struct, frozen=True, kw_only=True, tag=PROGRAM, tag_field="program"):
    """How feeds are. ``degraded`` means that a port is taken, or that web is away.

    ``program`` distinguishes it from what other programs answer at such an address.
    """

    ok: bool = True
    status: Literal["ok", "degraded"]
    uptime_s: int
    web: FeedsWeb
    ports: Annotated[tuple[FeedsPort, ...], Meta(max_length=MOST_PORTS)]
    cursor: Annotated[int | None, says("the last committed event that was taken in; null before the first")]
    facts_lag_s: Annotated[float | None, says("how long ago committed events were last asked for with success")]
    version: Annotated[str | None, says("of the program; null from one that does not say")] = None
