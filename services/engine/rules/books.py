"""What the day's own books say of one asset: its result, and where it would end the day (SPEC 5.6).

All functions are pure, all amounts USD.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from services.engine.model.state import Asset, Desk
from services.engine.rules.beliefs import GROSS_UNTIL, limit_usd, open_result, result_that_counts
from services.engine.rules.fill_prices import known_price
from services.engine.rules.suspect_fills import excess_of_closed_trades, excess_of_open_trade
from wire.types import Price, Usd

ZERO = Decimal(0)


def asset_result(desk: Desk, asset: Asset) -> Usd | None:
    """Return the asset's part of the day's books, without what only the operator's word has added to it.

    None where an earlier program kept the books of this day: it did not keep them by asset.
    """
    books = desk.day.books
    if desk.generation <= GROSS_UNTIL or sum(books.by_asset.values(), ZERO) != books.closed - books.opening:
        return None
    doubted = excess_of_closed_trades(asset) + (ZERO if asset.doubt is None else asset.doubt.withheld)
    return books.by_asset.get(asset.symbol, ZERO) - doubted + open_result(asset)


def daily_stop_price(desk: Desk, asset: Asset) -> Price | None:
    """Return the first tick at which the books reach the daily stop, all other assets' results as they are.

    Rounded to the losing side: one tick better does not reach it. None while flat, without a start of the day, and
    where the market cannot trade at such a price.
    """
    trade = asset.trade
    limit = limit_usd(desk)
    if trade is None or limit is None or desk.generation <= GROSS_UNTIL:
        return None
    others = result_that_counts(desk) - open_result(asset)
    at_zero = trade.result_at(ZERO) - trade.costs - excess_of_open_trade(asset)
    tick = trade.contract.tick_size
    a_tick = trade.contract.usd(tick) * trade.quantity * trade.sign
    ticks = Fraction(-limit - others - at_zero) / Fraction(a_tick)
    price = tick * (floor(ticks) if trade.side == "BUY" else ceil(ticks))
    return known_price(price, trade.contract.symbol)
