"""The document of ``GET /api/state``. The stream begins with the same document (SPEC 11).

Names that end in ``_ts`` or ``_at`` are RFC 3339 UTC times, in ``_s`` seconds at the moment ``now``, in ``_usd`` US
dollars, in ``_points`` points, in ``_pct`` percent. Prices are plain numbers in the contract's price.
``services/views`` builds these; the JSON, its JSON Schema and the OpenAPI document come from them.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from wire.asset import AssetState, Facts
from wire.firm import FirmState
from wire.risk import DeskRisk
from wire.types import (
    Adopting,
    AwareTime,
    EntryZone,
    Env,
    OrderKind,
    OrderStatus,
    Points,
    Price,
    Side,
    TradeMode,
    Usd,
    says,
)
from wire.window import StoreDoubtState, WindowState

LIMIT_VALUE = Meta(extra_json_schema={"anyOf": [{"type": t} for t in ("number", "boolean", "string", "null")]})


class OrderRow(Struct, frozen=True, kw_only=True):
    """An order. ``symbol`` is the contract, ``asset`` the operator's symbol."""

    id: str
    asset: Annotated[str, says("the operator's symbol, such as ES")]
    symbol: Annotated[str, says("the contract, such as MESZ6")]
    exchange: str
    side: Side
    qty: Annotated[int, says("contracts that were ordered")]
    kind: OrderKind
    status: OrderStatus
    source: Annotated[str, says("who or what asked for it: the operator, an exit rule")]
    mode: str
    env: Env
    filled_qty: Annotated[int, says("contracts filled so far")]
    created_at: AwareTime
    expires_at: Annotated[AwareTime | None, says("an entry that nobody took by then ends; null for an exit")]
    owner: Annotated[str | None, says("the bridge that claimed it; null while none has")]
    reason: Annotated[str | None, says("why it ended unfilled; null when nobody said so")]
    claimed_at: Annotated[AwareTime | None, says("when a bridge took it; null while none has")]
    reported_at: Annotated[AwareTime | None, says("when its bridge last told something new; null before")]
    fate_unknown_at: Annotated[AwareTime | None, says("since when nobody knows what became of it; null: it is known")]
    proposal: Annotated[str | None, says("the proposal that an entry took; null for every other order")] = None
    by: Annotated[str | None, says("service for an exit that a program beside the desk asked for")] = None


class ForeignPosition(Struct, frozen=True):
    """A position of the broker in a contract that the desk does not trade."""

    symbol: Annotated[str, says("the contract, as the bridge spelled it when nobody knows it")]
    position: Annotated[int, says("contracts, short below 0")]
    since: AwareTime
    asset: Annotated[str | None, says("the operator's symbol of its roots; null when nobody knows it")]
    expired: Annotated[bool, says("its delivery is long over, nobody can hold it")]
    accepted: Annotated[bool, says("the operator has accepted it; it closes no gate")]


class AccountBelief(Struct, frozen=True, kw_only=True):
    """What the desk believes of the account, and the day's result in three ways."""

    balance_ts: Annotated[AwareTime | None, says("when the last believed balance was heard; null before the first")]
    name: Annotated[str | None, says("the account of the last believed balance; null until it is named")]
    suspect: Annotated[
        Literal["jump", "other_account", "loss_denied", "books_denied"] | None,
        says("why the newest balance is not believed; null: it is"),
    ]
    suspect_balance: Annotated[Usd | None, says("USD; null while none is suspect")]
    suspect_account: Annotated[str | None, says("whose the suspect balance is; null while none is suspect")]
    unexplained_usd: Annotated[Usd | None, says("what of it nothing explains; null while none is suspect")]
    suspect_since: Annotated[AwareTime | None, says("null while none is suspect")]
    assumed_start_equity: Annotated[
        Usd | None, says("what the daily stop reckons with before the day's first balance; null once it is there")
    ]
    result_by_balance_usd: Annotated[Usd | None, says("the day's result; null before its first balance")]
    result_by_broker_usd: Annotated[Usd | None, says("by the broker's realized + unrealized; null when not told")]
    result_by_books_usd: Annotated[
        Usd, says("by the desk's own fills and prices less commissions, since the day rolled")
    ]
    second_reading_awaited_ts: Annotated[
        AwareTime | None, says("since when a first reading at the daily stop awaits a second; null: none does")
    ]
    second_reading_loss_usd: Annotated[Usd | None, says("the loss of that first reading; null: none awaits")]


