"""What the oracle keeps of a desk: plain facts, named as SPEC names them. Money is USD, distances are units."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)
SIGN = {"BUY": 1, "SELL": -1}
WITH = {"BUY": "green", "SELL": "red"}
AGAINST = {"BUY": "red", "SELL": "green"}
MICROS = ("MES", "MNQ", "MYM", "M2K")
STREAMS = {"one": 1, "two_half": 2.5, "four": 4, "main": 6, "high": 8, "macro": 12}


@dataclass
class Sheet:
    """What a contract is worth: ``unit`` is the price of a point, ``usd`` is the value of 1.00 of price."""

    unit: Decimal
    usd: Decimal
    symbol: str = ""

    @property
    def is_micro(self) -> bool:
        return self.symbol[:-2] in MICROS


@dataclass
class Ticket:
    """An order that is not final. ``state`` is PENDING, CLAIMED, WORKING or PARTIALLY_FILLED."""

    kind: str
    side: str
    qty: int
    source: str
    created_at: datetime
    sheet: Sheet
    candle: datetime | None = None
    mode: str = "SCALP"
    zone: str = "NONE"
    stop_points: Decimal = ZERO
    attempt: int = 0
    state: str = "PENDING"
    filled: int = 0
    ttl: timedelta | None = None

    @property
    def rest(self) -> int:
        return self.qty - self.filled


@dataclass
class Position:
    """A trade from its first fill to flat. ``cost`` is what the contracts held have cost, in price times contracts."""

    side: str
    qty: int
    cost: Decimal
    opened_at: datetime
    mode: str
    zone: str
    stop_points: Decimal
    sheet: Sheet
    entered: int = 0
    costs: Decimal = ZERO
    risk: Decimal = ZERO
    paid: Decimal = ZERO
    left_at: Decimal = ZERO
    left: int = 0
    fresh_six: int = 0
    fresh_eight: int = 0
    is_locked: bool = True
    scale_in: str = "locked"
    stop_kept: Decimal | None = None
    entry_qty: int = 0
    armed: dict[str, Any] = field(default_factory=dict)
    switched_on: dict[str, datetime] = field(default_factory=dict)

    @property
    def sign(self) -> int:
        return SIGN[self.side]

    @property
    def average(self) -> Decimal:
        return self.cost / self.qty

    def points(self, price: Decimal) -> Decimal:
        return (price - self.average) * self.sign / self.sheet.unit

    def stop(self) -> Decimal:
        """Where the protective stop rests: at its distance from the average, never further away than it was."""
        planned = self.average - self.sign * self.stop_points * self.sheet.unit
        if self.stop_kept is None:
            return planned
        return max(planned, self.stop_kept) if self.side == "BUY" else min(planned, self.stop_kept)


@dataclass
class Due:
    """An exit that must come and cannot yet."""

    source: str
    retry_at: datetime | None = None
    attempt: int = 0


@dataclass
class Waiting:
    """A pre-order."""

    side: str
    mode: str
    size: str
    override: bool
    placed_at: datetime
    has_reason: bool = True
    qty: int | None = None


@dataclass
class Book:
    """All of one asset."""

    sheet: Sheet
    colors: dict[float, str] = field(default_factory=dict)
    stale_at: dict[float, datetime | None] = field(default_factory=dict)
    token: bool = False
    flip_right: bool = False
    heard_at: datetime | None = None
    price: Decimal | None = None
    price_at: datetime | None = None
    marked: Decimal | None = None
    trade: Position | None = None
    entering: Ticket | None = None
    leaving: Ticket | None = None
    due: Due | None = None
    intent: str | None = None
    preorder: Waiting | None = None
    disagrees: bool = False

    @property
    def points(self) -> Decimal | None:
        """The open points, None while nothing is held or no price came since."""
        if self.trade is None or self.marked is None:
            return None
        return self.trade.points(self.marked)


@dataclass
class DayFacts:
    """The trading day. ``first`` are the first readings at the limit, by way."""

    name: date
    start: Decimal | None = None
    closed: Decimal = ZERO
    opening: Decimal = ZERO
    taken: int = 0
    is_stopped: bool = False
    first: dict[str, datetime] = field(default_factory=dict)
    overrides: int = 0
    without_reason: int = 0
    best: Decimal = ZERO

    @property
    def is_awaited(self) -> bool:
        return bool(self.first) and not self.is_stopped


@dataclass
class WeekFacts:
    """The week since Sunday's roll. ``start`` is the start equity of the day on which its first trade closed."""

    begins: datetime
    closed: Decimal = ZERO
    entries: int = 0
    start: Decimal | None = None


@dataclass
class Losses:
    """Losing trades in a row, and until when the pauses last that they began."""

    count: int = 0
    last_at: datetime | None = None
    streak_until: datetime | None = None
    cooldown_until: datetime | None = None


@dataclass
class Closed:
    """A closed trade."""

    asset: str
    size: int
    pnl: Decimal
    costs: Decimal
    risk: Decimal
    reason: str


def opened(order: Ticket, qty: int, price: Decimal, now: datetime, target: Decimal) -> Position:
    """A trade with its default protections (SPEC 6)."""
    armed = {
        "points_tp_enabled": order.mode == "SCALP",
        "points_tp_target": target,
        "protect_enabled": False,
        "protect_threshold_points": Decimal(-2),
        "tp_armed": False,
        "tp_target": 3,
        "tp_count": 0,
        "high_next_bar_exit_enabled": False,
        "main_flip_exit_enabled": order.zone == "FREE",
        "four_pt_invalidation_enabled": False,
    }
    return Position(
        order.side,
        qty,
        price * qty,
        now,
        order.mode,
        order.zone,
        order.stop_points,
        order.sheet,
        entered=qty,
        paid=price * qty,
        entry_qty=qty,
        armed=armed,
    )
