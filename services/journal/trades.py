"""Closed trades with their notes and gates, as the journal shows them.

All of it is read from records that are stored with the commit they belong to. A trade belongs to the trading day on
which it closed, by the roll that is in force now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from services.engine.model.trade_events import TradeClosed
from services.engine.model.trading_day import SATURDAY, day_end, trading_day_of
from services.projections.entry_gates import GatesAtEntry, gates_between
from services.projections.notes import Note, notes_between
from services.projections.trades import ClosedTrade, closed_trade, trades_between
from services.stores.store import Store
from wire.types import Env, Instant, Side, TradeMode

PAGE = 250  # trades of one read from the store
READ_AT_MOST = 5_000  # trades or attempts that one request reads
FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2099, 12, 31)
A_MOMENT = timedelta(microseconds=1)


class JournalTrade(Struct, frozen=True):
    """A closed trade as the journal shows it.

    ``stop_points`` is None when the initial stop is unknown, ``target_points`` when the take-profit was off or is
    unknown, ``gates`` when the gates at the entry were not recorded.
    """

    trade: TradeClosed
    trading_day: date
    stop_points: Decimal | None = None
    note: Note = Note()
    gates: GatesAtEntry | None = None
    target_points: Decimal | None = None

    @property
    def r(self) -> Decimal | None:
        """The net result over the risk at entry (SPEC 7.5).

        Of an older trade, whose risk in USD is not known, points won divided by the points to the initial stop.
        """
        if self.trade.risk_usd is not None:
            return self.trade.r
        return self.trade.pnl_points / self.stop_points if self.stop_points else None

    @property
    def held_seconds(self) -> Decimal:
        held = self.trade.exit_ts - self.trade.entry_ts
        return Decimal(held // A_MOMENT) / 1_000_000


class Selection(Struct, frozen=True):
    """A filter of trades. A field that is None filters nothing."""

    first_day: date = FIRST_DAY
    last_day: date = LAST_DAY
    asset: str | None = None
    reason: str | None = None
    mode: TradeMode | None = None
    env: Env | None = None
    side: Side | None = None
    tag: str | None = None

    def takes(self, entry: JournalTrade) -> bool:
        """Return whether the filter selects a trade."""
        trade = entry.trade
        wanted = (self.asset, self.reason, self.mode, self.env, self.side)
        facts = (trade.asset, trade.reason, trade.mode, trade.env, trade.side)
        is_of_the_days = self.first_day <= entry.trading_day <= self.last_day
        has_the_tag = self.tag is None or self.tag in entry.note.tags
        return is_of_the_days and has_the_tag and all(w is None or w == f for w, f in zip(wanted, facts, strict=True))


class Cursor(Struct, frozen=True):
    """The trade after which a page continues. The id decides between trades that closed at the same instant."""

    closed_at: Instant
    trade_id: str

    def is_before(self, trade: TradeClosed) -> bool:
        return (trade.exit_ts, trade.id) < (self.closed_at, self.trade_id)


class Page(Struct, frozen=True):
    """Some trades, newest first. ``following`` is where the next page begins, None after the last page."""

    trades: list[JournalTrade]
    following: Cursor | None = None


def day_begin(day: date, roll: str) -> Instant:
    """Return the instant at which a trading day begins: the end of the previous weekday's trading day."""
    before = day - timedelta(days=1)
    while before.weekday() >= SATURDAY:
        before -= timedelta(days=1)
    return day_end(before, roll)


def span_of(first: date, last: date, roll: str) -> tuple[Instant, Instant]:
    """Return the begin of the first and the end of the last of these trading days."""
    return day_begin(first, roll), day_end(last, roll)


# -- reading --------------------------------------------------------------------------------------------------------


def page_of(store: Store, selection: Selection, roll: str, limit: int, before: Cursor | None = None) -> Page:
    """Return up to ``limit`` of the selected trades, newest first, from the 5,000 older than ``before``.

    Raises StoreDown, StoreUnreadable.
    """
    since, until = span_of(selection.first_day, selection.last_day, roll)
    found: list[JournalTrade] = []
    looked_at = 0
    while looked_at < READ_AT_MOST:
        if before is not None:
            until = min(until, before.closed_at + A_MOMENT)  # include trades that closed at the same instant
        stored = trades_between(store, since, until, PAGE)
        fresh = [one for one in stored if before is None or before.is_before(one.trade)]
        found += [entry for entry in _with_notes_and_gates(store, fresh, roll) if selection.takes(entry)]
        if len(found) > limit:
            last = found[limit - 1].trade
            return Page(found[:limit], Cursor(last.exit_ts, last.id))
        if len(stored) < PAGE or not fresh:
            return Page(found)
        before = Cursor(fresh[-1].trade.exit_ts, fresh[-1].trade.id)
        looked_at += len(fresh)
    return Page(found, before)


def trade_with_note(store: Store, trade_id: str, roll: str) -> JournalTrade | None:
    """Return one closed trade, None when unknown. Raises StoreDown, StoreUnreadable."""
    closed = closed_trade(store, trade_id)
    return None if closed is None else next(_with_notes_and_gates(store, [closed], roll))


def _with_notes_and_gates(store: Store, closed: Sequence[ClosedTrade], roll: str) -> Iterator[JournalTrade]:
    """Join trades, notes and gates. Ids sort by time, so one range of ids covers a page of trades."""
    if not closed:
        return
    ids = [one.trade.id for one in closed]
    notes = notes_between(store, min(ids), max(ids))
    gates = gates_between(store, min(ids), max(ids))
    for one in closed:
        trade = one.trade
        yield JournalTrade(
            trade=trade,
            trading_day=trading_day_of(trade.exit_ts, roll),
            stop_points=one.stop_points,
            note=notes.get(trade.id, Note()),
            gates=gates.get(trade.id),
            target_points=one.target_points,
        )


# -- cursors on the wire --------------------------------------------------------------------------------------------

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_cursor(cursor: Cursor) -> str:
    return f"{(cursor.closed_at - EPOCH) // A_MOMENT}-{cursor.trade_id}"


def read_cursor(text: str) -> Cursor:
    """Read a cursor. Raises ValueError for a text that ``write_cursor`` cannot have written."""
    micros, _, trade_id = text.partition("-")
    if not (micros.isascii() and micros.isdecimal() and len(micros) <= 16 and trade_id):
        raise ValueError("must be the next of an earlier page")
    closed_at = EPOCH + int(micros) * A_MOMENT
    if not FIRST_DAY <= closed_at.date() <= LAST_DAY:
        raise ValueError("must be the next of an earlier page")
    return Cursor(closed_at, trade_id)
