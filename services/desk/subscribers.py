"""Who hears of commits: one subscription, the same on the writer and on a standby.

Whoever derives something from what is committed (chart bricks, the log, counters, the stream's events, the couriers'
wake-up) is a ``CommitSubscriber``. Each journal row reaches it once and in order, whichever process wrote the row.
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
    """Hears of commits on the writer's thread. It must be quick: what takes time it does later, on its own thread."""

    def on_commit(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        """Take committed rows, their events and the desk behind them, before anybody else can read that desk.

        Rows and events are empty when only prices and ages moved, and when a process begins.
        """


class CommitTimer(Protocol):
    """Hears how commits of this process went; on a standby there are none."""

    def committed(self, seconds: float, commands: int) -> None:
        """Take how long the store took to make a group durable, and how many commands the group held."""

    def failed(self, kind: str) -> None:
        """Take that a group was not made durable: ``kind`` is the name of the exception's class."""


class NoTimer:
    """Measures nothing."""

    def committed(self, seconds: float, commands: int) -> None:
        """Forget it."""

    def failed(self, kind: str) -> None:
        """Forget it."""


class Subscriptions:
    """Passes commits on to every subscriber, in their order, and remembers up to which row they have heard."""

    def __init__(self, subscribers: Sequence[CommitSubscriber] = ()) -> None:
        self._subscribers = subscribers
        self._heard: int | None = None

    def begin(self, sequence: int) -> None:
        """Pass on nothing up to this row, unless an earlier call has begun already."""
        if self._heard is None:
            self._heard = sequence

    def pass_on(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        """Pass on what follows the last row that was heard. A subscriber that fails is logged and skipped."""
        if rows:
            self._heard = rows[-1].sequence
        for subscriber in self._subscribers:
            try:
                subscriber.on_commit(rows, events, desk)
            except Exception:
                log.exception("a subscriber failed", subscriber=type(subscriber).__name__)

    @property
    def heard(self) -> int | None:
        """The last row that was passed on, None before the first call."""
        return self._heard

    def catch_up(self, store: Store, desk: Desk) -> list[CommittedEvent] | None:
        """Pass on what the journal holds between the last row that was heard and this desk. Raises StoreError.

        Returns those events; None when there were more than ``ROWS_AT_ONCE`` rows.
        """
        times = 0
        events = list[CommittedEvent]()
        for rows in self._missed(store, desk.sequence):
            events = events_of(rows)
            self.pass_on(rows, events, desk)
            times += 1
        if times == 0:
            self.pass_on((), (), desk)
        self._heard = desk.sequence
        return events if times <= 1 else None

    def _missed(self, store: Store, through: int) -> Iterator[list[JournalRow]]:
        """Yield rows behind the last one heard, some hundreds at a time."""
        while self._heard is not None and self._heard < through:
            following = islice(store.journal(self._heard), ROWS_AT_ONCE)
            rows = [row for row in following if row.sequence <= through]
            if not rows:
                return  # they were pruned
            yield rows
