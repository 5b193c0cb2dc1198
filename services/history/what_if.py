"""What-if: which entries other rules would have refused or allowed. The journal is decided twice, by both rules.

All of it is pure. The result of an entry that would have been refused is known, because it really traded. The result of
an entry that would have been allowed is unknown, because it never reached the broker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.events import AnyEvent, EntryAccepted, EntryBlocked, OrderEnded
from services.engine.model.state import Desk
from services.engine.model.trade_events import TradeClosed, TradeOpened, closed_trades
from services.history.other_desk import OtherDesk
from services.history.recomputing import Recomputed, command_of, decide_again, opened_by, with_observed
from services.stores.store import JournalRow
from wire.types import Instant, OrderStatus, Side, Usd

OWN_GATES = {OrderStatus.EXPIRED: "entry_ttl"}  # not a gate of the ladder: the order was accepted and then lost
NOTHING_WAITED = "no pre-order waited here"


class Refused(Struct, frozen=True):
    """An entry that was accepted and would have been refused. ``made`` is its closed trade, None without one."""

    sequence: int
    at: Instant
    asset: str
    direction: Side
    gate: str
    sentence: str
    order_id: str
    made: TradeClosed | None = None
    was_filled: bool = False


class Allowed(Struct, frozen=True):
    """An entry that a gate refused and that would have been accepted. Its result is unknown."""

    sequence: int
    at: Instant
    asset: str
    direction: Side
    gate: str
    sentence: str


class WhatIf(Struct, frozen=True):
    """The differences of the two desks. ``unequal_rows`` counts real rows that this program decides differently."""

    rows: int
    refused: tuple[Refused, ...]
    allowed: tuple[Allowed, ...]
    entries: int
    trades: tuple[TradeClosed, ...]
    unequal_rows: int

    @property
    def refused_made(self) -> Usd:
        """The total result of the refused entries that became closed trades."""
        return sum((entry.made.result_usd for entry in self.refused if entry.made), Decimal(0))

    @property
    def all_made(self) -> Usd:
        """The total result of all closed trades."""
        return sum((trade.result_usd for trade in self.trades), Decimal(0))


def what_if(
    rows: Iterable[JournalRow],
    changes: dict[str, Any],
    id_key: str,
    opening: Desk | None = None,
    day: str | None = None,
    on_progress: Callable[[int], None] = lambda row: None,
    watching: Callable[[Recomputed], None] = lambda step: None,
) -> WhatIf:
    """Decide rows by the real rules, and again with ``changes`` (rule: value) to them. Raises StoreError.

    ``opening`` is the desk before the first row, None when that is the first row of all. With ``day`` only entries of
    that trading day are reported; the earlier days bring the desks into their state. ``watching`` is told each row as
    it was really decided.
    """
    ledger = _Ledger(day)
    before = opening
    other = OtherDesk(opening, changes) if opening is not None else None
    for step in decide_again(_with_progress(rows, on_progress), opening, id_key):
        command = command_of(step.row)
        if before is None or other is None:
            before = opened_by(command, step.row, id_key)
            other = OtherDesk(before, changes)
        events = other.follow(command, with_observed(before, step.row), step)
        before = step.desk
        if not ledger.take(step, events, other):
            break
        watching(step)
    return ledger.result()


def _with_progress(rows: Iterable[JournalRow], on_progress: Callable[[int], None]) -> Iterator[JournalRow]:
    for row in rows:
        yield row
        on_progress(row.sequence)


class _Ledger:
    """Collects the entries on which the two desks differ, and the results of the real ones."""

    def __init__(self, day: str | None) -> None:
        self._day = day
        self._refused: dict[str, Refused] = {}
        self._allowed: list[Allowed] = []
        self._trades: dict[str, TradeClosed] = {}
        self._last_block: dict[tuple[bool, str], EntryBlocked] = {}
        self._taken: dict[str, tuple[JournalRow, EntryAccepted]] = {}
        self._rows = self._entries = self._unequal = 0

    def take(self, step: Recomputed, events: tuple[AnyEvent, ...], other: OtherDesk) -> bool:
        """Add one row of both desks. Return False when the requested day is over."""
        today = step.desk.day.trading_day.isoformat()
        if self._day is not None and today > self._day:
            return False
        self._follow_refused(step.events)
        is_counted = self._day is None or today == self._day
        if is_counted:
            self._rows += 1
            self._unequal += step.has_changed
            self._trades |= {trade.id: trade for trade in closed_trades(step.events)}
        real = _entries(step.events)
        own = _entries(events)
        for asset in {**real, **own}:
            self._compare(step.row, asset, real.get(asset), own.get(asset), is_counted=is_counted)
        self._find_lost(step, other)
        return True

    def _compare(self, row: JournalRow, asset: str, real: _Entry, own: _Entry, *, is_counted: bool) -> None:
        if isinstance(real, EntryAccepted):
            self._entries += is_counted
            if is_counted and isinstance(own, EntryAccepted):
                self._taken[real.order_id] = (row, real)
            elif is_counted:
                self._refuse(row, real, *_why(own or self._last_block.get((False, asset))))
        elif isinstance(own, EntryAccepted) and is_counted:
            gate, sentence = _why(real or self._last_block.get((True, asset)))
            self._allowed.append(Allowed(row.sequence, row.at, asset, own.direction, gate, sentence))
        for is_real, entry in ((True, real), (False, own)):
            if isinstance(entry, EntryBlocked):
                self._last_block[is_real, asset] = entry
            else:
                self._last_block.pop((is_real, asset), None)

    def _refuse(self, row: JournalRow, entry: EntryAccepted, gate: str, sentence: str) -> None:
        refused = Refused(row.sequence, row.at, entry.asset, entry.direction, gate, sentence, entry.order_id)
        self._refused[entry.order_id] = refused

    def _follow_refused(self, events: Iterable[AnyEvent]) -> None:
        """Record fills and results of the real entries that the other rules would have refused."""
        for event in events:
            if isinstance(event, TradeOpened) and event.trade_id in self._refused:
                self._refused[event.trade_id] = replace(self._refused[event.trade_id], was_filled=True)
        for trade in closed_trades(events):
            if trade.id in self._refused:
                self._refused[trade.id] = replace(self._refused[trade.id], made=trade, was_filled=True)

    def _find_lost(self, step: Recomputed, other: OtherDesk) -> None:
        """Find entries that both desks accepted, but whose order on the other desk ended before the real one filled."""
        for event in step.events:
            if isinstance(event, TradeOpened) and event.trade_id in self._taken:
                row, entry = self._taken.pop(event.trade_id)
                lost = other.ended.get(other.twin_of(event.trade_id) or "")
                if lost is not None and lost.filled_qty == 0:
                    gate = OWN_GATES.get(lost.status, lost.status.value.lower())
                    self._refuse(row, entry, gate, f"ENTRY {lost.status} — {lost.reason or 'no reason given'}")
                    self._follow_refused([event])
            elif isinstance(event, OrderEnded):
                self._taken.pop(event.order_id, None)

    def result(self) -> WhatIf:
        refused = tuple(self._refused.values())
        trades = tuple(self._trades.values())
        return WhatIf(self._rows, refused, tuple(self._allowed), self._entries, trades, self._unequal)


_Entry = EntryAccepted | EntryBlocked | None


def _entries(events: Iterable[AnyEvent]) -> dict[str, EntryAccepted | EntryBlocked]:
    """Return the outcome of a row's entry attempts, by asset."""
    return {event.asset: event for event in events if isinstance(event, EntryAccepted | EntryBlocked)}


def _why(block: _Entry) -> tuple[str, str]:
    return (block.gate, block.sentence) if isinstance(block, EntryBlocked) else ("pre-order", NOTHING_WAITED)
