"""The oracle: a second, plain reading of SPEC 4 to 7, which shares no rule with the engine.

It is told each command and the time, says what must come out (None, or the gate or code that refuses), and keeps the
facts that must hold afterwards. Its acts are in ``acts.py``, exits in ``exits.py``, gates in ``gates.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.oracle import doors, exits, window
from tests.oracle.dollars import commission, round_turn
from tests.oracle.facts import (
    AGAINST,
    ZERO,
    Book,
    Closed,
    DayFacts,
    Losses,
    Position,
    Sheet,
    Ticket,
    WeekFacts,
    opened,
)
from tests.oracle.week import next_day, trading_day, week_of


def earlier(one: str, other: str) -> str:
    """The time of day that comes first in a day that begins at 18:00."""
    return min(one, other, key=lambda clock: (clock <= "18:00", clock))


def smaller_caps(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: min(caps[name] for caps in (one, other) if name in caps) for name in one.keys() | other.keys()}


def dearer(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {name: max(rates[name] for rates in (one, other) if name in rates) for name in one.keys() | other.keys()}


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
    "initial_lock_seconds": max,
    "preorder_seconds": min,
    "trading_hours": frozenset.intersection,
    "no_entry_after_open": max,
    "no_entry_before_close": max,
    "flat_by": earlier,
    "loss_streak": min,
    "loss_pause_minutes": max,
    "cooldown_after_loss": max,
    "weekly_loss_pct": min,
    "weekly_loss_usd": min,
    "max_trades_per_week": min,
    "give_back_usd": min,
    "profit_lock_usd": min,
    "max_contracts_by_asset": smaller_caps,
    "commissions": dearer,
}
TWO_SECONDS = timedelta(seconds=2)


class Oracle:
    """One desk, in DEMO. ``rules`` are in force, ``wanted`` hold from the next day on."""

    def __init__(self, books: dict[str, Book], rules: dict[str, Any], now: datetime) -> None:
        self.books, self.rules = books, dict(rules)
        self.wanted, self.configured = dict(rules), dict(rules)
        self.holds_from: dict[str, datetime] = {}
        self.sheets = {name: book.sheet for name, book in books.items()}
        self.sheets_from: datetime | None = None
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
        self.week, self.losses = WeekFacts(week_of(now)), Losses()
        self.locked_out_until: datetime | None = None
        self.knows_sessions = False
        self.asked = 0
        self.news: list[tuple[datetime, datetime]] = []
        self.firm_loss: Decimal | None = None
        self.firm_contracts: Decimal | None = None

    # -- money ----------------------------------------------------------------------------------------------------

    @property
    def start(self) -> Decimal:
        if self.day.start is not None:
            return self.day.start
        return self.assumed if self.equity is None else self.equity

    @property
    def own_limit(self) -> Decimal:
        return self.start * Decimal(self.rules["daily_stop_limit_pct"]) / 100

    @property
    def firm_limit(self) -> Decimal | None:
        """The firm's loss of a day, less 5 % that are kept back."""
        return None if self.firm_loss is None else self.firm_loss * 95 / 100

    @property
    def limit(self) -> Decimal:
        return self.own_limit if self.firm_limit is None else min(self.own_limit, self.firm_limit)

    @property
    def worst_result(self) -> Decimal:
        """The day's result by the worst of the believed ways."""
        if self.day.start is None or self.equity is None:
            return self.result
        return min(self.result, self.equity - self.day.start)

    @property
    def on_their_way(self) -> int:
        """First entries that are not filled yet."""
        entering = [book.entering for book in self.books.values() if book.entering is not None]
        return sum(order.kind == "ENTRY" and not order.filled for order in entering)

    @property
    def open_result(self) -> Decimal:
        return sum((self._won(book) for book in self.books.values()), ZERO)

    def _won(self, book: Book) -> Decimal:
        """What the trade has won until now, its partial exits with it, less the commissions paid."""
        trade = book.trade
        if trade is None:
            return ZERO
        is_priced = book.price_at is not None and book.price_at >= trade.opened_at
        price = book.price if is_priced and book.price is not None else trade.average
        return (trade.left_at + price * trade.qty - trade.paid) * trade.sign * trade.sheet.usd - trade.costs

    @property
    def result(self) -> Decimal:
        """The day's result by the desk's books."""
        return self.day.closed - self.day.opening + self.open_result

    def readings(self, now: datetime) -> dict[str, tuple[datetime, Decimal]]:
        """The day's result by balance and by books, and when each was heard."""
        heard = [book.price_at for book in self.books.values() if book.trade is not None and book.price_at is not None]
        told = {"books": (max(heard, default=now), self.result)}
        if self.last_balance_is_true and self.day.start is not None and self.equity is not None:
            told["balance"] = (self.market_at, self.equity - self.day.start)
        return told

    def is_at_limit(self, now: datetime) -> bool:
        return any(-result >= self.limit for _, result in self.readings(now).values())

    def weighs(self, now: datetime) -> None:
        """5.6: a first reading at the limit is awaited, a second one 2 s later or more ends the day."""
        if self.day.is_stopped:
            return
        readings = self.readings(now)
        for way in ("balance", "books"):
            at, result = readings.get(way, (now, ZERO))
            if -result < self.limit:
                self.day.first.pop(way, None)
            elif at >= self.day.first.setdefault(way, at) + TWO_SECONDS:
                self.day.is_stopped = True

    def notes_best(self) -> None:
        self.day.best = max(self.day.best, self.result)

    # -- time -----------------------------------------------------------------------------------------------------

    def passes(self, now: datetime) -> None:
        """What the clock alone causes (5.8)."""
        self._rolls(now)
        self._loosens(now)
        for book in self.books.values():
            order = book.entering
            ttl = timedelta(seconds=self.rules["entry_ttl_seconds"])
            if order is not None and order.state == "PENDING" and now >= order.created_at + order_ttl(order, ttl):
                self.ends(book, order, now)
                exits.pursues(self, book, now)
            if book.trade is not None and doors.initial_lock_ends(self, book.trade, now):
                book.trade.is_locked = False
            if doors.preorder_is_over(self, book, now):
                book.preorder = None
        self.weighs(now)
        self.flattens(now)
        self.flattens_in_time(now)
        for book in self.books.values():
            if book.due is not None:
                exits.pursues(self, book, now)

    def _rolls(self, now: datetime) -> None:
        today = trading_day(now)
        if today <= self.day.name:
            return
        before = self.open_result
        self.day = DayFacts(today, opening=before)

    def _loosens(self, now: datetime) -> None:
        """What waited holds from its day on; a week begins."""
        if now >= self.week.begins and week_of(now) > self.week.begins:
            self.week = WeekFacts(week_of(now))
        for name in [name for name, at in self.holds_from.items() if now >= at]:
            self.rules[name] = self.wanted[name]
            del self.holds_from[name]
        if self.sheets_from is not None and now >= self.sheets_from:
            self.sheets_from = None
            for name, book in self.books.items():
                book.sheet = self.sheets[name]

    def flattens(self, now: datetime) -> None:
        """After the daily stop nothing is held, and nothing is on its way in."""
        if self.day.is_stopped:
            self._takes_all_out("daily_stop", now)

    def flattens_in_time(self, now: datetime) -> None:
        if window.flat_time(self, now):
            self._takes_all_out("flat_by", now)

    def _takes_all_out(self, source: str, now: datetime) -> None:
        for book in self.books.values():
            if book.trade is not None or book.entering is not None:
                exits.demands(self, book, source, now)

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

    def fills(
        self, name: str, order: Ticket, qty: int, price: Decimal, now: datetime, told: Decimal | None = None
    ) -> None:
        """A part of the order is filled. ``told`` is its commission; else what is set counts."""
        book = self.books[name]
        order.filled += qty
        trade = book.trade
        costs = commission(self, order.sheet) * qty if told is None else told
        if order.kind == "EXIT" and trade is not None:
            trade.costs += costs
            self._takes_out(name, book, trade, qty, price, order.source, now)
            return
        if trade is None:
            trade = book.trade = opened(order, qty, price, now, Decimal(self.rules["points_tp_target"]))
            book.marked = book.price if book.price_at is not None and book.price_at >= now else None
            self.day.taken += 1
            self.week.entries += 1
        else:
            _grows(trade, order, qty, price)
        trade.costs += costs
        at_stop = trade.stop_points * trade.sheet.unit * qty * trade.sheet.usd
        trade.risk += at_stop + round_turn(self, trade.sheet, qty)

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
        pnl = (trade.left_at - trade.paid) * trade.sign * trade.sheet.usd
        self.closed.append(Closed(name, trade.entered, pnl, trade.costs, trade.risk, reason))
        self._counts(pnl - trade.costs, now)
        book.trade, book.due = None, None
        book.flip_right = trade.fresh_six > 0
        book.token = False  # 5.7: becoming flat spends the token
        self.cooldown_until = now + timedelta(seconds=self.rules["cooldown_seconds"])

    def _counts(self, net: Decimal, now: datetime) -> None:
        """A net result in the books of day and week; a loss is one more in a row, a trade that wins ends the run."""
        self.week.start = self.start if self.week.start is None else self.week.start
        self.day.closed += net
        self.week.closed += net
        run, rules = self.losses, self.rules
        if net > 0:
            run.count, run.last_at = 0, None
        if net >= 0:
            return
        run.count, run.last_at = run.count + 1, now
        if rules["cooldown_after_loss"] is not None:
            run.cooldown_until = now + timedelta(seconds=rules["cooldown_after_loss"])
        if rules["loss_streak"] is not None and run.count >= rules["loss_streak"]:
            run.streak_until = now + timedelta(minutes=rules["loss_pause_minutes"])

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
        before = dict(self.wanted)
        self.wanted |= limits
        self.rules = self.tightened(self.wanted)
        for name, value in self.wanted.items():
            is_looser = value != before[name] and value != tightest(name, before[name], value)
            if value == self.rules[name]:
                self.holds_from.pop(name, None)
            elif is_looser or name not in self.holds_from:
                self.holds_from[name] = next_day(now)
        if self.candle_used is not None and self.candle_until is not None:
            seconds = int(self.rules["candle_seconds"])
            whole = int(self.candle_used.timestamp())
            longer = datetime.fromtimestamp(whole - whole % seconds + seconds, now.tzinfo)
            self.candle_until = max(self.candle_until, longer)
        self.weighs(now)

    def tightened(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Return what of the wanted rules holds at once."""
        return {name: tightest(name, value, wanted[name]) for name, value in self.rules.items()}

    def would_flatten(self, limits: Mapping[str, Any], now: datetime) -> bool:
        """5.9: whether these limits flatten what is held within 60 s, where those of before would not."""
        if all(book.trade is None and book.entering is None for book in self.books.values()):
            return False
        soon = now + timedelta(seconds=60)
        before = self.rules, self._is_flat_at(now, soon), self.is_at_limit(now) or self.day.is_stopped
        self.rules = self.tightened({**self.wanted, **limits})
        flat, stops = self._is_flat_at(now, soon), self.is_at_limit(now)
        self.rules = before[0]
        return (flat and not before[1]) or (stops and not before[2])

    def _is_flat_at(self, *instants: datetime) -> bool:
        return any(window.flat_time(self, now) for now in instants)

    def is_configured(self, settings: Mapping[str, Any], now: datetime) -> None:
        """A restart: what the environment changed is wanted anew."""
        changed = {name: value for name, value in settings.items() if self.configured[name] != value}
        self.configured |= settings
        self.wants(changed, now)

    def gets_contracts(self, sheets: Mapping[str, Sheet], now: datetime) -> None:
        """A restart: a contract that is worth more waits, the others hold at once."""
        is_new = dict(sheets) != self.sheets
        self.sheets = dict(sheets)
        for name, book in self.books.items():
            if self.sheets[name].usd <= book.sheet.usd:
                book.sheet = self.sheets[name]
        waits = any(book.sheet != self.sheets[name] for name, book in self.books.items())
        if is_new or not waits:
            self.sheets_from = next_day(now) if waits else None


def tightest(name: str, one: Any, other: Any) -> Any:
    """Of two values of a limit the tighter one: off is looser than any. A rule that is no limit changes at once."""
    if name not in TIGHTER:
        return other
    known = [value for value in (one, other) if value is not None]
    return TIGHTER[name](*known) if len(known) == 2 else (known or [None])[0]


def _grows(trade: Position, order: Ticket, qty: int, price: Decimal) -> None:
    """Contracts are added; the stop keeps its price where the new average would move it away."""
    kept = trade.stop()
    trade.qty += qty
    trade.entered += qty
    trade.cost += price * qty
    trade.paid += price * qty
    if order.kind == "ENTRY":
        trade.entry_qty += qty
    trade.stop_kept = kept


def order_ttl(order: Ticket, ttl: timedelta) -> timedelta:
    """An order expires after the time that held when it was queued."""
    return order.ttl if order.ttl is not None else ttl
