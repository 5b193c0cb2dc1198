"""Orders enter the queue and leave it; an entry that leaves unfilled gives back what it took (SPEC 4)."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.events import EntryReturned, OrderEnded, OrderQueued, ScaleInReturned
from services.engine.model.order import EntryTerms, Order
from services.engine.model.state import Asset, DueExit, Trade
from services.engine.transition import Turn
from wire.types import OrderStatus, Side


def queue_entry(turn: Turn, asset: Asset, side: Side, terms: EntryTerms) -> Order:
    """Queue the entry; unclaimed for ``entry_ttl_seconds`` it will expire."""
    rules = turn.desk.rules
    return _queue(
        turn,
        Order(
            id=turn.new_id(),
            kind="ENTRY",
            asset=asset.symbol,
            contract=asset.contract,
            side=side,
            qty=rules.entry_qty(terms.size_mode),
            env=turn.desk.env,
            source="entry",
            created_at=turn.now,
            expires_at=turn.now + timedelta(seconds=rules.entry_ttl_seconds),
            stop_points=rules.stop_points,
            entry=terms,
        ),
    )


def queue_scale_in(turn: Turn, asset: Asset, trade: Trade) -> Order:
    """Queue the order that adds to the trade, on its contract; stale it expires like an entry."""
    rules = turn.desk.rules
    return _queue(
        turn,
        Order(
            id=turn.new_id(),
            kind="SCALE_IN",
            asset=asset.symbol,
            contract=trade.contract,
            side=trade.side,
            qty=rules.scale_in_qty,
            env=trade.env,
            source="scale_in",
            created_at=turn.now,
            expires_at=turn.now + timedelta(seconds=rules.entry_ttl_seconds),
            stop_points=trade.stop_points,
        ),
    )


def queue_exit(turn: Turn, asset: Asset, due: DueExit) -> Order:
    """Queue an exit of all that is held, on the contract that was opened. An exit never expires."""
    if asset.trade is None:
        raise ValueError(f"{asset.symbol} was flat, there is nothing to exit")
    order = Order(
        id=turn.new_id(),
        kind="EXIT",
        asset=asset.symbol,
        contract=asset.trade.contract,
        side="SELL" if asset.trade.side == "BUY" else "BUY",
        qty=asset.trade.quantity,
        env=asset.trade.env,
        source=due.source,
        created_at=turn.now,
        attempt=due.attempt,
    )
    return _queue(turn, order, due.forced)


def _queue(turn: Turn, order: Order, forced: bool = False) -> Order:
    turn.put_order(order)
    turn.tell(OrderQueued(order.id, order.kind, order.asset, order.side, order.qty, order.source, forced=forced))
    return order


def end_order(turn: Turn, order: Order, status: OrderStatus, reason: str | None = None) -> Order:
    """Give the order its final status, and the operator the token and candle of an unfilled entry."""
    ended = turn.put_order(replace(order, status=status, final_at=turn.now, reason=reason))
    turn.tell(OrderEnded(order.id, order.asset, order.kind, status, order.filled_qty, reason))
    if ended.entry is not None and ended.filled_qty == 0:
        _give_back(turn, ended, ended.entry)
    elif ended.kind == "SCALE_IN" and ended.filled_qty == 0:
        _give_scale_in_back(turn, ended)
    return ended


def _give_scale_in_back(turn: Turn, order: Order) -> None:
    asset = turn.asset(order.asset)
    if asset.trade is not None:
        trade = replace(asset.trade, scale_in_available=True, scale_in_used=False)
        turn.put_asset(replace(asset, trade=trade))
        turn.tell(ScaleInReturned(order.asset, order.id))


def _give_back(turn: Turn, order: Order, terms: EntryTerms) -> None:
    asset = turn.asset(order.asset)
    turn.put_asset(replace(asset, tempo=replace(asset.tempo, ready=True)))
    locks = turn.desk.locks
    lasts = locks.candle_until is not None and turn.now < locks.candle_until
    same_candle = lasts and locks.candle_used == terms.candle
    if same_candle:
        turn.desk = replace(turn.desk, locks=replace(locks, candle_used=None, candle_until=None))
    turn.tell(EntryReturned(order.asset, order.id, candle_returned=same_candle))
