"""The oracle: a second, plain reading of SPEC 4 to 7, which shares no rule with the engine.

It is told each command and the time, says what must come out (None, or the gate or code that refuses), and keeps the
facts that must hold afterwards. Its acts are in ``acts.py``, exits in ``exits.py``, gates in ``gates.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle import exits, spec5
from tests.oracle.facts import AGAINST, ZERO, Book, Closed, DayFacts, Position, Ticket, opened

NEW_YORK = ZoneInfo("America/New_York")
TIGHTER: Mapping[str, Any] = {
    "max_trades_per_day": min,
    "daily_stop_limit_pct": min,
    "cooldown_seconds": max,
    "candle_seconds": max,
    "heartbeat_max_age_seconds": min,
    "entry_ttl_seconds": min,
    "two_half_filter": max,
    "entry_qty_6pt": min,
    "entry_qty_9pt": min,
    "scale_in_qty": min,
    "stop_points": min,
    "max_risk_per_order_pct": min,
    "max_contracts": min,
    "max_contracts_correlated": min,
    "overrides_per_day": min,
}
TWO_SECONDS = timedelta(seconds=2)


def trading_day(now: datetime) -> date:
    """18:00 New York begins the next date's day; the weekend belongs to Monday."""
    moved = now.astimezone(NEW_YORK).replace(tzinfo=None) + timedelta(hours=6)
    return (moved + timedelta(days={5: 2, 6: 1}.get(moved.weekday(), 0))).date()


def day_begins(day: date) -> datetime:
    eve = day - timedelta(days=3 if day.weekday() == 0 else 1)
    return datetime(eve.year, eve.month, eve.day, 18, tzinfo=NEW_YORK)


