"""How long a pre-order waits (SPEC 4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from services.engine.model.state import Asset, Desk, PreOrder
from wire.types import Instant


class PreOrderEnd(Struct, frozen=True):
    """When a pre-order ends unless its brick came, and why then."""

    at: Instant
    reason: str


def _by_age(desk: Desk, asset: Asset, preorder: PreOrder) -> PreOrderEnd | None:
    """It waits at most 30 minutes."""
    seconds = desk.rules.preorder_seconds
    return PreOrderEnd(
        preorder.placed_at + timedelta(seconds=seconds), f"no 6pt brick came within {seconds / 60:g} min"
    )


ENDS: tuple[Callable[[Desk, Asset, PreOrder], PreOrderEnd | None], ...] = (_by_age,)
"""What ends a waiting pre-order; None where it ends nothing. The end of the running session in LIVE is one more."""


def preorder_end(desk: Desk, asset: Asset) -> PreOrderEnd | None:
    """Return the first end of the asset's waiting pre-order, None without one. Up to generation 4 it waits forever."""
    preorder = asset.preorder
    if preorder is None or not preorder.is_active or desk.generation < 5:
        return None
    ends = [end for look in ENDS if (end := look(desk, asset, preorder)) is not None]
    return min(ends, key=lambda end: end.at)
