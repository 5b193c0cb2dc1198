"""Correct a trade that the desk closed by the broker's position, once its fill is told (SPEC 8.3, 8.4)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.evidence import ClosedUntold
from services.engine.model.state import Asset
from services.engine.model.trade_events import TradeClosed, TradeCorrected
from services.engine.rules.costs import with_costs
from services.engine.rules.fill_prices import Booked
from services.engine.steps.charges import correct_books, remember_uncharged
from services.engine.steps.trades import closed_trade
from services.engine.transition import Transition


def remember_untold(
    transition: Transition, before: Asset, quantity: int, booked: Booked, order_id: str | None = None
) -> None:
    """Remember the trade that was closed in this decision without its fill; ``before`` is the asset before."""
    trade = before.trade
    told = next((event for event in reversed(transition.events) if isinstance(event, TradeClosed)), None)
    if trade is None or told is None or told.id != trade.id:
        return
    uncharged = transition.asset(before.symbol).closed_uncharged
    charged = trade if uncharged is None or uncharged.event.id != told.id else uncharged.trade
    closed = replace(
        trade,
        costs=charged.costs,
        untold=charged.untold,
        quantity=0,
        exited_quantity=trade.exited_quantity + quantity,
        exit_notional=trade.exit_notional + booked.price * quantity,
    )
    untold = ClosedUntold(closed, told, booked.price, quantity, trade.estimated, order_id)
    transition.put_asset(replace(transition.asset(before.symbol), closed_untold=untold))


def correct_closed(
    transition: Transition, symbol: str, change: int, booked: Booked, reason: str, order_id: str | None = None
) -> None:
    """Give the closed trade the price of a fill of ``change`` contracts (signed), and the reason of its exit.

    ``order_id`` is the exit whose fate was settled by the broker's position, None for what the desk has followed.
    """
    asset = transition.asset(symbol)
    untold = asset.closed_untold
    if untold is None or untold.order_id != order_id or booked.estimated or untold.trade.sign * change > 0:
        return
    qty = min(abs(change), untold.left)
    left = untold.left - qty
    trade = untold.trade
    trade = replace(
        trade,
        exit_notional=trade.exit_notional + (booked.price - untold.price) * qty,
        estimated=untold.was_estimated or (untold.event.estimated and left > 0),
    )
    told = _told_again(asset, replace(untold, trade=trade), reason)
    correct_books(transition, untold.event, told.result_usd - untold.event.result_usd)
    remembered = replace(untold, trade=trade, event=told, left=left) if left else None
    transition.put_asset(replace(transition.asset(symbol), closed_untold=remembered))
    uncharged = transition.asset(symbol).closed_uncharged
    if uncharged is not None and uncharged.event.id == told.id:
        remember_uncharged(transition, symbol, trade, told)
    transition.record(TradeCorrected(symbol, told))


def _told_again(asset: Asset, untold: ClosedUntold, reason: str) -> TradeClosed:
    """Return the closed trade with its corrected exit; its best and worst points hold that exit, too."""
    before = untold.event
    told = closed_trade(asset, untold.trade, before.exit_ts, reason)
    points = told.pnl_points
    told = replace(told, mae_points=min(before.mae_points, points), mfe_points=max(before.mfe_points, points))
    if before.pnl_net_usd is None:
        return told
    worst = None if before.mae_usd is None else min(before.mae_usd, told.pnl_usd)
    best = None if before.mfe_usd is None else max(before.mfe_usd, told.pnl_usd)
    return with_costs(replace(told, mae_usd=worst, mfe_usd=best), untold.trade)
