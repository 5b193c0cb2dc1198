"""The basic types, statuses and sizes that every other module uses (SPEC 2)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

Instant = datetime
AwareTime = Annotated[datetime, Meta(tz=True)]
Price = Decimal
Usd = Decimal
Points = Decimal
Color = Literal["green", "red", "neutral"]
Side = Literal["BUY", "SELL"]
TradeMode = Literal["SCALP", "RUNNER"]
SizeMode = Literal["6pt", "9pt"]
Env = Literal["DEMO", "LIVE"]
OrderKind = Literal["ENTRY", "SCALE_IN", "EXIT"]
IntentStatus = Literal["WAITING", "READY", "EXPIRED", "USED", "CANCELLED"]
PreOrderStatus = Literal["WAITING", "FIRED", "CANCELLED"]
EntryZone = Literal["NORMAL", "FREE", "NONE", "ADOPTED"]
TempoArmer = Literal["6pt brick", "4pt flip"]
WithOrAgainst = Literal["with", "neutral", "against"]
WayIn = Literal["click", "ready intent", "pre-order"]
FillKind = Literal["ENTRY", "SCALE_IN", "EXIT", "RESIZE"]
FillOfBroker = Literal["STOP", "LIQUIDATION", "MANUAL", "FLATTEN", "ORDER"]
Adopting = Literal["flatten", "keep"]
ProvenBy = Literal["price", "average", "open_pnl", "balance", "operator", "correction"]
Whose = Literal["machine", "bridge"]
ResolvedAs = Literal["filled", "not_filled"]
Proposer = Literal["service", "key"]
ProposalEnd = Literal["TAKEN", "REFUSED", "DISMISSED", "EXPIRED", "WITHDRAWN"]
WhyWithdrawn = Literal["proposer", "env_switched", "asset_gone", "contract_changed"]
FillRefusal = Literal["unknown_order", "unknown_asset", "other_account", "other_contract", "no_price"]
TickRefusal = Literal["late", "future", "impossible_price", "suspect_price", "off_tick", "other_sender", "simulated"]
DoubtCode = Literal[
    "fate_ended",
    "resolved",
    "late_fill",
    "wrong_symbol",
    "wrong_side",
    "unpriced_fill",
    "repeated_fill",
    "contradicted",
    "broker_fill",
]
RefusalCode = Literal[
    "gate_closed",
    "exit_locked",
    "nothing_to_exit",
    "other_trade",
    "unknown_asset",
    "direction_required",
    "setting_invalid",
    "confirm_needed",
    "nothing_to_manage",
    "nothing_waiting",
    "already_waiting",
    "scale_in_unavailable",
    "management_locked",
    "protection_kept",
    "no_trade_left",
    "store_known",
    "override_budget",
    "override_unexplained",
    "not_flat",
    "bridge_down",
    "owner_taken",
    "unknown_order",
    "report_conflict",
    "report_invalid",
    "stale_click",
    "fate_known",
    "position_changed",
    "nothing_suspect",
    "transfer_refused",
    "proposal_open",
    "proposal_over",
    "proposal_other",
    "proposal_invalid",
    "stop_too_wide",
    "too_many_proposals",
]
ErrorCode = Literal[
    "request_invalid",
    "webhook_unreadable",
    "not_found",
    "method_not_allowed",
    "too_large",
    "key_reused",
    "held_at_broker",
    "taken_out",
    "events_gone",
    "not_replayable",
    "lock_is_automatic",
    "password_needed",
    "denied",
    "forbidden",
    "locked_out",
    "logins_busy",
    "too_slow",
    "too_busy",
    "too_many_streams",
    "feeds_away",
    "advisor_away",
    "invalid_parameter",
    "invalid_body",
    "unknown_symbol",
    "rate_limit_exceeded",
    "not_trained",
    "no_bars",
    "stale",
    "provider_away",
    "web_away",
    "not_available",
    "busy",
    "not_decided",
    "frozen",
    "stopping",
    "standby",
    "store_down",
    "outcome_unknown",
    "fault",
]
"""Why a call failed before or beside the desk's decision. What the desk itself refuses has a ``RefusalCode``."""


def says(text: str, *examples: object) -> Meta:
    """Return the description of a message's field: its meaning, its unit, the meaning of null, examples of it."""
    return Meta(description=text, examples=list(examples) or None)


def opposite(side: Side) -> Side:
    """Return the side that exits a position of this side."""
    return "SELL" if side == "BUY" else "BUY"


def color_with(side: Side) -> Color:
    """Return the colour of a brick that moves in favour of this side."""
    return "green" if side == "BUY" else "red"


def color_against(side: Side) -> Color:
    """Return the colour of a brick that moves against this side."""
    return color_with(opposite(side))


class Stream(StrEnum):
    """One brick size with a role (SPEC 2)."""

    ONE = "one"
    TWO_HALF = "two_half"
    FOUR = "four"
    MAIN = "main"
    HIGH = "high"
    MACRO = "macro"


class OrderStatus(StrEnum):
    """The status of an order (SPEC 8.1). The last four are final and never change."""

    PENDING = "PENDING"
    CLAIMED = "CLAIMED"
    WORKING = "WORKING"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"

    @property
    def is_final(self) -> bool:
        return self in FINAL_STATUSES


FINAL_STATUSES = frozenset({OrderStatus.FILLED, OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED})


class ContractDates(Struct, frozen=True):
    """When a futures contract is replaced by the next one, and when it ends.

    ``rolls_on`` is the first trade date (18:00 to 18:00 New York) on which ``next_contract`` is used. After
    ``last_trade`` nobody can trade the contract any more.
    """

    rolls_on: date
    last_trade: Instant
    next_contract: str


class Contract(Struct, frozen=True):
    """The contract that is traded for an asset: ``MESZ6`` on ``CME`` for ``ES``.

    ``tick_size`` and ``unit`` are in price. ``point_value`` is what 1.00 of price is worth per contract, in USD.
    ``unit`` is the asset's own point, of bricks, stops, targets and results in points (SPEC 2).

    A contract that an earlier program stored has no ``unit``. There ``point_size`` is the price of a point, and
    ``point_value`` is USD per such point; everywhere else ``point_size`` is 1.

    ``dates`` are those of a future; None for a CFD, and for a contract that an earlier program stored.
    """

    symbol: str
    exchange: str
    tick_size: Price
    point_value: Usd
    point_size: Price = Decimal(1)
    unit: Price | None = None
    dates: ContractDates | None = None

    @property
    def point(self) -> Price:
        """The price of one point."""
        return self.point_size if self.unit is None else self.unit

    @property
    def usd_per_price(self) -> Usd:
        """What 1.00 of price is worth per contract."""
        return self.point_value / self.point_size

    def points(self, distance: Price) -> Decimal:
        """Return a distance in price as points."""
        return distance / self.point

    def usd(self, distance: Price) -> Usd:
        """Return what a distance in price is worth; for several contracts give it times their number."""
        return distance / self.point_size * self.point_value

    def distance_worth(self, usd: Usd, quantity: int) -> Price:
        """Return the distance in price that is worth so much with ``quantity`` contracts."""
        return usd / (quantity * self.point_value) * self.point_size
