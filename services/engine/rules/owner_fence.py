"""Which bridge process may claim orders (SPEC 8.2). All functions are pure."""

from __future__ import annotations

from datetime import timedelta

from services.engine.model.state import Desk
from wire.types import Instant

FENCE = timedelta(seconds=60)
"""So long after a process was last heard no other one may claim."""


def is_fenced_out(desk: Desk, instance: str | None, now: Instant) -> bool:
    """Return whether another process was heard so shortly ago that this one may not claim.

    A bridge that knows only the contract has no instance: it cannot be told from others, so it is never fenced out.
    """
    fence = desk.live.fence
    return instance is not None and fence is not None and fence.instance != instance and now < fence.heard_at + FENCE


def holder_of(desk: Desk) -> str:
    """Return the instance that claims now, an empty text when there is none."""
    return desk.live.fence.instance if desk.live.fence is not None else ""
