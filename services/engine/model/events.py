"""The events of the desk. Their names are in the past tense.

A decision without events is not committed: it changed only prices and ages (docs/explanation/architecture.md).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from services.engine.model.alert import Alert
from services.engine.model.event import Event
from services.engine.model.feed_events import OfFeeds
from services.engine.model.override_events import OverrideTaken
from services.engine.model.proof_events import OfBridges, OfClocks, OfFates, OfForeignPositions, OfTheAccount
from services.engine.model.proposal_events import OfProposals
from services.engine.model.store_doubts import OfTheStore
from services.engine.model.trade_events import OfTrades
from services.engine.model.window_events import OfTheWindow
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
    Usd,
)


class DeskConfigured(Event, frozen=True, tag="DeskConfigured"):
    assets: tuple[str, ...]


class UnitChanged(Event, frozen=True, tag="UnitChanged"):
    """A point of the asset has another price from here on, and its bricks begin anew (SPEC 2)."""

    asset: str
    before: Price
    after: Price


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


class DailyStopTriggered(Event, frozen=True, tag="DailyStopTriggered"):
    reason: str


class BrickApplied(Event, frozen=True, tag="BrickApplied"):
    """A brick counts. ``adopted``: it was taken over behind a gap, others before it may be missing (SPEC 3)."""

    asset: str
    stream: Stream
    color: Color
    close: Price | None = None
    adopted: bool = False


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
    """A gate refused an entry attempt (SPEC 4: every attempt is journaled). ``proposal`` is what was clicked."""

    asset: str
    direction: Side | None
    price: Price | None
    gate: str
    sentence: str
    stack: dict[str, Color]
    override: bool = False
    override_reason: str | None = None
    proposal: str | None = None


class EntryAccepted(Event, frozen=True, tag="EntryAccepted"):
    asset: str
    direction: Side
    price: Price | None
    order_id: str
    zone: EntryZone
    stack: dict[str, Color]
    override: bool = False
    override_reason: str | None = None
    proposal: str | None = None


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


class FeedLost(Event, frozen=True, tag="FeedLost"):
    """TradingView's heartbeat for ``asset`` stopped, or the bridge's when ``asset`` is None."""

    asset: str | None = None


class FeedReturned(Event, frozen=True, tag="FeedReturned"):
    asset: str | None = None


class ContractChanged(Event, frozen=True, tag="ContractChanged"):
    """The contract whose price counts is another one: the roll, a setting, or the end of a trade in the old one."""

    asset: str
    before: str
    contract: str


class OrderQueued(Event, frozen=True, tag="OrderQueued"):
    """An order waits for a bridge. ``by`` is ``service`` for an exit that a program beside web forced."""

    order_id: str
    kind: OrderKind
    asset: str
    side: Side
    qty: int
    source: str
    forced: bool = False
    by: str | None = None


class OrderClaimed(Event, frozen=True, tag="OrderClaimed"):
    order_id: str
    owner: str
    redelivered: bool = False


class OrderReported(Event, frozen=True, tag="OrderReported"):
    """A bridge's report changed the order. ``qty`` contracts were filled by this report at ``price``.

    ``estimated`` when nobody told the price of these contracts.
    """

    order_id: str
    asset: str
    status: OrderStatus
    qty: int = 0
    price: Price | None = None
    exec_id: str | None = None
    estimated: bool = False


class FillBooked(Event, frozen=True, tag="FillBooked"):
    """A fill that no open order explains was told (SPEC 8.1, 8.3): late, beyond its order, or at the broker alone.

    It opened, grew or cut ``trade_id``; without one it moved no position: it is of the other environment, in another
    contract, or the desk had followed the broker before. ``kind`` is what it did to the trade.

    ``estimated`` when nobody told the price.
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
    estimated: bool = False


class FillRefused(Event, frozen=True, tag="FillRefused"):
    """A report or a fill of a bridge was refused (SPEC 8.3)."""

    why: Explanation
    order_id: str | None = None
    exec_id: str | None = None


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
OfTheDay = DayRolled | DayEquityNoted | DayWarned | TradeConsumed | OverrideTaken | DailyStopTriggered | CooldownStarted
OfTheContract = ContractChanged | UnitChanged
OfTheMarket = BrickApplied | LateBrickIgnored | TempoArmed | FeedLost | FeedReturned | DeadLetterKept | OfTheContract
OfEntries = EntryBlocked | EntryAccepted | EntryReturned
OfWhatWaits = PreOrderPlaced | PreOrderEnded | IntentChanged
OfOrders = OrderQueued | OrderClaimed | OrderReported | OrderEnded | FillBooked | FillRefused | AlertCounted
OfExits = InitialExitLockReleased | ExitBlocked | ExitLatched | PositionDisagreed | PositionAgreed
OfProof = OfFates | OfForeignPositions | OfBridges | OfClocks | OfTheAccount
AnyEvent = (
    OfTheDesk
    | OfTheDay
    | OfTheWindow
    | OfTheMarket
    | OfTheContract
    | OfFeeds
    | OfEntries
    | OfWhatWaits
    | OfProposals
    | OfOrders
    | OfTrades
    | OfExits
    | OfProof
    | OfTheStore
)
