"""One asset of the state document (SPEC 11): prices, bricks, ladder, pending entries and the open trade."""

from __future__ import annotations

from datetime import timedelta

from msgspec import UnsetType

from services.engine.model.bricks import BrickStream
from services.engine.model.lock_names import INITIAL_EXIT_FIELD
from services.engine.model.order import Order
from services.engine.model.state import Asset, Desk, DueExit, PreOrder
from services.engine.model.trade import Trade
from services.engine.model.zone import zone_of
from services.engine.rules.adding import scale_in_passes
from services.engine.rules.books import asset_result, daily_stop_price
from services.engine.rules.contract_life import days_to_roll
from services.engine.rules.gates import first_closed, ladder
from services.engine.rules.locks import LOCKS, Lock, initial_exit
from services.engine.rules.management import is_management_locked, may_arm_high_next_bar, may_arm_signal_target
from services.engine.rules.preorder_life import preorder_end
from services.engine.rules.proposals import size_of
from services.engine.rules.resting_stops import covers
from services.engine.rules.roll_week import watched
from services.engine.rules.verdicts import EntryRequest
from services.views.feed_view import feed_view
from services.views.proposal_view import proposal_view
from services.views.risk_view import asset_risk, trade_distances
from services.views.rows import Fields, explanation_view, rung_view
from services.views.window_view import session_view
from services.views.words_view import words_awaited
from wire.asset import AssetState, DueExitState, Explanation, LockState, RestingStopState, RollState, TradeState
from wire.tradingview import STREAMS
from wire.types import Contract, Instant, Side


def asset_view(desk: Desk, asset: Asset, now: Instant) -> AssetState:
    """Return one asset of the state document as of ``now``."""
    rungs = ladder(desk, EntryRequest(asset), now)
    return AssetState(
        symbol=asset.symbol,
        **_contract(asset, now),
        **session_view(desk, asset.symbol, now),
        **_prices(asset),
        **_pending(desk.open_order(asset.symbol)),
        **_bricks(asset, now),
        **_managed(desk, asset, now),
        scale_in_available=scale_in_passes(desk, asset, now),
        **_stop_at_broker(desk, asset.trade),
        daily_stop_price=daily_stop_price(desk, asset),
        day_result_usd=asset_result(desk, asset),
        **_waiting(desk, asset),
        risk=asset_risk(desk, asset, now),
        proposal=proposal_view(asset.proposal, size_of(asset.proposal, desk.rules)) if asset.proposal else None,
        trade=trade_view(asset.trade, asset) if asset.trade else None,
        due_exit=_due_exit(asset.due_exit) if asset.due_exit else None,
        disagreement=asset.disagreement.broker_position if asset.disagreement else None,
        doubt=asset.doubt.code if asset.doubt else None,
        words_awaited=words_awaited(desk, asset),
        locks=tuple([_lock_view(lock, desk, asset, now) for lock in LOCKS]),
        first_closed_gate=next((rung.gate for rung in rungs if not rung.is_open), None),
        may_enter=_may_enter(desk, asset, now),
        feed=feed_view(desk, asset, now),
        ladder=tuple([rung_view(rung, now) for rung in rungs]),
    )


def _lock_view(lock: Lock, desk: Desk, asset: Asset, now: Instant) -> LockState:
    held = lock.look(desk, asset, now)
    return LockState(lock.name, held.is_held, held.until, lock.stops, lock.ends)


def _contract(asset: Asset, now: Instant) -> Fields:
    contract = watched(asset)
    return {
        "contract": contract.symbol,
        "exchange": contract.exchange,
        "tick_size": contract.tick_size,
        "point_size": contract.point,
        "point_value": contract.usd_per_price,
        "roll": _roll(contract, now),
    }


def _roll(contract: Contract, now: Instant) -> RollState | None:
    dates = contract.dates
    days = days_to_roll(contract, now)
    if dates is None or days is None:
        return None
    return RollState(contract.symbol, dates.rolls_on, days, dates.last_trade, dates.next_contract)


def _prices(asset: Asset) -> Fields:
    trade = asset.trade
    live = asset.live
    pnl = None
    if trade is not None and live.open_points is not None:
        pnl = trade.contract.usd(live.open_points * trade.contract.point * trade.quantity)
    return {
        "position": asset.position,
        "avg_price": trade.entry_price if trade else None,
        "pnl": pnl,
        "rithmic_open_points": live.open_points if trade else None,
        "last_price": live.last_price,
        "suspect_price": live.watch.suspect,
        "price_ts": live.price_at,
        "last_heartbeat_ts": live.last_heartbeat_at,
        "heartbeat_flagged": live.heartbeat_flagged,
        "simulated": live.is_simulated,
    }


def _pending(order: Order | None) -> Fields:
    return {
        "pending_order_id": order.id if order else None,
        "pending_kind": order.kind if order else None,
        "pending_side": order.side if order else None,
        "pending_qty": order.qty if order else None,
        "pending_status": order.status if order else None,
        "pending_source": order.source if order else None,
    }


