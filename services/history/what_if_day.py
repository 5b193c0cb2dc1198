"""One trading day decided again: what would have become of its refused entries (``GET /api/what-if/day``). Pure.

The day is decided twice: as it was, which says whether this program decides as the journal says, and without the limits
that a setting loosens, which says of each refused entry whether anything else stood in its way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from services.history.refused_paths import Path, RefusedPaths
from services.history.source import History
from services.history.what_if import WhatIf, what_if
from services.stores.codec import documents
from services.stores.store import StoreUnreadable
from wire.types import Usd
from wire.what_if import RefusedEntry, TakenSums, WhatIfDay, WhatIfSums

LOOSENED: Mapping[str, Any] = MappingProxyType(
    {
        "cooldown_seconds": 0,
        "candle_seconds": 1,
        "max_trades_per_day": 10_000,
        "daily_stop_limit_pct": Decimal(100),
        "two_half_filter": False,
    }
)
MOST_ENTRIES = 500


class NoSuchDay(Exception):
    """No row of the trading day is kept."""


def what_if_day(history: History, day: date, on_row: Callable[[int], None] = lambda row: None) -> WhatIfDay:
    """Decide a trading day again. Raises NoSuchDay, and StoreError when the journal cannot be read."""
    stored = history.store.load()
    if stored is None:
        raise StoreUnreadable("nothing is stored")
    head = stored.head.sequence
    mark = history.beginning(head, day.isoformat())
    paths = RefusedPaths(day.isoformat())
    found = what_if(
        history.rows(0 if mark is None else mark.sequence, head),
        dict(LOOSENED),
        documents.read_desk(stored).id_key,
        None if mark is None else history.desk_at(mark),
        day.isoformat(),
        on_row,
        paths.watch,
    )
    if not found.rows:
        raise NoSuchDay(f"no row of the trading day {day} is kept")
    return answer_of(day, head, found, paths.paths())


def answer_of(day: date, head: int, found: WhatIf, paths: Iterable[Path]) -> WhatIfDay:
    """Return the answer's body."""
    allowed = {(entry.sequence, entry.asset) for entry in found.allowed}
    entries = tuple(_entry(path, limits_only=(path.row, path.event.asset) in allowed) for path in paths)
    return WhatIfDay(
        day=day,
        head=head,
        rows=found.rows,
        replay_equal=found.unequal_rows == 0,
        unequal_rows=found.unequal_rows,
        refused=entries[:MOST_ENTRIES],
        truncated=len(entries) > MOST_ENTRIES,
        sums=_sums(entries),
        taken=TakenSums(entries=found.entries, trades=len(found.trades), usd=found.all_made),
    )


def _entry(path: Path, *, limits_only: bool) -> RefusedEntry:
    event, terms = path.event, path.terms
    return RefusedEntry(
        row=path.row,
        at=path.at,
        env=path.env,
        asset=event.asset,
        direction=event.direction,
        mode=terms.mode if terms else None,
        price=event.price,
        simulated=path.simulated,
        gate=event.gate,
        sentence=event.sentence,
        limits_only=limits_only,
        outcome=path.outcome,
        ended_at=path.ended_at,
        points=path.points,
        usd=path.usd,
        contracts=terms.contracts if terms else None,
        prices=path.prices,
        why=path.why,
    )


def _sums(entries: Sequence[RefusedEntry]) -> WhatIfSums:
    judged = [entry for entry in entries if entry.outcome is not None]
    by_limits = [entry for entry in entries if entry.limits_only]
    ends = [entry.outcome for entry in judged]
    return WhatIfSums(
        refused=len(entries),
        judged=len(judged),
        targets=ends.count("target"),
        stops=ends.count("stop"),
        day_ends=ends.count("day_end"),
        points=sum((entry.points for entry in judged if entry.points is not None), Decimal(0)) if judged else None,
        usd=_usd(judged),
        limits_only=len(by_limits),
        limits_only_usd=_usd(by_limits),
    )


def _usd(entries: Iterable[RefusedEntry]) -> Usd | None:
    """Return what those judged make together, None when none is."""
    made = [entry.usd for entry in entries if entry.usd is not None]
    return sum(made, Decimal(0)) if made else None
