"""The state document as models (SPEC 11): what ``services/views/state_view.py`` writes, described name by name."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from routes.http.words import Instant, Number, TradingDay
from wire.types import (
    Color,
    EntryZone,
    Env,
    IntentStatus,
    OrderKind,
    OrderStatus,
    PreOrderStatus,
    Side,
    TradeMode,
)

Facts = dict[str, str | int | float | bool]


class Explanation(BaseModel):
    """Why something was refused: a stable code, a headline, the rest in words, and the facts in it."""

    code: str
    title: str
    detail: str
    facts: Facts


class LockState(BaseModel):
    """One temporary refusal: whether it holds, what it stops, and what ends it."""

    lock: str
    held: bool
    until: Instant | None
    stops: str
    ends: str


class Rung(BaseModel):
    """One gate as it stands: closed, it says why and when or by what it opens."""

    gate: str
    state: Literal["open", "closed"]
    sentence: str | None
    reopens_at: Instant | None
    retry_after_s: int | None
    reopens: str | None
    code: str | None = Field(description="why it is closed")
    title: str | None
    detail: str | None = Field(description="without the time that is left, which is the fact remaining_s")
    facts: Facts
    binds: list[Literal["market", "preorder", "intent", "scale_in"]] = Field(
        description="what this gate can refuse: a market entry, placing a pre-order or an intent, a scale-in"
    )


class OrderRow(BaseModel):
    """An order as the operator reads it: ``symbol`` is the contract, ``asset`` the operator's symbol."""

    id: str
    asset: str
    symbol: str
    exchange: str
    side: Side
    qty: int
    kind: OrderKind
    status: OrderStatus
    source: str
    mode: str
    env: Env
    filled_qty: int
    created_at: Instant
    expires_at: Instant | None
    owner: str | None
    reason: str | None


class TradeState(BaseModel):
    """The open trade."""

    id: str
    side: Side
    contract: str
    quantity: int
    entry_price: Number
    opened_at: Instant
    mode: TradeMode
    zone: EntryZone
    override: bool
    open_points: Number | None
    mae_points: Number | None
    mfe_points: Number | None
    stop_points: Number
    stop_price: Number


class DueExitState(BaseModel):
    """An exit that came due and is not yet an order."""

    source: str
    since: Instant
    attempt: int
    retry_at: Instant | None


class AssetState(BaseModel):
    """All of one symbol: prices, bricks, ladder, what waits, the open trade and how it is managed."""

    symbol: str
    contract: str
    exchange: str
    tick_size: Number
    point_size: Number
    point_value: Number
    position: int = Field(description="signed contracts: long positive, short negative")
    avg_price: Number | None
    pnl: Number | None
    rithmic_open_points: Number | None
    last_price: Number | None
    price_ts: Instant | None
    last_heartbeat_ts: Instant | None
    heartbeat_flagged: bool
    simulated: bool
    pending_order_id: str | None
    pending_kind: OrderKind | None
    pending_side: Side | None
    pending_qty: int | None
    pending_status: OrderStatus | None
    pending_source: str | None
    one_renko_color: Color
    one_renko_ts: Instant | None
    two_half_renko_color: Color
    two_half_renko_ts: Instant | None
    renko_color: Color = Field(description="4pt")
    renko_ts: Instant | None
    main_renko_color: Color
    main_renko_ts: Instant | None
    high_renko_color: Color
    high_renko_ts: Instant | None
    macro_renko_color: Color
    macro_renko_ts: Instant | None
    zone_type: str | None
    zone_direction: Side | None
    conflict_mode: bool
    tempo_ready: bool
    tempo_color: Color
    tempo_ts: Instant | None
    tempo_age_s: int | None
    trade_mode: TradeMode | None
    exit_mode: Literal["POINTS_TP", "STRUCTURE"] | None
    entry_zone: EntryZone | None
    initial_exit_lock_active: bool
    two_half_tp_lock_enabled: bool
    points_tp_enabled: bool
    points_tp_target: Number | None
    protect_enabled: bool
    protect_threshold_points: Number | None
    tp_armed: bool
    tp_target: int | None
    tp_count: int
    high_next_bar_exit_enabled: bool
    high_next_bar_exit_allowed: bool
    next_bar_exit_allowed: bool
    main_flip_exit_enabled: bool
    four_pt_invalidation_enabled: bool
    auto_exit_renko: Literal["6pt"]
    scale_in_available: bool
    scale_in_used: bool
    stop_loss_price: Number | None
    intent_active: bool
    intent_status: Literal["NONE"] | IntentStatus
    preorder_active: bool
    preorder_direction: Side | None
    preorder_status: Literal["NONE"] | PreOrderStatus
    preorder_reason: str | None
    preorder_refusal: Explanation | None = Field(description="the desk's refusal, when that ended the pre-order")
    trade: TradeState | None
    due_exit: DueExitState | None
    disagreement: int | None = Field(description="the position the broker reports, while it is another one")
    first_closed_gate: str | None
    may_enter: list[Side]
    locks: list[LockState]
    ladder: list[Rung]


