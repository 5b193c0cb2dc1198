"""Which settings are limits, and which direction is tighter (SPEC 5).

A tighter value holds at once; a looser one waits for the next trading day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_UP, Decimal
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.settings import RULE_SETTINGS, Rules
from services.engine.model.state import Desk
from wire.types import Adopting, Contract, Usd

SMALLEST_STOP_TICKS = 4  # nearer, the market's own spread takes every entry out at once (SPEC 6.7)
STEP = Decimal("0.001")  # in which a distance without an end is written


class Limit(Struct, frozen=True):
    """One rule that protects the trader, and the direction that is tighter. None, *off*, is looser than any value."""

    name: str
    tighter: Literal["lower", "higher"]

    def tightest(self, one: Any, other: Any) -> Any:
        if one is None or other is None:
            return other if one is None else one
        return min(one, other) if self.tighter == "lower" else max(one, other)


LIMITS = tuple(Limit(row.rule, row.tighter) for row in RULE_SETTINGS if row.tighter is not None)
LIMIT_NAMES = frozenset(limit.name for limit in LIMITS)


def tightened(in_force: Rules, wanted: Rules) -> Rules:
    """Return the wanted rules, but keep every limit that they would loosen. The day roll never changes today."""
    kept: dict[str, Any] = {limit.name: _tightest(limit, in_force, wanted) for limit in LIMITS}
    costs = dearest(in_force.commissions, wanted.commissions)
    return replace(wanted, day_roll=in_force.day_roll, commissions=costs, **kept)


def dearest(in_force: Mapping[str, Usd], wanted: Mapping[str, Usd]) -> dict[str, Usd]:
    """Return the commissions by product, the higher of the two; one that is removed stays. Less would allow more."""
    products = sorted({*in_force, *wanted})
    return {name: max(rates[name] for rates in (in_force, wanted) if name in rates) for name in products}


def _tightest(limit: Limit, one: Rules, other: Rules) -> Any:
    return limit.tightest(getattr(one, limit.name), getattr(other, limit.name))


def smallest_stop(contracts: Iterable[Contract]) -> Decimal:
    """Return the smallest ``stop_points``: four ticks of each contract, so of the one with the largest in its unit."""
    least = max((SMALLEST_STOP_TICKS * one.tick_size / one.point for one in contracts), default=Decimal(0))
    return least if least == least.quantize(STEP) else least.quantize(STEP, ROUND_UP)


def adopting(desk: Desk) -> Adopting:
    """Return what becomes of an adopted position while the day forbids entries (SPEC 8.4)."""
    return desk.rules.adopt or ("flatten" if desk.env == "LIVE" else "keep")


def pending_limits(desk: Desk) -> dict[str, Any]:
    """Return the rules that change on the next trading day, by name, with their new values."""
    names = [name for name in Rules.__struct_fields__ if name != "contracts"]
    return {n: getattr(desk.wanted, n) for n in names if getattr(desk.wanted, n) != getattr(desk.rules, n)}
