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
)


class EntryTerms(Struct, frozen=True):
    """The operator's choices for an entry, and the candle that the entry used."""

    trade_mode: TradeMode
    size_mode: SizeMode
    zone: EntryZone
    override: bool
    candle: Instant


class Order(Struct, frozen=True):
    """One order on its way to the broker and back (SPEC 8).

    ``source`` names the cause: ``entry``, ``scale_in``, ``manual``, ``exit_all`` or an exit rule. ``attempt`` counts
    how often the broker refused this flattening exit before. ``filled_notional`` is the sum of price times quantity.
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

    @property
    def remaining(self) -> int:
        return self.qty - self.filled_qty
