"""The zone: the combined state of the 8pt and 12pt bricks (SPEC 2)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from services.engine.model.bricks import Stack
from wire.types import Instant, Side


class Zone(Struct, frozen=True):
    """``NORMAL`` with the structure's direction, ``FREE``, or ``NONE`` while either size is neutral or stale."""

    kind: Literal["NORMAL", "FREE", "NONE"]
    direction: Side | None = None


def zone_of(stack: Stack, now: Instant) -> Zone:
    """Return the zone for the stack's 8pt and 12pt colours; one that is too old gives none (SPEC 3)."""
    high = stack.high.color
    macro = stack.macro.color
    if "neutral" in (high, macro) or stack.high.is_stale(now) or stack.macro.is_stale(now):
        return Zone("NONE")
    if high != macro:
        return Zone("FREE")
    return Zone("NORMAL", "BUY" if high == "green" else "SELL")
