"""Attempts against the rules, and the stop a trade began with: computed of the events of one decision."""

from __future__ import annotations

from services.engine.model.events import AnyEvent, EntryAccepted, EntryBlocked, ExitBlocked, TradeClosed
from services.engine.model.state import Desk
from services.stores.codec import documents
from services.stores.trade_rows import StoredAttempt
from wire.types import Instant


def stop_of(before: Desk, closed: TradeClosed) -> str | None:
    """Return the points to the stop with which a trade was entered; an adopted one came without."""
    asset = before.assets.get(closed.asset)
    trade = asset.trade if asset is not None else None
    if trade is None or trade.id != closed.id or trade.zone == "ADOPTED":
        return None
    return str(trade.protections.stop_points)


def is_try(event: AnyEvent) -> bool:
    """Tell whether a rule was tried: a refused entry, an override, an exit that the initial exit lock held."""
    return isinstance(event, EntryBlocked | ExitBlocked) or (isinstance(event, EntryAccepted) and event.override)


def attempt_of(event: AnyEvent, sequence: int, place: int, now: Instant) -> StoredAttempt | None:
    """Return the row of a try against the rules; None for every other event."""
    if not is_try(event):
        return None
    return StoredAttempt(f"{sequence:012d}.{place:04d}", now, documents.write_event(event))
