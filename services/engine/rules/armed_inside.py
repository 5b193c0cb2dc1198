"""Exits that the operator made possible inside the initial exit lock: they count as forced (SPEC 5.3)."""

from __future__ import annotations

from services.engine.model.trade import Protections, Trade

TOGGLED = (  # exit rule -> the setting that switches it
    ("four_pt_invalidation", "four_pt_invalidation_enabled"),
    ("main_flip", "main_flip_exit_enabled"),
    ("high_next_bar", "high_next_bar_exit_enabled"),
)


def armed_inside(trade: Trade, changed: Protections) -> tuple[str, ...]:
    """Return the exit rules armed or tightened by hand inside the lock, after this change of the protections.

    A rule that is switched off again is no longer among them. Outside the lock nothing is added.
    """
    kept = [rule for rule in trade.armed_inside if rule in _switched_on(changed)]
    if not trade.initial_exit_locked:
        return tuple(kept)
    return tuple(dict.fromkeys([*kept, *_tightened(trade.protections, changed)]))


def is_forced_by_rule(trade: Trade, rule: str) -> bool:
    """Return whether this rule closes the trade inside the lock because the operator armed or tightened it there."""
    return trade.initial_exit_locked and rule in trade.armed_inside


def _switched_on(protections: Protections) -> set[str]:
    on = {rule for rule, setting in TOGGLED if getattr(protections, setting)}
    if protections.points_tp_enabled:
        on.add("points_tp")
    if protections.protect_enabled:
        on.add("protect")
    return on


def _tightened(before: Protections, after: Protections) -> list[str]:
    rules = sorted(_switched_on(after) - _switched_on(before))
    if after.points_tp_enabled and after.points_tp_target < before.points_tp_target:
        rules.append("points_tp")
    if after.protect_enabled and after.protect_threshold_points > before.protect_threshold_points:
        rules.append("protect")
    return rules
