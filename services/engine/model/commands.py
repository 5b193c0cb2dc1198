"""The commands of the desk. Their names are imperative; their fields never change.

A command holds everything its decision needs besides the desk and the time, so replay can decide it again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from msgspec import field

from services.engine.model.bar_commands import CloseBar, NoteDelayedQuotes
from services.engine.model.bridge_commands import (
    AcceptPosition,
    BookFills,
    ClaimOrders,
    ConfirmTransfer,
    HearBridge,
    NoteClock,
    NoteTwoBridges,
    NoteUnreadable,
    ReportExecution,
    ResolveOrder,
    TakeOverBridge,
    TakeSnapshot,
)
from services.engine.model.command import Command, Origin
from services.engine.model.proposal_commands import OfProposals
from services.engine.model.settings import Rules
from services.engine.model.store_doubts import ConfirmStore, NoteStore
from services.engine.model.ticks import HearTicks
from services.engine.model.window_commands import OfTheWindow
from wire.types import (
    Color,
    Env,
    Instant,
    Price,
    Side,
    SizeMode,
    Stream,
    TradeMode,
)


class ConfigureDesk(Command, frozen=True, tag="ConfigureDesk"):
    """Put the operator's settings in force; decided once at every start."""

    rules: Rules


class TakeOver(Command, frozen=True, tag="TakeOver"):
    """Make ``writer`` the process that decides from here on. ``program`` is its program version.

    ``after_loss`` names the previous process when it ended without releasing the desk. ``counts_ids`` is true when the
    new ids carry a counter within the millisecond. ``generation`` is that of the rules by which the process decides
    (``Desk.generation``). Journals of earlier programs lack the two.
    """

    writer: str
    epoch: int
    program: str
    after_loss: str | None = None
    counts_ids: bool = False
    generation: int = 1


class NotePrice(Command, frozen=True, tag="NotePrice"):
    """A TradingView heartbeat: last price and freshness (SPEC 3). ``sent_at`` is the message's own time.

    ``delivery`` is the delivery that the symbol names, ``Z6`` or ``2!``; None for the continuous ``1!`` or no month.
    ``continuous`` is the delivery that the calendar gives ``1!``; None for a symbol that is not ``1!``.
    """

    origin: ClassVar[Origin] = "tradingview"
    asset: str
    price: Price | None = None
    sent_at: Instant | None = None
    simulated: bool = False
    delivery: str | None = None
    continuous: str | None = None


class CloseBrick(Command, frozen=True, tag="CloseBrick"):
    """A Renko brick of one size has closed (SPEC 3).

    ``unread`` are the fields that could not be read. ``stale_at`` is when its colour is too old unless another brick of
    its size came: the calendar knows it, the engine does not.
    """

    origin: ClassVar[Origin] = "tradingview"
    asset: str
    stream: Stream
    color: Color
    bar_id: str | None = None
    bar_at: Instant | None = None
    close: Price | None = None
    simulated: bool = False
    unread: tuple[str, ...] = ()
    stale_at: Instant | None = None


class TouchLevel(Command, frozen=True, tag="TouchLevel"):
    """A horizontal price level was touched: exit the asset (SPEC 3, ``/tv_level_exit``)."""

    origin: ClassVar[Origin] = "tradingview"
    asset: str


class EnterMarket(Command, frozen=True, tag="EnterMarket"):
    """The operator asks for a market entry (SPEC 4). ``proposal`` is the id of the proposal that was clicked.

    ``qty`` are fewer contracts than those of the size; None for all of them.
    """

    origin: ClassVar[Origin] = "operator"
    asset: str
    trade_mode: TradeMode
    size_mode: SizeMode
    direction: Side | None = None
    override: bool = False
    override_reason: str | None = None
    proposal: str | None = None
    qty: int | None = None


class ExitPosition(Command, frozen=True, tag="ExitPosition"):
    """The operator asks to be flat in one asset; ``force`` breaks the initial exit lock (SPEC 5.3).

    ``by`` is ``service`` when a program beside web asked, which closes for the operator (``MT4_ROUTE=desk``).
    ``trade`` is the id of the trade that is meant: another one is not exited.
    """

    origin: ClassVar[Origin] = "operator"
    asset: str
    force: bool = False
    by: Literal["operator", "service"] = "operator"
    trade: str | None = None


class ExitAll(Command, frozen=True, tag="ExitAll"):
    """The operator asks to be flat everywhere (SPEC 7.3)."""

    origin: ClassVar[Origin] = "operator"
    force: bool = False


class ScaleIn(Command, frozen=True, tag="ScaleIn"):
    """The operator adds to the open trade, once (SPEC 4)."""

    origin: ClassVar[Origin] = "operator"
    asset: str


class PlacePreOrder(Command, frozen=True, tag="PlacePreOrder"):
    """The operator places an entry that waits for the next 6pt brick (SPEC 4). ``qty`` as of an EnterMarket."""

    origin: ClassVar[Origin] = "operator"
    asset: str
    trade_mode: TradeMode
    size_mode: SizeMode
    direction: Side | None = None
    override: bool = False
    override_reason: str | None = None
    qty: int | None = None


