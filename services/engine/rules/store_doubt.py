"""Whether the operator must confirm that the day goes on in this store (SPEC 5.9)."""

from __future__ import annotations

from services.engine.model.state import Desk
from services.engine.model.store_doubts import StoreDoubt


def open_store_doubt(desk: Desk) -> StoreDoubt | None:
    """Return the doubt of today that nobody has confirmed, None without one."""
    doubt = desk.store_doubt
    if doubt is None or doubt.confirmed or doubt.trading_day != desk.day.trading_day:
        return None
    return doubt
