"""Subscriptions to commits, the same on the writer and on a standby.

Everything derived from commits (chart bricks, the log, counters, the stream's events, the wake-up of the notice
threads) is a ``CommitSubscriber``. It receives each journal row once and in order, whichever process wrote the row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

import structlog

from services.engine.model.state import Desk
from services.stores.codec.committed_events import CommittedEvent, events_of
from services.stores.store import JournalRow, Store

ROWS_AT_ONCE = 500

log = structlog.get_logger(__name__)


class CommitSubscriber(Protocol):
    """Receives commits on the writer's thread. It must be quick and do slow work on a thread of its own."""

    def on_commit(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        """Receive committed rows, their events and the desk after them, before that desk is published.

        Rows and events are empty when only prices and ages changed, and when a process begins.
        """


class CommitTimer(Protocol):
    """Measures the commits of this process. A standby has none."""

    def committed(self, seconds: float, commands: int) -> None:
        """Receive the seconds that the store took to commit a group, and the number of commands in it."""

    def failed(self, kind: str) -> None:
        """Receive a failed commit. ``kind`` is the name of the exception's class."""


class NoTimer:
    """Measures nothing."""

    def committed(self, seconds: float, commands: int) -> None:
        """Do nothing."""

    def failed(self, kind: str) -> None:
        """Do nothing."""


class Subscriptions:
    """Passes commits to every subscriber in order, and remembers the last row that was passed on."""

    def __init__(self, subscribers: Sequence[CommitSubscriber] = ()) -> None:
        self._subscribers = subscribers
        self._last_row: int | None = None

    def begin(self, sequence: int) -> None:
        """Begin after this row: pass on only later rows. A second call has no effect."""
        if self._last_row is None:
            self._last_row = sequence

    def pass_on(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        """Pass on the rows that follow the last one. A subscriber that fails is logged and skipped."""
        if rows:
            self._last_row = rows[-1].sequence
        for subscriber in self._subscribers:
            try:
                subscriber.on_commit(rows, events, desk)
            except Exception:
                log.exception("a subscriber failed", subscriber=type(subscriber).__name__)

    @property
    def last_row(self) -> int | None:
        """The last row that was passed on, None before the first call."""
        return self._last_row

    def catch_up(self, store: Store, desk: Desk) -> list[CommittedEvent] | None:
        """Pass on the journal rows between the last one passed on and this desk. Raises StoreError.

        Returns their events, None when there were more than ``ROWS_AT_ONCE`` rows.
        """
        batches = 0
        events = list[CommittedEvent]()
        for rows in self._missed(store, desk.sequence):
            events = events_of(rows)
            self.pass_on(rows, events, desk)
            batches += 1
        if batches == 0:
            self.pass_on((), (), desk)
        self._last_row = desk.sequence
        return events if batches <= 1 else None

    def _missed(self, store: Store, through: int) -> Iterator[list[JournalRow]]:
        """Yield the rows after the last one passed on, at most ``ROWS_AT_ONCE`` at a time."""
        while self._last_row is not None and self._last_row < through:
            following = islice(store.journal(self._last_row), ROWS_AT_ONCE)
            rows = [row for row in following if row.sequence <= through]
            if not rows:
                return  # they were pruned
            yield rows
