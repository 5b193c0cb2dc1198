"""What takes a position out: the ordered table of rules, and the pursuit of an exit until flat (SPEC 7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.events import ExitLatched
from services.engine.model.order import Order
from services.engine.model.state import Asset, Desk, DueExit, Trade
from services.engine.steps.order_queue import end_order, queue_exit
from services.engine.steps.trades import trade_of
from services.engine.transition import Turn
from wire.types import Color, OrderStatus, Stream

RETRY_SECONDS = (1, 2, 5, 10)  # SPEC 7.3: the backoff of a flattening exit that the broker refused
ASKED_BY_OPERATOR = frozenset({"manual", "exit_all"})


class Trigger(Struct, frozen=True):
    """Why the rules are asked now: a brick, a touched level, or a price (a snapshot's too) that moved."""

    kind: Literal["brick", "level", "price"]
    stream: Stream | None = None
    color: Color = "neutral"

    def opposes(self, trade: Trade, stream: Stream) -> bool:
        """Tell whether this is a brick of that size against the trade."""
        against = "red" if trade.side == "BUY" else "green"
        return self.kind == "brick" and self.stream is stream and self.color == against


class ExitRule(Struct, frozen=True):
    """One reason to be flat; its name is the order's ``source`` and the closed trade's ``reason``."""

    name: str
    is_due: Callable[[Desk, Asset, Trade, Trigger], bool]
    why: str


def day_is_stopped(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """After the daily stop nothing is held (SPEC 5.6)."""
    return desk.day.is_stopped


def level_was_touched(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """The level the operator drew in TradingView was touched (SPEC 3)."""
    return trigger.kind == "level"


def points_target_is_reached(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """Open points are at or above the target (SPEC 6.1)."""
    open_points = asset.live.open_points
    return trade.points_tp_enabled and open_points is not None and open_points >= trade.points_tp_target


def protect_gave_way(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """Open points are at or below the protect threshold (SPEC 6.3)."""
    open_points = asset.live.open_points
    return trade.protect_enabled and open_points is not None and open_points <= trade.protect_threshold_points


def four_pt_invalidated(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """A 4pt brick closed against the trade while the 4pt invalidation is on (SPEC 6.5)."""
    return trade.four_pt_invalidation_enabled and trigger.opposes(trade, Stream.FOUR)


def signals_are_counted(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """As many opposite 6pt bricks as targeted have closed since arming; not before the initial exit lock is off."""
    counted = trade.tp_armed and trade.tp_count >= trade.tp_target
    return counted and not trade.initial_exit_locked


def main_brick_flipped(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """A 6pt brick closed against the trade while the 6pt flip exit is on (SPEC 6.5)."""
    return trade.main_flip_exit_enabled and trigger.opposes(trade, Stream.MAIN)


def next_high_bar_closed(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """The first 8pt brick after arming has closed, whatever its colour (SPEC 6.5)."""
    return trade.high_next_bar_exit_enabled and trigger.kind == "brick" and trigger.stream is Stream.HIGH


def structure_broke(desk: Desk, asset: Asset, trade: Trade, trigger: Trigger) -> bool:
    """An 8pt brick closed against the trade; this rule cannot be switched off (SPEC 7.1)."""
    return trigger.opposes(trade, Stream.HIGH)


EXIT_RULES = (  # order = precedence; the name travels to order, journal and page
    ExitRule("daily_stop", day_is_stopped, "A lost day ends flat."),
    ExitRule("level", level_was_touched, "The trader drew this line before the trade, with a cool head."),
    ExitRule("points_tp", points_target_is_reached, "The planned profit is taken, not hoped beyond."),
    ExitRule("protect", protect_gave_way, "A trade that was good is not allowed to become a bad one."),
    ExitRule("four_pt_invalidation", four_pt_invalidated, "The pullback went deeper than the plan."),
    ExitRule("signal_tp", signals_are_counted, "Enough bricks against the trade are an answer."),
    ExitRule("main_flip", main_brick_flipped, "Without structure behind it, a trade ends when tempo turns."),
    ExitRule("high_next_bar", next_high_bar_closed, "The trader decided beforehand how long to stay."),
    ExitRule("structure", structure_broke, "The reason for the trade is gone."),
)
PRECEDENCE = {name: rank for rank, name in enumerate(["exit_all", *(rule.name for rule in EXIT_RULES)])}


def check_exits(turn: Turn, symbol: str, trigger: Trigger) -> None:
    """Ask the rules in order; the first that is due makes an exit, at once or as soon as it can be."""
    asset = turn.asset(symbol)
    trade = asset.trade or _trade_on_its_way(turn, symbol)
    if trade is None:
        return
    for rule in EXIT_RULES:
        if rule.is_due(turn.desk, asset, trade, trigger):
            demand_exit(turn, symbol, rule.name)
            return


def _trade_on_its_way(turn: Turn, symbol: str) -> Trade | None:
    """Return the trade an open entry would make: its exits can come due before its fill (SPEC 7.2)."""
    running = turn.desk.open_order(symbol)
    if running is None or running.kind != "ENTRY":
        return None
    return trade_of(running, turn.desk.rules, running.qty, Decimal(0), turn.now)


def flatten_when_stopped(turn: Turn) -> None:
    """After the daily stop take out every position and every order on its way (SPEC 5.6, 7.3)."""
    if not turn.desk.day.is_stopped:
        return
    for symbol, asset in turn.desk.assets.items():
        running = turn.desk.open_order(symbol)
        if asset.trade is not None or (running is not None and running.kind != "EXIT"):
            demand_exit(turn, symbol, "daily_stop")


def demand_exit(turn: Turn, symbol: str, source: str, *, forced: bool = False) -> Order | None:
    """Make an exit due and pursue it. Returns its order, or None while it is latched (SPEC 7.2)."""
    asset, running = turn.asset(symbol), turn.desk.open_order(symbol)
    if running is not None and running.kind == "EXIT" and running.source == source:
        return running
    due = _more_urgent(asset.due_exit, DueExit(source, turn.now, forced=forced))
    is_news = due != asset.due_exit
    turn.put_asset(replace(asset, due_exit=due))
    order = pursue_exit(turn, symbol)
    waiting = turn.asset(symbol).due_exit
    if is_news and waiting is not None:
        turn.tell(ExitLatched(symbol, waiting.source, waiting.retry_at))
    return order


def _more_urgent(standing: DueExit | None, new: DueExit) -> DueExit:
    """Keep the exit of higher precedence; an operator's own click does not wait for the next try."""
    if standing is None:
        return new
    retry_at = None if new.source in ASKED_BY_OPERATOR else standing.retry_at
    if _outranks(new.source, standing.source):
        return replace(new, attempt=standing.attempt, retry_at=retry_at)
    return replace(standing, retry_at=retry_at, forced=standing.forced or new.forced)


def _outranks(source: str, standing: str) -> bool:
    last = len(PRECEDENCE)
    return PRECEDENCE.get(source, last) < PRECEDENCE.get(standing, last)


def pursue_exit(turn: Turn, symbol: str) -> Order | None:
    """Turn the asset's due exit into an order if nothing stands in its way; call it when something moved."""
    due = turn.asset(symbol).due_exit
    if due is None:
        return None
    running = turn.desk.open_order(symbol)
    if running is not None and running.kind != "EXIT" and running.status is OrderStatus.PENDING:
        end_order(turn, running, OrderStatus.CANCELLED, f"{due.source} exit came due before it was claimed")
        running = None
    if running is not None:
        return None
    asset = turn.asset(symbol)
    if asset.trade is None:
        turn.put_asset(replace(asset, due_exit=None))
        return None
    if due.retry_at is not None and turn.now < due.retry_at:
        return None
    forced = asset.trade.forced_exit or due.forced
    turn.put_asset(replace(asset, due_exit=None, trade=replace(asset.trade, forced_exit=forced)))
    return queue_exit(turn, turn.asset(symbol), due)


def retry_exit(turn: Turn, refused: Order) -> None:
    """The broker refused an exit: tell, and try again unless it was a single click of the operator (SPEC 7.3)."""
    asset = turn.asset(refused.asset)
    if asset.trade is None:
        return
    next_step = "the position is still open, exit again"
    if asset.due_exit is not None:
        next_step = f"the {asset.due_exit.source} exit follows at once"
    elif refused.source != "manual":
        wait = RETRY_SECONDS[min(refused.attempt, len(RETRY_SECONDS) - 1)]
        retry_at = turn.now + timedelta(seconds=wait)
        due = DueExit(refused.source, turn.now, refused.attempt + 1, retry_at)
        turn.put_asset(replace(asset, due_exit=due))
        turn.tell(ExitLatched(asset.symbol, refused.source, retry_at))
        next_step = f"next try in {wait} s"
    what = f"{refused.source} exit of {refused.qty} {refused.contract.symbol} was {refused.status}"
    why = refused.reason or "no reason given"
    turn.alert("exit_refused", "critical", f"EXIT REFUSED — {what} ({why}); {next_step}", asset.symbol)
