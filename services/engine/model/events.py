"""The events of the desk. Their names are in the past tense.

A decision without events is not committed: it changed only prices and ages (docs/explanation/architecture.md).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from services.engine.model.account import SuspectCode
from services.engine.model.state import Alert
from services.engine.model.tagged import Tagged
from services.engine.model.wording import Explanation
from wire.types import (
    Color,
    EntryZone,
    Env,
    FillKind,
    FillOfBroker,
    Instant,
    IntentStatus,
    OrderKind,
    OrderStatus,
    Price,
    Side,
    Stream,
    TradeMode,
    Usd,
)


class Event(Tagged, frozen=True, omit_defaults=True):
    """The base of all events."""


class DeskConfigured(Event, frozen=True, tag="DeskConfigured"):
    assets: tuple[str, ...]


class DeskTakenOver(Event, frozen=True, tag="DeskTakenOver"):
    """The process ``writer`` decides from here on, with the version ``program``."""

    writer: str
    epoch: int
    program: str


class DayRolled(Event, frozen=True, tag="DayRolled"):
    trading_day: date


class DayEquityNoted(Event, frozen=True, tag="DayEquityNoted"):
    equity: Usd


class DayWarned(Event, frozen=True, tag="DayWarned"):
    """The drawdown passed a warning mark: 50, 70 or 85 percent of the daily stop."""

    mark_pct: int
    drawdown_pct: Decimal


class LimitsChanged(Event, frozen=True, tag="LimitsChanged"):
    """Limits were changed. ``now`` holds the tighter ones in force, ``pending`` those that wait for the next day."""

    now: dict[str, str]
    pending: dict[str, str]


class TradeConsumed(Event, frozen=True, tag="TradeConsumed"):
    """The operator used one slot of the day's trade limit by hand."""

    taken: int


class EnvSwitched(Event, frozen=True, tag="EnvSwitched"):
    env: Env


class DailyStopAwaited(Event, frozen=True, tag="DailyStopAwaited"):
    """A first reading reached the limit: no entry passes until a second one decides (SPEC 5.6)."""

    loss: Usd


class DailyStopNotConfirmed(Event, frozen=True, tag="DailyStopNotConfirmed"):
    """No reading reaches the limit any more; none had confirmed the first one."""


class DailyStopTriggered(Event, frozen=True, tag="DailyStopTriggered"):
    reason: str


class BalanceSuspected(Event, frozen=True, tag="BalanceSuspected"):
    """A balance is not believed: ``unexplained`` USD of it, or its account (SPEC 5.6)."""

    code: SuspectCode
    balance: Usd
    unexplained: Usd
    account: str | None = None


class BalanceExplained(Event, frozen=True, tag="BalanceExplained"):
    """The account's balance is believed again."""

    balance: Usd


class TransferConfirmed(Event, frozen=True, tag="TransferConfirmed"):
    """The operator confirmed money that was paid in (positive) or out of the account."""

    amount: Usd
    reason: str


class BrickApplied(Event, frozen=True, tag="BrickApplied"):
    asset: str
    stream: Stream
    color: Color
    close: Price | None = None


class LateBrickIgnored(Event, frozen=True, tag="LateBrickIgnored"):
    asset: str
    stream: Stream
    color: Color


class TempoArmed(Event, frozen=True, tag="TempoArmed"):
    asset: str
    by: str


class InitialExitLockReleased(Event, frozen=True, tag="InitialExitLockReleased"):
    asset: str


class EntryBlocked(Event, frozen=True, tag="EntryBlocked"):
    """A gate refused an entry attempt (SPEC 4: every attempt is journaled)."""

    asset: str
    direction: Side | None
    price: Price | None
    gate: str
    sentence: str
    stack: dict[str, Color]
    override: bool = False
    override_reason: str | None = None


class EntryAccepted(Event, frozen=True, tag="EntryAccepted"):
    asset: str
    direction: Side
    price: Price | None
    order_id: str
    zone: EntryZone
    stack: dict[str, Color]
    override: bool = False
    override_reason: str | None = None


class EntryReturned(Event, frozen=True, tag="EntryReturned"):
    """An unfilled entry returned its tempo token, and its candle if that candle is still running."""

    asset: str
    order_id: str
    candle_returned: bool


class PreOrderPlaced(Event, frozen=True, tag="PreOrderPlaced"):
    asset: str
    direction: Side


class PreOrderEnded(Event, frozen=True, tag="PreOrderEnded"):
    """A pre-order fired or was cancelled; ``reason`` says why."""

    asset: str
    fired: bool
    reason: str | None = None


class IntentChanged(Event, frozen=True, tag="IntentChanged"):
    asset: str
    status: IntentStatus


class ScaleInUnlocked(Event, frozen=True, tag="ScaleInUnlocked"):
    asset: str
    by: str


class ScaleInReturned(Event, frozen=True, tag="ScaleInReturned"):
    """A scale-in ended unfilled and may be requested again."""

    asset: str
    order_id: str