class BridgeFenceState(Struct, frozen=True):
    """Which bridge process claims orders, and which other one is refused meanwhile."""

    holder: Annotated[str | None, says("the instance that claims; null until one with an instance is heard")]
    holder_ts: Annotated[AwareTime | None, says("when it was last heard; null without one")]
    refused: Annotated[str | None, says("the instance whose claims are refused; null when none is")]


class CandleState(Struct, frozen=True):
    """The current candle of the candle lock."""

    started_at: AwareTime
    ends_at: AwareTime
    seconds: Annotated[int, says("its length")]


class LimitsState(Struct, frozen=True, kw_only=True):
    """The rules in force."""

    cooldown_seconds: Annotated[int, says("seconds without an entry after an exit")]
    candle_seconds: Annotated[int, says("length of the candle that takes one entry")]
    entry_ttl_seconds: Annotated[int, says("seconds after which an entry that nobody took ends")]
    fate_seconds: Annotated[int, says("seconds without a report after which an order's fate is unknown")]
    exit_beside_seconds: Annotated[int, says("seconds that an exit waits for a claimed entry")]
    initial_lock_seconds: Annotated[int, says("seconds after an entry for which a manual exit is locked, at most")]
    preorder_seconds: Annotated[int, says("seconds after which a pre-order without a 6pt brick ends")]
    heartbeat_max_age_seconds: Annotated[int, says("seconds without a heartbeat that close the ladder")]
    bridge_max_age_seconds: Annotated[int, says("seconds without the bridge that close the ladder")]
    brick_max_age_hours: Annotated[int, says("hours of session after which a brick's colour is stale")]
    max_trades_per_day: int
    overrides_per_day: Annotated[int, says("entries and pre-orders against the zone")]
    daily_stop_limit_pct: Annotated[Decimal, says("percent of the day's first equity")]
    entry_qty_6pt: Annotated[int, says("contracts of an entry of size 6pt")]
    entry_qty_9pt: Annotated[int, says("contracts of an entry of size 9pt")]
    scale_in_qty: Annotated[int, says("contracts of a scale-in")]
    stop_points: Annotated[Points, says("points from an entry to its protective stop")]
    points_tp_target: Annotated[Points, says("points a new trade's take-profit starts with")]
    max_risk_per_order_pct: Annotated[Decimal, says("percent of start equity that one order may risk")]
    max_contracts: Annotated[Decimal | None, says("full-size contracts of all assets at once; null: off")]
    max_contracts_correlated: Annotated[Decimal | None, says("the same of ES, NQ, YM and RTY; null: off")]
    two_half_filter: Annotated[bool, says("whether the 2.5pt brick is a gate")]
    demo_equity: Annotated[Usd, says("USD that DEMO reckons with until a balance is heard")]
    old_bridge_live: Annotated[bool, says("a bridge that does not say where it executes may trade LIVE")]
    adopt: Annotated[Adopting, says("whether an adopted position is taken out while the day forbids entries")]
    day_roll: Annotated[str, says("when the trading day ends, New York time")]
    firm_buffer_pct: Annotated[Decimal, says("percent of a firm's loss limit that the desk keeps back")]
    trading_hours: Annotated[str | None, says("hours in which entries pass, New York time; null: at any time")]
    no_entry_after_open: Annotated[int | None, says("minutes after a session opens without entries; null: none")]
    no_entry_before_close: Annotated[int | None, says("minutes before a session closes without entries; null: none")]
    flat_by: Annotated[str | None, says("New York time from which nothing is held; null: off")]
    loss_streak: Annotated[int | None, says("losing trades in a row after which entries pause; null: off")]
    loss_pause_minutes: Annotated[int, says("minutes of that pause")]
    cooldown_after_loss: Annotated[int | None, says("seconds without an entry after a losing trade; null: as others")]
    weekly_loss_pct: Annotated[Decimal | None, says("percent of the week's start equity; null: off")]
    weekly_loss_usd: Annotated[Usd | None, says("the week's net loss that ends its entries; null: off")]
    max_trades_per_week: Annotated[int | None, says("entries of a week; null: off")]
    give_back_usd: Annotated[Usd | None, says("USD below the day's best that end its entries; null: off")]
    profit_lock_usd: Annotated[Usd | None, says("the day's result that ends its entries; null: off")]
    commissions: Annotated[
        dict[str, Usd], says("USD per contract and side by product; of others only what the broker tells is known")
    ]


