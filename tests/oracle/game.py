"""Plays moves against the engine and the oracle, and compares both after each.

The moves stay within what the oracle knows: DEMO, a truthful bridge that reports what it claimed within 4 s, bricks
without time, prices that nobody doubts, and one false balance or position at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from services.engine.decide import Decision, decide, open_desk
from services.engine.model.bridge_commands import (
    BookFills,
    BrokerPosition,
    ClaimOrders,
    Execution,
    ReportExecution,
    TakeSnapshot,
)
from services.engine.model.commands import ConfigureDesk, NotePrice, TickClock
from services.engine.model.order import Order
from services.engine.model.replies import Refusal
from services.engine.model.settings import Rules
from services.engine.model.state import GENERATION, Desk
from services.engine.model.trade_events import TradeClosed
from services.stores.codec import documents
from services.stores.store import Head, Stored
from tests.oracle import acts
from tests.oracle.compare import differences
from tests.oracle.facts import ZERO, Book, Position, Sheet, Ticket
from tests.oracle.model import Oracle
from tests.support.builders import CONTRACTS, new_york, rules_for
from tests.support.trader import ID_KEY
from wire.types import OrderStatus, Side

ASSETS = ("ES", "NQ", "YM")
OPENS = {"ES": Decimal(5250), "NQ": Decimal(18_500), "YM": Decimal(39_000)}
REPORTED_WITHIN = timedelta(seconds=4)
RULES: tuple[str, ...] = (
    *("max_trades_per_day", "daily_stop_limit_pct", "cooldown_seconds", "candle_seconds", "heartbeat_max_age_seconds"),
    *("entry_ttl_seconds", "two_half_filter", "entry_qty_6pt", "entry_qty_9pt", "scale_in_qty", "stop_points"),
    "points_tp_target",
)
IN_DOLLARS = ("max_risk_per_order_pct", "max_contracts", "max_contracts_correlated", "overrides_per_day")
RULES += tuple(name for name in IN_DOLLARS if name in Rules.__struct_fields__)
SAME: dict[str, str] = {  # refusals that SPEC does not tell apart
    "protection_kept": "management_locked",
    "override_unexplained": "override_budget",
}
HELD_MOVE, FLAT_MOVE, FURTHEST = Decimal("0.75"), Decimal(25), 80  # units


class Divergence(AssertionError):
    """Engine and oracle say different things."""


@dataclass(frozen=True)
class Move:
    """One thing that happens. ``kind``: command, wait, claim, report, market, restart; ``what`` is its matter."""

    kind: str
    what: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} {' '.join(map(str, self.what))}"


class Game:
    """One desk and one oracle at the same table."""

    def __init__(self, on: str = "2026-11-17", at: str = "09:31:10", **settings: Any) -> None:
        self.now: datetime = new_york(on, at)
        rules = rules_for(*ASSETS, **settings)
        opening = open_desk(ID_KEY, rules, self.now)
        self.desk: Desk = replace(opening, last_stamp=0, generation=GENERATION)
        books = {name: Book(Sheet(CONTRACTS[name].point, CONTRACTS[name].point_value)) for name in ASSETS}
        self.oracle = Oracle(books, {name: getattr(rules, name) for name in RULES}, self.now)
        self.prices = dict(OPENS)
        self.realized = ZERO
        self.costs = dict.fromkeys(ASSETS, ZERO)
        self.positions = dict.fromkeys(ASSETS, 0)
        self.claimed_at: dict[str, datetime] = {}
        self.closed: list[TradeClosed] = []
        self.executions = 0
        self.entries = 0
        self._decides(ConfigureDesk(rules))
        for name in ASSETS:
            self.plays(Move("market", (name, ZERO)))

    # -- moves ----------------------------------------------------------------------------------------------------

    def plays(self, move: Move) -> None:
        """Play one move on both sides and compare. Raises Divergence."""
        getattr(self, f"_{move.kind}")(*move.what)
        found = differences(self.desk, self.oracle, self.closed)
        if found:
            raise Divergence(f"after {move}:\n  " + "\n  ".join(found))

    def _decides(self, command: Any) -> Decision:
        decision = decide(self.desk, command, self.now)
        self.desk = decision.desk
        self.closed += [event for event in decision.events if isinstance(event, TradeClosed)]
        return decision

    def _command(self, command: Any) -> None:
        expected = acts.hears(self.oracle, command, self.now)
        answer = self._decides(command).answer
        told = (answer.gate or SAME.get(answer.code, answer.code)) if isinstance(answer, Refusal) else None
        if told != expected:
            raise Divergence(f"{command} was answered {told or 'taken'}, SPEC says {expected or 'taken'}: {answer}")

    def _wait(self, seconds: float) -> None:
        """Let time pass, but never longer than a bridge that holds an order may."""
        for name in [name for name, at in self.claimed_at.items() if at + REPORTED_WITHIN <= self.now]:
            self._report(name, "FILLED", 0)
        oldest = min(self.claimed_at.values(), default=None)
        until = self.now + timedelta(seconds=seconds)
        if oldest is not None:
            until = max(self.now, min(until, oldest + REPORTED_WITHIN))
        day = self.desk.day.trading_day
        self.now = until
        self._command(TickClock())
        if self.desk.day.trading_day != day:  # its first balance comes at once
            self._market(ASSETS[0], ZERO)

    def _claim(self) -> None:
        self.oracle.passes(self.now)
        for name, book in self.oracle.books.items():
            for order in (book.entering, book.leaving):
                if order is not None and order.state == "PENDING":
                    acts.claimed(order)
                    self.claimed_at[name] = self.now
        self._decides(ClaimOrders("bridge", instance="ledger"))

    def _report(self, name: str, status: str, part: int) -> None:
        """Report on the asset's claimed order: ``part`` contracts of its rest are filled when it is a partial fill."""
        book = self.oracle.books[name]
        ticket = next((t for t in (book.leaving, book.entering) if t is not None and t.state != "PENDING"), None)
        order = self._order(name, ticket)
        if ticket is None or order is None:
            return
        qty = {"FILLED": ticket.rest, "PARTIALLY_FILLED": min(part, ticket.rest - 1)}.get(status, 0)
        if status == "PARTIALLY_FILLED" and qty < 1:
            return
        price = self.prices[name]
        self.executions += 1
        told: dict[str, Any] = {"fill_price": price, "qty": qty, "exec_id": f"x{self.executions}"} if qty else {}
        self._books(name, ticket, qty)
        self.entries += ticket.kind == "ENTRY" and not ticket.filled and bool(qty)
        acts.reported(self.oracle, name, ticket, status, qty, price, self.now)
        self._decides(ReportExecution(order.id, OrderStatus(status), **told))
        if status in ("FILLED", "REJECTED", "CANCELLED"):
            self.claimed_at.pop(name, None)
        self._market(name, ZERO)

    def _order(self, name: str, ticket: Ticket | None) -> Order | None:
        if ticket is None:
            return None
        return next((o for o in self.desk.open_orders(name) if (o.kind == "EXIT") == (ticket.kind == "EXIT")), None)

    def _books(self, name: str, ticket: Ticket, qty: int) -> None:
        """Book a fill at the broker: what is held has its average cost, the rest is realized."""
        change = qty if ticket.side == "BUY" else -qty
        held, price = self.positions[name], self.prices[name]
        if ticket.kind == "EXIT" and held:
            average = self.costs[name] / held
            self.realized += (average - price) * change * CONTRACTS[name].point_value
            self.costs[name] = average * (held + change)
        else:
            self.costs[name] += change * price
        self.positions[name] += change

    def _market(self, name: str, move: Decimal, balance_off: Decimal = ZERO, position_off: int = 0) -> None:
        """Move a price and hear it twice: by the bridge's snapshot and by TradingView's heartbeat."""
        contract = CONTRACTS[name]
        widest = HELD_MOVE if any(self.positions.values()) else FLAT_MOVE
        move = max(-widest, min(widest, move))
        to = self.prices[name] + contract.tick_size * round(move * contract.point / contract.tick_size)
        is_odd = bool(balance_off or position_off)
        if abs(to - OPENS[name]) <= FURTHEST * contract.point and not is_odd:
            self._moves_to(name, to)
        if self.claimed_at.get(name):
            position_off = 0
        self._hears_prices(name, balance_off, position_off)

    def _hears_prices(self, name: str, balance_off: Decimal = ZERO, position_off: int = 0) -> None:
        self._snapshot(name, balance_off, position_off)
        self._command(NotePrice(name, self.prices[name]))

    def _moves_to(self, name: str, to: Decimal) -> None:
        """Move the price; at the resting stop the broker takes the position out, unless an order is on its way."""
        book = self.oracle.books[name]
        trade = book.trade
        if trade is None or (to - trade.stop(book.sheet)) * trade.sign > 0:
            self.prices[name] = to
            return
        if book.entering is not None or book.leaving is not None:
            return
        self.prices[name] = to
        self._hears_prices(name)
        if book.trade is trade and book.leaving is None:
            self._stops_out(name, trade)

    def _stops_out(self, name: str, trade: Position) -> None:
        self.executions += 1
        side: Side = "SELL" if trade.side == "BUY" else "BUY"
        ticket = Ticket("EXIT", side, trade.qty, "PROTECTIVE_STOP", self.now)
        symbol, qty = CONTRACTS[name].symbol, trade.qty
        fill = Execution(f"x{self.executions}", self.now, symbol, side, qty, self.prices[name], "STOP", asset=name)
        self._books(name, ticket, qty)
        acts.stopped_out(self.oracle, name, ticket, self.prices[name], self.now)
        self._decides(BookFills("DEMO", "A1", "ledger", (fill,)))

    def _snapshot(self, name: str, balance_off: Decimal, position_off: int) -> None:
        told = {asset: self.positions[asset] + (position_off if asset == name else 0) for asset in ASSETS}
        rows = tuple(BrokerPosition(CONTRACTS[a].symbol, told[a], self._pnl(a)) for a in ASSETS)
        pnl = sum((self._pnl(asset) for asset in ASSETS), ZERO)
        equity = Decimal(50_000) + self.realized + pnl
        acts.snapshot_taken(self.oracle, equity, self.prices, told, not balance_off, self.now)
        command = TakeSnapshot(
            realized=self.realized, unrealized=pnl, balance=equity + balance_off, positions=rows, as_of=self.now
        )
        self._decides(command)

    def _pnl(self, name: str) -> Decimal:
        """Return the open PnL of what is held."""
        return (self.positions[name] * self.prices[name] - self.costs[name]) * CONTRACTS[name].point_value

    def _restart(self, settings: tuple[tuple[str, Any], ...]) -> None:
        self.oracle.passes(self.now)
        self.oracle.is_configured(dict(settings), self.now)
        self.desk = documents.read_desk(_stored(self.desk))
        self._decides(ConfigureDesk(replace(self.desk.configured, **dict(settings))))
        self._command(TickClock())


def _stored(desk: Desk) -> Stored:
    orders = [documents.write_order(desk.orders[name]) for name in sorted(desk.orders)]
    return Stored(Head(desk.sequence, 1, 1, "", "1"), documents.desk_documents(desk), orders)


# -- the shortest story --------------------------------------------------------------------------------------------


def diverges(moves: Sequence[Move], settings: dict[str, Any]) -> str | None:
    """Play the moves at a new table; return what differs first, None when nothing does."""
    try:
        game = Game(**settings)
        for move in moves:
            game.plays(move)
    except Divergence as found:
        return str(found)
    return None


def shortest(moves: Sequence[Move], settings: dict[str, Any]) -> list[Move]:
    """Leave out moves, many at first, as long as something still differs."""
    kept, size = list(moves), max(1, len(moves) // 2)
    while size:
        start = 0
        while start < len(kept):
            without = kept[:start] + kept[start + size :]
            if diverges(without, settings):
                kept = without
            else:
                start += size
        size //= 2
    return kept