class ProtectionChanged(Event, frozen=True, tag="ProtectionChanged"):
    """The operator changed a protection of the open trade. ``setting`` is the field, ``value`` its text."""

    asset: str
    setting: str
    value: str


class SignalCounted(Event, frozen=True, tag="SignalCounted"):
    """An opposite 6pt brick was counted for the signal take-profit."""

    asset: str
    count: int
    target: int


class FeedLost(Event, frozen=True, tag="FeedLost"):
    """TradingView's heartbeat for ``asset`` stopped, or the bridge's when ``asset`` is None."""

    asset: str | None = None


class FeedReturned(Event, frozen=True, tag="FeedReturned"):
    asset: str | None = None


class OrderQueued(Event, frozen=True, tag="OrderQueued"):
    order_id: str
    kind: OrderKind
    asset: str
    side: Side
    qty: int
    source: str
    forced: bool = False


class OrderClaimed(Event, frozen=True, tag="OrderClaimed"):
    order_id: str
    owner: str
    redelivered: bool = False


class OrderReported(Event, frozen=True, tag="OrderReported"):
    """A bridge's report changed the order. ``qty`` contracts were filled by this report at ``price``."""

    order_id: str
    asset: str
    status: OrderStatus
    qty: int = 0
    price: Price | None = None
    exec_id: str | None = None


class FillBooked(Event, frozen=True, tag="FillBooked"):
    """A fill that no open order explains was told (SPEC 8.1, 8.3): late, beyond its order, or at the broker alone.

    It opened, grew or cut ``trade_id``; without one it moved no position: it is of the other environment, in another
    contract, or the desk had followed the broker before. ``kind`` is what it did to the trade.
    """

    asset: str
    symbol: str
    side: Side
    qty: int
    price: Price
    kind: FillKind | None = None
    trade_id: str | None = None
    order_id: str | None = None
    exec_id: str | None = None
    cause: FillOfBroker = "ORDER"


class FillRefused(Event, frozen=True, tag="FillRefused"):
    """A report or a fill of a bridge was refused (SPEC 8.3)."""

    why: Explanation
    order_id: str | None = None
    exec_id: str | None = None


class TradeRepriced(Event, frozen=True, tag="TradeRepriced"):
    """The broker's average replaced an entry price that nobody had told (SPEC 8.3)."""

    asset: str
    trade_id: str
    price: Price


class AlertCounted(Event, frozen=True, tag="AlertCounted"):
    """What an alert tells of happened again: the alert now says ``count`` times."""

    code: str
    count: int
    asset: str | None = None


class OrderEnded(Event, frozen=True, tag="OrderEnded"):
    order_id: str
    asset: str
    kind: OrderKind
    status: OrderStatus
    filled_qty: int
    reason: str | None = None


class TradeOpened(Event, frozen=True, tag="TradeOpened"):
    asset: str
    trade_id: str
    side: Side
    qty: int
    price: Price
    adopted: bool = False


class TradeResized(Event, frozen=True, tag="TradeResized"):
    """The desk took over the broker's quantity, which differed from its own (SPEC 8.4)."""

    asset: str
    quantity: int


class TradeClosed(Event, frozen=True, tag="TradeClosed"):
    """A trade reached flat (SPEC 7.5, SPEC 11 ``history``)."""

    id: str
    asset: str
    contract: str
    side: Side
    size: int
    entry_price: Price
    exit_price: Price
    entry_ts: Instant
    exit_ts: Instant
    pnl_points: Decimal
    pnl_usd: Usd
    mae_points: Decimal
    mfe_points: Decimal
    mode: TradeMode
    zone: EntryZone
    reason: str
    env: Env
    override: bool = False
    forced_exit: bool = False
    estimated: bool = False


class TradeNoted(Event, frozen=True, tag="TradeNoted"):
    """The operator wrote a note for a closed trade; it replaces the earlier one."""

    trade_id: str
    note: str
    tags: tuple[str, ...] = ()


class CooldownStarted(Event, frozen=True, tag="CooldownStarted"):
    until: Instant


class ExitBlocked(Event, frozen=True, tag="ExitBlocked"):
    """The operator asked for an exit while the initial exit lock held; the attempt is recorded."""

    asset: str
    open_points: Decimal | None = None


class ExitLatched(Event, frozen=True, tag="ExitLatched"):
    """An exit is due but waits: for another order to end, or for its next try."""

    asset: str
    source: str
    retry_at: Instant | None = None


class PositionDisagreed(Event, frozen=True, tag="PositionDisagreed"):
    asset: str
    broker_position: int
    desk_position: int


class PositionAgreed(Event, frozen=True, tag="PositionAgreed"):
    asset: str


class OrderFateUnknown(Event, frozen=True, tag="OrderFateUnknown"):
    """A claimed order had no fill and no change of status for too long: nobody knows what became of it (SPEC 8.1)."""

    order_id: str
    asset: str


