"""Exit commands of the operator and of TradingView: exit, exit all, a touched level (SPEC 5.3, 7.3)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.commands import ExitAll, ExitPosition, TouchLevel
from services.engine.model.events import ExitBlocked
from services.engine.model.lock_names import INITIAL_EXIT_ANSWER
from services.engine.model.order import Order
from services.engine.model.replies import ExitsTaken, OrderTaken, Refusal, Reply, SkippedExit
from services.engine.model.state import Asset
from services.engine.model.times import seconds_until
from services.engine.rules.exit_rules import Trigger
from services.engine.rules.initial_lock import initial_lock_ends_at
from services.engine.rules.refusals import refuse
from services.engine.steps.exits import check_exits, demand_exit
from services.engine.steps.pending_entries import drop_preorder
from services.engine.transition import Transition
from wire.types import OrderStatus


def exit_position(transition: Transition, command: ExitPosition) -> Reply | Refusal:
    """Exit one asset. The initial exit lock can refuse it, and ``force`` breaks that lock.

    A program exits what is held, and never an entry that is on its way: that is the operator's own.
    """
    asset = transition.asset(command.asset)
    entering = transition.desk.open_entry(asset.symbol)
    leaving = transition.desk.open_exit(asset.symbol)
    if asset.trade is None and (entering is None or command.by == "service"):
        return refuse("nothing_to_exit", f"{asset.symbol} is flat", asset=asset.symbol)
    if command.trade is not None and (asset.trade is None or asset.trade.id != command.trade):
        return _refuse_other_trade(asset)
    locked = _is_locked(asset, entering)
    if locked and not command.force:
        transition.record(ExitBlocked(asset.symbol, asset.live.open_points))
        return _refuse_locked(transition, asset)
    if leaving is not None:
        return OrderTaken(leaving, already_pending=True)
    by = command.by if command.by != "operator" else None
    order = demand_exit(transition, asset.symbol, "manual", forced=locked, by=by)
    return _taken(transition, asset.symbol, order)


def _refuse_locked(transition: Transition, asset: Asset) -> Refusal:
    """Refuse an exit inside the initial exit lock, and say when the lock ends where that is known."""
    ends_at = None if asset.trade is None else initial_lock_ends_at(transition.desk, asset.trade)
    if ends_at is None:
        return refuse("exit_locked", "until the next 6pt brick; force breaks it", asset=asset.symbol)
    left = seconds_until(ends_at, transition.now)
    until = f"until the next 6pt brick, or {transition.desk.rules.initial_lock_seconds / 60:g} min after the entry"
    refusal = refuse("exit_locked", f"{until}; force breaks it", asset=asset.symbol, remaining_s=left)
    return replace(refusal, retry_after_s=left)


def _refuse_other_trade(asset: Asset) -> Refusal:
    """Refuse an exit that was meant for another trade: sent late or again, it must not end the one after it."""
    held = asset.trade.id if asset.trade is not None else None
    return refuse("other_trade", f"another trade of {asset.symbol} is meant", asset=asset.symbol, trade=held)


def exit_all(transition: Transition, command: ExitAll) -> Reply:
    """Flatten every asset and retry until all are flat. Locked ones need ``force`` (SPEC 7.3)."""
    orders: list[Order] = []
    cancelled: list[Order] = []
    latched: list[str] = []
    skipped: list[SkippedExit] = []
    for symbol in transition.desk.assets:
        drop_preorder(transition, symbol, "exit all was asked for")
        asset = transition.asset(symbol)
        entering = transition.desk.open_entry(symbol)
        if asset.trade is None and entering is None:
            continue
        locked = _is_locked(asset, entering)
        if locked and not command.force:
            transition.record(ExitBlocked(symbol, asset.live.open_points))
            skipped.append(SkippedExit(symbol, INITIAL_EXIT_ANSWER))
            continue
        taken = _taken(transition, symbol, demand_exit(transition, symbol, "exit_all", forced=locked))
        if taken.order is not None and taken.order.kind == "EXIT":
            orders.append(taken.order)
        elif taken.order is not None:
            cancelled.append(taken.order)
        elif taken.latched:
            latched.append(symbol)
    return ExitsTaken(tuple(orders), tuple(cancelled), tuple(latched), tuple(skipped))


def touch_level(transition: Transition, command: TouchLevel) -> Reply:
    """Exit the asset because its level was touched.

    An entry that is on its way is cancelled, or the exit latched behind it (SPEC 7.2); else a flat asset ignores it.
    """
    asset = transition.asset(command.asset)
    entering = transition.desk.open_entry(asset.symbol) if transition.desk.generation > 1 else None
    if asset.trade is None and entering is None:
        return OrderTaken(ignored="no_position")
    check_exits(transition, asset.symbol, Trigger("level"))
    return _taken(transition, asset.symbol, transition.desk.open_exit(asset.symbol))


def _taken(transition: Transition, symbol: str, order: Order | None) -> OrderTaken:
    """Return the result of a demanded exit: an exit order, a latched exit, or a cancelled entry."""
    if order is not None and order.kind == "EXIT":
        return OrderTaken(order, already_pending=order.id not in transition.orders)
    if transition.asset(symbol).due_exit is not None:
        return OrderTaken(latched=True)
    ended = [o for o in transition.orders.values() if o.asset == symbol and o.status is OrderStatus.CANCELLED]
    return OrderTaken(ended[0] if ended else None, ignored=None if ended else "no_position")


def _is_locked(asset: Asset, entering: Order | None) -> bool:
    """Return whether the initial exit lock holds, or will hold once the entry that a bridge has claimed is filled.

    Without the second case an exit clicked between claim and fill would end the trade in its first second.
    """
    if asset.trade is not None:
        return asset.trade.initial_exit_locked
    return entering is not None and entering.kind == "ENTRY" and entering.status is not OrderStatus.PENDING
