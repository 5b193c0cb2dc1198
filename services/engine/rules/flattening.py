"""Whether a change of limits would flatten what is held (SPEC 5.9: such a change needs the held button)."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.settings import Rules
from services.engine.model.state import Desk
from services.engine.rules.beliefs import limit_reached
from services.engine.rules.flat_time import must_be_flat
from wire.types import Instant

SOON = timedelta(seconds=60)


def would_flatten(desk: Desk, rules: Rules, now: Instant) -> bool:
    """Return whether these rules flatten a position or an entry within 60 s that those in force would leave."""
    changed = replace(desk, rules=rules)
    held = [s for s, asset in desk.assets.items() if asset.trade is not None or desk.open_entry(s) is not None]
    if any(_is_flat_soon(changed, symbol, now) and not _is_flat_soon(desk, symbol, now) for symbol in held):
        return True
    return bool(held) and _stops(changed, now) and not _stops(desk, now) and not desk.day.is_stopped


def _is_flat_soon(desk: Desk, symbol: str, now: Instant) -> bool:
    return must_be_flat(desk, symbol, now) or must_be_flat(desk, symbol, now + SOON)


def _stops(desk: Desk, now: Instant) -> bool:
    """Return whether the day's result is at the limit: the next reading may be the second one."""
    reached = limit_reached(desk, now)
    return reached.by_balance or reached.by_books
