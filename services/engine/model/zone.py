"""The zone: the combined state of the 8pt and 12pt bricks (SPEC 2)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from services.engine.model.state import Asset
from wire.types import Instant, Side, Stream


class Zone(Struct, frozen=True):
    """``NORMAL`` with the structure's direction, ``FREE``, or ``NONE`` while a size is neutral, stale or uncertain."""

    kind: Literal["NORMAL", "FREE", "NONE"]
    direction: Side | None = None


def zone_of(asset: Asset, now: Instant) -> Zone:
    """Return the zone for the asset's 8pt and 12pt colours; one that is too old or uncertain gives none (SPEC 3)."""
    high = asset.stack.high.color
    macro = asset.stack.macro.color
    if "neutral" in (high, macro) or asset.stack.high.is_stale(now) or asset.stack.macro.is_stale(now):
        return Zone("NONE")
    if uncertain_structure(asset):
        return Zone("NONE")
    if high != macro:
        return Zone("FREE")
    return Zone("NORMAL", "BUY" if high == "green" else "SELL")


def uncertain_structure(asset: Asset) -> tuple[str, ...]:
    """Return the sizes of 8pt and 12pt whose own bricks, built at the desk, are not certain yet."""
    chains = {"8pt": asset.feed.chain(Stream.HIGH), "12pt": asset.feed.chain(Stream.MACRO)}
    return tuple([size for size, chain in chains.items() if chain is not None and chain.to_settle])
