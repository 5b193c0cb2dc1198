"""The commands of the desk. Their names are imperative; their fields never change.

A command holds everything its decision needs besides the desk and the time, so replay can decide it again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from msgspec import UNSET, Struct, UnsetType

from services.engine.model.order import Order
from services.engine.model.settings import Rules
from services.engine.model.state import RestingStop
from services.engine.model.tagged import Tagged
from wire.types import (
    Color,
    Env,
    FillOfBroker,
    Instant,
    OrderStatus,
    Price,
    Side,
    SizeMode,
    Stream,
    TradeMode,
    Usd,
)

Origin = Literal["tradingview", "operator", "bridge", "clock", "house"]  # stored; "house" is the app itself


class Command(Tagged, frozen=True, omit_defaults=True):
    """The base of all commands. ``origin`` names the sender."""

    origin: ClassVar[Origin] = "house"


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
    """

    origin: ClassVar[Origin] = "tradingview"
    asset: str
    price: Price | None = None
    sent_at: Instant | None = None
    simulated: bool = False
    delivery: str | None = None


class CloseBrick(Command, frozen=True, tag="CloseBrick"):
    """A Renko brick of one size has closed (SPEC 3). ``unread`` are the fields that could not be read."""

    origin: ClassVar[Origin] = "tradingview"
    asset: str
    stream: Stream
    color: Color
    bar_id: str | None = None
    bar_at: Instant | None = None
    close: Price | None = None
    simulated: bool = False
    unread: tuple[str, ...] = ()


class TouchLevel(Command, frozen=True, tag="TouchLevel"):
    """A horizontal price level was touched: exit the asset (SPEC 3, ``/tv_level_exit``)."""

    origin: ClassVar[Origin] = "tradingview"
    asset: str


class EnterMarket(Command, frozen=True, tag="EnterMarket"):
    """The operator asks for a market entry (SPEC 4)."""

    origin: ClassVar[Origin] = "operator"
    asset: str
    trade_mode: TradeMode
    size_mode: SizeMode
    direction: Side | None = None
    override: bool = False
    override_reason: str | None = None


class ExitPosition(Command, frozen=True, tag="ExitPosition"):
    """The operator asks to be flat in one asset; ``force`` breaks the initial exit lock (SPEC 5.3)."""

    origin: ClassVar[Origin] = "operator"
    asset: str
    force: bool = False


class ExitAll(Command, frozen=True, tag="ExitAll"):
    """The operator asks to be flat everywhere (SPEC 7.3)."""

    origin: ClassVar[Origin] = "operator"
    force: bool = False


class ScaleIn(Command, frozen=True, tag="ScaleIn"):
    """The operator adds to the open trade, once (SPEC 4)."""

    origin: ClassVar[Origin] = "operator"
    asset: str


class PlacePreOrder(Command, frozen=True, tag="PlacePreOrder"):
    """The operator places an entry that waits for the next 6pt brick (SPEC 4)."""

    origin: ClassVar[Origin] = "operator"
    asset: str
    trade_mode: TradeMode
    size_mode: SizeMode
    direction: Side | None = None
    override: bool = False
    override_reason: str | None = None


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
    """Change limits: a tighter value holds at once, a looser one from the next trading day on."""

    origin: ClassVar[Origin] = "operator"
    limits: dict[str, Decimal]


class NoteTrade(Command, frozen=True, tag="NoteTrade"):
    """The operator writes a note and tags for a closed trade; they replace the earlier ones."""

    origin: ClassVar[Origin] = "operator"
    trade_id: str
    note: str = ""
    tags: tuple[str, ...] = ()


class ClaimOrders(Command, frozen=True, tag="ClaimOrders"):
    """A bridge claims the orders that are queued for it (SPEC 8.2).

    ``instance`` is the id of the claiming process's ledger; a bridge that knows only the contract has none.
    """

    origin: ClassVar[Origin] = "bridge"
    owner: str
    limit: int = 20
    instance: str | None = None


class ReportExecution(Command, frozen=True, tag="ReportExecution"):
    """A bridge reports on an order (SPEC 8.3).

    ``qty`` is this execution's quantity, ``cum_qty`` the total filled. ``recalled`` is the stored order when it is
    final already and no longer on the desk; the commit batch looks it up. ``commission`` is in USD of this execution.
    """

    origin: ClassVar[Origin] = "bridge"
    order_id: str
    status: OrderStatus
    fill_price: Price | None = None
    qty: int | None = None
    exec_id: str | None = None
    cum_qty: int | None = None
    reason: str | None = None
    symbol: str | None = None
    side: Side | None = None
    recalled: Order | None = None
    commission: Usd | UnsetType = UNSET


