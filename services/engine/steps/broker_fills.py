"""What was executed at the broker: by orders, by a resting stop, by hand, by the broker itself (SPEC 8.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from services.engine.model.bridge_commands import BookFills, Execution, ReportExecution
from services.engine.model.events import FillBooked, FillRefused
from services.engine.model.order import Order
from services.engine.model.replies import Done, FillsTaken, Refusal, RefusedFill, Reply
from services.engine.model.state import Asset
from services.engine.model.wording import Explanation, facts_of
from services.engine.rules.costs import FillCost
from services.engine.rules.fill_prices import Booked, known_price, price_to_book
from services.engine.steps.adopting import gate_against, take_out_later
from services.engine.steps.charges import take_late_commission
from services.engine.steps.corrections import correct_closed
from services.engine.steps.doubts import begin_doubt
from services.engine.steps.exits import pursue_exit
from services.engine.steps.fills import digest_of, note_fill, remember_execution
from services.engine.steps.late_fills import explained_by, forget_followed
from services.engine.steps.positions import Cause, Part, move_position
from services.engine.steps.reconcile import withdraw_unclaimed
from services.engine.steps.reports import report_execution
from services.engine.steps.suspect_fills import doubt_fill_price
from services.engine.transition import Transition
from wire.types import Contract, FillOfBroker, FillRefusal, OrderStatus, Usd

CLOCKS_DIFFER = timedelta(seconds=5)  # between the broker's clock and the desk's
REASONS: Mapping[FillOfBroker, str] = MappingProxyType(
    {
        "STOP": "PROTECTIVE_STOP",
        "LIQUIDATION": "LIQUIDATED",
        "MANUAL": "MANUAL",
        "FLATTEN": "FLATTENED",
        "ORDER": "ORDER",
    }
)
Outcome = Literal["taken", "duplicate"] | FillRefusal


def book_fills(transition: Transition, command: BookFills) -> Reply:
    """Book each execution once, unique on account and ``exec_id``."""
    outcomes = [(fill, _book(transition, command, fill)) for fill in command.fills]
    refused = []
    for fill, outcome in outcomes:
        if outcome != "taken" and outcome != "duplicate":
            _warn_of_refusal(transition, command, fill, outcome)
            refused.append(RefusedFill(fill.exec_id, outcome))
    taken = sum(outcome == "taken" for _, outcome in outcomes)
    duplicates = sum(outcome == "duplicate" for _, outcome in outcomes)
    return FillsTaken(taken, duplicates, tuple(refused))


def _book(transition: Transition, command: BookFills, fill: Execution) -> Outcome:
    account = transition.desk.live.account
    if command.env == transition.desk.env and account is not None and account != command.account:
        return "other_account"
    order = _order_of(transition, command, fill)
    if order is None and (fill.order_id is not None or fill.kind == "ORDER"):
        return "unknown_order"
    symbol = fill.asset if order is None else order.asset
    if not isinstance(symbol, str) or symbol not in transition.desk.assets:
        return "unknown_asset"
    if _is_known(transition.asset(symbol), command.account, fill, order):
        take_late_commission(transition, symbol, fill.qty, _cost(fill))
        return "duplicate"
    if order is not None:
        outcome = _book_for_order(transition, fill, order)
    else:
        outcome = _book_alone(transition, command, fill, symbol)
    if outcome in ("taken", "duplicate"):
        remember_execution(transition, symbol, command.account, fill.exec_id)
    return outcome


def _order_of(transition: Transition, command: BookFills, fill: Execution) -> Order | None:
    """Return the fill's order. A fill of an order that does not name it belongs to the open one of that side."""
    if fill.order_id is not None:
        latest = transition.orders.get(fill.order_id) or transition.desk.orders.get(fill.order_id)
        return latest or next((order for order in command.recalled if order.id == fill.order_id), None)
    if fill.kind != "ORDER" or not isinstance(fill.asset, str):
        return None
    running = transition.desk.open_orders(fill.asset)
    return next((order for order in running if order.is_at_a_bridge and order.side == fill.side), None)


def _is_known(asset: Asset, account: str, fill: Execution, order: Order | None) -> bool:
    seen = {digest_of(account, fill.exec_id), digest_of("", fill.exec_id)} & set(asset.fills_seen)
    return bool(seen) or (order is not None and fill.exec_id in order.exec_ids)


def _book_for_order(transition: Transition, fill: Execution, order: Order) -> Outcome:
    """Apply the fill like a report of the order. Contracts that were booked without an ``exec_id`` are these."""
    booked_before = min(fill.qty, order.settled_qty + order.unnamed_qty)
    settled = min(booked_before, order.settled_qty)
    order = replace(
        order,
        settled_qty=order.settled_qty - settled,
        unnamed_qty=order.unnamed_qty - (booked_before - settled),
        exec_ids=order.exec_ids if booked_before < fill.qty else (*order.exec_ids, fill.exec_id),
    )
    if booked_before:
        transition.put_order(order)
        if (price := known_price(fill.price)) is not None and settled:
            booked = Booked(price, estimated=False)
            correct_closed(transition, order.asset, order.sign * settled, booked, order.source, order.id)
        cost = replace(_cost(fill), order_id=order.id)
        known = cost.share(booked_before, fill.qty)
        take_late_commission(transition, order.asset, booked_before, known, by_name=False)
        transition.record(
            FillBooked(
                order.asset,
                fill.symbol,
                fill.side,
                booked_before,
                fill.price,
                order_id=order.id,
                exec_id=fill.exec_id,
            )
        )
    if booked_before == fill.qty:
        return "duplicate"
    answer = report_execution(transition, _report_of(fill, order, fill.qty - booked_before))
    if isinstance(answer, Refusal):
        return "no_price"
    return "duplicate" if isinstance(answer, Done) and answer.duplicate else "taken"


