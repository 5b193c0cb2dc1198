"""What may still be lost today: the smallest of what each limit leaves (SPEC 5.9). All functions are pure."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from services.engine.model.state import Desk
from services.engine.rules.beliefs import day_result, limit_usd
from services.engine.rules.firm_limits import left_of_firm
from services.engine.rules.week import left_of_week
from wire.types import Instant, Usd

Source = Callable[[Desk, Instant], Usd | None]


class DayLeft(Struct, frozen=True):
    """What is left of the day in USD, and the limit that leaves so little.

    ``usd`` is 0 or less once that limit is reached, and None while it is not known against what the day is measured.
    """

    usd: Usd | None
    by: str


def left_of_the_day(desk: Desk, now: Instant) -> Usd | None:
    """Return the daily stop's limit and the day's result, the worst of the ways in which it is known (SPEC 5.6)."""
    limit = limit_usd(desk)
    if limit is None:
        return None
    result = day_result(desk)
    return limit + min(way for way in (result.balance, result.figures, result.books) if way is not None)


# Beside the day's own limit; one that says nothing returns None.
SOURCES: tuple[tuple[str, Source], ...] = (("week", left_of_week), ("firm", left_of_firm))


def left_of_day(desk: Desk, now: Instant) -> DayLeft:
    """Return what is left of the day: of several limits the one that leaves least."""
    day = left_of_the_day(desk, now)
    if day is None:
        return DayLeft(None, "day")
    told = [("day", day), *((name, source(desk, now)) for name, source in SOURCES)]
    by, usd = min(((name, usd) for name, usd in told if usd is not None), key=lambda named: named[1])
    return DayLeft(usd, by)
