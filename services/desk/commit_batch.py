"""CommitBatch: the working copy of one group commit (DESIGN 2)."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from hashlib import blake2b
from types import MappingProxyType

import structlog
from msgspec import Struct
from msgspec.structs import replace

from services.engine.decide import Decision, decide_now, pass_time
from services.engine.model.bridge_commands import BookFills, ReportExecution
from services.engine.model.commands import AnyCommand, TickClock
from services.engine.model.events import AnyEvent
from services.engine.model.order import Order
from services.engine.model.replies import Refusal, Reply
from services.engine.model.state import Desk
from services.engine.model.trade_events import TradeClosed, closed_trades
from services.notifications.kinds import Notifying
from services.projections.attempts import ATTEMPTS
from services.projections.projection import Decided, Projection
from services.projections.table import PROJECTIONS
from services.stores.codec import documents
from services.stores.codec.committed_events import CommittedEvent, numbered
from services.stores.records import Kind, Record
from services.stores.store import Commit, Head, JournalRow, StoredReply, StoreState
from wire.types import Instant

log = structlog.get_logger(__name__)

TIME = TickClock()


class KeyReused(Exception):
    """The Idempotency-Key came before with another request."""


class Outcome(Struct, frozen=True):
    """The answer to a command, and the desk after it. ``repeated`` is true for an earlier answer, given again."""

    answer: Reply | Refusal
    desk: Desk
    version: int
    events: tuple[AnyEvent, ...] = ()
    repeated: bool = False

    @property
    def is_journaled(self) -> bool:
        """Whether the command was committed as a journal row."""
        return bool(self.events)


class Submission(Struct):
    """A command in the writer's queue. A stale ``clicked_at`` is refused (``services/desk/clicks.py``)."""

    command: AnyCommand
    future: Future[Outcome]
    idempotency_key: str | None = None
    clicked_at: Instant | None = None


class MaintenanceWrite(Struct):
    """A small write without a journal row. The writer thread does it; ``write`` returns the new head."""

    write: Callable[[Head], Head]
    future: Future[None]


def next_group(
    waiting: queue.SimpleQueue[Submission | MaintenanceWrite | None], at_most: int, patience: float
) -> list[Submission | MaintenanceWrite] | None:
    """Wait for an item and return it with all other waiting items, at most ``at_most``.

    Returns an empty group when nothing came within ``patience`` seconds, None when the queue has ended.
    """
    try:
        first = waiting.get(timeout=patience)
    except queue.Empty:
        return []
    if first is None:
        return None
    group = [first]
    while len(group) < at_most:
        try:
            following = waiting.get_nowait()
        except queue.Empty:
            break
        if following is None:
            waiting.put(None)
            break
        group.append(following)
    return group


