"""StateManager: the single writer. It decides, commits in groups, adopts, publishes and answers (DESIGN 2).

Every command goes through one queue. One thread takes all that wait, decides them in order on a working
copy, commits them in one transaction, and only then lets anybody know. A failed commit changes nothing.

The state it holds is an immutable ``Desk`` (``services/engine/state.py``); the document that clients read is
made of it by ``services/view.py``, whose docstring lists every field:
``version now global assets orders history logs alerts``.
"""

from __future__ import annotations

import queue
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog
from msgspec import Struct
from msgspec.structs import replace

from services import documents
from services.engine.commands import AnyCommand, ConfigureDesk, KeepObservations
from services.engine.decide import open_desk
from services.engine.events import TradeClosed
from services.engine.order import Order
from services.engine.rules import Rules
from services.engine.state import Desk
from services.engine.words import Instant
from services.group_sheet import Chore, GroupSheet, KeyReused, Outcome, Submission, next_group
from services.notices import Notifying
from services.stores.store import (
    REPLIES_KEPT_FOR,
    NoticeMark,
    OutcomeUnknown,
    Store,
    StoreDown,
    StoredReply,
    StoreError,
    VersionConflict,
)

log = structlog.get_logger(__name__)

BEGIN_WITHIN_SECONDS = 1.8  # with the store's own second below TradingView's 3 s; what has not begun by then never will
ANSWER_WITHIN_SECONDS = 10.0
KEEP_OBSERVATIONS_EVERY = timedelta(seconds=30)
HISTORY_KEPT = 100
T = TypeVar("T")


class Snapshot(Struct, frozen=True):
    """What readers see: one desk, its version, its last trades (newest first), whether the store answers.

    ``noticed`` is the sequence of the last commit that put notices into the outbox.
    """

    desk: Desk
    version: int
    history: tuple[TradeClosed, ...]
    store: str = "up"
    noticed: int = 0