class OrderFateSettled(Event, frozen=True, tag="OrderFateSettled"):
    """The fate of an order was settled ``by`` the broker's positions or by the operator; ``qty`` contracts filled."""

    order_id: str
    asset: str
    by: Literal["broker", "operator"]
    qty: int = 0
    price: Price | None = None
    reason: str | None = None


class OrderHandedOutAgain(Event, frozen=True, tag="OrderHandedOutAgain"):
    """An exit of unknown fate may be claimed again: the broker's position shows that it was never executed."""

    order_id: str
    asset: str


class CancelAsked(Event, frozen=True, tag="CancelAsked"):
    """The bridge is asked to take back the rest of an order because an exit is due (SPEC 7.2)."""

    order_id: str
    asset: str


class DoubtBegan(Event, frozen=True, tag="DoubtBegan"):
    """Broker and desk may disagree: the gate ``reconcile`` of the asset is closed (SPEC 8.1)."""

    asset: str
    code: str


class DoubtEnded(Event, frozen=True, tag="DoubtEnded"):
    asset: str


class ForeignPositionSeen(Event, frozen=True, tag="ForeignPositionSeen"):
    """The broker holds a position in a contract that the desk does not trade, or holds another one than before."""

    symbol: str
    position: int
    asset: str | None = None


class ForeignPositionGone(Event, frozen=True, tag="ForeignPositionGone"):
    symbol: str


class ForeignPositionAccepted(Event, frozen=True, tag="ForeignPositionAccepted"):
    """The operator accepted a foreign position; it holds until the position changes."""

    symbol: str
    position: int
    reason: str


class BridgeRefused(Event, frozen=True, tag="BridgeRefused"):
    """The claims of the process ``instance`` are refused, because ``holder`` claims (SPEC 8.2)."""

    instance: str
    holder: str


class BridgeRefusalEnded(Event, frozen=True, tag="BridgeRefusalEnded"):
    """The refused process claims now, or it no longer asks."""

    instance: str


class BridgeTakenOver(Event, frozen=True, tag="BridgeTakenOver"):
    """The operator ended the claims of ``holder``; ``instance`` claims from now on, None for whichever comes next."""

    holder: str
    instance: str | None = None
    reason: str | None = None


class TwoBridgesNoted(Event, frozen=True, tag="TwoBridgesNoted"):
    """Two bridges that have no instance ask for orders in turns."""

    callers: tuple[str, str]


class StopMissed(Event, frozen=True, tag="StopMissed"):
    """The asset's position has no stop at the broker, as far as the bridge tells (SPEC 6.7)."""

    asset: str


class StopFound(Event, frozen=True, tag="StopFound"):
    """The stop rests now, or the position is closed."""

    asset: str


class DeadLetterKept(Event, frozen=True, tag="DeadLetterKept"):
    """A webhook with a correct secret could not be read (SPEC 3)."""

    path: str
    reason: str
    body: str


class ObservationsKept(Event, frozen=True, tag="ObservationsKept"):
    """Prices and ages were stored between two events, so that a restart begins close to them."""


class AlertRaised(Event, frozen=True, tag="AlertRaised"):
    alert: Alert


OfTheDesk = DeskConfigured | DeskTakenOver | EnvSwitched | LimitsChanged | ObservationsKept | AlertRaised
OfTheDay = DayRolled | DayEquityNoted | DayWarned | TradeConsumed | DailyStopTriggered | CooldownStarted
OfTheAccount = DailyStopAwaited | DailyStopNotConfirmed | BalanceSuspected | BalanceExplained | TransferConfirmed
OfTheMarket = BrickApplied | LateBrickIgnored | TempoArmed | FeedLost | FeedReturned | DeadLetterKept
OfEntries = EntryBlocked | EntryAccepted | EntryReturned | ScaleInUnlocked | ScaleInReturned
OfWhatWaits = PreOrderPlaced | PreOrderEnded | IntentChanged
OfOrders = OrderQueued | OrderClaimed | OrderReported | OrderEnded | FillBooked | FillRefused | AlertCounted
OfTrades = TradeOpened | TradeResized | TradeClosed | TradeNoted | ProtectionChanged | SignalCounted | TradeRepriced
OfFates = OrderFateUnknown | OrderFateSettled | OrderHandedOutAgain | CancelAsked | DoubtBegan | DoubtEnded
OfForeignPositions = ForeignPositionSeen | ForeignPositionGone | ForeignPositionAccepted
OfExits = InitialExitLockReleased | ExitBlocked | ExitLatched | PositionDisagreed | PositionAgreed
OfBridges = BridgeRefused | BridgeRefusalEnded | BridgeTakenOver | TwoBridgesNoted | StopMissed | StopFound
OfProof = OfFates | OfForeignPositions | OfBridges | OfTheAccount
AnyEvent = OfTheDesk | OfTheDay | OfTheMarket | OfEntries | OfWhatWaits | OfOrders | OfTrades | OfExits | OfProof
