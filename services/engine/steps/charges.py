"""Charge a trade with the commission of its fills, also with one that is told later (SPEC 7.5, 8.3)."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from services.engine.model.evidence import ClosedUncharged
from services.engine.model.state import Asset
from services.engine.model.trade import Trade
from services.engine.model.trade_events import CommissionTold, TradeClosed, TradeCorrected
from services.engine.model.trading_day import trading_day_of
from services.engine.rules.beliefs import GROSS_UNTIL
from services.engine.rules.costs import FillCost, charged, told_late, with_costs, with_risk
from services.engine.steps.week import correct_week
from services.engine.transition import Transition
from wire.types import Usd

NOT_TOLD = FillCost()


def charge_entry(transition: Transition, symbol: str, quantity: int, cost: FillCost = NOT_TOLD) -> None:
    """Charge the open trade for contracts that it has just entered, and add their risk."""
    asset = transition.asset(symbol)
    if asset.trade is not None and transition.desk.generation > GROSS_UNTIL:
        rules = transition.desk.rules
        trade = with_risk(rules, charged(rules, asset.trade, quantity, cost), quantity)
        transition.put_asset(replace(asset, trade=trade))


def charge_exit(transition: Transition, symbol: str, quantity: int, cost: FillCost = NOT_TOLD) -> Asset:
    """Charge the open trade for contracts that are about to leave it, and return the asset."""
    asset = transition.asset(symbol)
    if asset.trade is None or not quantity or transition.desk.generation <= GROSS_UNTIL:
        return asset
    trade = charged(transition.desk.rules, asset.trade, quantity, cost)
    return transition.put_asset(replace(asset, trade=trade))


def take_late_commission(
    transition: Transition, symbol: str, quantity: int, cost: FillCost, *, by_name: bool = True
) -> None:
    """Put a commission that is told after its fill in place of what stood in for it, never beside it.

    The fill may be of the asset's last closed trade, of the open one, or have closed the one and opened the other.
    """
    if cost.told is None or not quantity or transition.desk.generation <= GROSS_UNTIL:
        return
    left = quantity
    closed = transition.asset(symbol).closed_uncharged
    if closed is not None:
        trade, left = told_late(closed.trade, quantity, cost, by_name=by_name)
        if left < quantity:
            _correct(transition, symbol, closed, trade)
    trade_now = transition.asset(symbol).trade
    if trade_now is not None and left:
        trade, rest = told_late(trade_now, left, cost.share(left, quantity), by_name=by_name)
        if rest < left:
            transition.put_asset(replace(transition.asset(symbol), trade=trade))
            transition.record(CommissionTold(symbol, trade.id, trade.costs))


def _correct(transition: Transition, symbol: str, closed: ClosedUncharged, trade: Trade) -> None:
    told = with_costs(closed.event, trade)
    correct_books(transition, closed.event, told.result_usd - closed.event.result_usd)
    remember_uncharged(transition, symbol, trade, told)
    asset = transition.asset(symbol)
    untold = asset.closed_untold
    if untold is not None and untold.event.id == told.id:
        known = replace(untold.trade, costs=trade.costs, untold=trade.untold)
        transition.put_asset(replace(asset, closed_untold=replace(untold, trade=known, event=told)))
    transition.record(TradeCorrected(symbol, told))


def remember_uncharged(transition: Transition, symbol: str, trade: Trade, told: TradeClosed) -> None:
    """Remember the closed trade as long as a commission of it may still be told."""
    if transition.desk.generation > GROSS_UNTIL:
        uncharged = ClosedUncharged(trade, told) if trade.untold else None
        transition.put_asset(replace(transition.asset(symbol), closed_uncharged=uncharged))


# -- the day's books -----------------------------------------------------------------------------------------------


def book(transition: Transition, symbol: str, closed: Usd = Decimal(0), opening: Usd = Decimal(0)) -> None:
    """Add to the day's books, over all and of the asset (SPEC 5.6)."""
    day = transition.desk.day
    books = replace(day.books, closed=day.books.closed + closed, opening=day.books.opening + opening)
    if transition.desk.generation > GROSS_UNTIL:
        known = books.by_asset.get(symbol, Decimal(0))
        books = replace(books, by_asset={**books.by_asset, symbol: known + closed - opening})
    transition.change_desk(day=replace(day, books=books))


def correct_books(transition: Transition, closed: TradeClosed, more: Usd) -> None:
    """Add what a correction has changed to the books of the trading day, if the trade is of it (SPEC 5.6)."""
    desk = transition.desk
    if closed.env == desk.env and trading_day_of(closed.exit_ts, desk.rules.day_roll) == desk.day.trading_day:
        book(transition, closed.asset, closed=more)
    correct_week(transition, closed, more)