class CandleState(BaseModel):
    """The candle of the candle lock that runs now."""

    started_at: Instant
    ends_at: Instant
    seconds: int


class LimitsState(BaseModel):
    """The rules in force."""

    cooldown_seconds: int
    candle_seconds: int
    entry_ttl_seconds: int
    heartbeat_max_age_seconds: int
    bridge_max_age_seconds: int
    max_trades_per_day: int
    daily_stop_limit_pct: Number
    entry_qty_6pt: int
    entry_qty_9pt: int
    scale_in_qty: int
    stop_points: Number
    points_tp_target: Number
    two_half_filter: bool
    day_roll: str


class GlobalState(BaseModel):
    """The desk-wide part: account, connections, locks, day, limits."""

    env: Env
    store: Literal["up", "down"]
    role: Literal["writer", "standby"]
    writer: str
    simulated: bool
    equity: Number | None
    open_pnl: Number | None
    realized_pnl: Number | None
    snapshot_ts: Instant | None
    account: str | None
    trade_route: str | None
    connected: bool
    connected_count: int
    connected_expected: int
    tradingview_connected: bool
    rithmic_connected: bool
    rithmic_last_ts: Instant | None
    ts_connected: bool
    md_connected: bool
    five_min_trade_lock_active: bool
    five_min_trade_lock_remaining_s: int
    five_min_trade_lock_expires_ts: Instant | None
    post_exit_lock_active: bool
    post_exit_lock_remaining_s: int
    post_exit_lock_expires_ts: Instant | None
    candle: CandleState
    trading_day: TradingDay
    day_ends_ts: Instant
    daily_stop_enabled: bool
    daily_stop_limit_pct: Number
    daily_stop_triggered: bool
    daily_stop_triggered_reason: str | None
    daily_stop_warned_pct: int
    daily_start_equity: Number | None
    daily_pnl_usd: Number | None
    daily_pnl_pct: Number | None
    max_trades_per_day: int
    trades_taken_today: int
    trades_remaining_today: int
    last_try_ts: Instant | None = Field(description="last refused entry, override or locked exit, of any day")
    low_liquidity_today: bool
    low_liquidity_reason: str | None
    limits: LimitsState
    limits_pending: dict[str, Number | bool | str] = Field(description="what changes at the next trading day")


class TradeRow(BaseModel):
    """A closed trade."""

    id: str
    asset: str
    contract: str
    side: Side
    size: int
    entry_price: Number
    exit_price: Number
    entry_ts: Instant
    exit_ts: Instant
    pnl_points: Number
    pnl_usd: Number
    mae_points: Number
    mfe_points: Number
    mode: TradeMode
    zone: EntryZone
    reason: str
    env: Env
    override: bool
    forced_exit: bool


class LogRow(BaseModel):
    """One message heard, and how often it came in a row."""

    ts: Instant
    kind: str
    asset: str | None
    text: str
    outcome: str
    count: int
    code: str = Field(description="the outcome for programs")
    title: str | None = Field(None, description="of a refusal")
    detail: str | None = Field(None, description="of a refusal")
    facts: Facts | None = Field(None, description="what the outcome says, if it says more than its code")


class Logs(BaseModel):
    """The last messages of each feed, newest first."""

    tradingview: list[LogRow]
    rithmic: list[LogRow]


class AlertRow(BaseModel):
    """Something a person must know."""

    at: Instant
    code: str
    title: str
    detail: str
    facts: Facts = Field(description="empty in an alert that an earlier version raised")
    level: Literal["info", "warning", "critical"]
    sentence: str
    asset: str | None
    over: bool | None = Field(description="its cause has ended; null when it does not last, or nobody can tell")
    over_at: Instant | None = Field(description="since when, null when that is not known")


class StateDocument(BaseModel):
    """The whole desk as of ``now``. Names in ``_ts`` and ``_at`` are times, in ``_s`` seconds, in ``_usd`` dollars."""

    model_config = ConfigDict(populate_by_name=True)

    version: int
    now: Instant
    desk: GlobalState = Field(alias="global")
    assets: dict[str, AssetState]
    orders: list[OrderRow] = Field(description="open orders")
    history: list[TradeRow] = Field(description="the last 100 trades, newest first")
    logs: Logs
    level_exit_ts: dict[str, Instant] = Field(
        description="when each asset's last level exit was received, as far as the log remembers"
    )
    alerts: list[AlertRow]
