"""The day's loss in truth, by which a world's daily stop is judged (SPEC 5.6). All amounts are USD."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tests.lying.world import World

LIMIT, ASSUMED_EQUITY = Decimal("0.02"), Decimal(50_000)


@dataclass(frozen=True)
class TrueDay:
    """The loss in truth, beside the limit that the desk's start of the day makes.

    ``starts_true`` is false when the start that the desk believes is not what the account had.
    """

    starts_true: bool
    limit: Decimal
    loss: Decimal
    largest_loss: Decimal


def true_day(world: World) -> TrueDay:
    """Return the world's day. A first balance that nothing contradicts begins it, also a false one.

    The loss is then counted from what the account had in truth. A first balance heard while something is held is
    off by what the last price was old; the largest loss is counted from the higher of the two starts: it was real.
    """
    start, true_start = world.desk.desk.day.start_equity, world.broker.balance
    if start is None:
        start = ASSUMED_EQUITY
    is_true = abs(start - true_start) <= true_start / 100
    base = start if is_true else true_start
    return TrueDay(
        is_true, start * LIMIT, base - world.broker.equity, max(base, true_start) - world.broker.lowest_equity
    )
