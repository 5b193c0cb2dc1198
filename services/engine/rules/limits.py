"""Which settings are limits, and which direction is tighter (SPEC 5).

A tighter value holds at once; a looser one waits for the next trading day that is at least 8 h away.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_UP, Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.rule_setting import Tighter
from services.engine.model.settings import RULE_SETTINGS, Rules
from services.engine.model.state import Desk
from services.engine.model.trading_day import next_day_start
from services.engine.rules.day_clock import common_hours, earlier_clock
from services.engine.rules.session import AHEAD
from wire.types import Adopting, Contract, Instant

SMALLEST_STOP_TICKS = 4  # nearer, the market's own spread takes every entry out at once (SPEC 6.7)
STEP = Decimal("0.001")  # in which a distance without an end is written


class Limit(Struct, frozen=True):
    """One rule that protects the trader, and the direction that is tighter. None, *off*, is looser than any value."""

    name: str
    tighter: Tighter

    def tightest(self, one: Any, other: Any, roll: str = "18:00") -> Any:
        """Return the tighter of two values; of hours those that lie in both. ``roll`` is where a day begins."""
        if one is None or other is None:
            return other if one is None else one
        match self.tighter:
            case "lower":
                return min(one, other)
            case "higher":
                return max(one, other)
            case "earlier":
                return earlier_clock(one, other, roll)
            case "within":
                return common_hours(one, other)


LIMITS = tuple(Limit(row.rule, row.tighter) for row in RULE_SETTINGS if row.tighter is not None)
LIMITS_BY_NAME = {limit.name: limit for limit in LIMITS}
LIMIT_NAMES = frozenset(LIMITS_BY_NAME)


def tightened(in_force: Rules, wanted: Rules) -> Rules:
    """Return the wanted rules, but keep every limit that they would loosen. The day roll never changes today."""
    kept: dict[str, Any] = {limit.name: _tightest(limit, in_force, wanted) for limit in LIMITS}
    return replace(wanted, day_roll=in_force.day_roll, **kept)


def _tightest(limit: Limit, one: Rules, other: Rules) -> Any:
    return limit.tightest(getattr(one, limit.name), getattr(other, limit.name), one.day_roll)


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


def wanted_from(desk: Desk, wanted: Rules, rules: Rules, now: Instant) -> dict[str, Instant]:
    """Return by name when each wanted value that ``rules`` lack comes into force (SPEC 5.8).

    What is known already keeps its day unless it becomes looser still: then it waits anew.
    """
    waits = next_day_start(now, desk.rules.day_roll, AHEAD)
    names = [name for name in Rules.__struct_fields__ if getattr(wanted, name) != getattr(rules, name)]
    return {n: desk.wanted_from[n] if _is_promised(desk, wanted, n) else waits for n in names}


def _is_promised(desk: Desk, wanted: Rules, name: str) -> bool:
    """Return whether what is wanted of a rule is promised already, or tighter than that."""
    before, after = getattr(desk.wanted, name), getattr(wanted, name)
    limit = LIMITS_BY_NAME.get(name)
    tightest = before if limit is None else limit.tightest(before, after, desk.rules.day_roll)
    return name in desk.wanted_from and after in (before, tightest)


def due_rules(desk: Desk, now: Instant) -> dict[str, Any]:
    """Return the wanted values whose trading day has come, by name."""
    return {name: getattr(desk.wanted, name) for name, at in desk.wanted_from.items() if now >= at}