class StateManager:
    """Holds the desk and its one writer thread.

    Parameters: the store it owns, the rules in force, the clock it asks (aware UTC), and what goes into the outbox.
    """

    def __init__(
        self,
        store: Store,
        rules: Rules,
        clock: Callable[[], Instant] = lambda: datetime.now(UTC),
        notifying: Notifying | None = None,
    ) -> None:
        self._store = store
        self._notifying = notifying
        self._clock = clock
        self._waiting: queue.SimpleQueue[Submission | Chore | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._has_stepped_down = False
        self._replies: dict[str, StoredReply] = {}
        self._thread = threading.Thread(target=self._write_forever, name="writer", daemon=True)
        self._recover(rules)
        first = Submission(ConfigureDesk(rules), Future())
        self._decide_group([first])
        first.future.result(0)  # a desk that cannot store its rules does not open
        self._thread.start()

    def _recover(self, rules: Rules) -> None:
        stored, now = self._store.load(), self._clock()
        if stored is None:
            desk, version = open_desk(secrets.token_hex(32), rules, now), 0
        else:
            desk, version = documents.read_desk(stored), stored.version
        history = tuple(documents.read_trade(body) for body in self._store.last_trades(HISTORY_KEPT))
        self._committed = desk
        self._committed_at = now
        self._snapshot = Snapshot(desk, max(version + 1, _microseconds()), history)
        for reply in self._store.replies_since(now - REPLIES_KEPT_FOR):
            self._replies[reply.key] = reply

    # -- asked from any thread --------------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        """The current immutable state; reading it takes no lock."""
        return self._snapshot

    @property
    def store(self) -> Store:
        """What is stored, for reading; only the writer thread writes."""
        return self._store

    @property
    def now(self) -> Instant:
        """The desk's time: views and decisions ask the same clock."""
        return self._clock()

    def submit(self, command: AnyCommand, idempotency_key: str | None = None) -> Outcome:
        """Decide a command and wait until its outcome is durable.

        Raises StoreDown when it could not be committed (nothing changed), OutcomeUnknown when its commit hangs
        (it may yet take effect), KeyReused when the key was used for another request.
        """
        future: Future[Outcome] = Future()
        self._waiting.put(Submission(command, future, idempotency_key))
        return self._outcome_of(future)

    def mark_notice(self, mark: NoticeMark) -> None:
        """Have the writer write down what became of a notice. Raises StoreDown, OutcomeUnknown."""
        future: Future[None] = Future()
        self._waiting.put(Chore(lambda: self._writable_store().mark_notice(mark), future))
        self._outcome_of(future)

    def _outcome_of(self, future: Future[T]) -> T:
        """Wait for the writer: what it has not begun in time never will be."""
        try:
            return future.result(timeout=BEGIN_WITHIN_SECONDS)
        except TimeoutError:
            if future.cancel():
                raise StoreDown(f"the store was busy for {BEGIN_WITHIN_SECONDS} s, the command was dropped") from None
        try:
            return future.result(timeout=ANSWER_WITHIN_SECONDS)
        except TimeoutError:
            raise OutcomeUnknown(f"the store has not answered for {ANSWER_WITHIN_SECONDS:.0f} s") from None

    def wait_until(self, is_true: Callable[[Snapshot], bool], timeout: float) -> bool:
        """Wait until a published state satisfies the question; False when the time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: is_true(self._snapshot), timeout)

    def keep_observations(self) -> None:
        """Commit prices and ages when the last commit is 30 s old and something moved since.

        While the store is down this is the knock that finds out that it is back.
        """
        due = self._clock() >= self._committed_at + KEEP_OBSERVATIONS_EVERY
        moved = documents.observations(self._snapshot.desk, self._committed) is not None
        if self._snapshot.store != "up" or (due and moved):
            self.submit(KeepObservations())

    def wake(self) -> None:
        """Let everybody who waits look again, though nothing changed: the process is about to go."""
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        """Finish what is queued, then let the store go."""
        self._waiting.put(None)
        self._thread.join(timeout=ANSWER_WITHIN_SECONDS)
        self._store.close()

    # -- the writer thread ------------------------------------------------------------------------------------

    def _write_forever(self) -> None:
        while True:
            group = next_group(self._waiting)
            if group is None:
                return
            submissions = [item for item in group if isinstance(item, Submission)]
            if submissions:
                self._decide_group(submissions)
            for item in group:
                if isinstance(item, Chore):
                    item.do()

    def _decide_group(self, group: list[Submission]) -> None:
        group = [submission for submission in group if submission.future.set_running_or_notify_cancel()]
        sheet = GroupSheet(self._snapshot.desk, self._committed, self._replies, self._recall, self._notifying)
        outcomes: list[tuple[Submission, Outcome]] = []
        try:
            for submission in group:
                outcome = self._decide_one(sheet, submission)
                if outcome is not None:
                    outcomes.append((submission, outcome))
            self._commit(sheet)
        except StoreError as error:
            self._fail(group, error)
            return
        except Exception as error:
            log.exception("commit failed by a fault of the program", commands=len(group))
            self._fail(group, StoreDown(f"the commit could not be made: {error}"))
            return
        self._adopt(sheet)
        for submission, outcome in outcomes:
            submission.future.set_result(replace(outcome, desk=sheet.desk, version=self._snapshot.version))

    def _decide_one(self, sheet: GroupSheet, submission: Submission) -> Outcome | None:
        """Decide one command on the sheet; a fault of the program fails this command alone."""
        try:
            earlier = sheet.earlier_answer(submission)
            if earlier is not None:
                return Outcome(earlier, sheet.desk, 0, repeated=True)
            now = self._clock()
            _, decision = sheet.decide(submission.command, now)
            sheet.keep_answer(submission, decision, now)
        except StoreError:
            raise
        except KeyReused as error:
            submission.future.set_exception(error)
            return None
        except Exception as error:
            log.exception("command failed", command=type(submission.command).__name__)
            submission.future.set_exception(error)
            return None
        return Outcome(decision.answer, sheet.desk, 0, decision.events)

    def _recall(self, order_id: str) -> Order | None:
        """Return an order that has left the desk, from the store."""
        body = self._store.order(order_id)
        return None if body is None else documents.read_order(body)

    def _commit(self, sheet: GroupSheet) -> None:
        if not sheet.rows:
            return
        self._writable_store().commit(sheet.as_commit(self._next_version()))

    def _writable_store(self) -> Store:
        if self._has_stepped_down:
            raise StoreDown("another Lockstep process writes to this store; this one reads only")
        return self._store

    def _adopt(self, sheet: GroupSheet) -> None:
        """Let the committed group be the state, and wake whoever waits for a change."""
        if sheet.rows:
            self._committed = sheet.journaled
            self._committed_at = sheet.rows[-1].at
            self._replies.update((reply.key, reply) for reply in sheet.replies)
            self._forget_old_replies()
        store_came_back = bool(sheet.rows) and self._snapshot.store != "up"
        if sheet.desk is self._snapshot.desk and not store_came_back:
            return
        history = (*reversed(sheet.trades), *self._snapshot.history)[:HISTORY_KEPT]
        store = "up" if sheet.rows else self._snapshot.store
        noticed = sheet.journaled.sequence if sheet.notices else self._snapshot.noticed
        self._publish(Snapshot(sheet.desk, self._next_version(), history, store, noticed))

    def _publish(self, snapshot: Snapshot) -> None:
        with self._changed:
            self._snapshot = snapshot
            self._changed.notify_all()

    def _fail(self, group: list[Submission], error: StoreError) -> None:
        """Answer everybody of the group that nothing happened; go on with the state as it was."""
        if isinstance(error, VersionConflict):
            self._has_stepped_down = True
        log.error("commit failed", error=str(error), commands=len(group))
        for submission in group:
            if not submission.future.done():
                submission.future.set_exception(StoreDown(str(error)))
        if self._snapshot.store == "up":
            self._publish(replace(self._snapshot, store="down", version=self._next_version()))

    def _next_version(self) -> int:
        """Microseconds of the epoch, always growing: it goes on growing over a restart (DESIGN 8)."""
        return max(self._snapshot.version + 1, _microseconds())

    def _forget_old_replies(self) -> None:
        horizon = self._clock() - REPLIES_KEPT_FOR
        while self._replies:
            key, oldest = next(iter(self._replies.items()))
            if oldest.answered_at > horizon:
                return
            del self._replies[key]


def _microseconds() -> int:
    return time.time_ns() // 1000
