"""What orders would lose and what is left to lose, as clients read it (SPEC 5.9, 11)."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import get_args

from services.engine.model.state import Asset, Desk
from services.engine.model.trade import Trade
from services.engine.rules.beliefs import limit_usd, start_of
from services.engine.rules.contract_caps import correlated_in_full, taken, taken_in_full
from services.engine.rules.costs import round_turn
from services.engine.rules.day_left import left_of_day
from services.engine.rules.gates import rung_of
from services.engine.rules.risk import open_risk, risk_held, risk_of_order
from services.engine.rules.risk_gate import (
    Room,
    largest_fit,
    order_limit_usd,
    room_for,
    room_of_desk,
    stake_asked,
    verdict_of,
)
from services.engine.rules.verdicts import EntryRequest
from services.views.rows import Fields, rung_view
from wire.asset import AssetRisk, OrderRisk
from wire.risk import DeskRisk, Distance
from wire.types import Contract, Instant, Price, SizeMode, Usd

TENTH = Decimal("0.1")


def asset_risk(desk: Desk, asset: Asset, now: Instant) -> AssetRisk:
    """Return what each order of the asset would lose, and what it has at risk already."""
    sizes: tuple[SizeMode, ...] = get_args(SizeMode)
    room = room_of_desk(desk, now)
    entries = {size: EntryRequest(asset, is_attempt=True, quantity=desk.rules.entry_qty(size)) for size in sizes}
    scale_in = EntryRequest(asset, is_scale_in=True)
    working = sum((risk_of_order(desk, order) for order in desk.open_orders(asset.symbol)), Decimal(0))
    return AssetRisk(
        sizes={size: _order_risk(desk, entry, room, now) for size, entry in entries.items()},
        scale_in=None if asset.trade is None else _order_risk(desk, scale_in, room, now),
        open_usd=risk_held(desk, asset) + working,
        contracts=sum(quantity for symbol, _, quantity in taken(desk) if symbol == asset.symbol),
        max_contracts=desk.rules.max_contracts_by_asset.get(asset.symbol),
    )


def _order_risk(desk: Desk, entry: EntryRequest, of_desk: Room, now: Instant) -> OrderRisk:
    stake = stake_asked(desk, entry)
    room = room_for(desk, entry, stake, now, of_desk)
    return OrderRisk(
        quantity=stake.quantity,
        stop=distance(stake.contract, stake.distance, stake.quantity),
        commission_usd=round_turn(desk.rules, stake.contract, stake.quantity),
        risk_usd=stake.usd,
        share_of_left_pct=_share(stake.usd, room.left.usd),
        fits=largest_fit(stake, room),
        gate=rung_view(rung_of("risk", verdict_of(desk, stake, room)), now),
    )


def _share(usd: Usd, left: Usd | None) -> Decimal | None:
    """Return the percent, rounded down so that 100 means that all of it would be risked."""
    return None if left is None or left <= 0 else (usd / left * 100).quantize(TENTH, ROUND_DOWN)


def distance(contract: Contract, price: Price, quantity: int) -> Distance:
    """Return one distance in points, in price and in USD of so many contracts."""
    return Distance(points=contract.points(price), price=price, usd=contract.usd(price * quantity))


def trade_distances(trade: Trade) -> Fields:
    """Return how far the open trade's stop, target and soft stop are from its average."""
    protections = trade.protections
    target = protections.points_tp_target if protections.points_tp_enabled else None
    protect = protections.protect_threshold_points if protections.protect_enabled else None
    return {
        "stop": distance(trade.contract, (trade.entry_price - trade.stop_price) * trade.sign, trade.quantity),
        "target": _in_points(trade, target),
        "protect": _in_points(trade, protect),
    }


def _in_points(trade: Trade, points: Decimal | None) -> Distance | None:
    return None if points is None else distance(trade.contract, points * trade.contract.point, trade.quantity)


def desk_risk(desk: Desk, now: Instant) -> DeskRisk:
    """Return what may still be lost today, and what bounds an order."""
    left = left_of_day(desk, now)
    return DeskRisk(
        start_equity_usd=start_of(desk),
        limit_usd=limit_usd(desk),
        left_usd=left.usd,
        left_by=left.by,
        open_risk_usd=open_risk(desk),
        per_order_usd=order_limit_usd(desk),
        contracts=taken_in_full(desk),
        max_contracts=desk.rules.max_contracts,
        correlated=correlated_in_full(desk),
        max_correlated=desk.rules.max_contracts_correlated,
    )
