"""One order on its way to the broker and back (SPEC 8)."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from wire.types import (
    Contract,
    EntryZone,
    Env,
    Instant,
    OrderKind,
    OrderStatus,
    Price,
    Side,
    SizeMode,
    TradeMode,
    Usd,
)


class EntryTerms(Struct, frozen=True):
    """The operator's choices for an entry, and the candle that the entry used."""

    trade_mode: TradeMode
    size_mode: SizeMode
    zone: EntryZone
    override: bool
    candle: Instant


class UnnamedFill(Struct, frozen=True):
    """A part of an order that was reported without ``exec_id`` and ``cum_qty``: what the report told, and when."""

    qty: int
    price: Price | None
    at: Instant


class Order(Struct, frozen=True):
    """One order on its way to the broker and back (SPEC 8).

    ``source`` names the cause: ``entry``, ``scale_in``, ``manual``, ``exit_all`` or an exit rule. ``attempt`` counts
    how often the broker refused this flattening exit before. ``filled_notional`` is the sum of price times quantity.

    ``instance`` is the bridge process that claimed it. ``fate_unknown_at`` is when the desk gave up waiting for a
    report (SPEC 8.1); ``hand_out_again`` is set on an exit that the broker never saw. ``cancelled_for`` is the source
    of the exit for which the bridge is asked to take back the rest of an entry (SPEC 7.2). ``position`` is what the
    desk held when it queued an exit. ``lease_ended`` is true when the operator's takeover has ended the lease of the
    bridge that claimed it (SPEC 8.2).

    ``settled_qty`` contracts were booked by the broker's positions or by hand and no report has told of them yet;
    ``unnamed_qty`` were reported without an ``exec_id``, last as ``unnamed`` says. ``commission`` is the sum that the
    reports told. ``proposal`` is the id of the proposal that an entry took. ``by`` is ``service`` for an
    exit that a program beside web asked for.
    """

    id: str
    kind: OrderKind
    asset: str
    contract: Contract
    side: Side
    qty: int
    env: Env
    source: str
    created_at: Instant
    status: OrderStatus = OrderStatus.PENDING
    mode: str = "A"
    expires_at: Instant | None = None
    stop_points: Decimal | None = None
    entry: EntryTerms | None = None
    attempt: int = 0
    owner: str | None = None
    claimed_at: Instant | None = None
    reported_at: Instant | None = None
    final_at: Instant | None = None
    filled_qty: int = 0
    filled_notional: Price = Decimal(0)
    exec_ids: tuple[str, ...] = ()
    reason: str | None = None
    alerted: bool = False
    instance: str | None = None
    fate_unknown_at: Instant | None = None
    hand_out_again: bool = False
    cancelled_for: str | None = None
    position: int | None = None
    lease_ended: bool = False
    settled_qty: int = 0
    unnamed_qty: int = 0
    commission: Usd = Decimal(0)
    unnamed: UnnamedFill | None = None
    proposal: str | None = None
    by: str | None = None

    @property
    def is_at_a_bridge(self) -> bool:
        """Whether a bridge holds the order and its end is not known yet."""
        return not self.status.is_final and self.status is not OrderStatus.PENDING

    @property
    def moved_at(self) -> Instant | None:
        """When the order was claimed, or last reported on if that was later; None before a bridge has it."""
        return max((at for at in (self.claimed_at, self.reported_at) if at is not None), default=None)

    @property
    def sign(self) -> int:
        return 1 if self.side == "BUY" else -1

    @property
    def remaining(self) -> int:
        return self.qty - self.filled_qty
