"""The desk as clients read it: the JSON document of ``GET /api/state`` (SPEC 11), made purely of desk and now.

Top level: ``version now global assets orders history logs alerts``.

``global``: every name of SPEC 11, and ``limits`` (the rules in force), ``candle`` (start, end, length of the
candle), ``day_ends_ts``, ``simulated`` (a simulated market feeds the desk), ``snapshot_ts``.

``assets[symbol]``: every name of SPEC 11, and ``exchange tick_size point_size point_value price_ts
first_closed_gate may_enter`` (directions no gate refuses), ``zone_direction trade`` (the open trade or null),
``due_exit disagreement pending_kind pending_status pending_source heartbeat_flagged simulated``.
``exit_mode`` says what takes profit: ``POINTS_TP`` or ``STRUCTURE``. Each rung of ``ladder`` is
``gate state sentence reopens_at retry_after_s reopens``.

Names that end in ``_ts`` or ``_at`` are RFC 3339 UTC times, in ``_s`` seconds at the moment ``now``, in
``_usd`` US dollars, in ``_points`` points; prices are plain numbers.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.engine.day import day_end, drawdown_pct
from services.engine.events import TradeClosed
from services.engine.gates import EntryRequest, Rung, candle_is_unused, cooldown_is_over, first_closed, ladder
from services.engine.moments import candle_end, candle_start, is_younger, seconds_until
from services.engine.state import Alert, Asset, BrickStream, Desk, DueExit, Instant, Order, Side, Stream, Trade
from services.engine.zone import zone_of
from services.market.session import liquidity
from services.state_manager import Snapshot

Json = dict[str, Any]
BRIDGE_SEEN_SECONDS = 60  # SPEC 10
CONNECTIONS_EXPECTED = 2

FLAT_STREAM_NAMES = {  # SPEC 11: the contract's clients read these names
    Stream.ONE: "one_renko",
    Stream.TWO_HALF: "two_half_renko",
    Stream.FOUR: "renko",
    Stream.MAIN: "main_renko",
    Stream.HIGH: "high_renko",
    Stream.MACRO: "macro_renko",
}


def state_document(snapshot: Snapshot, logs: Json, now: Instant) -> Json:
    """Return the whole document as of ``now``."""
    return {**live_document(snapshot, now), "history": history_view(snapshot), "logs": logs}


def live_document(snapshot: Snapshot, now: Instant) -> Json:
    """Return the document without what only grows: history and logs."""
    desk = snapshot.desk
    return {
        "version": snapshot.version,
        "now": now,
        "global": global_view(snapshot, now),
        "assets": {symbol: asset_view(desk, asset, now) for symbol, asset in desk.assets.items()},
        "orders": [order_view(order) for order in desk.orders.values()],
        "alerts": [alert_view(alert) for alert in reversed(desk.alerts)],
    }


def history_view(snapshot: Snapshot) -> list[Json]:
    """Return the last closed trades, newest first."""
    return [trade_row(trade) for trade in snapshot.history]


def global_view(snapshot: Snapshot, now: Instant) -> Json:
    """Return the desk-wide part: connections, locks, day, limits."""
    desk = snapshot.desk
    simulated = any(asset.live.simulated for asset in desk.assets.values())
    return {
        "env": desk.env,
        "store": snapshot.store,
        "simulated": simulated,
        **_account(desk),
        **_connections(desk, now),
        **_locks(desk, now),
        **_day(desk, now),
        "limits": _limits(desk),
    }


def _account(desk: Desk) -> Json:
    live = desk.live
    return {
        "equity": live.equity,
        "open_pnl": live.open_pnl,
        "realized_pnl": live.realized_pnl,
        "snapshot_ts": live.snapshot_at,
        "account": live.account,
        "trade_route": live.trade_route,
    }


def _connections(desk: Desk, now: Instant) -> Json:
    max_age = desk.rules.heartbeat_max_age_seconds
    tradingview = any(is_younger(asset.live.last_heartbeat_at, max_age, now) for asset in desk.assets.values())
    heard_at = desk.live.bridge_heard_at
    rithmic = is_younger(heard_at, BRIDGE_SEEN_SECONDS, now)
    return {
        "connected": tradingview and rithmic,
        "connected_count": tradingview + rithmic,
        "connected_expected": CONNECTIONS_EXPECTED,
        "tradingview_connected": tradingview,
        "rithmic_connected": rithmic,
        "rithmic_last_ts": heard_at,
        "ts_connected": desk.live.ts_connected,
        "md_connected": desk.live.md_connected,
    }


def _locks(desk: Desk, now: Instant) -> Json:
    nobody = EntryRequest(next(iter(desk.assets.values()))) if desk.assets else None
    candle_ends = candle_end(desk.locks.candle_used, desk.rules.candle_seconds) if desk.locks.candle_used else None
    candle_held = nobody is not None and not candle_is_unused(desk, nobody, now).is_open
    cooling = nobody is not None and not cooldown_is_over(desk, nobody, now).is_open
    until = desk.locks.cooldown_until
    start = candle_start(now, desk.rules.candle_seconds)
    return {
        "five_min_trade_lock_active": candle_held,
        "five_min_trade_lock_remaining_s": seconds_until(candle_ends, now) if candle_held and candle_ends else 0,
        "five_min_trade_lock_expires_ts": candle_ends if candle_held else None,
        "post_exit_lock_active": cooling,
        "post_exit_lock_remaining_s": seconds_until(until, now) if cooling and until else 0,
        "post_exit_lock_expires_ts": until if cooling else None,
        "candle": {
            "started_at": start,
            "ends_at": candle_end(start, desk.rules.candle_seconds),
            "seconds": desk.rules.candle_seconds,
        },
    }


def _day(desk: Desk, now: Instant) -> Json:
    day, rules, equity = desk.day, desk.rules, desk.live.equity
    drawdown = drawdown_pct(desk)
    known = day.start_equity is not None and equity is not None
    low, reason = liquidity(now)
    return {
        "trading_day": day.trading_day,
        "day_ends_ts": day_end(day.trading_day, rules.day_roll),
        "daily_stop_enabled": True,
        "daily_stop_limit_pct": rules.daily_stop_limit_pct,
        "daily_stop_triggered": day.is_stopped,
        "daily_stop_triggered_reason": day.daily_stop_reason,
        "daily_start_equity": day.start_equity,
        "daily_pnl_usd": equity - day.start_equity if known and equity and day.start_equity else None,
        "daily_pnl_pct": -drawdown if drawdown is not None else None,
        "max_trades_per_day": rules.max_trades_per_day,
        "trades_taken_today": day.trades_taken,
        "trades_remaining_today": max(0, rules.max_trades_per_day - day.trades_taken),
        "low_liquidity_today": low,
        "low_liquidity_reason": reason,
    }


def _limits(desk: Desk) -> Json:
    rules = desk.rules
    return {name: getattr(rules, name) for name in rules.__struct_fields__ if name != "contracts"}


def asset_view(desk: Desk, asset: Asset, now: Instant) -> Json:
    """Return one asset: prices, bricks, ladder, trade."""
    rungs = ladder(desk, EntryRequest(asset), now)
    return {
        "symbol": asset.symbol,
        **_contract(asset),
        **_prices(asset),
        **_pending(desk.open_order(asset.symbol)),
        **_bricks(asset, now),
        **_managed(asset),
        **_not_offered_yet(),
        "trade": trade_view(asset.trade, asset) if asset.trade else None,
        "due_exit": _due_exit(asset.due_exit) if asset.due_exit else None,
        "disagreement": asset.disagreement.broker_position if asset.disagreement else None,
        "first_closed_gate": next((rung.gate for rung in rungs if not rung.is_open), None),
        "may_enter": _may_enter(desk, asset, now),
        "ladder": [rung_view(rung, now) for rung in rungs],
    }


def _contract(asset: Asset) -> Json:
    contract = asset.trade.contract if asset.trade else asset.contract
    return {
        "contract": contract.symbol,
        "exchange": contract.exchange,
        "tick_size": contract.tick_size,
        "point_size": contract.point_size,
        "point_value": contract.point_value,
    }


def _prices(asset: Asset) -> Json:
    trade, live = asset.trade, asset.live
    pnl = None
    if trade is not None and live.open_points is not None:
        pnl = live.open_points * trade.quantity * trade.contract.point_value
    return {
        "position": asset.position,
        "avg_price": trade.entry_price if trade else None,
        "pnl": pnl,
        "rithmic_open_points": live.open_points if trade else None,
        "last_price": live.last_price,
        "price_ts": live.price_at,
        "last_heartbeat_ts": live.last_heartbeat_at,
        "heartbeat_flagged": live.heartbeat_flagged,
        "simulated": live.simulated,
    }


def _pending(order: Order | None) -> Json:
    return {
        "pending_order_id": order.id if order else None,
        "pending_kind": order.kind if order else None,
        "pending_side": order.side if order else None,
        "pending_qty": order.qty if order else None,
        "pending_status": order.status if order else None,
        "pending_source": order.source if order else None,
    }


def _bricks(asset: Asset, now: Instant) -> Json:
    zone, tempo = zone_of(asset.stack), asset.tempo
    streams: Json = {}
    for stream, name in FLAT_STREAM_NAMES.items():
        brick: BrickStream = asset.stream(stream)
        streams[f"{name}_color"] = brick.color
        streams[f"{name}_ts"] = brick.at
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


def _managed(asset: Asset) -> Json:
    """Return how the open trade is managed; flat, what a new SCALP would start with."""
    trade = asset.trade
    unlocked = trade is not None and not is_management_locked(asset, trade)
    stands = trade is not None
    return {
        "trade_mode": trade.mode if trade else None,
        "exit_mode": ("POINTS_TP" if trade.points_tp_enabled else "STRUCTURE") if trade else None,
        "entry_zone": trade.zone if trade else None,
        "initial_exit_lock_active": trade.initial_exit_locked if trade else False,
        "two_half_tp_lock_enabled": trade is not None and not unlocked,
        "points_tp_enabled": trade.points_tp_enabled if trade else False,
        "points_tp_target": trade.points_tp_target if trade else None,
        "protect_enabled": trade.protect_enabled if trade else False,
        "protect_threshold_points": trade.protect_threshold_points if trade else None,
        "tp_armed": trade.tp_armed if trade else False,
        "tp_target": trade.tp_target if trade else None,
        "tp_count": trade.tp_count if trade else 0,
        "high_next_bar_exit_enabled": trade.high_next_bar_exit_enabled if trade else False,
        "high_next_bar_exit_allowed": stands and (unlocked or _no_brick_since_entry(asset, Stream.HIGH)),
        "next_bar_exit_allowed": stands and (unlocked or _no_brick_since_entry(asset, Stream.MAIN)),
        "main_flip_exit_enabled": trade.main_flip_exit_enabled if trade else False,
        "four_pt_invalidation_enabled": trade.four_pt_invalidation_enabled if trade else False,
        "auto_exit_renko": "6pt",
        "scale_in_available": trade.scale_in_available if trade else False,
        "scale_in_used": trade.scale_in_used if trade else False,
        "stop_loss_price": trade.stop_price if trade else None,
    }


def is_management_locked(asset: Asset, trade: Trade) -> bool:
    """Tell whether the 2.5pt stream locks the trade's protections: with the trade or neutral (SPEC 6.2)."""
    opposing = "red" if trade.side == "BUY" else "green"
    return asset.stack.two_half.color != opposing


