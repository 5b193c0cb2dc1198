"""The state document (``wire/state.py``, SPEC 11), computed from the desk and the time alone."""

from __future__ import annotations

from msgspec import structs

from services.desk.publication import Snapshot
from services.engine.model.state import Desk
from services.engine.model.times import candle_end, candle_start, is_younger, seconds_until
from services.engine.model.trading_day import day_end, drawdown_pct
from services.engine.rules.beliefs import day_result, start_of
from services.engine.rules.gates import candle_is_unused, cooldown_is_over
from services.engine.rules.larger_contracts import waiting_contracts
from services.engine.rules.limits import adopting, pending_from, pending_limits
from services.engine.rules.overrides import overrides_left
from services.engine.rules.store_doubt import open_store_doubt
from services.engine.rules.verdicts import EntryRequest
from services.engine.steps.feed_watch import BRIDGE_SEEN_SECONDS
from services.market.liquidity import liquidity_of
from services.views.asset_view import asset_view
from services.views.firm_view import firm_view
from services.views.risk_view import desk_risk
from services.views.rows import Fields, alert_view, order_view, trade_row
from services.views.window_view import window_view
from wire.state import (
    AccountBelief,
    Activity,
    BridgeFenceState,
    CandleState,
    ForeignPosition,
    GlobalState,
    LimitsState,
    LiveDocument,
    StateDocument,
    TradeRow,
)
from wire.types import Instant
from wire.window import StoreDoubtState

CONNECTIONS_EXPECTED = 2


def state_document(snapshot: Snapshot, activity: Activity, now: Instant) -> StateDocument:
    """Return the whole document as of ``now``; ``activity`` comes from ``ActivityLog.as_document``."""
    return whole_document(live_document(snapshot, now), snapshot, activity)


def whole_document(live: LiveDocument, snapshot: Snapshot, activity: Activity) -> StateDocument:
    """Return the live document with history and logs added."""
    return StateDocument(
        version=live.version,
        now=live.now,
        desk=live.desk,
        assets=live.assets,
        orders=live.orders,
        alerts=live.alerts,
        history=history_view(snapshot),
        logs=activity.logs,
        level_exit_ts=activity.level_exit_ts,
    )


def live_document(snapshot: Snapshot, now: Instant) -> LiveDocument:
    """Return the document without history and logs, which are sent apart because they are long."""
    desk = snapshot.desk
    return LiveDocument(
        version=snapshot.version,
        now=now,
        desk=global_view(snapshot, now),
        assets={symbol: asset_view(desk, asset, now) for symbol, asset in desk.assets.items()},
        orders=tuple([order_view(order) for order in desk.orders.values()]),
        alerts=tuple([alert_view(alert, desk, snapshot.ended) for alert in reversed(desk.alerts)]),
    )


def history_view(snapshot: Snapshot) -> tuple[TradeRow, ...]:
    """Return the last closed trades, newest first."""
    return tuple([trade_row(trade) for trade in snapshot.history])


def global_view(snapshot: Snapshot, now: Instant) -> GlobalState:
    """Return the desk-wide fields: connections, locks, day, limits."""
    desk = snapshot.desk
    simulated = any(asset.live.is_simulated for asset in desk.assets.values())
    return GlobalState(
        env=desk.env,
        store=snapshot.store,
        role=snapshot.role,
        writer=snapshot.writer,
        simulated=simulated,
        **_account(desk),
        **_connections(desk, now),
        **_locks(desk, now),
        **_day(desk, now),
        last_try_ts=snapshot.tried_at,
        firm=firm_view(desk, now),
        limits=_limits(desk),
        risk=desk_risk(desk, now),
        contracts_pending={symbol: contract.symbol for symbol, contract in waiting_contracts(desk).items()},
        limits_pending=pending_limits(desk),
        limits_pending_from=pending_from(desk),
        window=window_view(desk, now),
    )


