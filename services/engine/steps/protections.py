"""Change the protections of an open trade, unless they are locked (SPEC 6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from services.engine.model.commands import SetPointsTarget, SetProtect, SetSignalTarget, ToggleExit
from services.engine.model.replies import Done, Refusal, Reply
from services.engine.model.state import Asset
from services.engine.model.trade import Trade
from services.engine.model.trade_events import ProtectionChanged, SignalCounted
from services.engine.rules.armed_inside import armed_inside
from services.engine.rules.loosening import (
    is_taken_back,
    loosens_points_target,
    loosens_protect,
    refusal_of_switching_off,
    refuse_locked,
    switched_on,
)
from services.engine.rules.management import is_management_locked, may_arm_high_next_bar, may_arm_signal_target
from services.engine.rules.refusals import refuse
from services.engine.transition import Transition
from wire.types import Color, color_against

PROTECT_THRESHOLDS = (Decimal("-2"), Decimal("0.5"))
HIGHEST_TARGET = Decimal(200)
MOST_SIGNALS = 50


def set_protect(transition: Transition, command: SetProtect) -> Reply | Refusal:
    """Switch the soft stop on open points, −2 or 0.5 (SPEC 6.3)."""
    asset, trade, refusal = _open_trade(transition, command.asset)
    if refusal is not None:
        return refusal
    threshold = trade.protections.protect_threshold_points if command.threshold is None else command.threshold
    if threshold not in PROTECT_THRESHOLDS:
        detail = f"threshold was {threshold}, it must be -2.0 or 0.5 points"
        return refuse("setting_invalid", detail, field="threshold", was=threshold)
    changes = {"protect_enabled": command.enabled, "protect_threshold_points": threshold}
    loosens = loosens_protect(trade.protections, replace(trade.protections, **changes))
    switched_off = None if command.enabled else "protect_enabled"
    if _is_locked(transition, asset, trade, loosens=loosens, switched_off=switched_off):
        return refuse_locked(asset)
    return _change(transition, asset, trade, **changes)


def set_points_target(transition: Transition, command: SetPointsTarget) -> Reply | Refusal:
    """Switch the points take-profit (SPEC 6.1)."""
    asset, trade, refusal = _open_trade(transition, command.asset)
    if refusal is not None:
        return refusal
    target = trade.protections.points_tp_target if command.target is None else command.target
    if not 0 < target <= HIGHEST_TARGET:
        detail = f"target was {target}, it must be above 0 and at most {HIGHEST_TARGET}"
        return refuse("setting_invalid", detail, field="target", was=target, highest=HIGHEST_TARGET)
    changes = {"points_tp_enabled": command.enabled, "points_tp_target": target}
    loosens = loosens_points_target(trade.protections, replace(trade.protections, **changes))
    switched_off = None if command.enabled else "points_tp_enabled"
    if _is_locked(transition, asset, trade, loosens=loosens, switched_off=switched_off):
        return refuse_locked(asset)
    return _change(transition, asset, trade, **changes)


def set_signal_target(transition: Transition, command: SetSignalTarget) -> Reply | Refusal:
    """Arm or disarm the exit after N opposite 6pt bricks. Arming resets the count (SPEC 6.4)."""
    asset, trade, refusal = _open_trade(transition, command.asset)
    if refusal is not None:
        return refusal
    target = trade.protections.tp_target if command.target is None else command.target
    if not 1 <= target <= MOST_SIGNALS:
        detail = f"tp_target was {target}, it must be from 1 to {MOST_SIGNALS}"
        return refuse("setting_invalid", detail, field="tp_target", was=target, lowest=1, highest=MOST_SIGNALS)
    arms = command.toggle and not trade.protections.tp_armed
    if arms and not may_arm_signal_target(asset, trade):
        return refuse_locked(asset)
    armed = trade.protections.tp_armed is not command.toggle
    count = 0 if command.reset or arms else trade.protections.tp_count
    return _change(transition, asset, trade, tp_armed=armed, tp_target=target, tp_count=count)


def toggle_exit(transition: Transition, command: ToggleExit) -> Reply | Refusal:
    """Switch a brick exit; arming the 8pt next-bar exit may be locked (SPEC 6.5)."""
    asset, trade, refusal = _open_trade(transition, command.asset)
    if refusal is not None:
        return refusal
    is_switched_on = not getattr(trade.protections, command.exit)
    arms_high_bar = is_switched_on and command.exit == "high_next_bar_exit_enabled"
    if arms_high_bar and not may_arm_high_next_bar(asset, trade):
        return refuse_locked(asset)
    if not is_switched_on and transition.desk.generation > 4:
        kept = refusal_of_switching_off(asset, trade, command.exit, transition.now)
        if kept is not None:
            return kept
    return _change(transition, asset, trade, **{command.exit: is_switched_on})


def count_signal(transition: Transition, symbol: str, color: Color) -> None:
    """Count a 6pt brick against the trade while the signal take-profit is armed."""
    asset = transition.asset(symbol)
    trade = asset.trade
    if trade is None or not trade.protections.tp_armed or color != color_against(trade.side):
        return
    counted = replace(trade.protections, tp_count=trade.protections.tp_count + 1)
    transition.put_asset(replace(asset, trade=replace(trade, protections=counted)))
    transition.record(SignalCounted(symbol, counted.tp_count, counted.tp_target))


def _open_trade(transition: Transition, symbol: str) -> tuple[Asset, Trade, None] | tuple[Asset, Any, Refusal]:
    """Return the asset and its open trade, or a refusal when there is none."""
    asset = transition.asset(symbol)
    if asset.trade is None:
        return asset, None, refuse("nothing_to_manage", f"{symbol} is flat", asset=symbol)
    return asset, asset.trade, None


def _is_locked(transition: Transition, asset: Asset, trade: Trade, *, loosens: bool, switched_off: str | None) -> bool:
    """Return whether the management lock refuses the change: one that loosens and takes nothing back.

    Only switching off takes back; a value that was moved nearer stays (SPEC 6.2).
    """
    if not is_management_locked(asset, trade):
        return False
    if transition.desk.generation < 5:
        return True
    return loosens and (switched_off is None or not is_taken_back(trade, switched_off, transition.now))


def _change(transition: Transition, asset: Asset, trade: Trade, **settings: Any) -> Reply:
    changed = replace(trade.protections, **settings)
    by_hand = armed_inside(trade, changed) if transition.desk.generation > 1 else ()
    times = switched_on(trade, changed, transition.now) if transition.desk.generation > 4 else {}
    managed = replace(trade, protections=changed, armed_inside=by_hand, switched_on_at=times)
    transition.put_asset(replace(asset, trade=managed))
    for name, value in settings.items():
        if getattr(trade.protections, name) != value:
            transition.record(ProtectionChanged(asset.symbol, name, str(value)))
    return Done()
