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


def _by_session(desk: Desk, asset: Asset, preorder: PreOrder) -> PreOrderEnd | None:
    """In LIVE it ends with the session in which it was placed; where nobody told the hours gate ``window`` holds."""
    sessions = desk.facts.sessions.get(asset.symbol, ()) if desk.env == "LIVE" else ()
    closes = [hours.closes for hours in sessions if hours.closes > preorder.placed_at]
    return PreOrderEnd(min(closes), "the session has ended") if closes else None


ENDS: tuple[Callable[[Desk, Asset, PreOrder], PreOrderEnd | None], ...] = (_by_age, _by_session)
"""What ends a waiting pre-order; None where it ends nothing."""


def preorder_end(desk: Desk, asset: Asset) -> PreOrderEnd | None:
    """Return the first end of the asset's waiting pre-order, None without one. Up to generation 4 it waits forever."""
    preorder = asset.preorder
    if preorder is None or not preorder.is_active or desk.generation < 5:
        return None
    ends = [end for look in ENDS if (end := look(desk, asset, preorder)) is not None]
    return min(ends, key=lambda end: end.at)
