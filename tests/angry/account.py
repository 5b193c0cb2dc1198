"""The simulated broker and its one true account: positions, resting stops, commissions, equity. Money is USD."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.angry.market import FEES, Market, asset_of, product_of, tick_of, unit_of, usd_per_price

ZERO = Decimal(0)
START_BALANCE = Decimal(50_000)


@dataclass
class Held:
    """What the account holds of one contract, and where its stop rests."""

    position: int = 0
    average: Decimal = ZERO
    stop: Decimal | None = None
    distance: Decimal | None = None
    last_fill: Decimal | None = None


@dataclass
class Working:
    """An order at the broker; ``pieces`` are its fills to come: when, how many."""

    ticket: dict[str, Any]
    pieces: list[tuple[datetime, int]]
    filled: int = 0


@dataclass(frozen=True)
class Execution:
    """One execution; ``tag`` is the order's id, None for a resting stop."""

    exec_id: str
    at: datetime
    contract: str
    qty: int
    price: Decimal
    fee: Decimal
    tag: str | None


@dataclass
class Account:
    """Fills market orders near the market's price. ``told`` are executions and ends for the bridge to report."""

    market: Market
    rng: Random
    balance: Decimal = START_BALANCE
    held: dict[str, Held] = field(default_factory=dict)
    working: dict[str, Working] = field(default_factory=dict)
    told: list[tuple[str | None, str, Execution | None, int]] = field(default_factory=list)
    paid: Decimal = START_BALANCE
    entries: int = 0
    stops: int = 0

    @property
    def open_pnl(self) -> Decimal:
        return sum((self.pnl_of(contract) for contract in self.held), ZERO)

    @property
    def equity(self) -> Decimal:
        return self.balance + self.open_pnl

    @property
    def realized(self) -> Decimal:
        """What trading has won or lost, commissions paid; transfers are no part of it."""
        return self.balance - self.paid

    @property
    def is_flat(self) -> bool:
        return not self.working and not any(held.position for held in self.held.values())

    def pnl_of(self, contract: str) -> Decimal:
        held = self.held[contract]
        return (self.market.prices[asset_of(contract)] - held.average) * held.position * usd_per_price(contract)

    @property
    def slack(self) -> Decimal:
        """What one tick of slippage and the commission of its exit cost for everything held now."""
        return sum((abs(held.position) * self._cost_out(name) for name, held in self.held.items()), ZERO)

    @staticmethod
    def _cost_out(contract: str) -> Decimal:
        return tick_of(asset_of(contract)) * usd_per_price(contract) + Decimal(FEES[product_of(contract)])

    # -- orders ---------------------------------------------------------------------------------------------------

    def submit(self, ticket: dict[str, Any], now: datetime) -> None:
        """Take an order: rejected now and then, filled in one or two pieces within some seconds."""
        tag, qty = ticket["id"], int(ticket["qty"])
        if tag in self.working:
            return
        if self.rng.random() < 0.03:
            self.told.append((tag, "REJECTED", None, 0))
            return
        wait = timedelta(seconds=self.rng.choice([0, 0, 0.5, 1, 3]))
        first = self.rng.randint(1, qty) if self.rng.random() < 0.2 else qty
        pieces = [(now + wait, first)]
        if first < qty:
            pieces.append((now + 2 * wait + timedelta(seconds=1), qty - first))
        self.working[tag] = Working(ticket, pieces)

    def cancel(self, tag: str) -> None:
        order = self.working.pop(tag, None)
        if order is not None:
            self.told.append((tag, "CANCELLED", None, order.filled))

    def passes_time(self, now: datetime) -> None:
        """Execute what is due."""
        for tag, order in list(self.working.items()):
            while tag in self.working and order.pieces and order.pieces[0][0] <= now:
                self._fills(tag, order, order.pieces.pop(0)[1], now)

    def _fills(self, tag: str, order: Working, qty: int, now: datetime) -> None:
        ticket = order.ticket
        contract, sign = ticket["asset"], 1 if ticket["side"] == "BUY" else -1
        if ticket["kind"] == "EXIT":
            qty = min(qty, max(0, -self._of(contract).position * sign))
        if qty:
            slip = tick_of(asset_of(contract)) * self.rng.choice([0, 0, 1])
            price = self.market.prices[asset_of(contract)] + sign * slip
            self.entries += ticket["kind"] == "ENTRY" and not order.filled
            order.filled += qty
            execution = self._books(contract, sign * qty, price, now, tag, ticket.get("stop_points"))
            status = "FILLED" if order.filled >= ticket["qty"] else "PARTIALLY_FILLED"
            self.told.append((tag, status, execution, order.filled))
        if order.filled >= ticket["qty"]:
            self.working.pop(tag)
        elif not qty or not order.pieces:
            self.cancel(tag)

    def _books(
        self, contract: str, qty: int, price: Decimal, now: datetime, tag: str | None, stop_points: Any = None
    ) -> Execution:
        held = self._of(contract)
        fee = Decimal(FEES[product_of(contract)]) * abs(qty)
        if held.position * qty < 0:
            closing = min(abs(qty), abs(held.position)) * (1 if held.position > 0 else -1)
            self.balance += (price - held.average) * closing * usd_per_price(contract)
            if abs(qty) > abs(held.position):
                held.average, held.stop = price, None
        else:
            total = abs(held.position) + abs(qty)
            held.average = (held.average * abs(held.position) + price * abs(qty)) / total
        self.balance -= fee
        held.position += qty
        held.last_fill = price
        self._moves_stop(contract, stop_points)
        return Execution(f"x{self.rng.getrandbits(60):x}", now, contract, qty, price, fee, tag)

    def _moves_stop(self, contract: str, stop_points: Any) -> None:
        """Rest the stop by the average, never further away than it was (SPEC 6.7)."""
        held = self._of(contract)
        if stop_points is not None:
            held.distance = Decimal(str(stop_points)) * unit_of(asset_of(contract))
        if not held.position:
            held.stop = None
        elif held.distance is not None:
            sign = 1 if held.position > 0 else -1
            planned = held.average - sign * held.distance
            held.stop = planned if held.stop is None else max(planned * sign, held.stop * sign) * sign

    def _of(self, contract: str) -> Held:
        return self.held.setdefault(contract, Held())

    # -- the market -----------------------------------------------------------------------------------------------

    def market_moved(self, now: datetime) -> None:
        """Fill each stop that the market reached, at its price or a tick worse."""
        for contract, held in self.held.items():
            price = self.market.prices[asset_of(contract)]
            sign = 1 if held.position > 0 else -1
            if held.position and held.stop is not None and (price - held.stop) * sign <= 0:
                tick = tick_of(asset_of(contract))
                filled_at = held.stop // tick * tick - sign * tick * self.rng.choice([0, 1])
                self.stops += 1
                execution = self._books(contract, -held.position, filled_at, now, None)
                self.told.append((None, "STOP", execution, 0))