def _report_of(fill: Execution, order: Order, qty: int) -> ReportExecution:
    return ReportExecution(
        order.id,
        OrderStatus.PARTIALLY_FILLED,
        fill.price,
        qty,
        fill.exec_id,
        cum_qty=order.filled_qty + qty,
        symbol=fill.symbol,
        side=fill.side,
        recalled=order if order.status.is_final else None,
        commission=_commission_of(fill, qty),
    )


def _commission_of(fill: Execution, qty: int) -> Usd | UnsetType:
    told = _cost(fill).share(qty, fill.qty).told
    return UNSET if told is None else told


def _book_alone(transition: Transition, command: BookFills, fill: Execution, symbol: str) -> Outcome:
    """Book what happened at the broker without an order of the desk."""
    asset = transition.asset(symbol)
    booked = price_to_book(asset, fill.price, transition.now)
    if booked is None:
        return "no_price"
    if command.env != transition.desk.env:
        _journal(transition, symbol, fill, booked)
        _warn(transition, fill, symbol, f"in {command.env}, which is not traded now")
        return "taken"
    contract = asset.contract if asset.trade is None else asset.trade.contract
    if contract.symbol != fill.symbol:
        return "other_contract"
    _move(transition, fill, symbol, booked, contract)
    withdraw_unclaimed(transition, symbol, transition.asset(symbol).position)
    pursue_exit(transition, symbol)
    return "taken"


def _move(transition: Transition, fill: Execution, symbol: str, booked: Booked, contract: Contract) -> None:
    """Move the position by what the desk has not taken over from the broker's snapshots already."""
    change = fill.qty if fill.side == "BUY" else -fill.qty
    explained = explained_by(transition.asset(symbol), change, fill.at - CLOCKS_DIFFER, transition.now)
    if explained:
        forget_followed(transition, symbol, explained)
        correct_closed(transition, symbol, explained, booked, REASONS[fill.kind])
        known = _cost(fill).share(abs(explained), fill.qty)
        take_late_commission(transition, symbol, abs(explained), known, by_name=False)
        _journal(transition, symbol, replace(fill, qty=abs(explained)), booked)
    if explained == change:
        return
    cost = _cost(fill).share(abs(change - explained), fill.qty)
    cause = Cause(REASONS[fill.kind], contract, None, booked.estimated, cost.told, fill.exec_id)
    before = transition.asset(symbol)
    held = before.position
    left = held + change - explained
    shut = gate_against(transition, symbol, contract.symbol, left if held * left <= 0 else 0)
    parts = move_position(transition, symbol, change - explained, booked.price, cause)
    note_fill(transition, symbol)
    doubt_fill_price(transition, before, contract, change - explained, booked)
    if shut is not None:
        take_out_later(transition, symbol, shut)
    for part in parts:
        _journal(transition, symbol, replace(fill, qty=part.qty), booked, part)
    if booked.estimated:
        begin_doubt(transition, symbol, "unpriced_fill")
    if any(part.kind != "EXIT" for part in parts):
        _warn(transition, fill, symbol, "the desk ordered nothing and has taken the position over")
        begin_doubt(transition, symbol, "broker_fill")
    elif fill.kind == "LIQUIDATION":
        _warn(transition, fill, symbol, "the broker liquidated the position")


def _cost(fill: Execution) -> FillCost:
    return FillCost(fill.commission if isinstance(fill.commission, Usd) else None, fill.order_id, fill.exec_id)


def _journal(transition: Transition, symbol: str, fill: Execution, booked: Booked, part: Part | None = None) -> None:
    kind, trade_id = (None, None) if part is None else (part.kind, part.trade_id)
    transition.record(
        FillBooked(
            symbol,
            fill.symbol,
            fill.side,
            fill.qty,
            booked.price,
            kind,
            trade_id,
            fill.order_id,
            fill.exec_id,
            fill.kind,
            transition.names(booked.estimated),
        )
    )


def _warn(transition: Transition, fill: Execution, symbol: str, what: str) -> None:
    facts = {"side": fill.side, "qty": fill.qty, "symbol": fill.symbol, "kind": fill.kind, "price": fill.price}
    transition.alert("broker_fill", f"{fill.side} {fill.qty} {fill.symbol}: {what}", symbol, facts)


def _warn_of_refusal(transition: Transition, command: BookFills, fill: Execution, code: FillRefusal) -> None:
    """Journal a fill that was not booked and raise an alert: the broker may hold what the desk does not know."""
    symbol = fill.asset if isinstance(fill.asset, str) and fill.asset in transition.desk.assets else None
    facts = {"exec_id": fill.exec_id, "symbol": fill.symbol, "side": fill.side, "qty": fill.qty, "reason": code}
    detail = f"{fill.side} {fill.qty} {fill.symbol} of account {command.account}: {code.replace('_', ' ')}"
    transition.record(
        FillRefused(Explanation(code, "FILL REFUSED", detail, facts_of(facts)), fill.order_id, fill.exec_id)
    )
    transition.alert_again("fill_refused", detail, symbol, facts, "exec_id")
    if symbol is not None and command.env == transition.desk.env and code != "other_account":
        begin_doubt(transition, symbol, "broker_fill")
