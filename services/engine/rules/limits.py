"""Which settings are limits, and which direction is tighter (SPEC 5).

A tighter value holds at once; a looser one waits for the next trading day that is at least 8 h away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_UP, Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.rule_setting import Tighter
from services.engine.model.settings import RULE_SETTING, RULE_SETTINGS, Rules
from services.engine.model.state import Desk
from services.engine.model.trading_day import next_day_start
from services.engine.rules.day_clock import common_hours, earlier_clock
from services.engine.rules.firm_tighter import tighter_firm
from services.engine.rules.session import AHEAD
from wire.types import Adopting, Contract, Instant, Usd

SMALLEST_STOP_TICKS = 4  # nearer, the market's own spread takes every entry out at once (SPEC 6.7)
STEP = Decimal("0.001")  # in which a distance without an end is written


class Limit(Struct, frozen=True):
    """One rule that protects the trader, and the direction that is tighter. None, *off*, is looser than any value."""

    name: str
    tighter: Tighter

    def tightest(self, one: Any, other: Any) -> Any:
        """Return the tighter of two values; of hours those that lie in both."""
        if one is None or other is None:
            return other if one is None else one
        match self.tighter:
            case "lower":
                return min(one, other)
            case "higher":
                return max(one, other)
            case "earlier":
                return earlier_clock(one, other)
            case "within":
                return common_hours(one, other)


LIMITS = tuple(Limit(row.rule, row.tighter) for row in RULE_SETTINGS if row.tighter is not None)
LIMITS_BY_NAME = {limit.name: limit for limit in LIMITS}
LIMIT_NAMES = frozenset(LIMITS_BY_NAME)


def tighter_caps(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Return the smaller cap of each asset; one without a cap is looser than any."""
    return {asset: min(caps[asset] for caps in (one, other) if asset in caps) for asset in sorted({*one, *other})}


def dearest(one: Mapping[str, Usd], other: Mapping[str, Usd]) -> dict[str, Usd]:
    """Return the higher commission of each product; one that nobody told is looser than any: less would allow more."""
    return {name: max(rates[name] for rates in (one, other) if name in rates) for name in sorted({*one, *other})}


def tighter_adopting(one: Adopting | None, other: Adopting | None) -> Adopting | None:
    """Return which of two takes more positions out; None does in LIVE alone."""
    both = (one, other)
    return "flatten" if "flatten" in both else None if None in both else "keep"


TIGHTER_OF: Mapping[str, Callable[[Any, Any], Any]] = {
    "max_contracts_by_asset": tighter_caps,
    "firm": tighter_firm,
    "commissions": dearest,
    "demo_equity": min,
    "adopt": tighter_adopting,
}
"""What the table of limits does not have, each with the function that returns the tighter of two."""
SINCE_GENERATION_5 = ("demo_equity", "adopt")


def tightened(in_force: Rules, wanted: Rules, generation: int) -> Rules:
    """Return the wanted rules, but keep every limit that they would loosen. The day roll never changes today.

    The contracts stay, too: which of them hold at once is decided apart (``rules/larger_contracts.py``).
    """
    names = [*LIMIT_NAMES, *(name for name in TIGHTER_OF if generation > 4 or name not in SINCE_GENERATION_5)]
    kept = {name: _tightest(name, getattr(in_force, name), getattr(wanted, name)) for name in names}
    return replace(wanted, day_roll=in_force.day_roll, contracts=in_force.contracts, **kept)


def _tightest(name: str, one: Any, other: Any) -> Any:
    """Return the tighter of two values of a limit, of any other rule the first."""
    if name in TIGHTER_OF:
        return TIGHTER_OF[name](one, other)
    limit = LIMITS_BY_NAME.get(name)
    return one if limit is None else limit.tightest(one, other)


def smallest_stop(contracts: Iterable[Contract]) -> Decimal:
    """Return the smallest ``stop_points``: four ticks of each contract, so of the one with the largest in its unit."""
    least = max((SMALLEST_STOP_TICKS * one.tick_size / one.point for one in contracts), default=Decimal(0))
    return least if least == least.quantize(STEP) else least.quantize(STEP, ROUND_UP)


def adopting(desk: Desk) -> Adopting:
    """Return what becomes of an adopted position while the day forbids entries (SPEC 8.4)."""
    return desk.rules.adopt or ("flatten" if desk.env == "LIVE" else "keep")


def pending_limits(desk: Desk) -> dict[str, Any]:
    """Return the rules that change on a later trading day, by name, with their new values."""
    wanted, rules = limit_values(desk.wanted), limit_values(desk.rules)
    names = sorted({*wanted, *rules}, key=[*wanted, *rules].index)
    pending = {name: wanted.get(name) for name in names if wanted.get(name) != rules.get(name)}
    if "firm" in pending:
        pending["firm"] = desk.wanted.firm.title if desk.wanted.firm else "none"
    return pending


def pending_from(desk: Desk) -> dict[str, Instant]:
    """Return by the names of ``pending_limits`` when each comes into force."""
    caps = desk.wanted_from.get("max_contracts_by_asset")
    starts = {name: caps if is_cap(name) else desk.wanted_from.get(name) for name in pending_limits(desk)}
    return {name: at for name, at in starts.items() if at is not None}


def limit_values(rules: Rules) -> dict[str, Any]:
    """Return the rules by name, the caps of the assets each under its own: ``max_contracts_es``."""
    apart = ("contracts", "max_contracts_by_asset")
    values = {name: getattr(rules, name) for name in Rules.__struct_fields__ if name not in apart}
    return {**values, **{cap_name(asset): most for asset, most in rules.max_contracts_by_asset.items()}}


def is_limit(name: str) -> bool:
    """Return whether the rule of that name, as ``limit_values`` names it, is a limit."""
    return name in LIMIT_NAMES or is_cap(name)


def is_cap(name: str) -> bool:
    """Return whether this names the cap of an asset's contracts."""
    return name.startswith("max_contracts_") and name not in RULE_SETTING


def cap_name(asset: str) -> str:
    """Return under which name the cap of an asset's contracts is a limit (SPEC 5.9)."""
    return f"max_contracts_{asset.lower()}"


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
    return name in desk.wanted_from and after in (before, _tightest(name, before, after))


def due_rules(desk: Desk, now: Instant) -> dict[str, Any]:
    """Return the wanted values whose trading day has come, by name."""
    return {name: getattr(desk.wanted, name) for name, at in desk.wanted_from.items() if now >= at}
