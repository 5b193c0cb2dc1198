"""Compare the replayed journal with its recorded events, the snapshots and the stored desk."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from services.engine.model.events import DeskTakenOver
from services.engine.model.order import Order
from services.engine.model.state import Desk
from services.engine.model.trade_events import TradeClosed, closed_trades
from services.history.differences import (
    ABSENT,
    desk_differences,
    document_differences,
    event_differences,
    plain_order,
    plain_trade,
)
from services.history.recomputing import Recomputed, recorded_events
from services.history.source import History
from services.projections.trades import last_trades
from services.stores.codec import documents
from services.stores.records import ORDERS
from services.stores.store import SnapshotMark, Store, StoreUnreadable
from wire.program import VERSION

SENTENCES_KEPT = 40  # the first differing row may cause many more
LATEST_COMPARED = 1000  # closed trades and ended orders that are looked up in the store


class Replay(Struct, frozen=True):
    """The result of a replay: how many rows were decided again, and where journal or store differ.

    ``unequal_rows`` are the sequences of rows whose events differ, ``unequal_documents`` the names of documents that
    differ. ``sentences`` name the first differing fields. ``programs`` are the program versions, each with its first
    row. ``snapshots`` counts the compared snapshots; ``reached_store`` is true when the stored desk was compared too.
    ``unequal_of_others`` of the unequal rows were decided by another version of the program.
    """

    rows: int
    unequal_rows: tuple[int, ...]
    unequal_documents: tuple[str, ...]
    sentences: tuple[str, ...] = ()
    first: int = 0
    last: int = 0
    snapshots: int = 0
    reached_store: bool = True
    programs: tuple[tuple[int, str], ...] = ()
    unequal_of_others: int = 0

    @property
    def is_equal(self) -> bool:
        return not self.unequal_rows and not self.unequal_documents

    @property
    def strangers(self) -> list[str]:
        """The other program versions that decided some of the rows. They may have decided differently."""
        return sorted({version for _, version in self.programs} - {VERSION})


class Comparison:
    """Compares each row's events, each snapshot, and at the end the stored desk."""

    def __init__(self, history: History, beginning: SnapshotMark | None, head: int, day: str | None) -> None:
        self._history = history
        self._day = day
        after = 0 if beginning is None else beginning.sequence
        self._marks = {mark.sequence: mark for mark in history.marks(head) if mark.sequence > after}
        self._rows = self._snapshots = self._first = self._last = 0
        self._unequal_rows: list[int] = []
        self._unequal_of_others = 0
        self._unequal_documents: dict[str, None] = {}
        self._sentences: list[str] = []
        self._programs: list[tuple[int, str]] = []
        self._trades: dict[str, TradeClosed] = {}
        self._ended: dict[str, Order] = {}
        self._day_is_over = False
        self._reached_store = False
        self.is_complete = False

    def take(self, step: Recomputed) -> None:
        """Compare one row, and the snapshot after it if there is one."""
        self._note_program(step)
        if self._is_of_the_day(step.desk):
            self._rows += 1
            self._first = self._first or step.row.sequence
            self._last = step.row.sequence
            self._compare_row(step)
            self._note_closed(step)
            self._note_ended(step)
        mark = self._marks.get(step.row.sequence)
        if mark is not None:
            self._compare_snapshot(mark, step.desk)
            self.is_complete = self._day_is_over

    def _note_closed(self, step: Recomputed) -> None:
        """Keep the latest closed trades, each as its last fill left it: a late one corrects its exit (SPEC 8.3)."""
        for trade in closed_trades(step.events):
            self._trades.pop(trade.id, None)
            self._trades[trade.id] = trade
        while len(self._trades) > LATEST_COMPARED:
            del self._trades[next(iter(self._trades))]

    def _note_ended(self, step: Recomputed) -> None:
        """Keep the latest ended orders, each as its last report left it: a late one still changes it (SPEC 8.1)."""
        for order in step.orders:
            if order.status.is_final:
                self._ended.pop(order.id, None)
                self._ended[order.id] = order
        while len(self._ended) > LATEST_COMPARED:
            del self._ended[next(iter(self._ended))]

    def _is_of_the_day(self, desk: Desk) -> bool:
        if self._day is None:
            return True
        today = desk.day.trading_day.isoformat()
        self._day_is_over = today > self._day
        return today == self._day

    def _note_program(self, step: Recomputed) -> None:
        """Record the program version that decided from this row on, as the row names it."""
        if step.row.kind != "TakeOver":
            return
        for event in recorded_events(step.row):
            if isinstance(event, DeskTakenOver) and (not self._programs or self._programs[-1][1] != event.program):
                self._programs.append((step.row.sequence, event.program))

    def _compare_row(self, step: Recomputed) -> None:
        row = step.row
        found = []
        if step.fault is not None:
            found = [f"today's program fails on it: {step.fault}"]
        else:
            decided = documents.write_events(step.events)
            found = [] if decided == row.events else event_differences(decided, row.events)
        if found:
            self._unequal_rows.append(row.sequence)
            self._unequal_of_others += not self._programs or self._programs[-1][1] != VERSION
        self._say(f"row {row.sequence} ({row.kind}): {sentence}" for sentence in found)

    def _compare_snapshot(self, mark: SnapshotMark, desk: Desk) -> None:
        self._snapshots += 1
        kept = self._history.desk_at(mark)
        self._find(desk_differences(desk, kept, f"the snapshot behind row {mark.sequence}"))

    def compare_with_store(self, desk: Desk, stored: Desk) -> None:
        """Compare with the stored desk, its open orders, the latest closed trades and ended orders."""
        self._reached_store = True
        self._find(desk_differences(desk, stored, "the store"))
        self._compare_trades(self._history.store)
        for order in self._ended.values():
            record = self._history.store.record(ORDERS, order.id)
            theirs = ABSENT if record is None else plain_order(documents.read_order(record.body))
            self._find(document_differences(f"order {order.id}", plain_order(order), theirs, "the store"))

    def _compare_trades(self, store: Store) -> None:
        """Compare the latest closed trades, except those older than the stored list that is read here."""
        if not self._trades:
            return
        stored = {trade.id: trade for trade in last_trades(store, LATEST_COMPARED)}
        listed_since = min(trade.exit_ts for trade in stored.values()) if len(stored) == LATEST_COMPARED else None
        for closed in self._trades.values():
            if listed_since is None or closed.exit_ts > listed_since:
                theirs = plain_trade(stored[closed.id]) if closed.id in stored else ABSENT
                self._find(document_differences(f"trade {closed.id}", plain_trade(closed), theirs, "the store"))

    def _find(self, differences: Iterable[tuple[str, str]]) -> None:
        for name, sentence in differences:
            self._unequal_documents[name] = None
            self._say([sentence])

    def _say(self, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            if len(self._sentences) < SENTENCES_KEPT:
                self._sentences.append(sentence)

    def result(self) -> Replay:
        """Return the result. Raises StoreUnreadable when the requested day has no row."""
        if self._day is not None and not self._rows:
            raise StoreUnreadable(f"no row of the trading day {self._day} is kept")
        return Replay(
            rows=self._rows,
            unequal_rows=tuple(self._unequal_rows),
            unequal_documents=tuple(self._unequal_documents),
            sentences=tuple(self._sentences),
            first=self._first,
            last=self._last,
            snapshots=self._snapshots,
            reached_store=self._reached_store,
            programs=tuple(self._programs),
            unequal_of_others=self._unequal_of_others,
        )
