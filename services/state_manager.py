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
from services.group_sheet import GroupSheet, KeyReused, Outcome, Submission
from services.stores.store import (
    REPLIES_KEPT_FOR,
    OutcomeUnknown,
    Store,
    StoreDown,
    StoredReply,
    StoreError,
    VersionConflict,
)

log = structlog.get_logger(__name__)

GROUP_AT_MOST = 256
BEGIN_WITHIN_SECONDS = 1.8  # with the store's own second below TradingView's 3 s; what has not begun by then never will
ANSWER_WITHIN_SECONDS = 10.0
KEEP_OBSERVATIONS_EVERY = timedelta(seconds=30)
HISTORY_KEPT = 100


class Snapshot(Struct, frozen=True):
    """What readers see: one desk, its version, its last trades (newest first), whether the store answers."""

    desk: Desk
    version: int
    history: tuple[TradeClosed, ...]
    store: str = "up"


class StateManager:
    """Holds the desk and its one writer thread.

    Parameters: the store it owns, the rules in force, and the clock it asks (aware UTC).
    """

    def __init__(self, store: Store, rules: Rules, clock: Callable[[], Instant] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._clock = clock
        self._waiting: queue.SimpleQueue[Submission | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._has_stepped_down = False
        self._replies: dict[str, StoredReply] = {}
        self._thread = threading.Thread(target=self._write_forever, name="writer", daemon=True)
        self._recover(rules)
        self._decide_group([Submission(ConfigureDesk(rules), Future())])
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
            group = self._next_group()
            if group is None:
                return
            self._decide_group(group)

    def _next_group(self) -> list[Submission] | None:
        """Wait for a submission and take all others that wait with it; None at the end."""
        first = self._waiting.get()
        if first is None:
            return None
        group = [first]
        while len(group) < GROUP_AT_MOST:
            try:
                following = self._waiting.get_nowait()
            except queue.Empty:
                break
            if following is None:
                self._waiting.put(None)
                break
            group.append(following)
        return group

    def _decide_group(self, group: list[Submission]) -> None:
        group = [submission for submission in group if submission.future.set_running_or_notify_cancel()]
        sheet = GroupSheet(self._snapshot.desk, self._committed, self._replies, self._recall)
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
        if self._has_stepped_down:
            raise StoreDown("another Lockstep process writes to this store; this one reads only")
        version = self._next_version()
        self._store.commit(sheet.as_commit(version))

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
        self._publish(Snapshot(sheet.desk, self._next_version(), history, store))

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
