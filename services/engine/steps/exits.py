"""Check the exit rules, and pursue an exit until the asset is flat (SPEC 7)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from services.engine.model.events import ExitLatched
from services.engine.model.order import Order
from services.engine.model.proof_events import CancelAsked
from services.engine.model.state import DueExit
from services.engine.model.trade import Trade
from services.engine.rules.armed_inside import is_forced_by_rule
from services.engine.rules.exit_rules import EXIT_RULES, PRECEDENCE, Trigger
from services.engine.steps.order_queue import end_order, queue_exit
from services.engine.steps.trades import adopted_trade, trade_of
from services.engine.transition import Transition
from wire.types import Instant, OrderStatus

SNAPSHOT_IS_NEW = timedelta(seconds=5)
RETRY_SECONDS = (1, 2, 5, 10)  # SPEC 7.3: the backoff of a flattening exit that the broker refused
ASKED_BY_OPERATOR = frozenset({"manual", "exit_all"})


def check_exits(transition: Transition, symbol: str, trigger: Trigger) -> None:
    """Check the exit rules in order. The first that is due demands an exit."""
    asset = transition.asset(symbol)
    trade = asset.trade or _trade_of_open_entry(transition, symbol)
    if trade is None:
        return
    trigger = replace(trigger, at=transition.now)
    for rule in EXIT_RULES:
        if rule.is_due(transition.desk, asset, trade, trigger):
            demand_exit(transition, symbol, rule.name, forced=is_forced_by_rule(trade, rule.name))
            return


def _trade_of_open_entry(transition: Transition, symbol: str) -> Trade | None:
    """Return the trade that an open entry would make: its exits can be due before its fill (SPEC 7.2).

    A scale-in whose trade has ended makes one like an adopted position.
    """
    running = transition.desk.open_entry(symbol)
    if running is None or (running.entry is None and transition.desk.generation == 1):
        return None
    if running.entry is None:
        return adopted_trade(transition, running.id, running.sign * running.qty, Decimal(0), running.contract)
    return trade_of(running, transition.desk.rules, running.qty, Decimal(0), transition.now)


def flatten_when_stopped(transition: Transition) -> None:
    """After the daily stop demand an exit of every position and every open entry (SPEC 5.6, 7.3)."""
    if not transition.desk.day.is_stopped:
        return
    for symbol, asset in transition.desk.assets.items():
        entering = any(order.kind != "EXIT" for order in transition.desk.open_orders(symbol))
        if asset.trade is not None or entering:
            demand_exit(transition, symbol, "daily_stop")


def demand_exit(
    transition: Transition, symbol: str, source: str, *, forced: bool = False, by: str | None = None
) -> Order | None:
    """Make an exit due and pursue it. Return its order, or None while it is latched (SPEC 7.2)."""
    asset = transition.asset(symbol)
    running = transition.desk.open_exit(symbol)
    if running is not None and running.source == source:
        return running
    is_broken = asset.trade is not None and asset.trade.forced_exit
    new = DueExit(source, transition.now, forced=forced, by=by)
    due = _more_urgent(asset.due_exit, new, is_broken=is_broken, keeps_break=transition.desk.generation > 3)
    is_news = due != asset.due_exit
    transition.put_asset(replace(asset, due_exit=due))
    order = pursue_exit(transition, symbol)
    if order is not None and order.source != source:  # one that outranks it was due already: it waits behind that
        transition.put_asset(
            replace(transition.asset(symbol), due_exit=DueExit(source, transition.now, forced=forced, by=by))
        )
        is_news = True
    waiting = transition.asset(symbol).due_exit
    if is_news and waiting is not None:
        transition.record(ExitLatched(symbol, waiting.source, waiting.retry_at))
    return order


def _more_urgent(current: DueExit | None, new: DueExit, *, is_broken: bool, keeps_break: bool) -> DueExit:
    """Return the exit of higher precedence. An operator's click cancels the wait for the next try.

    Whose it is stays as it was, unless the new one is the first to break the lock: that is then who forced it.
    ``is_broken`` is true when an earlier exit of the trade has broken it. Without ``keeps_break``, as in earlier
    generations, an exit that outranks a forced one forgets that it was forced.
    """
    if current is None:
        return new
    retry_at = None if new.source in ASKED_BY_OPERATOR else current.retry_at
    if _outranks(new.source, current.source):
        urgent = replace(new, attempt=current.attempt, retry_at=retry_at)
        return replace(urgent, forced=True, by=current.by) if current.forced and keeps_break else urgent
    breaks = new.forced and not current.forced and not is_broken
    by = new.by if breaks else current.by
    return replace(current, retry_at=retry_at, forced=current.forced or new.forced, by=by)


def _outranks(source: str, current: str) -> bool:
    last = len(PRECEDENCE)  # "manual" is not in the table: every exit rule outranks it
    return PRECEDENCE.get(source, last) < PRECEDENCE.get(current, last)


def pursue_exit(transition: Transition, symbol: str) -> Order | None:
    """Queue the asset's due exit unless an open order or a retry pause prevents it. Call it after every change.

    An entry that no bridge has claimed is cancelled. An entry that a bridge holds is waited for, a few seconds at most;
    another exit always (SPEC 7.2).
    """
    due = transition.asset(symbol).due_exit
    if due is None:
        return None
    for running in transition.desk.open_orders(symbol):
        if running.kind != "EXIT" and running.status is OrderStatus.PENDING:
            end_order(transition, running, OrderStatus.CANCELLED, f"{due.source} exit came due before it was claimed")
    if _must_wait(transition, symbol, due):
        return None
    asset = transition.asset(symbol)
    if asset.trade is None:
        transition.put_asset(replace(asset, due_exit=None))
        return None
    if due.retry_at is not None and transition.now < due.retry_at:
        return None
    transition.put_asset(replace(asset, due_exit=None, trade=_leaving(asset.trade, due)))
    return queue_exit(transition, transition.asset(symbol), due)


def _leaving(trade: Trade, due: DueExit) -> Trade:
    """Return the trade with its exit on the way. Who broke the lock first has broken it, whatever follows."""
    exit_by = trade.exit_by if trade.forced_exit else due.by
    return replace(trade, forced_exit=trade.forced_exit or due.forced, exit_by=exit_by)


def _must_wait(transition: Transition, symbol: str, due: DueExit) -> bool:
    """Return whether the asset's open orders, or the newest snapshot, still forbid the exit (SPEC 7.2).

    After ``exit_beside_seconds`` the rest of a claimed entry is asked back, and the exit of what is held is created
    beside it.
    """
    running = transition.desk.open_orders(symbol)
    if transition.desk.generation == 1:
        return bool(running)
    if transition.desk.open_exit(symbol) is not None:
        return True
    patience = timedelta(seconds=transition.desk.rules.exit_beside_seconds)
    for order in running:
        if order.fate_unknown_at is None and order.claimed_at and transition.now < order.claimed_at + patience:
            return True
        _ask_back(transition, order, due.source)
    if transition.asset(symbol).trade is None:
        return bool(running)
    return due.source not in ASKED_BY_OPERATOR and _may_be_flat(transition, symbol, due)


def _ask_back(transition: Transition, order: Order, source: str) -> None:
    """Ask the bridge for the rest of the order; what still fills is taken out by an exit of the same source."""
    if order.cancelled_for is None:
        transition.put_order(replace(order, cancelled_for=source))
        transition.record(CancelAsked(order.id, order.asset))


def _may_be_flat(transition: Transition, symbol: str, due: DueExit) -> bool:
    """Return whether the newest snapshot says that the broker is flat already: its next one is awaited, 5 s at most."""
    streak = transition.asset(symbol).live.streak
    snapshot_at = transition.desk.live.snapshot_at
    if streak is None or streak.position != 0 or snapshot_at is None:
        return False
    is_fresh = transition.now <= snapshot_at + SNAPSHOT_IS_NEW
    return is_fresh and transition.now < due.since + SNAPSHOT_IS_NEW


def retry_exit(transition: Transition, refused: Order) -> None:
    """Raise an alert for an exit that the broker refused, and try again (SPEC 7.3).

    The operator's own single exit is tried again only when it was REJECTED. Generation 1 never tried it again.
    """
    asset = transition.asset(refused.asset)
    if asset.trade is None:
        return
    retry_at = None
    next_step = "the position is still open, exit again"
    if asset.due_exit is not None:
        next_step = f"the {asset.due_exit.source} exit follows at once"
    elif refused.source != "manual" or _is_tried_again(transition, refused):
        wait = RETRY_SECONDS[min(refused.attempt, len(RETRY_SECONDS) - 1)]
        retry_at = transition.now + timedelta(seconds=wait)
        forced = refused.by is not None and asset.trade.forced_exit  # of the operator's own only the first is marked
        due = DueExit(refused.source, transition.now, refused.attempt + 1, retry_at, forced=forced, by=refused.by)
        transition.put_asset(replace(asset, due_exit=due))
        transition.record(ExitLatched(asset.symbol, refused.source, retry_at))
        next_step = f"next try in {wait} s"
    _warn_of_refusal(transition, refused, next_step, retry_at)


def _is_tried_again(transition: Transition, manual: Order) -> bool:
    return transition.desk.generation > 1 and manual.status is OrderStatus.REJECTED


def _warn_of_refusal(transition: Transition, refused: Order, next_step: str, retry_at: Instant | None) -> None:
    symbol = refused.contract.symbol
    what = f"{refused.source} exit of {refused.qty} {symbol} was {refused.status}"
    transition.alert(
        "exit_refused",
        f"{what} ({refused.reason or 'no reason given'}); {next_step}",
        refused.asset,
        {
            "order_id": refused.id,
            "source": refused.source,
            "qty": refused.qty,
            "symbol": symbol,
            "status": refused.status,
            "reason": refused.reason,
            "retry_at": retry_at,
        },
    )
