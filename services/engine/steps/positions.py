"""Move the position by a fill, whatever the desk holds: open, grow, cut, close, or turn the trade (SPEC 8.1)."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.order import Order
from services.engine.model.state import Asset
from services.engine.rules.beliefs import GROSS_UNTIL
from services.engine.rules.costs import FillCost
from services.engine.steps.charges import charge_entry, charge_exit
from services.engine.steps.trades import (
    adopt,
    grown,
    mark_to_market,
    open_trade,
    reduce_position,
    take_slot,
    trade_of,
)
from services.engine.transition import Transition
from wire.types import Contract, FillKind, Price, Usd


class Cause(Struct, frozen=True):
    """Why the position moves: ``reason`` is that of the trade it closes, ``order`` the desk's, None without one.

    ``estimated`` is true when nobody told the price. ``commission`` is in USD, None when nobody told it. ``exec_id``
    names the execution where it was named.
    """

    reason: str
    contract: Contract
    order: Order | None = None
    estimated: bool = False
    commission: Usd | None = None
    exec_id: str | None = None

    @property
    def cost(self) -> FillCost:
        return FillCost(self.commission, None if self.order is None else self.order.id, self.exec_id)


class Part(Struct, frozen=True):
    """What a fill did to one trade: EXIT took ``qty`` contracts out, the other kinds added them."""

    trade_id: str
    kind: FillKind
    qty: int


def move_position(transition: Transition, symbol: str, change: int, price: Price, cause: Cause) -> list[Part]:
    """Move the position by ``change`` contracts, positive for a purchase, and return what that did to which trade."""
    parts = []
    whole = abs(change)
    trade = transition.asset(symbol).trade
    if trade is not None:
        _count_told(transition, symbol, cause)
        if trade.sign * change < 0:
            taken = min(whole, trade.quantity)
            asset = charge_exit(transition, symbol, taken, cause.cost.share(taken, whole))
            reduce_position(transition, asset, taken, price, cause.reason, estimated=cause.estimated)
            parts.append(Part(trade.id, "EXIT", taken))
            change += trade.sign * taken
    if change:
        parts.append(_add(transition, symbol, change, price, cause))
        charge_entry(transition, symbol, abs(change), cause.cost.share(abs(change), whole))
    return parts


def _count_told(transition: Transition, symbol: str, cause: Cause) -> None:
    """Add up what fills told, as earlier programs did."""
    asset = transition.asset(symbol)
    if asset.trade is not None and cause.commission is not None and transition.desk.generation <= GROSS_UNTIL:
        told = replace(asset.trade, commission=asset.trade.commission + cause.commission)
        transition.put_asset(replace(asset, trade=told))


def _add(transition: Transition, symbol: str, change: int, price: Price, cause: Cause) -> Part:
    kind: FillKind = "RESIZE" if cause.order is None or cause.order.kind == "EXIT" else cause.order.kind
    if transition.asset(symbol).trade is None:
        _open(transition, symbol, change, price, cause)
        kind = "ENTRY"
    else:
        _grow(transition, transition.asset(symbol), abs(change), price)
    asset = transition.asset(symbol)
    if asset.trade is None:
        raise ValueError(f"{symbol} was flat after {change} contracts were added")
    if cause.estimated:
        transition.put_asset(replace(asset, trade=replace(asset.trade, estimated=True, unpriced=True)))
    return Part(asset.trade.id, kind, abs(change))


def _open(transition: Transition, symbol: str, change: int, price: Price, cause: Cause) -> None:
    """Open the trade with its order's terms; without such an order, with default protections like an adopted one."""
    order = cause.order
    asset = transition.asset(symbol)
    if order is not None and order.entry is not None and order.sign * change > 0:
        trade = trade_of(order, transition.desk.rules, abs(change), price, transition.now)
        if order.filled_qty:  # a trade that its first fills opened may be closed already
            trade = replace(trade, id=transition.new_id())
        open_trade(transition, asset, trade)
        _count_told(transition, symbol, cause)
    else:
        adopt(transition, asset, change, price, cause.contract)
    take_slot(transition)


def _grow(transition: Transition, asset: Asset, quantity: int, price: Price) -> None:
    if asset.trade is not None:
        transition.put_asset(mark_to_market(replace(asset, trade=grown(asset.trade, quantity, price))))
