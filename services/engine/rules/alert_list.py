"""Which alerts the bounded list keeps: what lasts is never pushed out by what happens again and again. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from services.engine.model.alert import Alert
from services.engine.model.state import Desk
from services.engine.rules.alert_times import NO_ENDS, is_over

STORM = 5
"""So many alerts of one code stand in the list; further ones of a code that is counted are counted in the last."""


def within(most: int, listed: Sequence[Alert], desk: Desk) -> tuple[Alert, ...]:
    """Return the alerts to list, at most ``most``. The newest always stays.

    First goes what is over, then of what does not last the oldest of the code that is listed most often, and what lasts
    only where nothing else is left.
    """
    kept = list(listed)
    while len(kept) > most:
        del kept[_least(kept[:-1], desk)]
    return tuple(kept)


def _least(alerts: Sequence[Alert], desk: Desk) -> int:
    often = Counter(alert.code for alert in alerts)

    def keep(place: int) -> tuple[int, int, int]:
        over = is_over(alerts[place], desk, NO_ENDS)
        rank = 0 if over else 1 if over is None else 2
        return rank, -often[alerts[place].code] if rank == 1 else 0, place

    return min(range(len(alerts)), key=keep)
