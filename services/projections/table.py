"""The table of all projections: one row for each kind of fact that is stored beside the journal.

A new fact needs its own file, which ends with its ``PROJECTION``, and a row here. See ``docs/how-to/recipes.md``,
"Add a stored fact".
"""

from __future__ import annotations

from services.projections import (
    attempts,
    dead_letters,
    entry_gates,
    equity,
    followed_proposals,
    notes,
    notices,
    orders,
    proposals,
    trade_fills,
    trades,
)
from services.projections.projection import Projection

PROJECTIONS: tuple[Projection, ...] = (
    orders.PROJECTION,
    trades.PROJECTION,
    trade_fills.PROJECTION,
    entry_gates.PROJECTION,
    attempts.PROJECTION,
    notes.PROJECTION,
    dead_letters.PROJECTION,
    equity.PROJECTION,
    notices.PROJECTION,
    proposals.PROJECTION,
    followed_proposals.PROJECTION,
)
PRUNED_KINDS = tuple(projection.kind for projection in PROJECTIONS if projection.kind.is_pruned)
