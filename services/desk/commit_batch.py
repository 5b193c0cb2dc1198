"""CommitBatch: the working copy of one group commit (DESIGN 2)."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from hashlib import blake2b

import structlog
from msgspec import Struct
from msgspec.structs import replace

from services.engine.decide import Decision, decide_now, pass_time
from services.engine.model.commands import AnyCommand, ReportExecution, TickClock
from services.engine.model.events import AnyEvent, DeadLetterKept, EntryAccepted, TradeClosed, TradeNoted
from services.engine.model.order import Order
from services.engine.model.replies import Refusal, Reply
from services.engine.model.state import Desk
from services.notifications.kinds import Notifying, changed_locks, notices_of
from services.projections.attempts import attempt_of, stop_of
from services.projections.entry_gates import stored_gates
from services.projections.equity import PnlDay, with_sample, write_pnl_day
from services.projections.notes import write_note
from services.projections.trade_fills import stored_fills
from services.stores.codec import documents
from services.stores.codec.committed_events import CommittedEvent, numbered
from services.stores.store import Commit, DeadLetter, Head, JournalRow, StoredNotice, StoredOrder, StoredReply
from services.stores.trade_rows import StoredAttempt, StoredFill, StoredGates, StoredNote, StoredTrade
from wire.types import Instant

log = structlog.get_logger(__name__)

TIME = TickClock()


class KeyReused(Exception):
    """The Idempotency-Key came before with another request."""


class Outcome(Struct, frozen=True):
    """What a command was answered, and the desk that answered it. ``repeated``: it is an earlier answer."""

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
    """A command on its way through the writer. ``clicked_at``: a stale one is refused (``services/desk/clicks.py``)."""

    command: AnyCommand
    future: Future[Outcome]
    idempotency_key: str | None = None
    clicked_at: Instant | None = None


class MaintenanceWrite(Struct):
    """A small write that is not journaled, done by the writer thread between two groups: one head to the next."""

    write: Callable[[Head], Head]
    future: Future[None]


def next_group(
    waiting: queue.SimpleQueue[Submission | MaintenanceWrite | None], at_most: int, patience: float
) -> list[Submission | MaintenanceWrite] | None:
    """Wait for something to do and take all else that waits with it.

    An empty group: nothing came within ``patience`` seconds. None: this is the end.
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

    ``journaled`` is the desk as of the last journal row. Prices that moved after it are on ``desk`` alone: the
    next row will carry them, and until then they are not stored, so that the journal explains every document.
    """

    def __init__(
        self,
        desk: Desk,
        committed: Desk,
        replies: dict[str, StoredReply],
        recall: Callable[[str], Order | None],
        notifying: Notifying | None = None,
        pnl_day: PnlDay | None = None,
    ) -> None:
        self.desk = desk
        self.pnl_day = pnl_day
        self._recall = recall
        self._committed = committed
        self._known_replies = replies
        self.journaled = committed
        self.rows: list[JournalRow] = []
        self.events: list[CommittedEvent] = []
        self.trades: list[TradeClosed] = []
        self.replies: list[StoredReply] = []
        self._ended: dict[str, Order] = {}
        self._orders: dict[str, StoredOrder] = {}
        self._dead_letters: list[DeadLetter] = []
        self._stops: dict[str, str | None] = {}
        self._notes: dict[str, StoredNote] = {}
        self.attempts: list[StoredAttempt] = []
        self.gates: list[StoredGates] = []
        self.fills: list[StoredFill] = []
        self._notifying = notifying
        self.notices: list[StoredNotice] = []
        self._withdrawn_slots: set[str] = set()

    def earlier_answer(self, submission: Submission) -> Reply | Refusal | None:
        """Return what this Idempotency-Key was answered before. Raises KeyReused for another request."""
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
        """Let time pass, then decide the command: two decisions, so that each journal row has one cause.

        A report may speak of an order that has left the desk, perhaps in this very moment: it is recalled.
        """
        passed = pass_time(self.desk, now)
        self._take(TIME, passed, now)
        if isinstance(command, ReportExecution) and command.order_id not in self.desk.orders:
            command = replace(command, recalled=self._ended.get(command.order_id) or self._recall(command.order_id))
        decision = decide_now(self.desk, command, now)
        self._take(command, decision, now)
        return passed, decision

    def _take(self, command: AnyCommand, decision: Decision, now: Instant) -> None:
        """Take a decision: the desk moves on, and what must be durable joins the commit."""
        if not decision.is_durable:
            self.desk = decision.desk
            return
        observed = documents.observations(self.desk, self.journaled)
        sequence = decision.desk.sequence + 1
        self._tell(self.desk, sequence, decision, now)
        self._project(self.desk, sequence, decision, now)
        self.desk = self.journaled = replace(decision.desk, sequence=sequence)
        self.rows.append(
            JournalRow(
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
        )
        self.events += numbered(sequence, now, decision.events)

    def keep_answer(self, submission: Submission, decision: Decision, now: Instant) -> None:
        """Keep a durable decision's answer under the request's Idempotency-Key."""
        if submission.idempotency_key is None or not decision.is_durable:
            return
        answer = documents.write_answer(decision.answer)
        mark = fingerprint(submission.command)
        self.replies.append(StoredReply(submission.idempotency_key, mark, now, answer))

    def _project(self, before: Desk, sequence: int, decision: Decision, now: Instant) -> None:
        """Write what tables show beside the journal: orders, trades with their fills, notes, tries, dead letters."""
        self._keep_facts(before, sequence, decision, now)
        for order in decision.orders:
            body = documents.write_order(order)
            is_open = not order.status.is_final
            self._orders[order.id] = StoredOrder(
                order.id, order.asset, order.status.value, is_open, order.created_at, body
            )
            if not is_open:
                self._ended[order.id] = order
        for place, event in enumerate(decision.events):
            if isinstance(event, TradeClosed):
                self.trades.append(event)
                self._stops[event.id] = stop_of(before, event)
            elif isinstance(event, TradeNoted):
                self._notes[event.trade_id] = StoredNote(event.trade_id, now, write_note(event))
            elif isinstance(event, DeadLetterKept):
                self._dead_letters.append(DeadLetter(sequence, now, event.path, event.reason, event.body))
            elif (attempt := attempt_of(event, sequence, place, now)) is not None:
                self.attempts.append(attempt)

    def _keep_facts(self, before: Desk, sequence: int, decision: Decision, now: Instant) -> None:
        """Write what the journal tells of trades beside their result. A fact that fails is lost, alone."""
        accepted = [event for event in decision.events if isinstance(event, EntryAccepted)]
        with _lost_alone("fills", decision):
            self.fills += stored_fills(before, decision, sequence, now)
        with _lost_alone("gates", decision):
            self.gates += [stored_gates(before, decision, event, now) for event in accepted]

    def _tell(self, before: Desk, sequence: int, decision: Decision, now: Instant) -> None:
        """Put into the outbox what a person is told of it. Words that fail cost a notice, never the decision."""
        if self._notifying is None:
            return
        try:
            told = list(notices_of(before, decision, now, self._notifying.kinds))
            outdated = set(changed_locks(before, decision.desk))
        except Exception:
            log.exception("a notice could not be written", events=[event.kind_name() for event in decision.events])
            return
        self._withdrawn_slots |= outdated
        self.notices = [notice for notice in self.notices if notice.slot not in outdated]
        self.notices += [
            StoredNotice(sequence, target, now, n.due_at, n.kind, n.level, n.title, n.body, n.slot)
            for n in told
            for target in range(1, self._notifying.targets + 1)
        ]

    def as_commit(self, head: Head | None, epoch: int, writer: str, version: int) -> Commit:
        """Return all of it as one write of ``writer`` onto the head on which it was decided."""
        day = with_sample(self.pnl_day, self.journaled)
        if day is not None:
            self.pnl_day = day
        return Commit(
            expected=head,
            epoch=epoch,
            holder=writer,
            sequence=self.journaled.sequence,
            version=version,
            documents=documents.desk_documents(self.journaled, self._committed),
            dropped=[symbol for symbol in self._committed.assets if symbol not in self.journaled.assets],
            rows=self.rows,
            orders=list(self._orders.values()),
            trades=[
                StoredTrade(t.id, t.asset, t.exit_ts, documents.write_trade(t), self._stops[t.id]) for t in self.trades
            ],
            notes=list(self._notes.values()),
            attempts=self.attempts,
            gates=self.gates,
            fills=self.fills,
            replies=self.replies,
            dead_letters=self._dead_letters,
            notices=self.notices,
            withdrawn_slots=sorted(self._withdrawn_slots),
            pnl_days={day.trading_day: write_pnl_day(day)} if day is not None else {},
        )


@contextmanager
def _lost_alone(fact: str, decision: Decision) -> Iterator[None]:
    """Let a fault in telling of a decision cost that fact, never the decision."""
    try:
        yield
    except Exception:
        log.exception("a fact was not kept", fact=fact, events=[event.kind_name() for event in decision.events])


def fingerprint(command: AnyCommand) -> str:
    """Return what tells one request from another."""
    return blake2b(documents.write_command(command), digest_size=16).hexdigest()