class CancelPreOrder(Command, frozen=True, tag="CancelPreOrder"):
    """The operator cancels the waiting pre-order."""

    origin: ClassVar[Origin] = "operator"
    asset: str


class PlaceIntent(Command, frozen=True, tag="PlaceIntent"):
    """The operator states the intent to enter after the next 6pt brick (SPEC 4)."""

    origin: ClassVar[Origin] = "operator"
    asset: str


class CancelIntent(Command, frozen=True, tag="CancelIntent"):
    """The operator cancels the intent."""

    origin: ClassVar[Origin] = "operator"
    asset: str


class SetProtect(Command, frozen=True, tag="SetProtect"):
    """Switch the soft stop on open points (SPEC 6.3). Without ``threshold`` the current one is kept."""

    origin: ClassVar[Origin] = "operator"
    asset: str
    enabled: bool
    threshold: Decimal | None = None


class SetPointsTarget(Command, frozen=True, tag="SetPointsTarget"):
    """Switch the points take-profit (SPEC 6.1). Without ``target`` the current one is kept."""

    origin: ClassVar[Origin] = "operator"
    asset: str
    enabled: bool
    target: Decimal | None = None


class SetSignalTarget(Command, frozen=True, tag="SetSignalTarget"):
    """Arm or disarm the signal take-profit, set its target, reset its count (SPEC 6.4)."""

    origin: ClassVar[Origin] = "operator"
    asset: str
    toggle: bool = False
    target: int | None = None
    reset: bool = False


ToggledExit = Literal["high_next_bar_exit_enabled", "main_flip_exit_enabled", "four_pt_invalidation_enabled"]


class ToggleExit(Command, frozen=True, tag="ToggleExit"):
    """Switch one of the brick exits on or off (SPEC 6.5)."""

    origin: ClassVar[Origin] = "operator"
    asset: str
    exit: ToggledExit


class ConsumeTrade(Command, frozen=True, tag="ConsumeTrade"):
    """Take one slot of the day's trade limit by hand (SPEC 5.5)."""

    origin: ClassVar[Origin] = "operator"


class SwitchEnv(Command, frozen=True, tag="SwitchEnv"):
    """Change between DEMO and LIVE (SPEC 8.5)."""

    origin: ClassVar[Origin] = "operator"
    env: Env


class SetLimits(Command, frozen=True, tag="SetLimits"):
    """Change limits: a tighter value holds at once, a looser one from a later trading day on. None turns one off.

    ``words`` are those whose value is no number: a time of day, hours of a day. ``confirm`` says that the operator has
    held the button: without it a change that would flatten a position within 60 s is refused (SPEC 5.9).
    """

    origin: ClassVar[Origin] = "operator"
    limits: dict[str, Decimal | None]
    words: dict[str, str | None] = field(default_factory=dict)
    confirm: bool = False


class NoteTrade(Command, frozen=True, tag="NoteTrade"):
    """The operator writes a note and tags for a closed trade; they replace the earlier ones."""

    origin: ClassVar[Origin] = "operator"
    trade_id: str
    note: str = ""
    tags: tuple[str, ...] = ()


class KeepDeadLetter(Command, frozen=True, tag="KeepDeadLetter"):
    """Keep a webhook that could not be read, so that nothing is lost silently. ``body`` holds no secret.

    ``status`` is the HTTP status of the answer; rows written before schema 3 lack it.
    """

    origin: ClassVar[Origin] = "tradingview"
    path: str
    reason: str
    body: str
    status: int | None = None


class KeepObservations(Command, frozen=True, tag="KeepObservations"):
    """Store prices and ages periodically, so that a restart begins close to them (docs/explanation/architecture.md)."""

    origin: ClassVar[Origin] = "clock"


class TickClock(Command, frozen=True, tag="TickClock"):
    """Time has passed: expire, roll, retry, warn. Any later command would apply the same."""

    origin: ClassVar[Origin] = "clock"


AnyCommand = (
    ConfigureDesk
    | TakeOver
    | NotePrice
    | CloseBrick
    | CloseBar
    | NoteDelayedQuotes
    | TouchLevel
    | EnterMarket
    | ExitPosition
    | ExitAll
    | ScaleIn
    | PlacePreOrder
    | CancelPreOrder
    | PlaceIntent
    | CancelIntent
    | SetProtect
    | SetPointsTarget
    | SetSignalTarget
    | ToggleExit
    | ConsumeTrade
    | SwitchEnv
    | SetLimits
    | OfTheWindow
    | NoteTrade
    | OfProposals
    | ClaimOrders
    | ReportExecution
    | BookFills
    | ResolveOrder
    | AcceptPosition
    | ConfirmTransfer
    | HearBridge
    | TakeOverBridge
    | NoteTwoBridges
    | NoteUnreadable
    | NoteClock
    | NoteStore
    | ConfirmStore
    | HearTicks
    | TakeSnapshot
    | KeepDeadLetter
    | KeepObservations
    | TickClock
)