def _no_brick_since_entry(asset: Asset, stream: Stream) -> bool:
    brick_at = asset.stack.of(stream).at
    return asset.trade is not None and (brick_at is None or brick_at <= asset.trade.opened_at)


def _not_offered_yet() -> Json:
    """Return the names of SPEC 11 for ways in that this version does not have: always off."""
    return {
        "intent_active": False,
        "intent_status": "NONE",
        "preorder_active": False,
        "preorder_direction": None,
        "preorder_status": "NONE",
    }


def _may_enter(desk: Desk, asset: Asset, now: Instant) -> list[Side]:
    sides: tuple[Side, ...] = ("BUY", "SELL")
    return [s for s in sides if first_closed(desk, EntryRequest(asset, s, is_attempt=True), now) is None]


def rung_view(rung: Rung, now: Instant) -> Json:
    """Return one gate of the ladder as it stands now."""
    return {
        "gate": rung.gate,
        "state": "open" if rung.is_open else "closed",
        "sentence": rung.sentence,
        "reopens_at": rung.reopens_at,
        "retry_after_s": seconds_until(rung.reopens_at, now) if rung.reopens_at else None,
        "reopens": rung.reopens,
    }


def trade_view(trade: Trade, asset: Asset) -> Json:
    """Return the open trade."""
    return {
        "id": trade.id,
        "side": trade.side,
        "contract": trade.contract.symbol,
        "quantity": trade.quantity,
        "entry_price": trade.entry_price,
        "opened_at": trade.opened_at,
        "mode": trade.mode,
        "zone": trade.zone,
        "override": trade.override,
        "open_points": asset.live.open_points,
        "mae_points": asset.live.worst_points,
        "mfe_points": asset.live.best_points,
        "stop_points": trade.stop_points,
        "stop_price": trade.stop_price,
    }


