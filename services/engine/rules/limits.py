"""Which settings are limits, and which direction is tighter (SPEC 5).

A tighter value holds at once; a looser one waits for the next trading day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_UP, Decimal
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.settings import RULE_SETTING, RULE_SETTINGS, Rules
from services.engine.model.state import Desk
from services.engine.rules.firm_tighter import tighter_firm
from wire.types import Adopting, Contract

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
    """Return the wanted rules, but keep every limit that they would loosen. The day roll never changes today.

    The contracts stay, too: which of them hold at once is decided apart (``rules/larger_contracts.py``).
    """
    kept: dict[str, Any] = {limit.name: _tightest(limit, in_force, wanted) for limit in LIMITS}
    caps = tighter_caps(in_force.max_contracts_by_asset, wanted.max_contracts_by_asset)
    kept |= {"day_roll": in_force.day_roll, "contracts": in_force.contracts, "max_contracts_by_asset": caps}
    kept["firm"] = tighter_firm(in_force.firm, wanted.firm)
    return replace(wanted, **kept)


def tighter_caps(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Return the smaller cap of each asset; one without a cap is looser than any."""
    return {asset: min(caps[asset] for caps in (one, other) if asset in caps) for asset in sorted({*one, *other})}


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
    wanted, rules = limit_values(desk.wanted), limit_values(desk.rules)
    names = sorted({*wanted, *rules}, key=[*wanted, *rules].index)
    pending = {name: wanted.get(name) for name in names if wanted.get(name) != rules.get(name)}
    if "firm" in pending:
        pending["firm"] = desk.wanted.firm.title if desk.wanted.firm else "none"
    return pending


def limit_values(rules: Rules) -> dict[str, Any]:
    """Return the rules by name, the caps of the assets each under its own: ``max_contracts_es``."""
    apart = ("contracts", "max_contracts_by_asset")
    values = {name: getattr(rules, name) for name in Rules.__struct_fields__ if name not in apart}
    return {**values, **{cap_name(asset): most for asset, most in rules.max_contracts_by_asset.items()}}


def is_limit(name: str) -> bool:
    """Return whether the rule of that name, as ``limit_values`` names it, is a limit."""
    return name in LIMIT_NAMES or (name.startswith("max_contracts_") and name not in RULE_SETTING)


def cap_name(asset: str) -> str:
    """Return under which name the cap of an asset's contracts is a limit (SPEC 5.9)."""
    return f"max_contracts_{asset.lower()}"
