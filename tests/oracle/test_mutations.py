"""Small sabotages of the engine's rules: each must be seen, by the oracle's games or by the angry trader.

``MUTATIONS`` are of rules that the oracle compares. ``LATER`` names those of rules in ``spec5.PENDING``: when a rule
leaves ``PENDING`` its sabotages move up.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from services.engine import decide
from services.engine.model.commands import SetProtect
from services.engine.rules import beliefs, exit_rules, gates
from services.engine.rules.verdicts import OPEN
from services.engine.steps import (
    bricks,
    exit_commands,
    exits,
    order_queue,
    positions,
    protections,
    reports,
    scale_in,
    trades,
)
from services.engine.steps import day as day_step
from services.engine.steps import limits as limit_step
from tests.oracle import spec5
from tests.oracle.dealer import played
from tests.oracle.game import Divergence
from wire.types import Stream

MOVES, SEEDS = 400, 50  # the games of every test run
Patch = pytest.MonkeyPatch
Sabotage = Callable[[Patch], None]


def puts(module: Any, name: str, value: Any) -> Sabotage:
    """Return a sabotage that replaces a function or a constant where it is used."""

    def apply(patch: Patch) -> None:
        assert hasattr(module, name), f"{module.__name__} has no {name}"
        patch.setattr(module, name, value)

    return apply


def nothing(*facts: Any, **more: Any) -> None:
    """Do nothing, in the place of a rule."""


def without_gate(name: str) -> Sabotage:
    """Return a sabotage in which a gate is always open."""

    def apply(patch: Patch) -> None:
        open_gate = replace(gates.GATES_BY_NAME[name], check=lambda desk, entry, now: OPEN)
        patch.setattr(gates, "ENTRY_GATES", tuple(open_gate if g.name == name else g for g in gates.ENTRY_GATES))

    return apply


def unbound(name: str, act: str) -> Sabotage:
    """Return a sabotage in which a gate no longer binds an act."""

    def apply(patch: Patch) -> None:
        gate = gates.GATES_BY_NAME[name]
        freed = replace(gate, binds=tuple(bound for bound in gate.binds if bound != act))
        patch.setattr(gates, "GATES_BY_NAME", {**gates.GATES_BY_NAME, name: freed})

    return apply


def swapped_gates(one: str, other: str) -> Sabotage:
    """Return a sabotage in which two gates change their places in the order of precedence."""

    def apply(patch: Patch) -> None:
        order = {one: gates.GATES_BY_NAME[other], other: gates.GATES_BY_NAME[one]}
        patch.setattr(gates, "ENTRY_GATES", tuple(order.get(gate.name, gate) for gate in gates.ENTRY_GATES))

    return apply


def without_exit(name: str) -> Sabotage:
    def apply(patch: Patch) -> None:
        patch.setattr(exits, "EXIT_RULES", tuple(rule for rule in exit_rules.EXIT_RULES if rule.name != name))

    return apply


def reversed_exits(patch: Patch) -> None:
    patch.setattr(exits, "EXIT_RULES", tuple(reversed(exit_rules.EXIT_RULES)))


def signals_in_the_initial_lock(patch: Patch) -> None:
    """Let the signal take-profit fire while the initial exit lock holds."""

    def counted(desk: Any, asset: Any, trade: Any, trigger: Any) -> bool:
        armed = trade.protections
        return bool(armed.tp_armed and armed.tp_count >= armed.tp_target) or (
            armed.tp_armed and trade.initial_exit_locked
        )

    rules = [replace(r, is_due=counted) if r.name == "signal_tp" else r for r in exit_rules.EXIT_RULES]
    patch.setattr(exits, "EXIT_RULES", tuple(rules))


def protect_below_only(patch: Patch) -> None:
    """Fire the soft stop below its threshold, not at it."""

    def gave_way(desk: Any, asset: Any, trade: Any, trigger: Any) -> bool:
        points, armed = asset.live.open_points, trade.protections
        return bool(armed.protect_enabled and points is not None and points < armed.protect_threshold_points)

    rules = [replace(r, is_due=gave_way) if r.name == "protect" else r for r in exit_rules.EXIT_RULES]
    patch.setattr(exits, "EXIT_RULES", tuple(rules))


def loosens_at_once(patch: Patch) -> None:
    patch.setattr(limit_step, "tightened", lambda in_force, wanted: wanted)


def average_changes_with_exits(patch: Patch) -> None:
    patch.setattr(trades, "_cost_left", lambda trade, quantity: trade.entry_notional - trade.entry_price)


def holds_after_the_stop(patch: Patch) -> None:
    patch.setattr(decide, "flatten_when_stopped", nothing)
    without_exit("daily_stop")(patch)


def stop_moves_away(patch: Patch) -> None:
    known = trades.grown
    patch.setattr(
        "services.engine.steps.positions.grown", lambda trade, qty, price: known(trade, qty, price, keeps_stop=False)
    )


def settings_without_range(patch: Patch) -> None:
    patch.setattr(protections, "PROTECT_THRESHOLDS", (Decimal(-2), Decimal("0.5"), Decimal(0)))


def soft_stop_for_free(patch: Patch) -> None:
    """Let the soft stop be changed while management is locked."""
    known = decide.DECIDERS[SetProtect]

    def unlocked(transition: Any, command: Any) -> Any:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(protections, "is_management_locked", lambda asset, trade: False)
            return known(transition, command)

    patch.setitem(decide.DECIDERS, SetProtect, unlocked)


MUTATIONS: dict[str, Sabotage] = {
    **{f"gate {gate.name} stands open": without_gate(gate.name) for gate in gates.ENTRY_GATES[:12]},
    "intents pass the cooldown": unbound("cooldown", "intent"),
    "pre-orders pass the candle lock": unbound("candle_lock", "preorder"),
    "scale-ins pass the daily stop": unbound("daily_stop", "scale_in"),
    "scale-ins pass an open order": unbound("pending_order", "scale_in"),
    "cooldown before the trade limit": swapped_gates("trade_limit", "cooldown"),
    "zone before tempo": swapped_gates("tempo", "zone"),
    **{f"exit {rule.name} never fires": without_exit(rule.name) for rule in exit_rules.EXIT_RULES},
    "exits in reverse order": reversed_exits,
    "signals count inside the initial lock": signals_in_the_initial_lock,
    "protect fires below its threshold only": protect_below_only,
    "limits loosen at once": loosens_at_once,
    "the average changes with exits": average_changes_with_exits,
    "the stop moves away on averaging down": stop_moves_away,
    "protect takes any threshold": settings_without_range,
    "the soft stop is never locked": soft_stop_for_free,
    "one reading ends the day": puts(day_step, "is_second", lambda first, at: first is not None),
    "no second reading is awaited": puts(day_step, "_await_second", nothing),
    "twice the day's limit": puts(
        beliefs, "limit_usd", lambda desk: desk.rules.daily_stop_limit_pct * (beliefs.start_of(desk) or 0) / 50
    ),
    "what is held stays after the stop": holds_after_the_stop,
    "a refused exit is not tried again": puts(reports, "retry_exit", nothing),
    "no backoff": puts(exits, "RETRY_SECONDS", (0, 0, 0, 0)),
    "an unfilled entry keeps its token": puts(order_queue, "_return_entry", nothing),
    "an unfilled scale-in stays used": puts(order_queue, "_return_scale_in", nothing),
    "a fill takes no slot": puts(positions, "take_slot", nothing),
    "a flat asset starts no cooldown": puts(trades, "_start_cooldown", nothing),
    "any brick unlocks the scale-in": puts(
        bricks,
        "unlock_scale_in",
        lambda transition, symbol, stream, color, flipped: scale_in.unlock_scale_in(
            transition, symbol, Stream.MAIN, "green", flipped=flipped
        ),
    ),
    "an intent lives for ever": puts(bricks, "advance_intent", nothing),
    "a pre-order never fires": puts(bricks, "fire_preorder", nothing),
    "a pre-order outlives exit-all": puts(exit_commands, "drop_preorder", nothing),
    "no signal is counted": puts(bricks, "count_signal", nothing),
    "exits ignore the initial lock": puts(exit_commands, "_is_locked", lambda asset, entering: False),
    "entries never expire": puts(decide, "expire_entries", nothing),
    "yesterday's limits hold today": puts(decide, "roll_day", nothing),
}
LATER: dict[str, tuple[str, ...]] = {  # rule of spec5 -> the sabotages to write when it is compared
    "risk": (
        "the gate risk stands open",
        "open risk is not counted",
        "working entries are not counted",
        "the round turn costs nothing",
        "the largest size that fits is one too large",
        "no bound for one order",
        "a micro counts like a full contract",
        "the correlated group has no cap",
    ),
    "window": (
        "the gate window stands open",
        "a lockout can be taken back",
        "the week's loss is not counted",
        "give-back is measured from the start of the day",
        "the pause after losing trades does not come",
        "pre-orders pass the window",
    ),
    "override_budget": ("overrides have no budget", "a second override needs no reason"),
    "scale_in_is_refused": ("a loser may be added to", "unknown open points count as 0"),
    "scale_in_qty": ("a scale-in may be larger than its entry",),
    "initial_lock_ends": ("the initial lock never ends",),
    "token_at_flat": ("the token outlives the trade",),
    "preorder_is_over": ("a pre-order waits for ever",),
    "may_change": ("loosening is allowed while locked", "tightening is refused while locked"),
    "may_switch": ("the 6pt flip of a FREE entry may be switched off", "a loser's protection may be switched off"),
    "loosened_from": ("a limit loosened a minute before the roll holds after it",),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_sabotage_is_seen(name: str, monkeypatch: Patch) -> None:
    MUTATIONS[name](monkeypatch)
    assert _is_seen(), f"no game saw it: {name}"


def _is_seen() -> bool:
    for seed in range(SEEDS):
        try:
            played(seed, MOVES)
        except Divergence:
            return True
    return False


def test_every_pending_rule_has_sabotages_waiting() -> None:
    assert set(LATER) == spec5.PENDING, "move the sabotages of a rule that is compared into MUTATIONS"
    assert sum(len(names) for names in LATER.values()) >= 20
