"""The messages between desk and bridge (contract: Orders and Bridge; SPEC 8).

Prices and dollars are `Decimal`: JSON numbers are read and written without conversion to binary floats.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from wire.types import AwareTime, Env, FillOfBroker, OrderKind, Side

ReportStatus = Literal["WORKING", "PARTIALLY_FILLED", "FILLED", "REJECTED", "CANCELLED"]

Decoded = TypeVar("Decoded")

Name = Annotated[str, Meta(min_length=1, max_length=128)]

DESK_TIME_HEADER = "X-Desk-Time"
"""On every answer to a bridge: the desk's time, RFC 3339. A bridge judges the age of an order by it (SPEC 5.8)."""

BRIDGE_TIME_HEADER = "X-Bridge-Time"
"""On a bridge's calls, when it tells it: the time of its machine, RFC 3339."""

LARGEST_STEP = Decimal(1_000_000)
"""The limit of a tick, a point or a stop distance. No contract has a larger one; a larger number is a mistake."""


class OrderTicket(Struct, frozen=True, kw_only=True):
    """One order that the desk gives to a bridge (``GET /api/orders/pending``).

    `contract` is the tradable symbol (``MESZ6``; its JSON field is ``asset``), `root` the operator's (``ES``). `qty`
    counts contracts. `stop_points` is the distance of the protective stop in points (SPEC 6.7). `tick_size` is in
    price, `unit` one point in price, `point_value` what 1.00 of price is worth per contract, in USD. `point_size` says
    the same as `unit`, for bridges of before. A desk of before sends no `unit`: then `point_size` is one point in
    price, and `point_value` the value of that point.
    After `expires_at` an entry must not be sent any more. An exit is `reduce_only`; `position` is the signed position
    that the desk held when it queued the exit (SPEC 7.2).
    """

    id: Name
    contract: Name = msgspec.field(name="asset")
    exchange: Name
    side: Side
    qty: Annotated[int, Meta(ge=1, le=1_000_000)]
    env: Env
    kind: OrderKind
    tick_size: Decimal
    point_value: Decimal
    point_size: Decimal = Decimal(1)
    stop_points: Decimal | None = None
    root: str | None = None
    client_order_id: str | None = None
    mode: str | None = None
    source: str | None = None
    created_at: AwareTime | None = None
    expires_at: AwareTime | None = None
    redelivered: bool = False
    reduce_only: bool = False
    position: int | None = None
    unit: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse steps that no contract has. msgspec itself cannot limit a `Decimal`."""
        for field in ("tick_size", "point_value", "point_size", "stop_points", "unit"):
            step: Decimal | None = getattr(self, field)
            if step is not None and not 0 < step < LARGEST_STEP:
                raise ValueError(f"{field} must lie between 0 and {LARGEST_STEP}, was {step}")

    @property
    def is_exit(self) -> bool:
        """Whether the order closes a position. Exits are never limited and never expire."""
        return self.kind == "EXIT"

    @property
    def sign(self) -> int:
        """1 for an order that buys, -1 for one that sells."""
        return 1 if self.side == "BUY" else -1

    @property
    def signed_qty(self) -> int:
        """The contracts that the order adds to the position: positive for a buy, negative for a sell."""
        return self.sign * self.qty

    def has_expired(self, now: datetime) -> bool:
        """Return whether it is too late to send the order (SPEC 4, expiry)."""
        return not self.is_exit and self.expires_at is not None and now >= self.expires_at


class MalformedOrder(Struct, frozen=True):
    """An order that the bridge cannot read. It is refused with `reason` when it has an `id`."""

    id: str | None
    reason: str


class ReportExtra(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Details of an execution report. `qty` is this execution's quantity, `cum_qty` the order's total so far."""

    symbol: str | None = None
    side: Side | None = None
    fill_price: Decimal | None = None
    qty: int | None = None
    cum_qty: int | None = None
    exec_id: str | None = None
    reason: str | None = None


class ExecutionReport(Struct, frozen=True):
    """Body of ``POST /api/orders/<id>/execution-report`` (SPEC 8.3)."""

    status: ReportStatus
    extra: ReportExtra


