"""The commands of bridges, and of the operator about what happened at the broker (SPEC 7.3, 8)."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from msgspec import UNSET, Struct, UnsetType

from services.engine.model.command import Command, Origin
from services.engine.model.evidence import RestingStop
from services.engine.model.order import Order
from wire.types import (
    Env,
    FillOfBroker,
    Instant,
    OrderStatus,
    Price,
    ResolvedAs,
    Side,
    Usd,
    Whose,
)


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
    outcome: ResolvedAs
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


class NoteClock(Command, frozen=True, tag="NoteClock"):
    """A clock was compared with the desk's (SPEC 5.8): this machine's own, or the bridge's.

    It is ``ahead_seconds`` ahead, behind when negative; ``agrees`` when that is little enough. ``detail`` says what was
    compared.
    """

    origin: ClassVar[Origin] = "clock"
    whose: Whose
    ahead_seconds: float
    agrees: bool
    detail: str = ""


class NoteUnreadable(Command, frozen=True, tag="NoteUnreadable"):
    """A bridge that knows its secret sent a message that cannot be read (SPEC 8.3).

    ``path`` is where it was sent, ``reason`` the first fault; ``tells_fills`` when it may have told of an execution.
    """

    origin: ClassVar[Origin] = "bridge"
    path: str
    reason: str
    tells_fills: bool = True
    order_id: str | None = None


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
