"""What the journal has of a trading day, by environment."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

from services.journal.trades import READ_AT_MOST, Selection, page_of
from services.stores.store import Store
from wire.types import Env, Usd


def realized_on(store: Store, day: date, roll: str) -> dict[Env, Usd]:
    """Return the net results of the trades that closed on a trading day, in USD, as the journal adds them up.

    Raises StoreDown, StoreUnreadable.
    """
    found: dict[Env, Usd] = defaultdict(Decimal)
    for entry in page_of(store, Selection(first_day=day, last_day=day), roll, READ_AT_MOST).trades:
        found[entry.trade.env] += entry.trade.result_usd
    return dict(found)