class GlobalState(Struct, frozen=True, kw_only=True):
    """The desk-wide part: account, connections, locks, day, limits."""

    env: Annotated[Env, says("what new orders carry")]
    store: Annotated[Literal["up", "down"], says("whether decisions can be stored")]
    role: Annotated[Literal["writer", "standby"], says("whether this process decides or only reads")]
    writer: Annotated[str, says("the name of the process that decides")]
    simulated: Annotated[bool, says("a simulated market feeds the desk")]
    equity: Annotated[Usd | None, says("USD with open PnL, the last balance that was believed; null before")]
    open_pnl: Annotated[Usd | None, says("USD, as the broker says; null until it is told")]
    realized_pnl: Annotated[Usd | None, says("USD, as the broker says; null until it is told")]
    snapshot_ts: Annotated[AwareTime | None, says("when the broker's account was last told; null until the first time")]
    account: Annotated[str | None, says("the broker's account; null until the bridge names it")]
    account_belief: AccountBelief
    trade_route: Annotated[str | None, says("where the bridge sends orders; null until it names it")]
    store_doubt: Annotated[
        StoreDoubtState | None, says("another store may know more of this day; null when nothing says so")
    ]
    bridge_fence: BridgeFenceState
    foreign_positions: tuple[ForeignPosition, ...]
    connected: Annotated[bool, says("TradingView and the bridge are both heard")]
    connected_count: Annotated[int, says("how many of them are heard")]
    connected_expected: int
    tradingview_connected: bool
    rithmic_connected: Annotated[bool, says("the bridge is heard")]
    rithmic_last_ts: Annotated[AwareTime | None, says("when the bridge was last heard; null until the first time")]
    ts_connected: Annotated[bool, says("the bridge reaches the broker's trade server")]
    md_connected: Annotated[bool, says("the bridge has market data")]
    five_min_trade_lock_active: Annotated[bool, says("the candle's entry is taken")]
    five_min_trade_lock_remaining_s: Annotated[int, says("seconds that are left of it, 0 when it does not hold")]
    five_min_trade_lock_expires_ts: Annotated[AwareTime | None, says("null when it does not hold")]
    post_exit_lock_active: Annotated[bool, says("the cooldown after an exit holds")]
    post_exit_lock_remaining_s: Annotated[int, says("seconds that are left of it, 0 when it does not hold")]
    post_exit_lock_expires_ts: Annotated[AwareTime | None, says("null when it does not hold")]
    candle: CandleState
    trading_day: date
    day_ends_ts: AwareTime
    daily_stop_enabled: bool
    daily_stop_limit_pct: Annotated[Decimal, says("percent of the day's first equity")]
    daily_stop_triggered: bool
    daily_stop_triggered_reason: Annotated[str | None, says("null while it has not triggered")]
    daily_stop_warned_pct: Annotated[int, says("the highest of the marks 50, 70, 85 that was passed, 0 before")]
    daily_start_equity: Annotated[Usd | None, says("equity at the day's first believed balance; null before it")]
    daily_pnl_usd: Annotated[Usd | None, says("since the day's first snapshot; null before it")]
    daily_pnl_pct: Annotated[Decimal | None, says("the same in percent; null before the day's first snapshot")]
    max_trades_per_day: int
    trades_taken_today: int
    trades_remaining_today: int
    overrides_taken_today: Annotated[int, says("entries and pre-orders against the zone")]
    overrides_left_today: int
    last_try_ts: Annotated[AwareTime | None, says("last refused entry, override or locked exit, of any day")]
    low_liquidity_today: bool
    low_liquidity_reason: Annotated[str | None, says("null on a usual day")]
    firm: Annotated[FirmState | None, says("the trading firm whose rules the desk keeps; null without one")] = None
    limits: LimitsState
    risk: Annotated[DeskRisk, says("what may still be lost today, and what bounds an order")]
    contracts_pending: Annotated[
        dict[str, str], says("larger contracts and new assets that come with the next trading day: asset and contract")
    ]
    limits_pending: Annotated[
        dict[str, Annotated[Any, LIMIT_VALUE]], says("what changes on a later trading day: name and value")
    ]
    limits_pending_from: Annotated[dict[str, AwareTime], says("when each of them comes into force")]
    window: WindowState


