"""The one true broker of a world: prices, orders, positions, protective stops, balance (commissions are off)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

POINT_VALUE = Decimal(5)
TRADED = "MESZ6"
TICK = Decimal("0.25")
ACCOUNT = "SIM-1"


@dataclass(frozen=True)
class Fill:
    """One execution: signed contracts at a price."""

    exec_id: str
    qty: int
    price: Decimal


@dataclass(frozen=True)
class Unordered:
    """What was executed without an order of the desk: by the resting stop, or by hand."""

    exec_id: str
    at: datetime
    contract: str
    qty: int
    price: Decimal
    kind: Literal["STOP", "MANUAL"]


@dataclass
class SentOrder:
    """An order as a bridge sent it under its tag. ``qty`` is signed; ``pieces`` are its fills to come and when."""

    tag: str
    contract: str
    qty: int
    is_exit: bool
    reduce_only: bool
    stop_points: Decimal | None
    pieces: list[tuple[datetime, int]] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    end: str | None = None

    @property
    def filled(self) -> int:
        return sum(fill.qty for fill in self.fills)


@dataclass
class Held:
    """What the broker holds of one contract, and the stop that rests for it."""

    position: int = 0
    average: Decimal = Decimal(0)
    realized: Decimal = Decimal(0)
    stop_points: Decimal | None = None
    last_fill: Decimal | None = None

    @property
    def stop(self) -> Decimal | None:
        """The price of the resting stop, None when none rests."""
        if not self.position or self.stop_points is None:
            return None
        return self.average - self.stop_points * (1 if self.position > 0 else -1)

    def open_pnl(self, price: Decimal) -> Decimal:
        return (price - self.average) * self.position * POINT_VALUE if self.position else Decimal(0)


class Broker:
    """Fills market orders at its price. ``tells`` is called with the tag of each order that changed.

    ``manner`` gives the chances of a world: ``reject``, ``cancel_rest``, ``partial`` and ``slow``.
    """

    def __init__(self, rng: Random, balance: Decimal, manner: dict[str, float]) -> None:
        self.price = Decimal(5250)
        self.orders: dict[str, SentOrder] = {}
        self.sent_twice: list[str] = []
        self.unordered: list[Unordered] = []
        self.held: dict[str, Held] = {}
        self.manner = manner
        self.balance = balance
        self.lowest_equity = balance
        self.changed_at: datetime | None = None
        self.tells: Callable[[str], None] = lambda tag: None
        self._rng = rng
        self._executions = 0

    # -- what is true ---------------------------------------------------------------------------------------------

    def position(self, contract: str = TRADED) -> int:
        return self._of(contract).position

    @property
    def open_pnl(self) -> Decimal:
        return sum((held.open_pnl(self.price) for held in self.held.values()), Decimal(0))

    @property
    def realized(self) -> Decimal:
        return sum((held.realized for held in self.held.values()), Decimal(0))

    @property
    def equity(self) -> Decimal:
        return self.balance + self.realized + self.open_pnl

    # -- orders ---------------------------------------------------------------------------------------------------

    def submit(self, order: SentOrder, now: datetime) -> None:
        """Take an order. A real broker does not know that it has the same tag already: it executes it again."""
        known = self.orders.get(order.tag)
        if known is not None and (known.fills or known.end is None):
            self.sent_twice.append(order.tag)
        self.orders[order.tag] = order
        if self._happens("reject"):
            self._end(order, "REJECTED")
            return
        wait = timedelta(seconds=self._rng.uniform(1, 20) if self._happens("slow") else self._rng.uniform(0, 0.4))
        rest = abs(order.qty)
        if rest > 1 and self._happens("partial"):
            first = self._rng.randint(1, rest - 1)
            order.pieces = [(now + wait, first), (now + wait * 2, rest - first)]
        else:
            order.pieces = [(now + wait, rest)]
        self.tells(order.tag)

    def cancel(self, tag: str) -> None:
        order = self.orders.get(tag)
        if order is not None and order.end is None:
            order.pieces = []
            self._end(order, "CANCELLED")

    def passes_time(self, now: datetime) -> None:
        """Execute what is due."""
        for order in list(self.orders.values()):
            while order.end is None and order.pieces and order.pieces[0][0] <= now:
                self._fill(order, order.pieces.pop(0)[1], now)

    def _fill(self, order: SentOrder, qty: int, now: datetime) -> None:
        sign = 1 if order.qty > 0 else -1
        if order.reduce_only:
            qty = min(qty, max(0, -self.position(order.contract) * sign))
            if qty == 0:
                self._end(order, "CANCELLED")
                return
        self._book(order.contract, sign * qty, now, order)
        if abs(order.filled) >= abs(order.qty):
            self._end(order, "FILLED")
        elif not order.pieces or self._happens("cancel_rest"):
            order.pieces = []
            self._end(order, "CANCELLED")
        else:
            self.tells(order.tag)

    def _book(self, contract: str, qty: int, now: datetime, order: SentOrder | None = None) -> None:
        self._executions += 1
        held = self._of(contract)
        if held.position * qty < 0:
            closing = min(abs(qty), abs(held.position)) * (1 if held.position > 0 else -1)
            held.realized += (self.price - held.average) * closing * POINT_VALUE
            left = held.position + qty
            held.average = self.price if left * held.position < 0 else held.average
        else:
            total = abs(held.position) + abs(qty)
            held.average = (held.average * abs(held.position) + self.price * abs(qty)) / total
        held.position += qty
        held.last_fill = self.price
        if order is not None:
            order.fills.append(Fill(f"x{self._executions}", qty, self.price))
            held.stop_points = order.stop_points or held.stop_points
        if not held.position:
            held.stop_points = None
        self.changed_at = now
        self.lowest_equity = min(self.lowest_equity, self.equity)

    def _end(self, order: SentOrder, end: str) -> None:
        order.end = end
        self.tells(order.tag)

    # -- what happens without the desk ----------------------------------------------------------------------------

    def moves_to(self, price: Decimal, now: datetime) -> bool:
        """Move the market; return whether a resting stop was filled."""
        self.price = price
        held = self._of(TRADED)
        stopped = held.stop is not None and (price - held.stop) * held.position <= 0
        if stopped:
            self._book_alone(TRADED, -held.position, now, "STOP")
        self.lowest_equity = min(self.lowest_equity, self.equity)
        return stopped

    def trades_by_hand(self, contract: str, qty: int, now: datetime) -> None:
        """Somebody trades on the broker's own platform. No stop rests for what that opens."""
        self._book_alone(contract, qty, now, "MANUAL")

    def _book_alone(self, contract: str, qty: int, now: datetime, kind: Literal["STOP", "MANUAL"]) -> None:
        self._book(contract, qty, now)
        self.unordered.append(Unordered(f"x{self._executions}", now, contract, qty, self.price, kind))

    def _of(self, contract: str) -> Held:
        return self.held.setdefault(contract, Held())

    def _happens(self, what: str) -> bool:
        return self._rng.random() < self.manner.get(what, 0.0)