class Execution(Struct, frozen=True, omit_defaults=True):
    """One execution at the broker, as a bridge tells it (SPEC 8.3); ``at`` is the broker's time.

    ``symbol`` and ``asset`` are read as in ``BrokerPosition``. A ``price`` of 0 is unknown. ``order_id`` is None when
    the desk ordered nothing; ``commission`` is in USD.
    """

    exec_id: str
    at: Instant
    symbol: str
    side: Side
    qty: int
    price: Price
    kind: FillOfBroker
    asset: str | UnsetType = UNSET
    order_id: str | None = None
    commission: Usd | UnsetType = UNSET


class BookFills(Command, frozen=True, tag="BookFills"):
    """A bridge tells what was executed at the broker, by the desk's orders and without them (SPEC 8.3).

    ``recalled`` are the stored orders of the fills that are final already; the commit batch looks them up.
    """

    origin: ClassVar[Origin] = "bridge"
    env: Env
    account: str
    instance: str
    fills: tuple[Execution, ...]
    recalled: tuple[Order, ...] = ()


class ResolveOrder(Command, frozen=True, tag="ResolveOrder"):
    """The operator says what became of an order whose fate is unknown (SPEC 8.1).

    ``qty`` contracts were filled at ``price``; without them the whole rest at the last price.
    """

    origin: ClassVar[Origin] = "operator"
    order_id: str
    outcome: Literal["filled", "not_filled"]
    reason: str
    qty: int | None = None
    price: Price | None = None


class AcceptPosition(Command, frozen=True, tag="AcceptPosition"):
    """The operator accepts a position of the broker in a contract that the desk does not trade (SPEC 7.3)."""

    origin: ClassVar[Origin] = "operator"
    symbol: str
    position: int
    reason: str


class ConfirmTransfer(Command, frozen=True, tag="ConfirmTransfer"):
    """The operator says that ``amount`` USD were paid in, or out when negative (SPEC 5.6)."""

    origin: ClassVar[Origin] = "operator"
    amount: Usd
    reason: str


class HearBridge(Command, frozen=True, tag="HearBridge"):
    """A bridge's heartbeat, with the state of its connections.

    ``instance`` is the id of its ledger, ``env`` the environment whose account it speaks of, ``envs`` those in which it
    executes orders, ``kill_switch`` whether it refuses entries. A bridge that knows only the contract sends none of
    them; None means "not told" (SPEC 8.5).
    """

    origin: ClassVar[Origin] = "bridge"
    ts_connected: bool
    md_connected: bool = False
    repo_ok: bool = False
    account: str | None = None
    trade_route: str | None = None
    last_rapi_event_at: Instant | None = None
    instance: str | None = None
    env: Env | None = None
    envs: tuple[Env, ...] | None = None
    kill_switch: bool | None = None


class TakeOverBridge(Command, frozen=True, tag="TakeOverBridge"):
    """The operator lets another bridge process claim at once (SPEC 8.2)."""

    origin: ClassVar[Origin] = "operator"
    reason: str | None = None


class NoteTwoBridges(Command, frozen=True, tag="NoteTwoBridges"):
    """Two callers without an instance asked for orders in turns; ``callers`` are their names and addresses."""

    origin: ClassVar[Origin] = "bridge"
    callers: tuple[str, str]


class BrokerPosition(Struct, frozen=True):
    """One contract in a snapshot: signed ``position``, open PnL in USD, and the broker's prices.

    ``symbol`` is the contract's own name (``MESZ6``) when the bridge's spelling could be read, else that spelling.
    ``asset`` is the asset whose roots the contract belongs to, UNSET when the symbol names none. ``expired`` is true
    when the contract's delivery month is over for more than 7 days (SPEC 8.4). Journals of earlier programs lack both.
    """

    symbol: str
    position: int
    open_pnl: Usd | None = None
    avg_price: Price | None = None
    last_fill_price: Price | None = None
    asset: str | UnsetType = UNSET
    expired: bool | UnsetType = UNSET


class TakeSnapshot(Command, frozen=True, tag="TakeSnapshot"):
    """The broker account as the bridge sees it (SPEC 5.6, 8.4). ``balance`` is equity including open PnL.

    ``tells_positions`` is false when the message had no list of positions. ``as_of`` is the time of the broker's data,
    ``env`` and ``account`` say whose they are; None means "not told". ``stops`` are the stops that rest, None from a
    bridge that does not tell them.
    """

    origin: ClassVar[Origin] = "bridge"
    realized: Usd | None = None
    unrealized: Usd | None = None
    balance: Decimal | None = None
    positions: tuple[BrokerPosition, ...] = ()
    tells_positions: bool = True
    as_of: Instant | None = None
    env: Env | None = None
    account: str | None = None
    instance: str | None = None
    stops: tuple[RestingStop, ...] | None = None


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
    | NoteTrade
    | ClaimOrders
    | ReportExecution
    | BookFills
    | ResolveOrder
    | AcceptPosition
    | ConfirmTransfer
    | HearBridge
    | TakeOverBridge
    | NoteTwoBridges
    | TakeSnapshot
    | KeepDeadLetter
    | KeepObservations
    | TickClock
)
