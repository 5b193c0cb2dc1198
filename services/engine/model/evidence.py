"""What is known of the broker, and how sure it is: disagreements, doubts, readings, resting stops (SPEC 8.4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from services.engine.model.trade import Trade
from services.engine.model.trade_events import TradeClosed
from wire.types import (
    DoubtCode,
    Env,
    Instant,
    Price,
    ResolvedAs,
    Side,
    Usd,
)


class Disagreement(Struct, frozen=True):
    """The broker's position differs from the desk's (SPEC 8.4). ``price`` was the last one known at ``since``."""

    broker_position: int
    since: Instant
    price: Price | None = None


class Resolved(Struct, frozen=True):
    """What the operator said became of an order (SPEC 8.1), as the call told it, and when."""

    order_id: str
    outcome: ResolvedAs
    at: Instant
    qty: int | None = None
    price: Price | None = None

    def says_the_same(self, other: Resolved) -> bool:
        mine = (self.order_id, self.outcome, self.qty, self.price)
        return mine == (other.order_id, other.outcome, other.qty, other.price)


class Doubt(Struct, frozen=True):
    """Why broker and desk may disagree although no snapshot has said so (SPEC 4 ``reconcile``, 8.1).

    It ends at ``until``, or with the next snapshot that agrees when ``until`` is None. ``resolved`` are the orders of
    which only the operator's word tells; ``withheld`` USD is what they have added to the books: it does not count for
    the daily stop while the doubt lasts.
    """

    code: DoubtCode
    since: Instant
    until: Instant | None = None
    resolved: tuple[Resolved, ...] = ()
    withheld: Usd = Decimal(0)


class Followed(Struct, frozen=True):
    """Contracts that the desk took over from the broker's position without having been told their fill (SPEC 8.4).

    ``change`` is signed. A fill of before ``at`` that is told afterwards is in it already.
    """

    change: int
    at: Instant


class UnfilledOrder(Struct, frozen=True):
    """An order that a bridge had claimed and that ended with ``left`` contracts unfilled.

    A position that appears within 10 min after ``ended_at`` may be its late fill (SPEC 8.4).
    """

    symbol: str
    side: Side
    left: int
    env: Env
    ended_at: Instant


class ClosedUntold(Struct, frozen=True):
    """A trade that the desk closed by the broker's position; a fill told later corrects its exit (SPEC 8.3).

    ``trade`` is closed, ``event`` is what was told of it. ``left`` contracts are booked at ``price`` until then;
    ``was_estimated`` is whether the trade held an estimated price before. ``order_id`` is the exit whose unknown fate
    was settled so, None where the desk followed the broker.
    """

    trade: Trade
    event: TradeClosed
    price: Price
    left: int
    was_estimated: bool
    order_id: str | None = None


class ClosedUncharged(Struct, frozen=True):
    """The asset's last closed trade while the broker has not told all its commission (SPEC 7.5).

    ``trade`` is closed, ``event`` is what was told of it last.
    """

    trade: Trade
    event: TradeClosed


class SuspectFill(Struct, frozen=True):
    """A fill whose price would be suspect as a price: it is booked as told, ``stand_in`` counts instead (SPEC 8.3).

    ``change`` is signed. ``excess`` USD is what the told price has added to the day's books over the stand-in.
    ``trade_id`` is the trade that was open after it, None when it closed one; ``is_entry`` when it added to that trade.
    """

    price: Price
    stand_in: Price
    change: int
    excess: Usd
    at: Instant
    trade_id: str | None = None
    is_entry: bool = False
    order_id: str | None = None


class ForeignPosition(Struct, frozen=True):
    """A position of the broker in a contract that the desk does not trade (SPEC 7.3, 8.4).

    ``asset`` is the asset whose roots the contract belongs to, None for an unknown symbol. ``accepted`` is true when
    the operator has accepted exactly this position; ``expired`` when nobody can hold the contract any more.
    """

    symbol: str
    position: int
    since: Instant
    asset: str | None = None
    expired: bool = False
    accepted: bool = False


class Streak(Struct, frozen=True):
    """Snapshots in a row that told the same position of one contract (SPEC 8.4).

    ``count`` counts those at least 2 s apart. ``explicit`` is true while every one of them listed the contract.
    """

    position: int
    count: int
    counted_at: Instant
    explicit: bool


class RestingStop(Struct, frozen=True):
    """A stop order that rests at the broker, as the bridge says: contract, side, quantity and price (SPEC 6.7)."""

    symbol: str
    side: Side
    qty: int
    price: Price


class BridgeFence(Struct, frozen=True):
    """The bridge process that claims orders: the id of its ledger, and when it was last heard (SPEC 8.2)."""

    instance: str
    heard_at: Instant


RollStage = Literal["soon", "today", "expired"]


class RollWarned(Struct, frozen=True):
    """The last warning of a contract's roll or end: a stage of ``rules/contract_life.py``."""

    contract: str
    stage: RollStage
