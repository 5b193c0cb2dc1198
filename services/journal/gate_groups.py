"""Group trades by the margins of the gates at their entry, to show which margins lose money. Pure functions.

Every grouping puts a trade into one group. Without a record of the gates at the entry
(``services/projections/entry_gates.py``) the group is ``unknown`` and comes last. The others have their natural order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise

from msgspec import Struct

from services.engine.model.trading_day import WARNING_MARKS
from services.journal.trades import JournalTrade
from services.projections.entry_gates import GatesAtEntry

UNKNOWN = "unknown"
FIRST_OF_THE_DAY = "first of the day"
SKIPPED = "skipped by override"
BESIDE = {"with": "with the trade", "neutral": "neutral", "against": "against the trade"}
MINUTE = 60


class Steps(Struct, frozen=True):
    """Marks on a scale and the names of the ranges between them; ``names[0]`` is the range below the first mark."""

    marks: tuple[int, ...]
    names: tuple[str, ...]

    def name_of(self, value: Decimal | None) -> str | None:
        """Return the range of a value. A value equal to a mark belongs to the range above it."""
        return None if value is None else self.names[sum(value >= mark for mark in self.marks)]


STOP_STEPS = Steps(  # the marks at which the desk warns
    WARNING_MARKS,
    (
        f"below {WARNING_MARKS[0]} %",
        *(f"{low} to {high} %" for low, high in pairwise(WARNING_MARKS)),
        f"{WARNING_MARKS[-1]} % and more",
    ),
)
COOLDOWN_STEPS = Steps((5 * MINUTE, 30 * MINUTE), ("within 5 min", "within 30 min", "later"))
TOKEN_STEPS = Steps((10, MINUTE, 5 * MINUTE), ("below 10 s", "10 to 60 s", "1 to 5 min", "5 min and more"))


class GateGrouping(Struct, frozen=True):
    """One gate's grouping. ``order`` lists the groups in their order; groups with numbers as names need none."""

    name_of: Callable[[JournalTrade], str | None]
    order: Sequence[str] = ()

    def names(self, entry: JournalTrade) -> list[str]:
        return [self.name_of(entry) or UNKNOWN]

    def place(self, name: str) -> int:
        """Return the sort position of a group."""
        if name == UNKNOWN:
            return 1_000_000
        return self.order.index(name) if self.order else int(name)


def _of_gates(name_of: Callable[[GatesAtEntry], str | None], order: Sequence[str] = ()) -> GateGrouping:
    return GateGrouping(lambda entry: None if entry.gates is None else name_of(entry.gates), order)


def _after_cooldown(gates: GatesAtEntry) -> str | None:
    return FIRST_OF_THE_DAY if gates.since_cooldown_s is None else COOLDOWN_STEPS.name_of(gates.since_cooldown_s)


def _minute_of_candle(gates: GatesAtEntry) -> str:
    return str(int(gates.candle_second) // MINUTE + 1)


def _zone_gate(entry: JournalTrade) -> str | None:
    """Return the trade's zone, or that an override skipped the gate; None for an adopted trade.

    The trade itself stores this, so no record of the gates is needed.
    """
    trade = entry.trade
    if trade.override:
        return SKIPPED
    return trade.zone if trade.zone in ("NORMAL", "FREE") else None


GATE_GROUPINGS: dict[str, GateGrouping] = {  # in the order of the ladder
    "daily_stop_used": _of_gates(lambda gates: STOP_STEPS.name_of(gates.daily_stop_used_pct), STOP_STEPS.names),
    "trade_of_day": _of_gates(lambda gates: str(gates.trade_of_day)),
    "after_cooldown": _of_gates(_after_cooldown, (FIRST_OF_THE_DAY, *COOLDOWN_STEPS.names)),
    "candle_minute": _of_gates(_minute_of_candle),
    "tempo_age": _of_gates(lambda gates: TOKEN_STEPS.name_of(gates.tempo_age_s), TOKEN_STEPS.names),
    "tempo_armed_by": _of_gates(lambda gates: gates.tempo_armed_by, ("6pt brick", "4pt flip")),
    "zone_gate": GateGrouping(_zone_gate, ("NORMAL", "FREE", SKIPPED)),
    "two_half": _of_gates(lambda gates: BESIDE[gates.two_half], tuple(BESIDE.values())),
    "entered_by": _of_gates(lambda gates: gates.entered_by, ("click", "ready intent", "pre-order")),
}
