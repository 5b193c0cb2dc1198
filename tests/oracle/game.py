"""Plays moves against the engine and the oracle, and compares both after each.

The moves stay within what the oracle knows: DEMO, a truthful bridge that reports what it claimed within 4 s, bricks
without time, prices that nobody doubts, and one false balance or position at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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
from services.engine.model.firm import Firm, ScalingStep
from services.engine.model.order import Order
from services.engine.model.replies import Refusal
from services.engine.model.state import GENERATION, Desk
from services.engine.model.trade_events import TradeClosed
from services.engine.model.window import SessionHours
from services.engine.model.window_commands import NoteSessions
from services.stores.codec import documents
from services.stores.store import Head, Stored
from tests.oracle import acts, window
from tests.oracle.compare import differences
from tests.oracle.dollars import commission, largest_that_fits
from tests.oracle.facts import ZERO, Book, Position, Sheet, Ticket
from tests.oracle.model import Oracle
from tests.oracle.week import NEW_YORK
from tests.support.builders import CONTRACTS, new_york, rules_for
from tests.support.trader import ID_KEY
from wire.types import Contract, OrderStatus, Side

ASSETS = ("ES", "NQ", "YM")
OPENS = {"ES": Decimal(5250), "NQ": Decimal(18_500), "YM": Decimal(39_000)}
REPORTED_WITHIN = timedelta(seconds=4)
RULES: tuple[str, ...] = (
    *("max_trades_per_day", "daily_stop_limit_pct", "cooldown_seconds", "candle_seconds", "heartbeat_max_age_seconds"),
    *("entry_ttl_seconds", "two_half_filter", "entry_qty_6pt", "entry_qty_9pt", "scale_in_qty", "stop_points"),
    *("points_tp_target", "max_risk_per_order_pct", "max_contracts", "max_contracts_correlated"),
    *("max_contracts_by_asset", "commissions", "overrides_per_day", "initial_lock_seconds", "preorder_seconds"),
    *("trading_hours", "no_entry_after_open", "no_entry_before_close", "flat_by", "loss_streak", "loss_pause_minutes"),
    *("cooldown_after_loss", "weekly_loss_pct", "weekly_loss_usd", "max_trades_per_week", "give_back_usd"),
    "profit_lock_usd",
)
FULL = {"ES": ("ESZ6", 50), "NQ": ("NQZ6", 20), "YM": ("YMZ6", 5)}
TOLD_COMMISSION = Decimal("0.85")  # of a contract, where the bridge tells one
SIXTY_DAYS = 60
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

    def __init__(
        self,
        on: str = "2026-11-17",
        at: str = "09:31:10",
        knows_sessions: bool = False,
        firm: tuple[Decimal, Decimal] | None = None,
        **settings: Any,
    ) -> None:
        self.now: datetime = new_york(on, at)
        if firm is not None:
            settings["firm"] = Firm("firm", "50k", daily_loss=firm[0], scaling=(ScalingStep(ZERO, firm[1]),))
        rules = rules_for(*ASSETS, **settings)
        opening = open_desk(ID_KEY, rules, self.now)
        self.desk: Desk = replace(opening, last_stamp=0, generation=GENERATION)
        books = {name: Book(sheet_of(CONTRACTS[name])) for name in ASSETS}
        in_force = acts.read_limits({name: getattr(rules, name) for name in RULES})
        self.oracle = Oracle(books, in_force, self.now)
        self.oracle.firm_loss, self.oracle.firm_contracts = firm or (None, None)
        self.prices = dict(OPENS)
        self.realized = ZERO
        self.costs = dict.fromkeys(ASSETS, ZERO)
        self.positions = dict.fromkeys(ASSETS, 0)
        self.held: dict[str, Sheet] = {name: sheet_of(CONTRACTS[name]) for name in ASSETS}
        self.claimed_at: dict[str, datetime] = {}
        self.closed: list[TradeClosed] = []
        self.executions = 0
        self.entries = 0
        self._decides(ConfigureDesk(rules))
        self.sessions = _sessions(self.now) if knows_sessions else {}
        self._command(NoteSessions(self.sessions))
        for name in ASSETS:
            self.plays(Move("market", (name, ZERO)))

    # -- moves ----------------------------------------------------------------------------------------------------

    def plays(self, move: Move) -> None:
        """Play one move on both sides and compare. Raises Divergence."""
        getattr(self, f"_{move.kind}")(*move.what)
        found = differences(self.desk, self.oracle, self.closed, self.now)
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
        told = (answer.gate or answer.code) if isinstance(answer, Refusal) else None
        if told != expected:
            raise Divergence(f"{command} was answered {told or 'taken'}, SPEC says {expected or 'taken'}: {answer}")
        if isinstance(answer, Refusal) and told in ("risk", "window"):
            self._explains(answer, command)

    def _explains(self, answer: Refusal, command: Any) -> None:
        """Gate ``risk`` names the largest size that fits, ``window`` its first cause."""
        told: object
        expected: object
        if answer.gate == "window":
            told = next(rung.code for rung in answer.ladder if rung.gate == "window")
            expected = window.cause(self.oracle, self.now)
        else:
            told, expected = answer.facts["fits"], largest_that_fits(self.oracle, acts.asks_for(self.oracle, command))
        if told != expected:
            raise Divergence(f"{command} was refused with {told}, SPEC says {expected}: {answer}")

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
        fee = TOLD_COMMISSION * qty if qty and self.executions % 3 == 0 else None
        if fee is not None:
            told["commission"] = fee
        self._books(name, ticket, qty, fee)
        self.entries += ticket.kind == "ENTRY" and not ticket.filled and bool(qty)
        acts.reported(self.oracle, name, ticket, status, qty, price, self.now, fee)
        self._decides(ReportExecution(order.id, OrderStatus(status), **told))
        if status in ("FILLED", "REJECTED", "CANCELLED"):
            self.claimed_at.pop(name, None)
        self._market(name, ZERO)

    def _order(self, name: str, ticket: Ticket | None) -> Order | None:
        if ticket is None:
            return None
        return next((o for o in self.desk.open_orders(name) if (o.kind == "EXIT") == (ticket.kind == "EXIT")), None)

    def _books(self, name: str, ticket: Ticket, qty: int, fee: Decimal | None = None) -> None:
        """Book a fill at the broker: what is held has its average cost, the rest is realized, the fee is paid.

        Where the bridge tells no commission the broker takes what the desk reckons with.
        """
        self.realized -= commission(self.oracle, ticket.sheet) * qty if fee is None else fee
        self.held[name] = ticket.sheet
        change = qty if ticket.side == "BUY" else -qty
        held, price = self.positions[name], self.prices[name]
        if ticket.kind == "EXIT" and held:
            average = self.costs[name] / held
            self.realized += (average - price) * change * ticket.sheet.usd
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
        if trade is None or (to - trade.stop()) * trade.sign > 0:
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
        ticket = Ticket("EXIT", side, trade.qty, "PROTECTIVE_STOP", self.now, trade.sheet)
        symbol, qty = trade.sheet.symbol, trade.qty
        fill = Execution(f"x{self.executions}", self.now, symbol, side, qty, self.prices[name], "STOP", asset=name)
        self._books(name, ticket, qty)
        acts.stopped_out(self.oracle, name, ticket, self.prices[name], self.now)
        self._decides(BookFills("DEMO", "A1", "ledger", (fill,)))

    def _snapshot(self, name: str, balance_off: Decimal, position_off: int) -> None:
        told = {asset: self.positions[asset] + (position_off if asset == name else 0) for asset in ASSETS}
        rows = tuple(BrokerPosition(self._listed(a), told[a], self._pnl(a)) for a in ASSETS)
        pnl = sum((self._pnl(asset) for asset in ASSETS), ZERO)
        equity = Decimal(50_000) + self.realized + pnl
        acts.snapshot_taken(self.oracle, equity, self.prices, told, not balance_off, self.now)
        command = TakeSnapshot(
            realized=self.realized, unrealized=pnl, balance=equity + balance_off, positions=rows, as_of=self.now
        )
        self._decides(command)

    def _listed(self, name: str) -> str:
        """Return the contract that the broker lists: the one held, on its way in, or traded."""
        book = self.oracle.books[name]
        sheet = book.entering.sheet if book.entering is not None else book.sheet
        return self.held[name].symbol if self.positions[name] else sheet.symbol

    def _pnl(self, name: str) -> Decimal:
        """Return the open PnL of what is held."""
        return (self.positions[name] * self.prices[name] - self.costs[name]) * self.held[name].usd

    def _restart(self, settings: tuple[tuple[str, Any], ...]) -> None:
        self.oracle.passes(self.now)
        told = dict(settings)
        if "contracts" in told:
            full = told["contracts"]
            told["contracts"] = {name: full_size(name) if name in full else CONTRACTS[name] for name in ASSETS}
            self.oracle.gets_contracts({name: sheet_of(one) for name, one in told["contracts"].items()}, self.now)
        settings = tuple(told.items())
        told.pop("contracts", None)
        self.oracle.is_configured(acts.read_limits(told), self.now)
        self.oracle.notes_best()
        self.desk = documents.read_desk(_stored(self.desk))
        self._decides(ConfigureDesk(replace(self.desk.configured, **dict(settings))))
        self._command(TickClock())


def sheet_of(contract: Contract) -> Sheet:
    return Sheet(contract.point, contract.point_value, contract.symbol)


def full_size(name: str) -> Contract:
    symbol, usd = FULL[name]
    return replace(CONTRACTS[name], symbol=symbol, point_value=Decimal(usd))


def _sessions(now: datetime) -> dict[str, tuple[SessionHours, ...]]:
    """Sessions of the next weeks: from 18:00 to 17:00 of the next date, Sunday to Friday."""
    days = [now.astimezone(NEW_YORK).date() + timedelta(days=more) for more in range(-1, SIXTY_DAYS)]
    eves = [day for day in days if day.weekday() not in (4, 5)]
    hours = [SessionHours(_at(eve, 18), _at(eve + timedelta(days=1), 17)) for eve in eves]
    return dict.fromkeys(ASSETS, tuple(one for one in hours if now < one.closes))


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=NEW_YORK).astimezone(UTC)


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