class Oracle:
    """One desk, in DEMO. ``rules`` are in force, ``wanted`` hold from the next day on."""

    def __init__(self, books: dict[str, Book], rules: dict[str, Any], now: datetime) -> None:
        self.books, self.rules = books, dict(rules)
        self.wanted, self.configured = dict(rules), dict(rules)
        self.asked_at: dict[str, datetime] = {}
        self.day: DayFacts = DayFacts(trading_day(now))
        self.equity: Decimal | None = None
        self.market_at = now
        self.assumed = Decimal(50_000)
        self.balance_is_suspect = False
        self.last_balance_is_true = True
        self.cooldown_until: datetime | None = None
        self.candle_used: datetime | None = None
        self.candle_until: datetime | None = None
        self.closed: list[Closed] = []
        self.commission = ZERO
        self.locked_out_until: datetime | None = None
        self.streak_until: datetime | None = None
        self.week_result = self.best_result = ZERO

    def by_spec(self, name: str, *facts: Any) -> Any:
        """Ask a rule of ``spec5``: SPEC's, or the one of before while it is pending."""
        rule = (spec5.EARLIER if name in spec5.PENDING else spec5.RULES)[name]
        return rule(*facts) if name == "loosened_from" else rule(self, *facts)

    # -- money ----------------------------------------------------------------------------------------------------

    @property
    def start(self) -> Decimal:
        if self.day.start is not None:
            return self.day.start
        return self.assumed if self.equity is None else self.equity

    @property
    def limit(self) -> Decimal:
        return self.start * Decimal(self.rules["daily_stop_limit_pct"]) / 100

    @property
    def open_result(self) -> Decimal:
        return sum((self._won(book) for book in self.books.values()), ZERO)

    def _won(self, book: Book) -> Decimal:
        """What the trade has won until now, its partial exits with it."""
        trade = book.trade
        if trade is None:
            return ZERO
        is_priced = book.price_at is not None and book.price_at >= trade.opened_at
        price = book.price if is_priced and book.price is not None else trade.average
        return (trade.left_at + price * trade.qty - trade.paid) * trade.sign * book.sheet.usd

    @property
    def result(self) -> Decimal:
        """The day's result by the desk's books."""
        return self.day.closed - self.day.opening + self.open_result

    def weighs(self, now: datetime) -> None:
        """5.6: a first reading at the limit is awaited, a second one 2 s later or more ends the day."""
        if self.day.is_stopped:
            return
        heard = [book.price_at for book in self.books.values() if book.trade is not None and book.price_at is not None]
        readings = {"books": (max(heard, default=now), self.result)}
        if self.last_balance_is_true and self.day.start is not None and self.equity is not None:
            readings["balance"] = (self.market_at, self.equity - self.day.start)
        for way in ("balance", "books"):
            at, result = readings.get(way, (now, ZERO))
            if -result < self.limit:
                self.day.first.pop(way, None)
            elif at >= self.day.first.setdefault(way, at) + TWO_SECONDS:
                self.day.is_stopped = True

    # -- time -----------------------------------------------------------------------------------------------------

    def passes(self, now: datetime) -> None:
        """What the clock alone causes (5.8)."""
        self._rolls(now)
        for book in self.books.values():
            order = book.entering
            ttl = timedelta(seconds=self.rules["entry_ttl_seconds"])
            if order is not None and order.state == "PENDING" and now >= order.created_at + order_ttl(order, ttl):
                self.ends(book, order, now)
                exits.pursues(self, book, now)
            if book.trade is not None and self.by_spec("initial_lock_ends", book.trade, now):
                book.trade.is_locked = False
            if self.by_spec("preorder_is_over", book, now):
                book.preorder = None
        self.weighs(now)
        self.flattens(now)
        for book in self.books.values():
            if book.due is not None:
                exits.pursues(self, book, now)

    def _rolls(self, now: datetime) -> None:
        today = trading_day(now)
        if today <= self.day.name:
            return
        before = self.open_result
        self.day = DayFacts(today, opening=before)
        for name, value in self.wanted.items():
            asked_at = self.asked_at.get(name, self.market_at)
            if value == self.rules[name] or self.by_spec("loosened_from", asked_at, day_begins(today)):
                self.rules[name] = value

    def flattens(self, now: datetime) -> None:
        """After the daily stop nothing is held, and nothing is on its way in."""
        if not self.day.is_stopped:
            return
        for book in self.books.values():
            if book.trade is not None or book.entering is not None:
                exits.demands(self, book, "daily_stop", now)

    # -- orders and fills -----------------------------------------------------------------------------------------

    def ends(self, book: Book, order: Ticket, now: datetime) -> None:
        """An order is final. An unfilled entry gives back its token, and its candle while that is running."""
        if order.kind == "EXIT":
            book.leaving = None
            return
        book.entering = None
        if order.filled:
            return
        if order.kind == "SCALE_IN":
            if book.trade is not None:
                book.trade.scale_in = "available"
            return
        book.token = True
        is_running = self.candle_until is not None and now < self.candle_until
        if is_running and self.candle_used == order.candle:
            self.candle_used = self.candle_until = None

    def fills(self, name: str, order: Ticket, qty: int, price: Decimal, now: datetime) -> None:
        """A part of the order is filled."""
        book = self.books[name]
        order.filled += qty
        trade = book.trade
        if order.kind == "EXIT" and trade is not None:
            self._takes_out(name, book, trade, qty, price, order.source, now)
        elif trade is None:
            book.trade = opened(order, qty, price, now, Decimal(self.rules["points_tp_target"]))
            book.marked = book.price if book.price_at is not None and book.price_at >= now else None
            self.day.taken += 1
        else:
            kept = trade.stop(book.sheet)
            trade.qty += qty
            trade.entered += qty
            trade.cost += price * qty
            trade.paid += price * qty
            if order.kind == "ENTRY":
                trade.entry_qty += qty
            trade.stop_kept = kept

    def _takes_out(
        self, name: str, book: Book, trade: Position, qty: int, price: Decimal, reason: str, now: datetime
    ) -> None:
        """Contracts leave at the average, which stays what it was. At 0 the trade is closed."""
        trade.cost = trade.cost * (trade.qty - qty) / trade.qty
        trade.qty -= qty
        trade.left_at += price * qty
        trade.left += qty
        if trade.qty:
            return
        pnl = (trade.left_at - trade.paid) * trade.sign * book.sheet.usd
        self.closed.append(Closed(name, trade.entered, pnl, reason))
        self.day.closed += pnl
        self.week_result += pnl
        book.trade, book.due = None, None
        book.flip_right = trade.fresh_six > 0
        self.by_spec("token_at_flat", book)
        self.cooldown_until = now + timedelta(seconds=self.rules["cooldown_seconds"])

    # -- locks ----------------------------------------------------------------------------------------------------

    def is_managed(self, book: Book) -> bool:
        """6.2: locked while the 2.5pt colour is with the trade, or neutral."""
        return book.trade is not None and book.colors.get(2.5, "neutral") != AGAINST[book.trade.side]

    def candle_of(self, now: datetime) -> datetime:
        """The start of the wall-clock bucket of New York that ``now`` lies in."""
        seconds = int(self.rules["candle_seconds"])
        whole = int(now.timestamp())
        return datetime.fromtimestamp(whole - whole % seconds, now.tzinfo)

    def takes_candle(self, now: datetime) -> datetime:
        self.candle_used = self.candle_of(now)
        self.candle_until = self.candle_used + timedelta(seconds=int(self.rules["candle_seconds"]))
        return self.candle_used

    # -- limits ---------------------------------------------------------------------------------------------------

    def wants(self, limits: Mapping[str, Any], now: datetime) -> None:
        """Tighten at once, loosen later. A longer candle stretches the lock that holds."""
        for name, told in limits.items():
            value = told if self.rules[name] is None or told is None else type(self.rules[name])(told)
            if value != self.wanted[name]:
                self.asked_at[name] = now
            self.wanted[name] = value
        for name in TIGHTER.keys() & self.rules.keys():
            known = [value for value in (self.rules[name], self.wanted[name]) if value is not None]
            self.rules[name] = TIGHTER[name](known) if known else None  # off is looser than any number
        if self.candle_used is not None and self.candle_until is not None:
            seconds = int(self.rules["candle_seconds"])
            whole = int(self.candle_used.timestamp())
            longer = datetime.fromtimestamp(whole - whole % seconds + seconds, now.tzinfo)
            self.candle_until = max(self.candle_until, longer)
        self.weighs(now)

    def is_configured(self, settings: Mapping[str, Any], now: datetime) -> None:
        """A restart: what the environment changed is wanted anew."""
        self.wants({name: value for name, value in settings.items() if self.configured[name] != value}, now)
        self.configured |= settings


def order_ttl(order: Ticket, ttl: timedelta) -> timedelta:
    """An order expires after the time that held when it was queued."""
    return order.ttl if order.ttl is not None else ttl
