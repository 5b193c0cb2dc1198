"""Which changes of a trade's protections loosen them, and when they are refused (SPEC 6.2).

Tightening is always allowed. Up to generation 4 the management lock refused every change of protect and of the points
target, and no toggle was ever kept on.
"""

from __future__ import annotations

from datetime import timedelta

from services.engine.model.commands import ToggledExit
from services.engine.model.replies import Refusal
from services.engine.model.state import Asset
from services.engine.model.trade import Protections, Trade
from services.engine.rules.management import is_management_locked
from services.engine.rules.refusals import refuse
from wire.types import Instant

TAKEN_BACK_WITHIN = timedelta(seconds=60)
"""What the operator switched on may be switched off again so soon: that only restores what was."""

SWITCHES = (
    "points_tp_enabled",
    "protect_enabled",
    "high_next_bar_exit_enabled",
    "main_flip_exit_enabled",
    "four_pt_invalidation_enabled",
)
NAMES = {
    "high_next_bar_exit_enabled": "8pt next-bar exit",
    "main_flip_exit_enabled": "6pt flip exit",
    "four_pt_invalidation_enabled": "4pt invalidation",
}


def loosens_protect(before: Protections, after: Protections) -> bool:
    """Return whether the soft stop is switched off, or moved further away."""
    if not before.protect_enabled:
        return False
    return not after.protect_enabled or after.protect_threshold_points < before.protect_threshold_points


def loosens_points_target(before: Protections, after: Protections) -> bool:
    """Return whether the points target is switched off, or moved further away."""
    if not before.points_tp_enabled:
        return False
    return not after.points_tp_enabled or after.points_tp_target > before.points_tp_target


def is_taken_back(trade: Trade, switch: str, now: Instant) -> bool:
    """Return whether switching this off only takes back what the operator switched on within the last 60 s."""
    switched_on_at = trade.switched_on_at.get(switch)
    return switched_on_at is not None and now <= switched_on_at + TAKEN_BACK_WITHIN


def switched_on(trade: Trade, after: Protections, now: Instant) -> dict[str, Instant]:
    """Return when the operator switched on what is on after this change."""
    times = {name: at for name, at in trade.switched_on_at.items() if getattr(after, name)}
    fresh = [name for name in SWITCHES if getattr(after, name) and not getattr(trade.protections, name)]
    return {**times, **dict.fromkeys(fresh, now)}


def refusal_of_switching_off(asset: Asset, trade: Trade, switch: ToggledExit, now: Instant) -> Refusal | None:
    """Refuse to switch an exit by a brick off while management is locked or the trade is not known to be winning.

    The 6pt flip exit with which an entry in a FREE zone began stays on to its end.
    """
    if switch == "main_flip_exit_enabled" and trade.zone == "FREE":
        return _kept(switch, "free_entry", "the entry in a FREE zone began with it")
    if is_taken_back(trade, switch, now):
        return None
    if is_management_locked(asset, trade):
        return refuse_locked(asset)
    points = asset.live.open_points
    if points is None:
        return _kept(switch, "unknown", "open points are unknown")
    if points < 0:
        return _kept(switch, "losing", f"open points are {points:.2f}, below 0")
    return None


def _kept(switch: ToggledExit, cause: str, why: str) -> Refusal:
    return refuse("protection_kept", f"the {NAMES[switch]} stays on: {why}", setting=switch, cause=cause)


def refuse_locked(asset: Asset) -> Refusal:
    """Refuse a change because of the management lock."""
    color = asset.stack.two_half.color
    return refuse("management_locked", f"the 2.5pt brick is {color}; it opens when it turns", color=color)
