"""The writer's copy of the stored state: the committed desk, answers by key, carried records, the last snapshot."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from msgspec import Struct, field

from services.desk.commit_batch import CommitBatch
from services.desk.publication import Past
from services.engine.model.state import Desk
from services.engine.model.trade_events import TradeClosed
from services.engine.rules.alert_times import ENDING, Ends, ends_after
from services.projections.attempts import tried_last_at
from services.projections.table import PROJECTIONS
from services.projections.trades import last_trades
from services.stores.codec import documents
from services.stores.records import Record
from services.stores.store import REPLIES_KEPT_FOR, DeskSnapshot, SnapshotMark, Store, Stored, StoredReply
from wire.types import Instant

log = structlog.get_logger(__name__)

HISTORY_KEPT = 100
SNAPSHOT_EVERY_ROWS = 10_000


class CommittedState(Struct):
    """The writer's copy of what is durable. Only the writer thread changes it."""

    committed: Desk
    committed_at: Instant
    replies: dict[str, StoredReply]
    carried: dict[str, Record] = field(default_factory=dict)
    last_mark: SnapshotMark | None = None

    @classmethod
    def of_new(cls, desk: Desk, now: Instant) -> CommittedState:
        return cls(desk, now, {})

    @classmethod
    def recall(cls, store: Store, stored: Stored, now: Instant) -> CommittedState:
        """Read everything that a writer needs from the store. Raises StoreError."""
        desk = documents.read_desk(stored)
        replies = {reply.key: reply for reply in store.replies_since(now - REPLIES_KEPT_FOR)}
        carriers = [(projection.kind.name, projection.carry) for projection in PROJECTIONS if projection.carry]
        records = {name: carry(store, desk) for name, carry in carriers}
        carried = {name: record for name, record in records.items() if record is not None}
        marks = store.snapshot_marks()
        return cls(desk, now, replies, carried, marks[-1] if marks else None)

    def adopt(self, batch: CommitBatch, now: Instant) -> None:
        """Take over the state of a group that was committed."""
        self.committed = batch.journaled
        self.committed_at = batch.rows[-1].at
        self.carried = batch.carried
        self.replies.update((reply.key, reply) for reply in batch.replies)
        self._forget_old_replies(now)

    def is_snapshot_due(self) -> bool:
        """Return whether a trading day or ten thousand rows have passed since the last snapshot."""
        if self.last_mark is None:
            return True
        is_far = self.committed.sequence >= self.last_mark.sequence + SNAPSHOT_EVERY_ROWS
        return is_far or self.last_mark.trading_day != self.committed.day.trading_day.isoformat()

    def as_snapshot(self) -> DeskSnapshot:
        """Return a snapshot of the committed desk for replay."""
        desk = self.committed
        mark = SnapshotMark(desk.sequence, self.committed_at, desk.day.trading_day.isoformat())
        orders = [documents.write_order(order) for order in desk.orders.values()]
        return DeskSnapshot(mark, documents.desk_documents(desk), orders)

    def _forget_old_replies(self, now: Instant) -> None:
        horizon = now - REPLIES_KEPT_FOR
        while self.replies:
            key, oldest = next(iter(self.replies.items()))
            if oldest.answered_at > horizon:
                return
            del self.replies[key]


def stored_past(store: Store) -> Past:
    """Return the last closed trades and the instant of the last attempt against a rule. Raises StoreError."""
    return Past(tuple(last_trades(store, HISTORY_KEPT)), tried_last_at(store))


def with_newer(history: tuple[TradeClosed, ...], closed: Sequence[TradeClosed]) -> tuple[TradeClosed, ...]:
    """Return the history, newest first, with the newly closed trades, which are given oldest first.

    One that is given again is the corrected form of the same trade. Without new trades it returns the same tuple
    object: the stream sends the history only when the object changed.
    """
    if not closed:
        return history
    latest = {trade.id: trade for trade in closed}
    corrected = tuple(latest.pop(trade.id, trade) for trade in history)
    return (*reversed(latest.values()), *corrected)[:HISTORY_KEPT]


def ends_with(known: Ends, batch: CommitBatch) -> Ends:
    """Return when alerts ended, with the ends that a committed group adds.

    A failure here is only logged, because the group is committed already.
    """
    if not any(isinstance(one.event, ENDING) for one in batch.events):
        return known
    try:
        return ends_after(known, batch.desk, [(one.at, one.event) for one in batch.events])
    except Exception:
        log.exception("which alerts are over could not be computed")
        return known
