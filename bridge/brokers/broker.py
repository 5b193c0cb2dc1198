"""The port to a broker. `paper.py` implements it in memory and ledger; a real broker implements it over a network.

A broker is asynchronous: `submit` hands over an order, and its events reach the `BrokerListener` from any thread at
any time, also during `submit` itself. Three rules make a crash harmless (SPEC 8.6):

1. The order id is the broker's client tag, so that `look_up` can find every order again.
2. Only `OrderRefused` means "not sent, and never will be". Every other exception of `submit` means *unknown*:
   the caller asks `look_up`, and sends nothing before it has an answer.
3. The protective stop belongs to the broker: it rests there as soon as an entry fills, and outlives the bridge.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from msgspec import Struct

from wire.bridge import OrderTicket, StopToRest
from wire.types import Env, Side


class OrderRefused(Exception):
    """The broker or the bridge refuses the order; the message is the reason shown to the trader."""


class BrokerUnavailable(Exception):
    """The broker cannot answer now; the caller must ask again."""


class Execution(Struct, frozen=True, kw_only=True):
    """One fill: `qty` contracts at `price`. `exec_id` is unique at the broker and identifies repeats."""

    exec_id: str
    qty: int
    price: Decimal
    at: datetime


class OrderWorking(Struct, frozen=True, tag=True):
    """The broker has the order and it is neither filled nor refused."""

    client_tag: str


class OrderExecuted(Struct, frozen=True, tag=True):
    """The order filled, in whole or in part."""

    client_tag: str
    execution: Execution


class OrderRejected(Struct, frozen=True, tag=True):
    """The broker refused the order after taking it; no contract filled."""

    client_tag: str
    reason: str


class OrderCancelled(Struct, frozen=True, tag=True):
    """The unfilled part of the order was cancelled; earlier executions stay valid."""

    client_tag: str
    reason: str


class PositionChanged(Struct, frozen=True, tag=True):
    """The position in `contract` changed for any cause, for example a protective stop."""

    contract: str


class UnorderedFill(Struct, frozen=True, tag=True, kw_only=True):
    """A fill that no order of the desk caused; `side` is the fill's own, `commission` in USD (SPEC 8.3)."""

    contract: str
    side: Side
    kind: Literal["STOP", "LIQUIDATION", "MANUAL"]
    execution: Execution
    commission: Decimal | None = None


class LinkRestored(Struct, frozen=True, tag=True):
    """The link to the broker was down and is back: events may have been missed, so every open order is looked up."""


OrderEvent = OrderWorking | OrderExecuted | OrderRejected | OrderCancelled
BrokerEvent = OrderEvent | PositionChanged | UnorderedFill | LinkRestored


class BrokerListener(Protocol):
    """Receives the broker's events."""

    def on_broker_event(self, event: BrokerEvent) -> None:
        """Store `event` durably before returning. A repeated event changes nothing.

        A broker that keeps its books in the bridge's ledger calls this inside its transaction, so that a fill and its
        report are written together or not at all. A broker on an event loop calls it from a thread.
        """


class BrokerOrder(Struct, frozen=True, kw_only=True):
    """An order at the broker: its `status` and every execution, oldest first."""

    status: Literal["WORKING", "FILLED", "REJECTED", "CANCELLED"]
    executions: tuple[Execution, ...] = ()
    reason: str | None = None


class ContractPosition(Struct, frozen=True, kw_only=True):
    """One contract of the account: signed position, prices in price units, `open_pnl` in USD."""

    contract: str
    position: int
    avg_price: Decimal | None
    last_fill_price: Decimal | None
    open_pnl: Decimal


class AccountStatement(Struct, frozen=True, kw_only=True):
    """Account and positions at one moment, in USD: `as_of` is the time of the broker's data.

    `realized` is gross of commission; `equity` is net of commission and includes open PnL (SPEC 5.6).
    `contracts` holds every open position and every contract traded within the last day, flat ones included.
    """

    as_of: datetime
    realized: Decimal
    unrealized: Decimal
    equity: Decimal
    contracts: tuple[ContractPosition, ...]

    def position_in(self, contract: str) -> int:
        """Return the signed position in `contract`, 0 when it was never traded."""
        return next((held.position for held in self.contracts if held.contract == contract), 0)


class ProtectiveStop(Struct, frozen=True, kw_only=True):
    """A stop resting at the broker: it closes `qty` contracts with `side` when `price` trades (SPEC 6.7)."""

    contract: str
    side: Side
    qty: int
    price: Decimal


class Broker(Protocol):
    """Executes orders for one account."""

    @property
    def account(self) -> str:
        """The account of the orders, as the desk shows it."""

    @property
    def trade_route(self) -> str:
        """The route of the orders: ``PAPER``, or the route at a real broker."""

    @property
    def env(self) -> Env:
        """The environment that the account belongs to (SPEC 8.5)."""

    @property
    def envs(self) -> tuple[Env, ...]:
        """The environments in which orders are executed (SPEC 8.5)."""

    def open(self, listener: BrokerListener) -> None:
        """Connect, and send events to `listener` from now on. Called once, before any other method."""

    def close(self) -> None:
        """Disconnect within a second; resting protective stops stay at the broker."""

    def is_connected(self) -> bool:
        """Return whether an order submitted now would reach the broker."""

    def has_market_data(self) -> bool:
        """Return whether prices are arriving."""

    def last_event_at(self) -> datetime | None:
        """Return the time of the last message from the broker, None before the first."""

    def submit(self, order: OrderTicket) -> None:
        """Hand over a market order, tagged with its id; its results arrive as events.

        When an entry fills, the broker also rests a protective stop at `order.stop_points` for the whole position,
        adjusts its quantity to the position, and removes it when flat. A scale-in moves the price only in favour.

        An exit is `reduce_only`: it closes at most what the account holds when it reaches the broker, and its rest is
        cancelled. It never opens a position.

        Raises `OrderRefused` when the order was certainly not sent. After any other exception its fate is unknown.
        """

    def cancel(self, client_tag: str, reason: str) -> None:
        """Cancel the unfilled part; an event confirms it, or none follows when nothing was left."""

    def look_up(self, client_tag: str) -> BrokerOrder | None:
        """Find an order by its tag; None only when the broker never had it and certainly never will.

        Raises `BrokerUnavailable` when the broker cannot answer now.
        """

    def statement(self) -> AccountStatement:
        """Return account and positions of one consistent moment. Raises `BrokerUnavailable`."""

    def rest_stop(self, stop: StopToRest) -> None:
        """Rest a protective stop for a position that no entry of this bridge opened; a repeated call changes nothing.

        A position that already has a stop keeps it. Nothing rests when the account does not hold what `stop` closes.
        Raises `BrokerUnavailable`.
        """

    def protective_stops(self) -> tuple[ProtectiveStop, ...]:
        """Return the protective stops that rest at the broker."""

    def on_clock(self, now: datetime) -> None:
        """Do the work that time alone makes due; called about every second."""
