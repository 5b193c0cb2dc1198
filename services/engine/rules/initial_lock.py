"""How long the initial exit lock of a trade holds (SPEC 5.3)."""

from __future__ import annotations

from datetime import timedelta

from services.engine.model.state import Desk
from services.engine.model.trade import Trade
from wire.types import Instant


def initial_lock_ends_at(desk: Desk, trade: Trade) -> Instant | None:
    """Return when the lock ends without a 6pt brick; None when it does not hold.

    Up to generation 4 nothing but that brick ended it: then it is None, too.
    """
    if not trade.initial_exit_locked or desk.generation < 5:
        return None
    return trade.opened_at + timedelta(seconds=desk.rules.initial_lock_seconds)


def is_initially_locked(desk: Desk, trade: Trade, now: Instant) -> bool:
    """Return whether the lock holds at ``now``."""
    ends_at = initial_lock_ends_at(desk, trade)
    return trade.initial_exit_locked and (ends_at is None or now < ends_at)