def _due_exit(due: DueExit) -> Json:
    return {"source": due.source, "since": due.since, "attempt": due.attempt, "retry_at": due.retry_at}


def order_view(order: Order) -> Json:
    """Return an order as the operator reads it: ``symbol`` is the contract, ``asset`` the operator's symbol."""
    return {
        "id": order.id,
        "asset": order.asset,
        "symbol": order.contract.symbol,
        "exchange": order.contract.exchange,
        "side": order.side,
        "qty": order.qty,
        "kind": order.kind,
        "status": order.status,
        "source": order.source,
        "mode": order.mode,
        "env": order.env,
        "filled_qty": order.filled_qty,
        "created_at": order.created_at,
        "expires_at": order.expires_at,
        "owner": order.owner,
        "reason": order.reason,
    }


def handover_view(order: Order, redelivered: bool) -> Json:
    """Return an order as a bridge reads it: ``asset`` is the contract (the contract's word), ``root`` ours."""
    return {
        "id": order.id,
        "client_order_id": order.id,
        "asset": order.contract.symbol,
        "root": order.asset,
        "exchange": order.contract.exchange,
        "side": order.side,
        "qty": order.qty,
        "mode": order.mode,
        "env": order.env,
        "kind": order.kind,
        "source": order.source,
        "stop_points": order.stop_points,
        "tick_size": order.contract.tick_size,
        "point_size": order.contract.point_size,
        "point_value": order.contract.point_value,
        "created_at": order.created_at,
        "expires_at": order.expires_at,
        "redelivered": redelivered,
    }


def trade_row(trade: TradeClosed) -> Json:
    """Return a closed trade: the names of SPEC 11's history."""
    return {name: getattr(trade, name) for name in trade.__struct_fields__}


def alert_view(alert: Alert) -> Json:
    return {name: getattr(alert, name) for name in alert.__struct_fields__}
