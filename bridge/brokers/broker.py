"""The port to a broker. `paper.py` implements it in memory and ledger; real brokers implement it over a link.

A broker is asynchronous: `submit` hands an order over, what becomes of it arrives at the `BrokerListener`, from
any thread and at any time, also during `submit` itself. Three rules make a crash harmless (SPEC 8.6):

1. The order id travels as the broker's client tag, so every order can be found again with `look_up`.
2. Only `OrderRefused` means "not sent, and never will be". Every other exception of `submit` means *unknown*:
   the caller asks `look_up` and sends nothing before it has an answer.
3. The protective stop belongs to the broker: it rests there as soon as an entry fills, and outlives the bridge.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from msgspec import Struct

from wire.bridge import OrderTicket
from wire.types import Side


class OrderRefused(Exception):
    """The broker, or the bridge itself, will not take the order; the message is the reason for the trader."""


class BrokerUnavailable(Exception):
    """The broker cannot answer now; nothing is known, and the question has to be asked again."""


class Execution(Struct, frozen=True, kw_only=True):
    """One fill: `qty` contracts at `price`. `exec_id` is unique at the broker and makes repeats recognisable."""

    exec_id: str
    qty: int
    price: Decimal
    at: datetime


class OrderWorking(Struct, frozen=True, tag=True):
    """The broker has the order and it is neither filled nor refused."""

    client_tag: str


class OrderExecuted(Struct, frozen=True, tag=True):
    """The order filled, wholly or in part."""

    client_tag: str
    execution: Execution


class OrderRejected(Struct, frozen=True, tag=True):
    """The broker refused the order after taking it; nothing of it filled."""

    client_tag: str
    reason: str


class OrderCancelled(Struct, frozen=True, tag=True):
    """The order, or what was left of it, was taken back; earlier executions stay valid."""

    client_tag: str
    reason: str


class PositionChanged(Struct, frozen=True, tag=True):
    """The position in `contract` is another than before, whatever the cause; a protective stop for example."""

    contract: str


class LinkRestored(Struct, frozen=True, tag=True):
    """The link to the broker was down and is back: events may have been missed, look everything up."""


OrderEvent = OrderWorking | OrderExecuted | OrderRejected | OrderCancelled
BrokerEvent = OrderEvent | PositionChanged | LinkRestored


class BrokerListener(Protocol):
    """Whoever wants to know what happens at the broker."""

    def on_broker_event(self, event: BrokerEvent) -> None:
        """Take note of `event`, durably, before returning. Repeats are harmless.

        A broker which keeps its own book in the bridge's ledger calls this inside its transaction, so that a
        fill and its report are written together or not at all. A broker on an event loop calls it from a thread.
        """


class OrderStanding(Struct, frozen=True, kw_only=True):
    """What the broker knows of an order: its `status` and every execution, oldest first."""

    status: Literal["WORKING", "FILLED", "REJECTED", "CANCELLED"]
    executions: tuple[Execution, ...] = ()
    reason: str | None = None


class ContractStanding(Struct, frozen=True, kw_only=True):
    """One contract of the account: signed position, prices in price units, `open_pnl` in USD."""

    contract: str
    position: int
    avg_price: Decimal | None
    last_fill_price: Decimal | None
    open_pnl: Decimal


class AccountStatement(Struct, frozen=True, kw_only=True):
    """Account and positions of one moment, in USD.

    `realized` is gross of commission; `equity` is net of commission and includes open PnL (SPEC 5.6).
    `contracts` holds every open position and every contract traded within the last day, flat ones included.
    """

    realized: Decimal
    unrealized: Decimal
    equity: Decimal
    contracts: tuple[ContractStanding, ...]

    def position_in(self, contract: str) -> int:
        """Give the signed position in `contract`, 0 when it was never traded."""
        return next((held.position for held in self.contracts if held.contract == contract), 0)


class ProtectiveStop(Struct, frozen=True, kw_only=True):
    """A stop resting at the broker: closes `qty` contracts with `side` when `price` trades (SPEC 6.7)."""

    contract: str
    side: Side
    qty: int
    price: Decimal


class Broker(Protocol):
    """A place where orders are executed."""

    @property
    def account(self) -> str:
        """Name the account orders go to, as the desk shows it."""

    @property
    def trade_route(self) -> str:
        """Name the way orders go: ``PAPER``, or the route of a real broker."""

    def open(self, listener: BrokerListener) -> None:
        """Connect, and tell `listener` what happens from now on. Called once, before anything else."""

    def close(self) -> None:
        """Disconnect within a second; resting protective stops stay at the broker."""

    def is_connected(self) -> bool:
        """Say whether an order submitted now would reach the broker."""

    def has_market_data(self) -> bool:
        """Say whether prices are arriving."""

    def last_event_at(self) -> datetime | None:
        """Give the time of the newest sign of life from the broker, or None before the first."""

    def submit(self, order: OrderTicket) -> None:
        """Hand over a market order, tagged with its id; the answer comes as events.

        The broker also rests a protective stop of `order.stop_points` for the whole position once an entry
        fills, moves its quantity with the position, and removes it when flat.

        Raises `OrderRefused` when the order was certainly not sent. Any other exception leaves it unknown.
        """

    def cancel(self, client_tag: str, reason: str) -> None:
        """Take back what has not filled yet; the answer comes as an event, or none if there is nothing left."""

    def look_up(self, client_tag: str) -> OrderStanding | None:
        """Find an order by its tag; None only when the broker never had it and certainly never will.

        Raises `BrokerUnavailable` when that cannot be told now.
        """

    def statement(self) -> AccountStatement:
        """Give account and positions of one consistent moment. Raises `BrokerUnavailable`."""

    def protective_stops(self) -> tuple[ProtectiveStop, ...]:
        """List the protective stops that rest at the broker."""

    def on_clock(self, now: datetime) -> None:
        """Do what is due by time alone; called about every second."""
