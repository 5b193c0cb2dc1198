"""Queue orders and end them. An entry that ends unfilled returns its tempo token and its candle (SPEC 4)."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.events import EntryReturned, OrderEnded, OrderQueued
from services.engine.model.order import EntryTerms, Order
from services.engine.model.state import Asset, DueExit
from services.engine.model.trade import Trade
from services.engine.model.trade_events import ScaleInReturned
from services.engine.rules.risk import scale_in_quantity
from services.engine.steps.unfilled import remember_unfilled
from services.engine.transition import Transition
from wire.types import OrderStatus, Side, opposite


def queue_entry(
    transition: Transition,
    asset: Asset,
    side: Side,
    terms: EntryTerms,
    proposal: str | None = None,
    quantity: int | None = None,
) -> Order:
    """Queue the entry, of the size's contracts unless ``quantity`` says how many.

    It expires when no bridge claims it within ``entry_ttl_seconds``.
    """
    rules = transition.desk.rules
    return _queue(
        transition,
        Order(
            id=transition.new_id(),
            kind="ENTRY",
            asset=asset.symbol,
            contract=asset.contract,
            side=side,
            qty=quantity or rules.entry_qty(terms.size_mode),
            env=transition.desk.env,
            source="entry",
            created_at=transition.now,
            expires_at=transition.now + timedelta(seconds=rules.entry_ttl_seconds),
            stop_points=rules.stop_points,
            entry=terms,
            proposal=proposal,
        ),
    )


def queue_scale_in(transition: Transition, asset: Asset, trade: Trade) -> Order:
    """Queue the order that adds to the trade, on the trade's contract. It expires unclaimed like an entry."""
    rules = transition.desk.rules
    return _queue(
        transition,
        Order(
            id=transition.new_id(),
            kind="SCALE_IN",
            asset=asset.symbol,
            contract=trade.contract,
            side=trade.side,
            qty=scale_in_quantity(rules, trade, transition.desk.generation),
            env=trade.env,
            source="scale_in",
            created_at=transition.now,
            expires_at=transition.now + timedelta(seconds=rules.entry_ttl_seconds),
            stop_points=trade.protections.stop_points,
        ),
    )


def queue_exit(transition: Transition, asset: Asset, due: DueExit) -> Order:
    """Queue an exit of the whole position, on the contract of the trade. An exit never expires."""
    if asset.trade is None:
        raise ValueError(f"{asset.symbol} was flat, there is nothing to exit")
    order = Order(
        id=transition.new_id(),
        kind="EXIT",
        asset=asset.symbol,
        contract=asset.trade.contract,
        side=opposite(asset.trade.side),
        qty=asset.trade.quantity,
        env=asset.trade.env,
        source=due.source,
        created_at=transition.now,
        attempt=due.attempt,
        position=asset.position if transition.desk.generation > 1 else None,
        by=due.by,
    )
    return _queue(transition, order, due.forced)


def _queue(transition: Transition, order: Order, forced: bool = False) -> Order:
    transition.put_order(order)
    transition.record(
        OrderQueued(order.id, order.kind, order.asset, order.side, order.qty, order.source, forced=forced, by=order.by)
    )
    return order


def end_order(transition: Transition, order: Order, status: OrderStatus, reason: str | None = None) -> Order:
    """Give the order its final status. Return the token and candle of an unfilled entry to the operator."""
    ended = transition.put_order(replace(order, status=status, final_at=transition.now, reason=reason))
    transition.record(OrderEnded(order.id, order.asset, order.kind, status, order.filled_qty, reason))
    remember_unfilled(transition, ended)
    if ended.entry is not None and ended.filled_qty == 0:
        _return_entry(transition, ended, ended.entry)
    elif ended.kind == "SCALE_IN" and ended.filled_qty == 0:
        _return_scale_in(transition, ended)
    return ended


def _return_scale_in(transition: Transition, order: Order) -> None:
    asset = transition.asset(order.asset)
    if asset.trade is not None:
        trade = replace(asset.trade, scale_in_available=True, scale_in_used=False)
        transition.put_asset(replace(asset, trade=trade))
        transition.record(ScaleInReturned(order.asset, order.id))


def _return_entry(transition: Transition, order: Order, terms: EntryTerms) -> None:
    asset = transition.asset(order.asset)
    transition.put_asset(replace(asset, tempo=replace(asset.tempo, ready=True)))
    locks = transition.desk.locks
    is_locked = locks.candle_until is not None and transition.now < locks.candle_until
    same_candle = is_locked and locks.candle_used == terms.candle
    if same_candle:
        transition.change_desk(locks=replace(locks, candle_used=None, candle_until=None))
    transition.record(EntryReturned(order.asset, order.id, candle_returned=same_candle))
