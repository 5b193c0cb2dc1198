"""Check the exit rules, and pursue an exit until the asset is flat (SPEC 7)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from services.engine.model.events import ExitLatched
from services.engine.model.order import Order
from services.engine.model.state import DueExit
from services.engine.model.trade import Trade
from services.engine.rules.exit_rules import EXIT_RULES, PRECEDENCE, Trigger
from services.engine.steps.order_queue import end_order, queue_exit
from services.engine.steps.trades import trade_of
from services.engine.transition import Transition
from wire.types import Instant, OrderStatus

RETRY_SECONDS = (1, 2, 5, 10)  # SPEC 7.3: the backoff of a flattening exit that the broker refused
ASKED_BY_OPERATOR = frozenset({"manual", "exit_all"})


def check_exits(transition: Transition, symbol: str, trigger: Trigger) -> None:
    """Check the exit rules in order. The first that is due demands an exit."""
    asset = transition.asset(symbol)
    trade = asset.trade or _trade_of_open_entry(transition, symbol)
    if trade is None:
        return
    for rule in EXIT_RULES:
        if rule.is_due(transition.desk, asset, trade, trigger):
            demand_exit(transition, symbol, rule.name)
            return


def _trade_of_open_entry(transition: Transition, symbol: str) -> Trade | None:
    """Return the trade that an open entry would make: its exits can be due before its fill (SPEC 7.2)."""
    running = transition.desk.open_order(symbol)
    if running is None or running.kind != "ENTRY":
        return None
    return trade_of(running, transition.desk.rules, running.qty, Decimal(0), transition.now)


def flatten_when_stopped(transition: Transition) -> None:
    """After the daily stop demand an exit of every position and every open entry (SPEC 5.6, 7.3)."""
    if not transition.desk.day.is_stopped:
        return
    for symbol, asset in transition.desk.assets.items():
        running = transition.desk.open_order(symbol)
        if asset.trade is not None or (running is not None and running.kind != "EXIT"):
            demand_exit(transition, symbol, "daily_stop")


def demand_exit(transition: Transition, symbol: str, source: str, *, forced: bool = False) -> Order | None:
    """Make an exit due and pursue it. Return its order, or None while it is latched (SPEC 7.2)."""
    asset = transition.asset(symbol)
    running = transition.desk.open_order(symbol)
    if running is not None and running.kind == "EXIT" and running.source == source:
        return running
    due = _more_urgent(asset.due_exit, DueExit(source, transition.now, forced=forced))
    is_news = due != asset.due_exit
    transition.put_asset(replace(asset, due_exit=due))
    order = pursue_exit(transition, symbol)
    waiting = transition.asset(symbol).due_exit
    if is_news and waiting is not None:
        transition.record(ExitLatched(symbol, waiting.source, waiting.retry_at))
    return order


def _more_urgent(current: DueExit | None, new: DueExit) -> DueExit:
    """Return the exit of higher precedence. An operator's click cancels the wait for the next try."""
    if current is None:
        return new
    retry_at = None if new.source in ASKED_BY_OPERATOR else current.retry_at
    if _outranks(new.source, current.source):
        return replace(new, attempt=current.attempt, retry_at=retry_at)
    return replace(current, retry_at=retry_at, forced=current.forced or new.forced)


def _outranks(source: str, current: str) -> bool:
    last = len(PRECEDENCE)  # "manual" is not in the table: every exit rule outranks it
    return PRECEDENCE.get(source, last) < PRECEDENCE.get(current, last)


def pursue_exit(transition: Transition, symbol: str) -> Order | None:
    """Queue the asset's due exit unless an open order or a retry pause prevents it. Call it after every change.

    An entry that no bridge has claimed is cancelled; the exit waits for any other open order to become final.
    """
    due = transition.asset(symbol).due_exit
    if due is None:
        return None
    running = transition.desk.open_order(symbol)
    if running is not None and running.kind != "EXIT" and running.status is OrderStatus.PENDING:
        end_order(transition, running, OrderStatus.CANCELLED, f"{due.source} exit came due before it was claimed")
        running = None
    if running is not None:
        return None
    asset = transition.asset(symbol)
    if asset.trade is None:
        transition.put_asset(replace(asset, due_exit=None))
        return None
    if due.retry_at is not None and transition.now < due.retry_at:
        return None
    forced = asset.trade.forced_exit or due.forced
    transition.put_asset(replace(asset, due_exit=None, trade=replace(asset.trade, forced_exit=forced)))
    return queue_exit(transition, transition.asset(symbol), due)


def retry_exit(transition: Transition, refused: Order) -> None:
    """Raise an alert for an exit that the broker refused, and try again unless its source is ``manual`` (SPEC 7.3)."""
    asset = transition.asset(refused.asset)
    if asset.trade is None:
        return
    retry_at = None
    next_step = "the position is still open, exit again"
    if asset.due_exit is not None:
        next_step = f"the {asset.due_exit.source} exit follows at once"
    elif refused.source != "manual":
        wait = RETRY_SECONDS[min(refused.attempt, len(RETRY_SECONDS) - 1)]
        retry_at = transition.now + timedelta(seconds=wait)
        due = DueExit(refused.source, transition.now, refused.attempt + 1, retry_at)
        transition.put_asset(replace(asset, due_exit=due))
        transition.record(ExitLatched(asset.symbol, refused.source, retry_at))
        next_step = f"next try in {wait} s"
    _warn_of_refusal(transition, refused, next_step, retry_at)


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