def _bricks(asset: Asset, now: Instant) -> Fields:
    zone = zone_of(asset, now)
    tempo = asset.tempo
    streams: Fields = {}
    for row in STREAMS:
        brick: BrickStream = asset.stream(row.stream)
        streams[f"{row.state_name}_color"] = brick.color
        streams[f"{row.state_name}_ts"] = brick.at
        streams[f"{row.state_name}_stale"] = brick.is_stale(now)
    return {
        **streams,
        "zone_type": zone.kind,
        "zone_direction": zone.direction,
        "conflict_mode": zone.kind == "FREE",
        "tempo_ready": tempo.ready,
        "tempo_color": tempo.color,
        "tempo_ts": tempo.armed_at,
        "tempo_age_s": (now - tempo.armed_at) // timedelta(seconds=1) if tempo.armed_at else None,
    }


def _managed(desk: Desk, asset: Asset, now: Instant) -> Fields:
    """Return the fields that manage the open trade; they are off or None while the asset is flat."""
    trade = asset.trade
    lock = initial_exit(desk, asset, now)
    return {
        "trade_mode": trade.mode if trade else None,
        "exit_mode": ("POINTS_TP" if trade.protections.points_tp_enabled else "STRUCTURE") if trade else None,
        "entry_zone": trade.zone if trade else None,
        INITIAL_EXIT_FIELD: lock.is_held,
        "initial_exit_lock_expires_ts": lock.until,
        "two_half_tp_lock_enabled": trade is not None and is_management_locked(asset, trade),
        "points_tp_enabled": trade.protections.points_tp_enabled if trade else False,
        "points_tp_target": trade.protections.points_tp_target if trade else None,
        "protect_enabled": trade.protections.protect_enabled if trade else False,
        "protect_threshold_points": trade.protections.protect_threshold_points if trade else None,
        "tp_armed": trade.protections.tp_armed if trade else False,
        "tp_target": trade.protections.tp_target if trade else None,
        "tp_count": trade.protections.tp_count if trade else 0,
        "high_next_bar_exit_enabled": trade.protections.high_next_bar_exit_enabled if trade else False,
        "high_next_bar_exit_allowed": trade is not None and may_arm_high_next_bar(asset, trade),
        "next_bar_exit_allowed": trade is not None and may_arm_signal_target(asset, trade),
        "main_flip_exit_enabled": trade.protections.main_flip_exit_enabled if trade else False,
        "four_pt_invalidation_enabled": trade.protections.four_pt_invalidation_enabled if trade else False,
        "auto_exit_renko": "6pt",
        "scale_in_unlocked": trade.scale_in_available if trade else False,
        "scale_in_used": trade.scale_in_used if trade else False,
        "stop_loss_price": trade.stop_price if trade else None,
    }


def _stop_at_broker(desk: Desk, trade: Trade | None) -> Fields:
    """Return whether a stop of the trade rests, as the bridge told since the trade was opened (SPEC 6.7)."""
    live = desk.live
    if trade is None or live.stops is None or live.stops_at is None or live.stops_at <= trade.opened_at:
        return {"stop_resting": None, "resting_stop": None}
    resting = [stop for stop in live.stops if covers(stop, trade)]
    if not resting:
        return {"stop_resting": False, "resting_stop": None}
    first_reached = max if trade.side == "BUY" else min
    price = first_reached(stop.price for stop in resting)
    return {"stop_resting": True, "resting_stop": RestingStopState(sum(stop.qty for stop in resting), price)}


def _waiting(desk: Desk, asset: Asset) -> Fields:
    """Return the intent, the pre-order, and why the last pre-order became no order."""
    intent = asset.intent
    preorder = asset.preorder
    end = preorder_end(desk, asset)
    return {
        "intent_active": intent is not None and intent.is_active,
        "intent_status": intent.status if intent else "NONE",
        "preorder_active": preorder is not None and preorder.is_active,
        "preorder_direction": preorder.direction if preorder else None,
        "preorder_status": preorder.status if preorder else "NONE",
        "preorder_ends_ts": end.at if end else None,
        "preorder_reason": preorder.reason if preorder else None,
        "preorder_refusal": _refusal_of(preorder),
    }


def _refusal_of(preorder: PreOrder | None) -> Explanation | None:
    if preorder is None or isinstance(preorder.refusal, UnsetType):
        return None
    return explanation_view(preorder.refusal)


def _may_enter(desk: Desk, asset: Asset, now: Instant) -> tuple[Side, ...]:
    sides: tuple[Side, ...] = ("BUY", "SELL")
    return tuple([s for s in sides if first_closed(desk, EntryRequest(asset, s, is_attempt=True), now) is None])


def trade_view(trade: Trade, asset: Asset) -> TradeState:
    """Return the open trade with its excursion and its protective stop."""
    return TradeState(
        id=trade.id,
        side=trade.side,
        contract=trade.contract.symbol,
        quantity=trade.quantity,
        entry_price=trade.entry_price,
        opened_at=trade.opened_at,
        mode=trade.mode,
        zone=trade.zone,
        override=trade.override,
        open_points=asset.live.open_points,
        mae_points=asset.live.worst_points,
        mfe_points=asset.live.best_points,
        stop_points=trade.protections.stop_points,
        stop_price=trade.stop_price,
        **trade_distances(trade),
    )


def _due_exit(due: DueExit) -> DueExitState:
    return DueExitState(due.source, due.since, due.attempt, due.retry_at)