class Heartbeat(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Body of ``POST /api/bridge/heartbeat``, without the secret, which may be sent in a header.

    `instance` is the id of the bridge's ledger, `env` the environment of its account, `envs` those in which it executes
    orders, `kill_switch` whether it refuses entries (SPEC 8.2, 8.5). The contract's bridges send none of the four.
    """

    ts_connected: bool
    md_connected: bool
    repo_ok: bool
    account: str
    trade_route: str
    last_rapi_event_utc: datetime | None
    instance: str | None = None
    env: Env | None = None
    envs: tuple[Env, ...] | None = None
    kill_switch: bool | None = None


class RestingStop(Struct, frozen=True, kw_only=True):
    """A stop order of the bridge that rests at the broker (SPEC 6.7)."""

    contract: str
    side: Side
    qty: int
    price: Decimal


class StopToRest(Struct, frozen=True, kw_only=True):
    """A stop that the desk asks a bridge to rest for a position it adopted (SPEC 8.4)."""

    contract: str
    exchange: str
    side: Side
    qty: int
    price: Decimal


class ContractPnl(Struct, frozen=True, kw_only=True, rename="camel"):
    """One contract of a snapshot: signed `position`, `open_pnl` in USD, prices in price units.

    `last_fill_price` of a flat contract is the price that made it flat: when a protective stop fired at the
    broker, that is the true exit price of the trade (SPEC 8.4).
    """

    symbol: str
    position: int
    open_pnl: Decimal
    avg_price: Decimal | None
    last_fill_price: Decimal | None


class PnlSnapshot(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Body of ``POST /api/rithmic/pnl-snapshot``; USD, `account_balance` is equity incl. open PnL (SPEC 5.6).

    `as_of` is the time of the broker's data, `env` and `account` say whose they are, `stops` are those that rest, null
    from a bridge that does not tell them. The contract's bridges send none of these.
    """

    realized: Decimal
    unrealized: Decimal
    account_balance: Decimal
    symbols: tuple[ContractPnl, ...]
    as_of: datetime | None = msgspec.field(default=None, name="as_of")
    env: Env | None = None
    account: str | None = None
    instance: str | None = None
    stops: tuple[RestingStop, ...] | None = None


class BrokerFill(Struct, frozen=True, kw_only=True):
    """One execution at the broker (SPEC 8.3): `qty` contracts at `price`, `commission` in USD.

    `kind` says what caused it. `order_id` is the desk's order, null when the desk ordered nothing.
    """

    exec_id: str
    ts: datetime
    symbol: str
    side: Side
    qty: int
    price: Decimal
    kind: FillOfBroker
    order_id: str | None = None
    commission: Decimal | None = None


class FillsReport(Struct, frozen=True, kw_only=True):
    """Body of ``POST /api/bridge/fills``; at most 200 fills, unique on account and `exec_id` (SPEC 8.3)."""

    instance: str
    env: Env
    account: str
    fills: tuple[BrokerFill, ...]


class Tick(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One trade of the market: `size` contracts at `price`, and the best `bid` and `ask` then; null when unknown.

    `seq` grows with each tick that a sender sends of one contract.
    """

    ts: AwareTime
    price: Decimal
    seq: Annotated[int, Meta(ge=0, lt=2**63)]
    size: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None


class TicksReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of ``POST /api/bridge/ticks``, without the secret: at most 500 ticks of one contract, oldest first.

    `instance` names the run of the sender; `simulated` says whether they are of a simulated market, null if unknown.
    `gap` says that the sender lost ticks before the first of these.
    """

    symbol: Name
    ticks: Annotated[tuple[Tick, ...], Meta(max_length=500)]
    instance: str | None = None
    simulated: bool | None = None
    gap: bool = False


QuoteSource = Literal["ticks", "heartbeat"]


class QuoteEvent(Struct, frozen=True, kw_only=True):
    """A ``quote`` of the stream: the last price of a contract and its time, null when unknown.

    `source` says whether a tick of the bridge or TradingView's heartbeat told it. Only a tick has `bid`, `ask`, `size`
    and `seq`. `simulated` is null when nobody said whether the market is. `after_gap`: ticks just before it may be
    missing.
    """

    symbol: Name
    price: Decimal
    ts: AwareTime | None = None
    asset: str | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    size: int | None = None
    seq: int | None = None
    source: QuoteSource | None = None
    simulated: bool | None = None
    after_gap: bool = False


class Quote(Struct, frozen=True):
    """The last price of a contract and its time, which is never later than its receipt."""

    symbol: Name
    price: Decimal
    at: datetime


class HandedOut(Struct, frozen=True):
    """What the desk gives a bridge that asks (``GET /api/orders/pending``).

    `cancels` are ids of orders whose rest it asks back (SPEC 7.2), `stops` those it asks to rest for adopted trades
    (SPEC 8.4). A desk that knows only the contract sends neither.
    """

    orders: list[OrderTicket | MalformedOrder]
    cancels: tuple[str, ...] = ()
    stops: tuple[StopToRest, ...] = ()


class _PendingAnswer(Struct):
    orders: list[msgspec.Raw]
    cancels: tuple[msgspec.Raw, ...] = ()
    stops: tuple[msgspec.Raw, ...] = ()


class _WithId(Struct):
    id: str


_pending_decoder = msgspec.json.Decoder(_PendingAnswer)
_ticket_decoder = msgspec.json.Decoder(OrderTicket)
_text_decoder = msgspec.json.Decoder(str)
_stop_decoder = msgspec.json.Decoder(StopToRest)
_id_decoder = msgspec.json.Decoder(_WithId)
_quote_decoder = msgspec.json.Decoder(QuoteEvent)


def decode_pending(answer: bytes) -> HandedOut:
    """Read the answer of ``GET /api/orders/pending``. An unreadable order does not affect the others.

    Each part is decoded on its own, after the lists; an unreadable id or stop is left out, the desk sends it again.
    Raises `msgspec.DecodeError` when the answer itself is malformed.
    """
    read = _pending_decoder.decode(answer)
    return HandedOut(
        orders=[decode_order(bytes(order)) for order in read.orders],
        cancels=tuple(_readable(_text_decoder, read.cancels)),
        stops=tuple(_readable(_stop_decoder, read.stops)),
    )


def _readable(decoder: msgspec.json.Decoder[Decoded], parts: tuple[msgspec.Raw, ...]) -> Iterator[Decoded]:
    for part in parts:
        with suppress(msgspec.DecodeError):
            yield decoder.decode(part)


def decode_order(order: bytes) -> OrderTicket | MalformedOrder:
    """Read one order, from an answer or from the ledger."""
    try:
        return _ticket_decoder.decode(order)
    except msgspec.DecodeError as error:
        return MalformedOrder(id=_id_of(order), reason=f"malformed order: {error}")


def decode_quote(event: str, received_at: datetime) -> Quote:
    """Read the ``data`` of a quote event. Without a time of its own it gets `received_at`.

    A time in the future is replaced by `received_at`, so that a wrong clock does not make later prices look old.
    Raises `msgspec.DecodeError` when it is not a quote.
    """
    quote = _quote_decoder.decode(event)
    return Quote(symbol=quote.symbol, price=quote.price, at=min(quote.ts or received_at, received_at))


def _id_of(order: bytes) -> str | None:
    try:
        return _id_decoder.decode(order).id or None
    except msgspec.DecodeError:
        return None