def _account(desk: Desk) -> Fields:
    live = desk.live
    return {
        "equity": live.equity,
        "open_pnl": live.open_pnl,
        "realized_pnl": live.realized_pnl,
        "snapshot_ts": live.snapshot_at,
        "account": live.account,
        "account_belief": _account_belief(desk),
        "trade_route": live.trade_route,
        "store_doubt": _store_doubt(desk),
        "bridge_fence": _bridge_fence(desk),
        "foreign_positions": tuple([ForeignPosition(**structs.asdict(held)) for held in desk.foreign]),
    }


def _bridge_fence(desk: Desk) -> BridgeFenceState:
    fence = desk.live.fence
    if fence is None:
        return BridgeFenceState(None, None, desk.refused_bridge)
    return BridgeFenceState(fence.instance, fence.heard_at, desk.refused_bridge)


def _store_doubt(desk: Desk) -> StoreDoubtState | None:
    doubt = open_store_doubt(desk)
    return None if doubt is None else StoreDoubtState(doubt.code, doubt.detail, doubt.since)


def _account_belief(desk: Desk) -> AccountBelief:
    beliefs = desk.live.beliefs
    believed = beliefs.believed
    suspicion = beliefs.suspicion
    awaited = None if desk.day.is_stopped else desk.day.books.awaited
    result = day_result(desk)
    return AccountBelief(
        balance_ts=None if believed is None else believed.at,
        name=None if believed is None else believed.account,
        suspect=None if suspicion is None else suspicion.code,
        suspect_balance=None if suspicion is None else suspicion.reading.balance,
        suspect_account=None if suspicion is None else suspicion.reading.account,
        unexplained_usd=None if suspicion is None else suspicion.unexplained,
        suspect_since=None if suspicion is None else suspicion.since,
        assumed_start_equity=start_of(desk) if desk.day.start_equity is None else None,
        result_by_balance_usd=result.balance,
        result_by_broker_usd=result.figures,
        result_by_books_usd=result.books,
        second_reading_awaited_ts=None if awaited is None else awaited.since,
        second_reading_loss_usd=None if awaited is None else awaited.loss,
    )


def _connections(desk: Desk, now: Instant) -> Fields:
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


def _locks(desk: Desk, now: Instant) -> Fields:
    nobody = EntryRequest(next(iter(desk.assets.values()))) if desk.assets else None
    candle_ends = desk.locks.candle_until
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
        "candle": CandleState(start, candle_end(start, desk.rules.candle_seconds), desk.rules.candle_seconds),
    }


def _day(desk: Desk, now: Instant) -> Fields:
    day = desk.day
    rules = desk.rules
    equity = desk.live.equity
    drawdown = drawdown_pct(desk)
    known = day.start_equity is not None and equity is not None
    low, reason = liquidity_of(desk.assets, now)
    return {
        "trading_day": day.trading_day,
        "day_ends_ts": day_end(day.trading_day, rules.day_roll),
        "daily_stop_enabled": True,
        "daily_stop_limit_pct": rules.daily_stop_limit_pct,
        "daily_stop_triggered": day.is_stopped,
        "daily_stop_triggered_reason": day.daily_stop_reason,
        "daily_stop_warned_pct": day.warned_pct,
        "daily_start_equity": day.start_equity,
        "daily_pnl_usd": equity - day.start_equity if known and equity and day.start_equity else None,
        "daily_pnl_pct": -drawdown if drawdown is not None else None,
        "max_trades_per_day": rules.max_trades_per_day,
        "trades_taken_today": day.trades_taken,
        "trades_remaining_today": max(0, rules.max_trades_per_day - day.trades_taken),
        "overrides_taken_today": day.overrides_taken,
        "overrides_left_today": overrides_left(desk),
        "low_liquidity_today": low,
        "low_liquidity_reason": reason,
    }


def _limits(desk: Desk) -> LimitsState:
    rules = {name: getattr(desk.rules, name) for name in LimitsState.__struct_fields__}
    return LimitsState(**{**rules, "adopt": adopting(desk)})
