"""Calls subscribers with hand-made commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count

from services.desk.subscribers import CommitSubscriber
from services.engine.decide import open_desk
from services.engine.model.events import AnyEvent
from services.engine.model.state import Desk
from services.stores.codec.committed_events import CommittedEvent, numbered
from services.stores.store import JournalRow
from tests.support.builders import rules_for
from wire.types import Instant

MORNING = datetime(2026, 11, 17, 14, 31, tzinfo=UTC)
DESK = open_desk("5e" * 32, rules_for("ES"), MORNING)
_sequences = count(1)


def hears(subscriber: CommitSubscriber, events: Sequence[AnyEvent], at: Instant = MORNING) -> None:
    """Call a subscriber with these events as one committed row."""
    subscriber.on_commit([], numbered(next(_sequences), at, events), DESK)


class Ear:
    """A subscriber that keeps what it receives."""

    def __init__(self) -> None:
        self.rows: list[JournalRow] = []
        self.events: list[CommittedEvent] = []
        self.desks: list[Desk] = []

    def on_commit(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        self.rows += rows
        self.events += events
        self.desks.append(desk)
