"""What an order, a position and a working entry lose at their stops, in USD (SPEC 2, 5.9). All functions are pure."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from services.engine.model.order import Order
from services.engine.model.settings import Rules
from services.engine.model.state import Asset, Desk
from services.engine.model.trade import Trade
from services.engine.rules.costs import round_turn
from services.engine.rules.resting_stops import covers
from wire.types import Contract, Price, Usd

ZERO = Decimal(0)


class Stake(Struct, frozen=True):
    """What an order would add: contracts, how far their stop is in price, and what one of them loses there."""

    contract: Contract
    quantity: int
    distance: Price
    each: Usd

    @property
    def usd(self) -> Usd:
        return self.each * self.quantity


def stake_of(rules: Rules, contract: Contract, quantity: int, distance: Price) -> Stake:
    """Return the stake of so many contracts whose stop is ``distance`` away, with what they cost in and out."""
    return Stake(contract, quantity, distance, contract.usd(distance) + round_turn(rules, contract, 1))


def entry_stake(desk: Desk, asset: Asset, quantity: int) -> Stake:
    """Return what an entry of so many contracts would add, with the stop of the rules in force."""
    return stake_of(desk.rules, asset.contract, quantity, desk.rules.stop_points * asset.contract.point)


def scale_in_stake(desk: Desk, asset: Asset, trade: Trade, quantity: int) -> Stake:
    """Return what a scale-in would add: from the last price to the stop that rests.

    Where no price came since the entry the broker's open points say it, else it is the average.
    """
    price = price_since_entry(asset, trade)
    if price is None:
        price = trade.entry_price + trade.sign * (asset.live.open_points or ZERO) * trade.contract.point
    distance = max(ZERO, (price - stop_of(desk, trade, price)) * trade.sign)
    return stake_of(desk.rules, trade.contract, quantity, distance)


def open_risk(desk: Desk) -> Usd:
    """Return what all positions would lose at their stops, and all working entries at theirs."""
    held = sum((risk_held(desk, asset) for asset in desk.assets.values()), ZERO)
    return held + sum((risk_of_order(desk, order) for order in desk.orders.values()), ZERO)


def risk_held(desk: Desk, asset: Asset) -> Usd:
    """Return what the position loses from the last price to its stop, never below 0; 0 while flat.

    Without a price since the entry it is counted from the average.
    """
    trade = asset.trade
    if trade is None:
        return ZERO
    price = price_since_entry(asset, trade)
    begins = trade.entry_price if price is None else price
    lost = sum((max(ZERO, (begins - stop) * trade.sign) * qty for qty, stop in stops_of(desk, trade, price)), ZERO)
    return trade.contract.usd(lost)


def risk_of_order(desk: Desk, order: Order) -> Usd:
    """Return what the part of a working entry that has not filled yet would lose at its stop; 0 of an exit."""
    if order.kind == "EXIT":
        return ZERO
    asset = desk.assets[order.asset]
    left = max(0, order.remaining)
    if order.kind == "SCALE_IN" and asset.trade is not None:
        return scale_in_stake(desk, asset, asset.trade, left).usd
    points = desk.rules.stop_points if order.stop_points is None else order.stop_points
    return stake_of(desk.rules, order.contract, left, points * order.contract.point).usd


def stop_of(desk: Desk, trade: Trade, price: Price | None) -> Price:
    """Return where the stop of the trade is, of several the furthest."""
    prices = [stop for _, stop in stops_of(desk, trade, price)]
    return min(prices) if trade.side == "BUY" else max(prices)


def stops_of(desk: Desk, trade: Trade, price: Price | None) -> list[tuple[int, Price]]:
    """Return how many contracts leave at which stop: as the bridge told since the entry, the furthest first.

    Contracts for which it told none leave at the planned stop. A stop that the price has passed already protects
    nothing, and counts as not told.
    """
    told_at = desk.live.stops_at
    told = desk.live.stops if told_at is not None and told_at > trade.opened_at else None
    ahead = [
        stop for stop in told or () if covers(stop, trade) and (price is None or (price - stop.price) * trade.sign > 0)
    ]
    left, stops = trade.quantity, []
    for stop in sorted(ahead, key=lambda stop: stop.price * trade.sign):
        quantity = min(left, stop.qty)
        left -= quantity
        stops.append((quantity, stop.price))
    return [(quantity, stop) for quantity, stop in [*stops, (left, trade.stop_price)] if quantity]


def price_since_entry(asset: Asset, trade: Trade) -> Price | None:
    """Return the last price that is not older than the trade, None when there is none."""
    live = asset.live
    return live.last_price if live.price_at is not None and live.price_at >= trade.opened_at else None


def scale_in_quantity(rules: Rules, trade: Trade, generation: int) -> int:
    """Return how many contracts a scale-in adds: as set, at most as many as were entered (SPEC 4)."""
    return min(rules.scale_in_qty, trade.entered_quantity) if generation > 4 else rules.scale_in_qty
