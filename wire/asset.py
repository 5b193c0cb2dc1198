"""One asset of the state document: prices, bricks, ladder, waiting entries, and the open trade (SPEC 11).

Units follow the naming rules of ``wire/state.py``.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Struct

from wire.asset_feed import FeedState
from wire.proposals import ProposalRow
from wire.risk import Distance
from wire.types import (
    AwareTime,
    Color,
    DoubtCode,
    EntryZone,
    IntentStatus,
    OrderKind,
    OrderStatus,
    Points,
    PreOrderStatus,
    Price,
    ResolvedAs,
    Side,
    SizeMode,
    TradeMode,
    Usd,
    says,
)

Facts = dict[str, str | int | float | bool]
Act = Literal["market", "preorder", "intent", "scale_in"]


class Explanation(Struct, frozen=True):
    """Why something was refused: a stable code, a title, a detail, and the facts that they name."""

    code: str
    title: str
    detail: Annotated[str, says("without the time that is left, which is the fact remaining_s")]
    facts: Facts


class LockState(Struct, frozen=True):
    """One lock: whether it holds, what it stops, and what ends it."""

    lock: Annotated[str, says("its name")]
    held: Annotated[bool, says("whether it holds now")]
    until: Annotated[AwareTime | None, says("when it ends; null when an event ends it, or it does not hold")]
    stops: Annotated[str, says("what it stops, in words")]
    ends: Annotated[str, says("what ends it, in words")]


class Rung(Struct, frozen=True):
    """The current state of one gate. A closed gate says why, and when or by which event it opens."""

    gate: Annotated[str, says("its name")]
    state: Literal["open", "closed"]
    sentence: Annotated[str | None, says("why it is closed; null while it is open")]
    reopens_at: Annotated[AwareTime | None, says("when it opens; null when no instant is known")]
    retry_after_s: Annotated[int | None, says("seconds until `reopens_at`; null when no instant is known")]
    reopens: Annotated[str | None, says("the event that opens it, in words; null when an instant does")]
    code: Annotated[str | None, says("why it is closed; null while it is open")]
    title: Annotated[str | None, says("a headline of the reason; null while it is open")]
    detail: Annotated[str | None, says("without the time that is left, which is the fact remaining_s")]
    facts: Annotated[Facts, says("what the sentence says, as numbers, instants and names")]
    binds: Annotated[
        tuple[Act, ...],
        says("what this gate can refuse: a market entry, placing a pre-order or an intent, a scale-in"),
    ]


class OrderRisk(Struct, frozen=True, kw_only=True):
    """What an order would lose at its stop, and what the gate `risk` says to it. A direction makes no difference."""

    quantity: Annotated[int, says("contracts")]
    stop: Annotated[Distance, says("of an entry to its protective stop, of a scale-in from the last price")]
    commission_usd: Annotated[Usd, says("in and out; 0 where nobody said what a contract costs")]
    risk_usd: Annotated[Usd, says("what is lost at the stop, commission included")]
    share_of_left_pct: Annotated[
        Decimal | None, says("percent of what is left of the day; null when nothing is left or it is not known")
    ]
    fits: Annotated[int, says("the most contracts, up to the quantity, that the gate `risk` lets through; 0: none")]
    gate: Annotated[Rung, says("the gate `risk` for an order of this size")]


class AssetRisk(Struct, frozen=True, kw_only=True):
    """The orders that may be placed for the asset, and what it has at risk already."""

    sizes: Annotated[dict[SizeMode, OrderRisk], says("an entry of each size")]
    scale_in: Annotated[OrderRisk | None, says("adding to the open trade; null while flat")]
    open_usd: Annotated[Usd, says("what its position and working entry lose at their stops")]
    contracts: Annotated[int, says("its position and what its working entry may still add")]
    max_contracts: Annotated[int | None, says("the cap of its contracts; null: off")]


class TradeState(Struct, frozen=True, kw_only=True):
    """The open trade."""

    id: str
    side: Side
    contract: Annotated[str, says("the contract it was opened on")]
    quantity: Annotated[int, says("contracts")]
    entry_price: Annotated[Price, says("mean price of the contracts held")]
    opened_at: AwareTime
    mode: TradeMode
    zone: Annotated[EntryZone, says("the zone at the entry")]
    override: Annotated[bool, says("entered against the zone")]
    open_points: Annotated[Points | None, says("points open now; null while no price is known")]
    mae_points: Annotated[Points | None, says("worst points so far; null while no price is known")]
    mfe_points: Annotated[Points | None, says("best points so far; null while no price is known")]
    stop_points: Annotated[Points, says("points from the entry to the protective stop")]
    stop_price: Annotated[Price, says("its planned price")]
    stop: Annotated[Distance, says("from the average to that price; below 0 beyond the average, where it wins")]
    target: Annotated[Distance | None, says("from the average to the points take-profit; null while that is off")]
    protect: Annotated[Distance | None, says("from the average to the soft stop, below 0: losing; null: off")]


class RollState(Struct, frozen=True):
    """When the shown contract is replaced by the next one, and when it ends (SPEC 11)."""

    contract: Annotated[str, says("the shown contract")]
    rolls_on: Annotated[date, says("the first trade date of the next contract, 18:00 to 18:00 New York")]
    days: Annotated[int, says("calendar days until then; 0 on that date, negative after it")]
    last_trade: Annotated[AwareTime, says("when trading in the contract ends; no entry is possible from then on")]
    next_contract: Annotated[str, says("the contract that replaces it")]


class RestingStopState(Struct, frozen=True):
    """The stops at the broker that would close the open trade, as the bridge told them."""

    qty: Annotated[int, says("contracts of all of them")]
    price: Annotated[Price, says("the one that is reached first")]


class DueExitState(Struct, frozen=True):
    """An exit that is due but not yet an order."""

    source: Annotated[str, says("the exit rule or command")]
    since: AwareTime
    attempt: Annotated[int, says("how often it was tried")]
    retry_at: Annotated[AwareTime | None, says("when it is tried again; null when an event lets it go")]


class WordAwaited(Struct, frozen=True):
    """What ``POST /api/orders/<id>/resolve`` with the same outcome, quantity and price would settle (SPEC 8.1, 8.3)."""

    order_id: str
    about: Annotated[
        Literal["resolved", "fill_price"],
        says("resolved: the operator's word, said once; fill_price: a fill whose price nothing proves"),
    ]
    outcome: ResolvedAs
    qty: Annotated[int | None, says("as it was said, else how many contracts filled at that price")]
    price: Annotated[Price | None, says("as it was said, or as the bridge told it")]
    last_price: Annotated[Price | None, says("what counts instead of the price until it is proven")]
    since: AwareTime
    from_ts: Annotated[AwareTime | None, says("from when on the word counts; null: at once")]


class AssetState(Struct, frozen=True, kw_only=True):
    """The state of one asset: prices, bricks, ladder, waiting entries, the open trade and its protections."""

    symbol: Annotated[str, says("the operator's symbol")]
    contract: Annotated[str, says("the open trade's contract, else the one that an entry would buy")]
    exchange: str
    tick_size: Annotated[Price, says("the smallest step of the price")]
    point_size: Annotated[Price, says("one point in price: the asset's unit (SPEC 2)")]
    point_value: Annotated[Usd, says("USD per 1.00 of price of one contract")]
    session_open: Annotated[bool | None, says("whether its market trades now; null: nobody has told its hours")]
    session_opens_ts: Annotated[AwareTime | None, says("when the running or next session opens; null: not told")]
    session_closes_ts: Annotated[AwareTime | None, says("when that session closes; null: not told")]
    roll: Annotated[RollState | None, says("null for a CFD, and for a contract whose dates are unknown")]
    position: Annotated[int, says("signed contracts: long positive, short negative")]
    avg_price: Annotated[Price | None, says("mean price of the contracts held; null while flat")]
    pnl: Annotated[Usd | None, says("USD open now; null while flat or without a price")]
    rithmic_open_points: Annotated[Points | None, says("points open now; null while flat or without a price")]
    last_price: Annotated[Price | None, says("null until the first price")]
    suspect_price: Annotated[Price | None, says("a price too far from the last one, not believed yet; null: none")]
    price_ts: Annotated[AwareTime | None, says("when the last price was; null until the first")]
    last_heartbeat_ts: Annotated[AwareTime | None, says("last heartbeat from TradingView; null until the first")]
    heartbeat_flagged: Annotated[bool, says("the last heartbeat's time lay ahead, its receipt time stands for it")]
    simulated: Annotated[bool, says("a simulated market feeds this asset, or told its last price")]
    pending_order_id: Annotated[str | None, says("the open order; null when there is none, as in all `pending_`")]
    pending_kind: OrderKind | None
    pending_side: Side | None
    pending_qty: int | None
    pending_status: OrderStatus | None
    pending_source: str | None
    one_renko_color: Annotated[Color, says("1pt")]
    one_renko_ts: Annotated[AwareTime | None, says("when the last 1pt brick closed; null until the first")]
    one_renko_stale: Annotated[bool, says("whether that is too long ago for the colour to count")]
    two_half_renko_color: Annotated[Color, says("2.5pt")]
    two_half_renko_ts: Annotated[AwareTime | None, says("when the last 2.5pt brick closed; null until the first")]
    two_half_renko_stale: Annotated[bool, says("whether that is too long ago for the colour to count")]
    renko_color: Annotated[Color, says("4pt")]
    renko_ts: Annotated[AwareTime | None, says("when the last 4pt brick closed; null until the first")]
    renko_stale: Annotated[bool, says("whether that is too long ago for the colour to count")]
    main_renko_color: Annotated[Color, says("6pt")]
    main_renko_ts: Annotated[AwareTime | None, says("when the last 6pt brick closed; null until the first")]
    main_renko_stale: Annotated[bool, says("whether that is too long ago for the colour to count")]
    high_renko_color: Annotated[Color, says("8pt")]
    high_renko_ts: Annotated[AwareTime | None, says("when the last 8pt brick closed; null until the first")]
    high_renko_stale: Annotated[bool, says("whether that is too long ago for the colour to count")]
    macro_renko_color: Annotated[Color, says("12pt")]
    macro_renko_ts: Annotated[AwareTime | None, says("when the last 12pt brick closed; null until the first")]
    macro_renko_stale: Annotated[bool, says("whether that is too long ago for the colour to count")]
    zone_type: Annotated[str | None, says("what 8pt and 12pt bricks make; null while one of them is unknown")]
    zone_direction: Annotated[Side | None, says("the direction that the zone allows; null when it gives none")]
    conflict_mode: Annotated[bool, says("the zone is FREE: 8pt and 12pt disagree")]
    tempo_ready: Annotated[bool, says("a tempo token is there: the right to one entry")]
    tempo_color: Annotated[Color, says("the colour of the brick that armed it")]
    tempo_ts: Annotated[AwareTime | None, says("when it was armed; null while there is none")]
    tempo_age_s: Annotated[int | None, says("seconds since it was armed; null while there is none")]
    trade_mode: Annotated[TradeMode | None, says("of the open trade; null while flat")]
    exit_mode: Annotated[Literal["POINTS_TP", "STRUCTURE"] | None, says("what takes profit; null while flat")]
    entry_zone: Annotated[EntryZone | None, says("the zone at the entry; null while flat")]
    initial_exit_lock_active: Annotated[bool, says("a manual exit is locked")]
    initial_exit_lock_expires_ts: Annotated[
        AwareTime | None, says("when it ends without a 6pt brick; null when it does not hold")
    ]
    two_half_tp_lock_enabled: Annotated[bool, says("the 2.5pt management lock holds")]
    points_tp_enabled: Annotated[bool, says("take-profit at open points")]
    points_tp_target: Annotated[Points | None, says("its points; null while flat")]
    protect_enabled: Annotated[bool, says("soft stop on open points")]
    protect_threshold_points: Annotated[Points | None, says("its points; null while flat or off")]
    tp_armed: Annotated[bool, says("take-profit that counts opposite 6pt bricks")]
    tp_target: Annotated[int | None, says("bricks it waits for; null while flat")]
    tp_count: Annotated[int, says("bricks it has counted")]
    high_next_bar_exit_enabled: Annotated[bool, says("exit at the next 8pt brick")]
    high_next_bar_exit_allowed: Annotated[bool, says("whether it may be switched on now")]
    next_bar_exit_allowed: Annotated[bool, says("whether the take-profit that counts bricks may be armed now")]
    main_flip_exit_enabled: Annotated[bool, says("exit at an opposite 6pt brick")]
    four_pt_invalidation_enabled: Annotated[bool, says("exit at an opposite 4pt brick")]
    auto_exit_renko: Annotated[Literal["6pt"], says("the timeframe of the auto-exit, which is fixed")]
    scale_in_available: Annotated[bool, says("a scale-in would be accepted now")]
    scale_in_unlocked: Annotated[bool, says("a brick has unlocked the scale-in")]
    scale_in_used: bool
    stop_loss_price: Annotated[Price | None, says("the planned price of the protective stop; null while flat")]
    daily_stop_price: Annotated[
        Price | None, says("where the day's books reach the daily stop, all else as it is; null while flat or unknown")
    ]
    day_result_usd: Annotated[
        Usd | None, says("the asset's part of the day's books, net of commissions; null where it is not known")
    ]
    stop_resting: Annotated[
        bool | None, says("whether a stop rests at the broker; null while flat or not told of this trade")
    ]
    resting_stop: Annotated[RestingStopState | None, says("what rests; null when nothing is known to rest")]
    risk: Annotated[AssetRisk, says("what an order of each size would lose at its stop, and whether that fits")]
    intent_active: bool
    intent_status: Literal["NONE"] | IntentStatus
    preorder_active: bool
    preorder_direction: Annotated[Side | None, says("null when there is no pre-order")]
    preorder_status: Literal["NONE"] | PreOrderStatus
    preorder_ends_ts: Annotated[AwareTime | None, says("when it ends unless its brick came; null when none waits")]
    preorder_reason: Annotated[str | None, says("why the last pre-order did not fire; null when nothing stopped it")]
    preorder_refusal: Annotated[Explanation | None, says("the desk's refusal, when that ended the pre-order")]
    proposal: Annotated[ProposalRow | None, says("the open proposal; null without one. No gate looks at it")]
    trade: Annotated[TradeState | None, says("the open trade; null while flat")]
    due_exit: Annotated[DueExitState | None, says("an exit that came due and is not yet an order; null without one")]
    disagreement: Annotated[int | None, says("the position the broker reports, while it is another one")]
    doubt: Annotated[DoubtCode | None, says("why broker and desk may disagree unseen; null: no doubt")]
    words_awaited: Annotated[tuple[WordAwaited, ...], says("what the operator's word would settle")]
    first_closed_gate: Annotated[str | None, says("the gate that would refuse an entry; null when none would")]
    may_enter: Annotated[tuple[Side, ...], says("directions that no gate refuses")]
    locks: tuple[LockState, ...]
    feed: Annotated[FeedState, says("where the bricks come from, and whether they are whole")]
    ladder: Annotated[tuple[Rung, ...], says("every gate, in the order in which they are asked")]