class CommitBatch:
    """The working copy of one group commit: the desk so far and everything that will be stored with it.

    ``carried`` holds the last record of each kind by the kind's name; a projection may build its next record on it.
    ``journaled`` is the desk as of the last journal row. Prices that changed after it are only on ``desk``. They are
    stored with the next row, never without one, so that replay of the journal gives every stored document.
    """

    def __init__(
        self,
        desk: Desk,
        committed: Desk,
        replies: dict[str, StoredReply],
        recall: Callable[[str], Order | None],
        notifying: Notifying | None = None,
        carried: Mapping[str, Record] = MappingProxyType({}),
    ) -> None:
        self.desk = desk
        self.carried = dict(carried)
        self._recall = recall
        self._committed = committed
        self._known_replies = replies
        self.journaled = committed
        self.rows: list[JournalRow] = []
        self.events: list[CommittedEvent] = []
        self.trades: list[TradeClosed] = []
        self.replies: list[StoredReply] = []
        self._ended: dict[str, Order] = {}
        self._replaced: dict[tuple[str, str], Record] = {}
        self._added: list[Record] = []
        self._notifying = notifying

    def earlier_answer(self, submission: Submission) -> Reply | Refusal | None:
        """Return the earlier answer for this Idempotency-Key. Raises KeyReused for another request."""
        key = submission.idempotency_key
        known = [reply for reply in self.replies if reply.key == key]
        if key is not None and key in self._known_replies:
            known.append(self._known_replies[key])
        if key is None or not known:
            return None
        if known[0].fingerprint != fingerprint(submission.command):
            raise KeyReused("this Idempotency-Key was used for another request")
        return documents.read_answer(known[0].answer)

    def decide(self, command: AnyCommand, now: Instant) -> tuple[Decision, Decision]:
        """Apply the passing of time, then decide the command.

        These are two decisions and two journal rows, so that each row has one cause. A report may name an order that is
        no longer on the desk: that order is read from this batch or from the store first.
        """
        passed = pass_time(self.desk, now)
        self._take(TIME, passed, now)
        command = self._with_ended_orders(command)
        decision = decide_now(self.desk, command, now)
        self._take(command, decision, now)
        return passed, decision

    def _with_ended_orders(self, command: AnyCommand) -> AnyCommand:
        """Add the orders that a bridge's message names and that are no longer on the desk."""
        if isinstance(command, ReportExecution) and command.order_id not in self.desk.orders:
            return replace(command, recalled=self._order_ended(command.order_id))
        if isinstance(command, BookFills):
            named = dict.fromkeys(fill.order_id for fill in command.fills if fill.order_id is not None)
            ended = (self._order_ended(order_id) for order_id in named if order_id not in self.desk.orders)
            return replace(command, recalled=tuple(order for order in ended if order is not None))
        return command

    def _order_ended(self, order_id: str) -> Order | None:
        return self._ended.get(order_id) or self._recall(order_id)

    def _take(self, command: AnyCommand, decision: Decision, now: Instant) -> None:
        """Apply a decision to the working copy, and add what must be stored to the commit.

        Everything that may fail is computed first, so that a failed decision leaves no trace in the batch.
        """
        if not decision.is_durable:
            self.desk = decision.desk
            return
        sequence = decision.desk.sequence + 1
        row = self._row_of(command, decision, sequence, now)
        records = self._project(sequence, decision, now)
        # From here on nothing can fail.
        for record in records:
            self._keep(record)
        self.desk = self.journaled = replace(decision.desk, sequence=sequence)
        self.rows.append(row)
        self.events += numbered(sequence, now, decision.events)
        self.trades += closed_trades(decision.events)
        self._ended.update((order.id, order) for order in decision.orders if order.status.is_final)

    def _row_of(self, command: AnyCommand, decision: Decision, sequence: int, now: Instant) -> JournalRow:
        observed = documents.observations(self.desk, self.journaled)
        return JournalRow(
            sequence=sequence,
            at=now,
            origin=command.origin,
            kind=command.kind_name(),
            asset=getattr(command, "asset", None),
            command=documents.write_command(command),
            events=documents.write_events(decision.events),
            observed=documents.write_observed(observed) if observed else None,
            schema=documents.SCHEMA,
        )

    def _project(self, sequence: int, decision: Decision, now: Instant) -> list[Record]:
        """Compute the records that are stored with the journal row, kind by kind."""
        decided = Decided(self.desk, decision, sequence, now, self.carried, self._notifying)
        return [record for projection in PROJECTIONS for record in _records_of(projection, decided)]

    def _keep(self, record: Record) -> None:
        self.carried[record.kind.name] = record
        if record.kind.is_replaced:
            self._replaced[record.kind.name, record.id] = record
        else:
            self._added.append(record)

    def keep_answer(self, submission: Submission, decision: Decision, now: Instant) -> None:
        """Keep a durable decision's answer under the request's Idempotency-Key."""
        if submission.idempotency_key is None or not decision.is_durable:
            return
        answer = documents.write_answer(decision.answer)
        request = fingerprint(submission.command)
        self.replies.append(StoredReply(submission.idempotency_key, request, now, answer))

    @property
    def records(self) -> list[Record]:
        """All records of the batch so far. Of records that replace each other only the last one."""
        return [*self._replaced.values(), *self._added]

    def records_of(self, kind: Kind) -> list[Record]:
        """Return the records of one kind, in the order in which they were computed."""
        return [record for record in self.records if record.kind is kind]

    @property
    def attempts(self) -> list[Record]:
        """The records of attempts against the rules."""
        return self.records_of(ATTEMPTS)

    def as_commit(self, head: Head | None, epoch: int, writer: str, version: int) -> Commit:
        """Return the batch as one write of ``writer`` onto ``head``, the head it was decided on."""
        gone = {symbol: None for symbol in self._committed.assets if symbol not in self.journaled.assets}
        return Commit(
            expected=head,
            becomes=StoreState(self.journaled.sequence, version, epoch, writer),
            documents={**documents.desk_documents(self.journaled, self._committed), **gone},
            rows=self.rows,
            records=self.records,
            replies=self.replies,
        )


def _records_of(projection: Projection, decided: Decided) -> list[Record]:
    """Return one kind's records. Log and skip a projection that fails, unless it must not be lost."""
    try:
        return list(projection.records(decided))
    except Exception:
        if projection.must_not_be_lost:
            raise
        events = [event.kind_name() for event in decided.decision.events]
        log.exception("a fact was not kept", fact=projection.kind.name, events=events)
        return []


def fingerprint(command: AnyCommand) -> str:
    """Return a digest of the command, to recognise the same request again."""
    return blake2b(documents.write_command(command), digest_size=16).hexdigest()
