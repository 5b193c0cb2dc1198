"""Prices of fills that are not believed yet, and what proves them (SPEC 8.3). All functions are pure."""

from __future__ import annotations

from decimal import Decimal

from services.engine.model.evidence import SuspectFill
from services.engine.model.state import Asset
from services.engine.model.trade import Trade
from services.engine.rules.prices import is_confirmed_by
from wire.types import Instant, Price, Usd

ZERO = Decimal(0)


def entry_is_suspect(asset: Asset) -> bool:
    """Return whether a fill that added to the open trade has a price that is not proven: its points are unknown."""
    return bool(suspect_entries(asset))


def suspect_entries(asset: Asset) -> list[SuspectFill]:
    """Return the doubted fills that have added to the open trade."""
    trade = asset.trade
    return [fill for fill in asset.suspect_fills if trade is not None and fill.trade_id == trade.id and fill.is_entry]


def excess_of_open_trade(asset: Asset) -> Usd:
    """Return what doubted fills have added to the result of the open trade."""
    trade_id = None if asset.trade is None else asset.trade.id
    return sum((f.excess for f in asset.suspect_fills if f.trade_id is not None and f.trade_id == trade_id), ZERO)


def excess_of_closed_trades(asset: Asset) -> Usd:
    return sum((fill.excess for fill in asset.suspect_fills), ZERO) - excess_of_open_trade(asset)


def agrees_with_price(fill: SuspectFill, price: Price, at: Instant, denied_at: Instant | None = None) -> bool:
    """Return whether a later price of the market is near the fill's, or further in the same direction.

    ``denied_at`` is given for a price that is suspect itself: when the last good price was heard. One since the fill
    has denied it, and two suspects do not prove each other over that.
    """
    if denied_at is not None and denied_at > fill.at:
        return False
    return at > fill.at and is_confirmed_by(fill.price, fill.stand_in, price)


def stand_in_entry(asset: Asset, trade: Trade) -> Price:
    """Return the trade's average with the stand-ins in place of the doubted prices."""
    doubted = sum(((f.price - f.stand_in) * abs(f.change) for f in suspect_entries(asset)), ZERO)
    return trade.entry_price - doubted / trade.entered_quantity


def is_nearer_to_told(asset: Asset, trade: Trade, average: Price) -> bool:
    """Return whether the broker's average of the position agrees with the fills as they were told."""
    return abs(average - trade.entry_price) < abs(average - stand_in_entry(asset, trade))


def open_pnl_agrees(asset: Asset, trade: Trade, open_pnl: Usd) -> bool:
    """Return whether the broker's open PnL fits the told entry and the last price better than the stand-in."""
    last = asset.live.last_price
    if last is None or not trade.quantity:
        return False
    won = trade.contract.distance_worth(open_pnl, trade.quantity) * trade.sign
    return abs(trade.entry_price + won - last) < abs(stand_in_entry(asset, trade) + won - last)
