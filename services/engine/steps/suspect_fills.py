"""Doubt the price of a fill until something else agrees with it (SPEC 8.3)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from msgspec.structs import replace

from services.engine.model.evidence import SuspectFill
from services.engine.model.proof_events import FillPriceDoubted, FillPriceProven
from services.engine.model.state import Asset
from services.engine.rules.broker_word import BrokerWord
from services.engine.rules.fill_prices import Booked
from services.engine.rules.suspect_fills import (
    agrees_with_price,
    entry_is_suspect,
    is_nearer_to_told,
    open_pnl_agrees,
)
from services.engine.steps.trades import mark_to_market
from services.engine.transition import Transition
from wire.types import Contract, Instant, Price, ProvenBy, Usd

ZERO = Decimal(0)
ADOPTED = "ADOPTED"


def doubt_fill_price(
    transition: Transition,
    before: Asset,
    contract: Contract,
    change: int,
    booked: Booked,
    order_id: str | None = None,
) -> None:
    """Hold the price of a fill of ``change`` contracts as suspect where it is; ``before`` is the asset before it.

    The fill is booked as told. Until its price is proven no rule of points fires, and the books count the stand-in.
    """
    if booked.stand_in is None or not change:
        return
    asset = transition.asset(before.symbol)
    trade = asset.trade
    fill = SuspectFill(
        booked.price,
        booked.stand_in,
        change,
        _excess(before, asset, contract, change, booked.price - booked.stand_in),
        transition.now,
        None if trade is None else trade.id,
        trade is not None and trade.sign * change > 0,
        order_id,
    )
    live = replace(asset.live, open_points=None, open_points_at=None) if fill.is_entry else asset.live
    transition.put_asset(replace(asset, live=live, suspect_fills=(*asset.suspect_fills, fill)))
    transition.record(FillPriceDoubted(before.symbol, abs(change), booked.price, booked.stand_in, order_id))
    detail = f"{abs(change)} {contract.symbol} filled at {booked.price:f}, the last price was {booked.stand_in:f}"
    facts = {"price": booked.price, "last_price": booked.stand_in, "qty": abs(change), "symbol": contract.symbol}
    transition.alert("fill_price_suspect", detail, before.symbol, {**facts, "order_id": order_id})


def _excess(before: Asset, after: Asset, contract: Contract, change: int, difference: Price) -> Usd:
    """Return what the told price adds to the books over the stand-in. An adopted position begins at 0 in them."""
    held = before.position
    closing = max(-abs(held), min(abs(held), change)) if held * change < 0 else 0
    trade = after.trade
    began = trade is not None and (before.trade is None or before.trade.id != trade.id)
    is_adopted = trade is not None and began and trade.zone == ADOPTED
    counted = closing if is_adopted else change
    return -contract.usd(difference * counted)


def prove_fills(
    transition: Transition, symbol: str, by: ProvenBy, is_proven: Callable[[SuspectFill], bool] = lambda fill: True
) -> None:
    """Take the prices of the fills for which ``is_proven`` holds as they were told."""
    asset = transition.asset(symbol)
    proven = [fill for fill in asset.suspect_fills if is_proven(fill)]
    if not proven:
        return
    left = tuple(fill for fill in asset.suspect_fills if fill not in proven)
    asset = transition.put_asset(replace(asset, suspect_fills=left))
    if any(fill.is_entry for fill in proven) and not entry_is_suspect(asset):
        transition.put_asset(mark_to_market(asset))
    for fill in proven:
        transition.record(FillPriceProven(symbol, fill.price, by, fill.order_id))


def prove_by_price(transition: Transition, symbol: str, price: Price, denied_at: Instant | None) -> None:
    """Prove the fills with which a price of the market agrees that is heard now."""
    prove_fills(transition, symbol, "price", lambda fill: agrees_with_price(fill, price, transition.now, denied_at))


def prove_by_snapshot(transition: Transition, symbol: str, word: BrokerWord) -> bool:
    """Let the broker's average, else its open PnL, decide on the entry. Return whether the average contradicts it."""
    asset = transition.asset(symbol)
    trade = asset.trade
    if trade is None or not entry_is_suspect(asset):
        return False
    if word.avg_price is not None and not is_nearer_to_told(asset, trade, word.avg_price):
        return True
    by: ProvenBy | None = "average" if word.avg_price is not None else None
    if by is None and word.open_pnl is not None and open_pnl_agrees(asset, trade, word.open_pnl):
        by = "open_pnl"
    if by is not None:
        prove_fills(transition, symbol, by, lambda fill: fill.is_entry and fill.trade_id == trade.id)
    return False


def forget_excess(transition: Transition) -> None:
    """Let a new trading day begin without what doubted fills have added to the books of the day before."""
    for asset in transition.desk.assets.values():
        if asset.suspect_fills:
            trade_id = None if asset.trade is None else asset.trade.id
            kept = [fill for fill in asset.suspect_fills if fill.trade_id == trade_id and trade_id is not None]
            transition.put_asset(replace(asset, suspect_fills=tuple(replace(fill, excess=ZERO) for fill in kept)))
