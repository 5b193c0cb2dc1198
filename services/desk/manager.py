"""StateManager: what the house asks of its single writer (DESIGN 2).

Every command goes through one queue. One thread (``services/desk/writer.py``) takes all that wait, decides them in
order on a working copy, commits them in one transaction, and then publishes. A failed commit changes nothing.

The state it holds is an immutable ``Desk`` (``services/engine/model/state.py``); the document that clients read is
built of it by ``services/views/state_view.py``; ``wire/state.py`` has every field.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from services.desk.commit_batch import MaintenanceWrite, Outcome, Submission
from services.desk.publication import Publication, Snapshot
from services.desk.subscribers import CommitSubscriber, CommitTimer, NoTimer, Subscriptions
from services.desk.writer import Writer
from services.engine.model.commands import AnyCommand, KeepObservations
from services.engine.model.settings import Rules
from services.notifications.kinds import Notifying
from services.stores.codec import documents
from services.stores.store import (
    Head,
    NoticeMark,
    NotTheWriter,
    OutcomeUnknown,
    Store,
    StoreDown,
)
from wire.types import Instant

BEGIN_WITHIN_SECONDS = 1.2  # what has not begun by then never will
ANSWER_WITHIN_SECONDS = 1.6  # with the above below TradingView's 3 s; what is under way then is of unknown outcome
STOP_WITHIN_SECONDS = 10.0
KEEP_OBSERVATIONS_EVERY = timedelta(seconds=30)
T = TypeVar("T")


def utc_now() -> Instant:
    """Return the machine's time, aware and in UTC."""
    return datetime.now(UTC)


class StateManager:
    """Holds the desk and its one writer thread.

    Parameters: the store it owns, the rules in force at an instant, the clock it asks (aware UTC), what goes into
    the outbox, who hears of commits (of this process and of others), and who measures this process's own.
    """

    def __init__(
        self,
        store: Store,
        rules_at: Callable[[Instant], Rules],
        clock: Callable[[], Instant] = utc_now,
        notifying: Notifying | None = None,
        subscribers: Sequence[CommitSubscriber] = (),
        timer: CommitTimer | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._waiting: queue.SimpleQueue[Submission | MaintenanceWrite | None] = queue.SimpleQueue()
        self._published = Publication()
        subscriptions = Subscriptions(subscribers)
        self._writer = Writer(store, self._published, rules_at, clock, notifying, subscriptions, timer or NoTimer())
        self._writer.open()  # a desk that cannot store its rules does not open
        self._thread = threading.Thread(target=self._writer.work, args=(self._waiting,), name="writer", daemon=True)
        self._thread.start()

    @property
    def snapshot(self) -> Snapshot:
        """The current immutable state; reading it takes no lock."""
        return self._published.snapshot

    @property
    def store(self) -> Store:
        """What is stored, for reading; only the writer thread writes."""
        return self._store

    @property
    def is_writer(self) -> bool:
        """Whether this process holds the desk; the others stand by."""
        return self.snapshot.role == "writer"

    @property
    def now(self) -> Instant:
        """The desk's time: views and decisions ask the same clock."""
        return self._clock()

    @property
    def commands_waiting(self) -> int:
        """How many commands and chores wait for the writer."""
        return self._waiting.qsize()

    def submit(
        self, command: AnyCommand, idempotency_key: str | None = None, clicked_at: Instant | None = None
    ) -> Outcome:
        """Decide a command and wait until its outcome is durable; one that was clicked too long ago is refused.

        Raises StoreDown when it could not be committed (nothing changed), OutcomeUnknown when it may have been or
        may yet be, NotTheWriter on the standby, KeyReused when the key was used for another request.
        """
        return self._outcome_of(self.submit_later(command, idempotency_key, clicked_at))

    def submit_later(
        self, command: AnyCommand, idempotency_key: str | None = None, clicked_at: Instant | None = None
    ) -> Future[Outcome]:
        """Hand a command to the writer without waiting. Raises NotTheWriter on the standby."""
        future: Future[Outcome] = Future()
        self._put(Submission(command, future, idempotency_key, clicked_at))
        return future

    def mark_notice(self, mark: NoticeMark) -> None:
        """Have the writer write down what became of a notice. Raises StoreError."""
        self._maintain(lambda head: self._store.mark_notice(mark, head))

    def keep_snapshot_when_due(self) -> None:
        """Keep the desk as it stands, once a trading day and every ten thousand rows: replay begins there."""
        if self.is_writer and self._writer.is_snapshot_due():
            self.keep_snapshot()

    def keep_snapshot(self) -> None:
        """Keep the desk as it stands now. Raises StoreError, NotTheWriter on the standby."""
        self._maintain(self._writer.keep_snapshot)

    def _maintain(self, write: Callable[[Head], Head]) -> None:
        future: Future[None] = Future()
        self._put(MaintenanceWrite(write, future))
        self._outcome_of(future)

    def _put(self, item: Submission | MaintenanceWrite) -> None:
        if not self.is_writer:
            raise NotTheWriter(self.snapshot.writer)
        self._waiting.put(item)

    def _outcome_of(self, future: Future[T]) -> T:
        """Wait for the writer: what it has not begun in time never will be."""
        try:
            return future.result(timeout=BEGIN_WITHIN_SECONDS)
        except TimeoutError:
            self._published.say_store("down")
            if future.cancel():
                raise StoreDown(f"the store was busy for {BEGIN_WITHIN_SECONDS} s, the command was dropped") from None
        try:
            return future.result(timeout=ANSWER_WITHIN_SECONDS)
        except TimeoutError:
            raise OutcomeUnknown("the store has not answered yet") from None

    def wait_until(self, is_true: Callable[[Snapshot], bool], timeout: float) -> bool:
        """Wait until a published state satisfies the question; False when the time ran out."""
        return self._published.wait_until(is_true, timeout)

    def keep_observations(self) -> None:
        """Commit prices and ages when the last commit is 30 s old and something moved since."""
        committed, at = self._writer.committed
        if self._clock() >= at + KEEP_OBSERVATIONS_EVERY and documents.observations(self.snapshot.desk, committed):
            self.submit(KeepObservations())

    def wake(self) -> None:
        """Let everybody who waits look again, though nothing changed: the process is about to go."""
        self._published.wake()

    def finish(self) -> None:
        """Finish what is queued and let go of the desk; the store may still be read."""
        self._waiting.put(None)
        self._thread.join(timeout=STOP_WITHIN_SECONDS)

    def stop(self) -> None:
        """Finish, and let go of the store."""
        self.finish()
        self._store.close()
