"""Fills always count: also after the end of their order, and beyond what it ordered (SPEC 8.1)."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.events import FillBooked
from services.engine.model.order import EntryTerms, Order
from services.engine.model.state import Asset
from services.engine.model.times import candle_end
from services.engine.rules.costs import FillCost
from services.engine.rules.fill_prices import Booked
from services.engine.steps.charges import take_late_commission
from services.engine.steps.corrections import correct_closed
from services.engine.steps.doubts import begin_doubt
from services.engine.steps.fills import note_fill, with_fill
from services.engine.steps.positions import Cause, move_position
from services.engine.steps.suspect_fills import doubt_fill_price
from services.engine.steps.trades import take_slot
from services.engine.transition import Transition
from wire.types import Instant, Usd

EXPLAINED_FOR = timedelta(minutes=10)


def book_late_fill(
    transition: Transition, order: Order, qty: int, booked: Booked, exec_id: str | None, commission: Usd | None
) -> Order:
    """Book a fill that came after the end of its order and return the order. Its final status stays.

    The position moves when the order is of the environment traded now, and of the contract that the asset holds.
    """
    moves = _may_move(transition, order)
    is_first = order.filled_qty == 0
    filled = with_fill(order, qty, booked.price)
    if moves:
        if is_first:
            _spend_again(transition, order)
        _move(transition, order, qty, booked, exec_id, commission)
        begin_doubt(transition, order.asset, "late_fill")
    else:
        _journal(transition, order, qty, booked, exec_id)
    what = "booked" if moves else "not booked, it moves no position of the desk"
    symbol = order.contract.symbol
    detail = f"{order.side} {qty} {symbol} filled after the order was {order.status}: {what}"
    transition.alert("late_fill", detail, order.asset, {**_facts(order, qty), "booked": moves})
    return filled


def book_overfill(
    transition: Transition, order: Order, qty: int, booked: Booked, exec_id: str | None, commission: Usd | None
) -> Order:
    """Book what was filled beyond the order and return the order."""
    filled = with_fill(order, qty, booked.price)
    _move(transition, order, qty, booked, exec_id, commission)
    begin_doubt(transition, order.asset, "late_fill")
    symbol = order.contract.symbol
    detail = f"{symbol} order was {order.qty}, {filled.filled_qty} are filled: booked"
    facts = {"order_id": order.id, "symbol": symbol, "ordered": order.qty, "fills": filled.filled_qty}
    transition.alert("overfill", detail, order.asset, facts)
    return filled


def _may_move(transition: Transition, order: Order) -> bool:
    trade = transition.asset(order.asset).trade
    is_its_contract = trade is None or trade.contract.symbol == order.contract.symbol
    return order.env == transition.desk.env and is_its_contract


def _move(
    transition: Transition, order: Order, qty: int, booked: Booked, exec_id: str | None, commission: Usd | None
) -> None:
    """Move the position by what the desk has not taken over from the broker already."""
    asset = transition.asset(order.asset)
    cost = FillCost(commission, order.id, exec_id)
    explained = explained_by(asset, order.sign * qty, order.created_at, transition.now)
    if explained:
        forget_followed(transition, order.asset, explained)
        correct_closed(transition, order.asset, explained, booked, order.source)
        known = cost.share(abs(explained), qty)
        take_late_commission(transition, order.asset, abs(explained), known, by_name=False)
        _journal(transition, order, abs(explained), booked, exec_id)
    left = qty - abs(explained)
    if not left:
        return
    cause = Cause(order.source, order.contract, order, booked.estimated, cost.share(left, qty).told, exec_id)
    parts = move_position(transition, order.asset, order.sign * left, booked.price, cause)
    note_fill(transition, order.asset)
    doubt_fill_price(transition, asset, order.contract, order.sign * left, booked, order.id)
    opened = any(part.kind == "ENTRY" for part in parts) and asset.trade is None
    if order.kind == "ENTRY" and order.filled_qty == 0 and not opened:
        take_slot(transition)
    for part in parts:
        transition.record(
            FillBooked(
                order.asset,
                order.contract.symbol,
                order.side,
                part.qty,
                booked.price,
                part.kind,
                part.trade_id,
                order.id,
                exec_id,
                estimated=transition.names(booked.estimated),
            )
        )


def _journal(transition: Transition, order: Order, qty: int, booked: Booked, exec_id: str | None) -> None:
    """Record a fill that moves no position."""
    symbol = order.contract.symbol
    event = FillBooked(order.asset, symbol, order.side, qty, booked.price, order_id=order.id, exec_id=exec_id)
    transition.record(event)


def explained_by(asset: Asset, change: int, since: Instant, now: Instant) -> int:
    """Return the part of a fill that the desk took over from the broker's position before it was told (SPEC 8.4).

    ``change`` is signed like the position; ``since`` is when the fill can have happened first.
    """
    followed = asset.followed
    if followed is None or now > followed.at + EXPLAINED_FOR or since > followed.at or followed.change * change <= 0:
        return 0
    return max(change, followed.change) if change < 0 else min(change, followed.change)


def forget_followed(transition: Transition, symbol: str, explained: int) -> None:
    """Take what a fill has explained out of what the desk took over from the broker."""
    asset = transition.asset(symbol)
    if asset.followed is not None:
        left = asset.followed.change - explained
        followed = replace(asset.followed, change=left) if left else None
        transition.put_asset(replace(asset, followed=followed))


def _spend_again(transition: Transition, order: Order) -> None:
    """Take back what the end of the unfilled order had returned: token and candle, or the scale-in."""
    asset = transition.asset(order.asset)
    if order.entry is not None:
        transition.put_asset(replace(asset, tempo=replace(asset.tempo, ready=False, flip_may_rearm=False)))
        _lock_candle_again(transition, order.entry)
    elif order.kind == "SCALE_IN" and asset.trade is not None:
        trade = replace(asset.trade, scale_in_available=False, scale_in_used=True)
        transition.put_asset(replace(asset, trade=trade))


def _lock_candle_again(transition: Transition, terms: EntryTerms) -> None:
    locks = transition.desk.locks
    until = candle_end(terms.candle, transition.desk.rules.candle_seconds)
    if transition.now < until and locks.candle_used is None:
        transition.change_desk(locks=replace(locks, candle_used=terms.candle, candle_until=until))


def _facts(order: Order, qty: int) -> dict[str, str | int]:
    return {
        "order_id": order.id,
        "side": order.side,
        "qty": qty,
        "symbol": order.contract.symbol,
        "status": order.status,
        "env": order.env,
    }