class TradeRow(Struct, frozen=True, kw_only=True):
    """A closed trade."""

    id: str
    asset: Annotated[str, says("the operator's symbol")]
    contract: str
    side: Side
    size: Annotated[int, says("contracts, at most at one time")]
    entry_price: Price
    exit_price: Price
    entry_ts: AwareTime
    exit_ts: AwareTime
    pnl_points: Annotated[Points, says("points per contract")]
    point_size: Annotated[Price, says("one of its points, in price: the asset's unit when it was opened")]
    pnl_usd: Annotated[Usd, says("gross")]
    commission_usd: Annotated[
        Usd | None, says("told by the broker, else as set; what is unknown counts 0; null for older trades")
    ] = None
    commission_known: Annotated[bool, says("whether it is known what every fill of it has cost")] = False
    pnl_net_usd: Annotated[Usd | None, says("pnl_usd less commission_usd; null for older trades")] = None
    risk_usd: Annotated[
        Usd | None, says("what it risked at its planned stop, round turn included; null for older trades")
    ] = None
    r: Annotated[Decimal | None, says("pnl_net_usd over risk_usd, null when unknown")] = None
    mae_points: Annotated[Points, says("worst points while it was open")]
    mfe_points: Annotated[Points, says("best points while it was open")]
    mae_usd: Annotated[Usd | None, says("its worst gross result while it was open; null for older trades")] = None
    mfe_usd: Annotated[Usd | None, says("its best gross result while it was open; null for older trades")] = None
    mode: TradeMode
    zone: Annotated[EntryZone, says("the zone at the entry")]
    reason: Annotated[str, says("the exit rule or command that ended it")]
    env: Env
    override: Annotated[bool, says("entered against the zone")]
    forced_exit: Annotated[bool, says("left against the initial exit lock")]
    exit_by: Annotated[
        str | None, says("service when a program beside the desk asked for the exit; null: the operator or a rule")
    ] = None
    estimated: Annotated[bool, says("a price of it was not told but estimated")]


class LogRow(Struct, frozen=True):
    """One received message, and how often it came in a row."""

    ts: AwareTime
    kind: Annotated[str, says("the webhook's path or the bridge's message")]
    asset: Annotated[str | None, says("null when it is about no asset, or cannot be read")]
    text: str
    outcome: Annotated[str, says("what became of it, in words")]
    count: int
    code: Annotated[str, says("the outcome for programs")]
    title: Annotated[str | UnsetType, says("of a refusal")] = UNSET
    detail: Annotated[str | UnsetType, says("of a refusal")] = UNSET
    facts: Annotated[Facts | UnsetType, says("what the outcome says, if it says more than its code")] = UNSET


class Logs(Struct, frozen=True):
    """The last messages of each feed, newest first."""

    tradingview: tuple[LogRow, ...]
    rithmic: tuple[LogRow, ...]


class AlertRow(Struct, frozen=True):
    """A message for the operator."""

    at: AwareTime
    code: str
    title: str
    detail: Annotated[str, says("without the time that is left, which is the fact remaining_s")]
    facts: Annotated[Facts, says("empty in an alert that an earlier version raised")]
    level: Literal["info", "warning", "critical"]
    sentence: str
    asset: Annotated[str | None, says("null when it is about the desk")]
    over: Annotated[bool | None, says("its cause has ended; null when it does not last, or nobody can tell")]
    over_at: Annotated[AwareTime | None, says("since when, null when that is not known")]


class LiveDocument(Struct, frozen=True, kw_only=True):
    """The part of the document that the stream compares from change to change."""

    version: Annotated[int, says("grows with each change")]
    now: Annotated[AwareTime, says("the desk's time")]
    desk: GlobalState = field(name="global")
    assets: Annotated[dict[str, AssetState], says("by the operator's symbol")]
    orders: Annotated[tuple[OrderRow, ...], says("open orders")]
    alerts: Annotated[tuple[AlertRow, ...], says("newest first")]


class Activity(Struct, frozen=True):
    """The received messages: the part of the document that comes from the log."""

    logs: Logs
    level_exit_ts: dict[str, AwareTime]


class StateDocument(LiveDocument, frozen=True, kw_only=True):
    """The whole desk as of ``now``. Names in ``_ts`` and ``_at`` are times, in ``_s`` seconds, in ``_usd`` dollars."""

    history: Annotated[tuple[TradeRow, ...], says("the last 100 trades, newest first")]
    logs: Logs
    level_exit_ts: Annotated[
        dict[str, AwareTime], says("when each asset's last level exit was received, as far as the log remembers")
    ]
