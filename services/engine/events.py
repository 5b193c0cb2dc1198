"""What happened, past tense.

A decision that tells nothing is not durable: it moved only prices and ages (docs/architecture.md).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

from services.engine.state import Alert
from services.engine.words import (
    Color,
    EntryZone,
    Env,
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


class Event(Struct, frozen=True, tag=True, omit_defaults=True):
    """The base of all events."""


class DeskConfigured(Event, frozen=True):
    assets: tuple[str, ...]


class DeskTakenOver(Event, frozen=True):
    """From here on the process ``writer`` decides, with this version of the program."""

    writer: str
    epoch: int
    program: str


class DayRolled(Event, frozen=True):
    trading_day: date


class DayEquityNoted(Event, frozen=True):
    equity: Usd


class DayWarned(Event, frozen=True):
    """A mark of the daily stop was passed: 50, 70 or 85 percent of it are used."""

    mark_pct: int
    drawdown_pct: Decimal


class LimitsChanged(Event, frozen=True):
    """Limits hold at once when tighter; ``pending`` names those that wait for the next trading day."""

    now: dict[str, str]
    pending: dict[str, str]


class TradeConsumed(Event, frozen=True):
    """A slot of the day's trade limit was taken by hand."""

    taken: int


class EnvSwitched(Event, frozen=True):
    env: Env


class DailyStopTriggered(Event, frozen=True):
    reason: str


class BrickApplied(Event, frozen=True):
    asset: str
    stream: Stream
    color: Color
    close: Price | None = None


class LateBrickIgnored(Event, frozen=True):
    asset: str
    stream: Stream
    color: Color


class TempoArmed(Event, frozen=True):
    asset: str
    by: str


class InitialExitLockReleased(Event, frozen=True):
    asset: str


class EntryBlocked(Event, frozen=True):
    """An attempt that a gate refused (SPEC 4: every attempt is journaled)."""

    asset: str
    direction: Side | None
    price: Price | None
    gate: str
    sentence: str
    stack: dict[str, Color]
    override: bool = False
    override_reason: str | None = None


class EntryAccepted(Event, frozen=True):
    asset: str
    direction: Side
    price: Price | None
    order_id: str
    zone: EntryZone
    stack: dict[str, Color]
    override: bool = False
    override_reason: str | None = None


class EntryReturned(Event, frozen=True):
    """An unfilled entry gave its token back, and the candle when it is still the same."""

    asset: str
    order_id: str
    candle_returned: bool


class PreOrderPlaced(Event, frozen=True):
    asset: str
    direction: Side


class PreOrderEnded(Event, frozen=True):
    """A pre-order fired or was cancelled; ``reason`` says why."""

    asset: str
    fired: bool
    reason: str | None = None


class IntentChanged(Event, frozen=True):
    asset: str
    status: IntentStatus


class ScaleInUnlocked(Event, frozen=True):
    asset: str
    by: str


class ScaleInReturned(Event, frozen=True):
    """A scale-in that did not fill may be asked for again."""

    asset: str
    order_id: str


class ProtectionChanged(Event, frozen=True):
    """The operator changed how the open trade is protected; ``setting`` is the field, ``value`` its JSON."""

    asset: str
    setting: str
    value: str


class SignalCounted(Event, frozen=True):
    """An opposite 6pt brick was counted for the signal take-profit."""

    asset: str
    count: int
    target: int


class FeedLost(Event, frozen=True):
    """TradingView's heartbeat for an asset, or the bridge (no asset), fell silent."""

    asset: str | None = None


class FeedReturned(Event, frozen=True):
    asset: str | None = None


class OrderQueued(Event, frozen=True):
    order_id: str
    kind: OrderKind
    asset: str
    side: Side
    qty: int
    source: str
    forced: bool = False


class OrderClaimed(Event, frozen=True):
    order_id: str
    owner: str
    redelivered: bool = False


class OrderReported(Event, frozen=True):
    """A bridge's report that changed the order. ``qty`` and ``price`` are what this report filled."""

    order_id: str
    asset: str
    status: OrderStatus
    qty: int = 0
    price: Price | None = None
    exec_id: str | None = None


class OrderEnded(Event, frozen=True):
    order_id: str
    asset: str
    kind: OrderKind
    status: OrderStatus
    filled_qty: int
    reason: str | None = None


class TradeOpened(Event, frozen=True):
    asset: str
    trade_id: str
    side: Side
    qty: int
    price: Price
    adopted: bool = False


class TradeResized(Event, frozen=True):
    """The broker held another size than the desk and was right (SPEC 8.4)."""

    asset: str
    quantity: int


class TradeClosed(Event, frozen=True):
    """A trade reached flat: the journal's row (SPEC 7.5, SPEC 11 ``history``)."""

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


class TradeNoted(Event, frozen=True):
    """The operator wrote about a closed trade; what was written before is replaced."""

    trade_id: str
    note: str
    tags: tuple[str, ...] = ()


class CooldownStarted(Event, frozen=True):
    until: Instant


class ExitBlocked(Event, frozen=True):
    """The operator wanted out while the initial exit lock held: the impulse is on record."""

    asset: str
    open_points: Decimal | None = None


class ExitLatched(Event, frozen=True):
    """An exit came due while another order was open, or waits for its next try."""

    asset: str
    source: str
    retry_at: Instant | None = None


class PositionDisagreed(Event, frozen=True):
    asset: str
    broker_position: int
    desk_position: int


class PositionAgreed(Event, frozen=True):
    asset: str


class DeadLetterKept(Event, frozen=True):
    """A webhook with a good secret could not be read (SPEC 3)."""

    path: str
    reason: str
    body: str


class ObservationsKept(Event, frozen=True):
    """Prices and ages were written down between two events, so that a restart starts near them."""


class AlertRaised(Event, frozen=True):
    alert: Alert


OfTheDesk = DeskConfigured | DeskTakenOver | EnvSwitched | LimitsChanged | ObservationsKept | AlertRaised
OfTheDay = DayRolled | DayEquityNoted | DayWarned | TradeConsumed | DailyStopTriggered | CooldownStarted
OfTheMarket = BrickApplied | LateBrickIgnored | TempoArmed | FeedLost | FeedReturned | DeadLetterKept
OfEntries = EntryBlocked | EntryAccepted | EntryReturned | ScaleInUnlocked | ScaleInReturned
OfWhatWaits = PreOrderPlaced | PreOrderEnded | IntentChanged
OfOrders = OrderQueued | OrderClaimed | OrderReported | OrderEnded
OfTrades = TradeOpened | TradeResized | TradeClosed | TradeNoted | ProtectionChanged | SignalCounted
OfExits = InitialExitLockReleased | ExitBlocked | ExitLatched | PositionDisagreed | PositionAgreed
AnyEvent = OfTheDesk | OfTheDay | OfTheMarket | OfEntries | OfWhatWaits | OfOrders | OfTrades | OfExits
