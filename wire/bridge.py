"""What travels between desk and bridge, typed (contract: Orders and Bridge; SPEC 8).

Prices and dollars are `Decimal` from the first byte to the last: JSON numbers are read and written without a
detour through binary floats.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from wire.types import AwareTime, Env, OrderKind, Side

ReportStatus = Literal["WORKING", "PARTIALLY_FILLED", "FILLED", "REJECTED", "CANCELLED"]

Name = Annotated[str, Meta(min_length=1, max_length=128)]

LARGEST_STEP = Decimal(1_000_000)
"""No contract has a tick, a point or a stop distance larger than this; a number beyond it is a mistake."""


class OrderTicket(Struct, frozen=True, kw_only=True):
    """One order as the desk hands it out (``GET /api/orders/pending``).

    `contract` is the tradable symbol (``MESZ6``; the wire calls it ``asset``), `root` the operator's (``ES``).
    `qty` counts contracts, `stop_points` is the distance of the protective stop in points (SPEC 6.7),
    `tick_size` is in price units, `point_size` says how many price units one point is, and `point_value` what
    one point of one contract is worth in USD. After `expires_at` an entry must not be sent any more.
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

    def __post_init__(self) -> None:
        """Refuse steps that no contract has; msgspec cannot bound a `Decimal` by itself."""
        for field in ("tick_size", "point_value", "point_size", "stop_points"):
            step: Decimal | None = getattr(self, field)
            if step is not None and not 0 < step < LARGEST_STEP:
                raise ValueError(f"{field} must lie between 0 and {LARGEST_STEP}, was {step}")

    @property
    def is_exit(self) -> bool:
        """Say whether the order closes a position; exits are never limited and never expire."""
        return self.kind == "EXIT"

    @property
    def sign(self) -> int:
        """Give 1 for an order that buys, -1 for one that sells."""
        return 1 if self.side == "BUY" else -1

    @property
    def signed_qty(self) -> int:
        """Give the contracts the order adds to the position: positive buys, negative sells."""
        return self.sign * self.qty

    def has_expired(self, now: datetime) -> bool:
        """Say whether it is too late to send the order (SPEC 4, expiry)."""
        return not self.is_exit and self.expires_at is not None and now >= self.expires_at


class MalformedOrder(Struct, frozen=True):
    """An order the bridge cannot read: refused with `reason` when it at least has an `id`."""

    id: str | None
    reason: str


class ReportExtra(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Details of an execution report: `qty` is this execution's, `cum_qty` all of the order's so far."""

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


class Heartbeat(Struct, frozen=True, kw_only=True, rename="camel"):
    """Body of ``POST /api/bridge/heartbeat``, without the secret, which travels in a header too."""

    ts_connected: bool
    md_connected: bool
    repo_ok: bool
    account: str
    trade_route: str
    last_rapi_event_utc: datetime | None


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


class PnlSnapshot(Struct, frozen=True, kw_only=True, rename="camel"):
    """Body of ``POST /api/rithmic/pnl-snapshot``; USD, `account_balance` is equity incl. open PnL (SPEC 5.6)."""

    realized: Decimal
    unrealized: Decimal
    account_balance: Decimal
    symbols: tuple[ContractPnl, ...]


class QuoteEvent(Struct, frozen=True, kw_only=True):
    """A ``quote`` of the stream: the last price of a contract, and when it traded, null when nobody said so."""

    symbol: Name
    price: Decimal
    ts: AwareTime | None = None
    asset: str | None = None


class Quote(Struct, frozen=True):
    """The last price of a contract, and when it traded as far as the bridge may believe."""

    symbol: Name
    price: Decimal
    at: datetime


class _PendingAnswer(Struct):
    orders: list[msgspec.Raw]


class _WithId(Struct):
    id: str


_encoder = msgspec.json.Encoder(decimal_format="number")
_pending_decoder = msgspec.json.Decoder(_PendingAnswer)
_ticket_decoder = msgspec.json.Decoder(OrderTicket)
_id_decoder = msgspec.json.Decoder(_WithId)
_quote_decoder = msgspec.json.Decoder(QuoteEvent)


def encode(body: Struct) -> bytes:
    """Give `body` as JSON with plain numbers for decimals."""
    return _encoder.encode(body)


def decode_pending(answer: bytes) -> list[OrderTicket | MalformedOrder]:
    """Read the answer of ``GET /api/orders/pending``; one unreadable order does not hide the others.

    Raises `msgspec.DecodeError` when the answer as a whole is not the contract's.
    """
    return [decode_order(bytes(order)) for order in _pending_decoder.decode(answer).orders]


def decode_order(order: bytes) -> OrderTicket | MalformedOrder:
    """Read one order, from the wire or from the ledger."""
    try:
        return _ticket_decoder.decode(order)
    except msgspec.DecodeError as error:
        return MalformedOrder(id=_id_of(order), reason=f"malformed order: {error}")


def decode_quote(event: str, received_at: datetime) -> Quote:
    """Read the ``data`` of a quote event; without a time of its own it is as old as its receipt.

    A time that lies ahead is taken for `received_at`, so that one wrong clock does not silence later prices.
    Raises `msgspec.DecodeError` when it is not a quote.
    """
    quote = _quote_decoder.decode(event)
    return Quote(symbol=quote.symbol, price=quote.price, at=min(quote.ts or received_at, received_at))


def _id_of(order: bytes) -> str | None:
    try:
        return _id_decoder.decode(order).id or None
    except msgspec.DecodeError:
        return None
