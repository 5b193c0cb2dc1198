"""StateManager: the interface between the app and its single writer (DESIGN 2).

Every command goes through one queue. One thread (``services/desk/writer.py``) takes all waiting commands, decides them
in order on a working copy, commits them in one transaction, and then publishes. A failed commit changes nothing.

The state it holds is an immutable ``Desk`` (``services/engine/model/state.py``); the document that clients read is
built of it by ``services/views/state_view.py``; ``wire/state.py`` has every field.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import timedelta
from typing import TypeVar

from services.desk.clock import DeskClock, desk_clock, note_of_machine
from services.desk.commit_batch import MaintenanceWrite, Outcome, Submission
from services.desk.publication import Publication, Snapshot
from services.desk.subscribers import CommitSubscriber, CommitTimer, NoTimer, Subscriptions
from services.desk.writer import Writer
from services.engine.model.bridge_commands import NoteClock
from services.engine.model.commands import AnyCommand, KeepObservations
from services.engine.model.settings import Rules
from services.engine.model.state import Desk
from services.notifications.kinds import Notifying
from services.stores.codec import documents
from services.stores.records import Record
from services.stores.store import (
    Head,
    NotTheWriter,
    OutcomeUnknown,
    Store,
    StoreDown,
)
from wire.types import Instant

BEGIN_WITHIN_SECONDS = 1.2  # a command that the writer has not begun by then is dropped
ANSWER_WITHIN_SECONDS = 1.6  # a begun command without an answer by then is of unknown outcome
# Both together stay below 3 s, after which TradingView gives up.
STOP_WITHIN_SECONDS = 10.0
FROZEN_AFTER_SECONDS = 30.0  # ten times the longest turn of a writer whose store is slow
KEEP_OBSERVATIONS_EVERY = timedelta(seconds=30)
KEEP_CHAINS_EVERY = timedelta(seconds=5)  # where the desk builds bricks of ticks: a kill forgets no more of a chain
T = TypeVar("T")


class StateManager:
    """Holds the desk and its one writer thread.

    Parameters: the store it owns, the rules in force at an instant, a clock in the place of the machine's (aware UTC),
    which notices are made, the subscribers to commits of any process, and the timer of this process's commits.
    """

    def __init__(
        self,
        store: Store,
        rules_at: Callable[[Instant], Rules],
        clock: DeskClock | Callable[[], Instant] | None = None,
        notifying: Notifying | None = None,
        subscribers: Sequence[CommitSubscriber] = (),
        timer: CommitTimer | None = None,
    ) -> None:
        self._store = store
        self._clock = clock if isinstance(clock, DeskClock) else desk_clock(clock)
        self._waiting: queue.SimpleQueue[Submission | MaintenanceWrite | None] = queue.SimpleQueue()
        self._published = Publication()
        subscriptions = Subscriptions(subscribers)
        self._writer = Writer(
            store, self._published, rules_at, self._clock, notifying, subscriptions, timer or NoTimer()
        )
        self._writer.open()  # a desk that cannot store its rules does not open
        self._thread = threading.Thread(target=self._writer.work, args=(self._waiting,), name="writer", daemon=True)
        self._thread.start()

    @property
    def snapshot(self) -> Snapshot:
        """The current immutable state. Reading it takes no lock."""
        return self._published.snapshot

    @property
    def store(self) -> Store:
        """The store, for reading. Only the writer thread writes."""
        return self._store

    @property
    def is_writer(self) -> bool:
        """Whether this process holds the lease of the desk. Every other process is a standby."""
        return self.snapshot.role == "writer"

    @property
    def is_frozen(self) -> bool:
        """Whether the writer's thread has ended or hangs. Only a new process helps then."""
        waited = time.monotonic() - self._writer.turned_at
        return not self._thread.is_alive() or waited > FROZEN_AFTER_SECONDS

    @property
    def epoch(self) -> int:
        """The number of this process's lease of the desk. It is another one after each takeover."""
        return self._writer.epoch

    @property
    def now(self) -> Instant:
        """The desk's time. Views and decisions use the same clock."""
        return self._clock()

    def hear_time(self, told: Instant) -> None:
        """Hear the time of a message that TradingView sent just now: it may confirm a jump of the machine's clock."""
        self._clock.hear(told)

    def watch_clock(self) -> None:
        """Note on the desk whether the machine's clock differs from the desk's. Raises StoreError."""
        self.note_clock(note_of_machine(self._clock.machine_ahead))

    def note_clock(self, note: NoteClock) -> None:
        """Note on the desk how a clock compares with the desk's, when that is news. Raises StoreError."""
        if note.agrees is (note.whose in self.snapshot.desk.clocks_off):
            self.submit(note)

    @property
    def commands_waiting(self) -> int:
        """How many commands and maintenance writes wait for the writer."""
        return self._waiting.qsize()

    def submit(
        self, command: AnyCommand, idempotency_key: str | None = None, clicked_at: Instant | None = None
    ) -> Outcome:
        """Decide a command and wait until its outcome is durable. A command clicked too long ago is refused.

        Raises StoreDown when it could not be committed (nothing changed), OutcomeUnknown when it may have been
        committed or still may be, NotTheWriter on a standby, KeyReused when the key was used for another request.
        """
        return self._outcome_of(self.submit_later(command, idempotency_key, clicked_at))

    def submit_later(
        self, command: AnyCommand, idempotency_key: str | None = None, clicked_at: Instant | None = None
    ) -> Future[Outcome]:
        """Hand a command to the writer without waiting. Raises NotTheWriter on the standby."""
        future: Future[Outcome] = Future()
        self._put(Submission(command, future, idempotency_key, clicked_at))
        return future

    def mark_records(self, records: Sequence[Record], epoch: int) -> None:
        """Have the writer replace records that were read in this epoch by their marked forms. Raises StoreError.

        In a later epoch nothing is written, because another process may have marked them meanwhile.
        """
        self._maintain(lambda head: self._store.mark_records(records, head) if head.epoch == epoch else head)

    def keep_records(self, records: Sequence[Record]) -> None:
        """Have the writer store records that belong to no decision, each in place of the one with its id.

        Only kinds with ``is_replaced`` are kept so. Raises StoreError, NotTheWriter on the standby.
        """
        self._maintain(lambda head: self._store.mark_records(records, head))

    def keep_snapshot_when_due(self) -> None:
        """Store a snapshot of the desk, once a trading day and every ten thousand rows. Replay begins at a snapshot."""
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
        """Wait for the writer's result. A command that it has not begun in time is dropped."""
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
        """Wait until a published state satisfies ``is_true``. Return False when the time ran out."""
        return self._published.wait_until(is_true, timeout)

    def keep_observations(self) -> None:
        """Commit prices and ages when the last commit is 30 s old and some of them changed since.

        Every 5 s where the desk builds bricks of ticks.
        """
        committed, at = self._writer.committed
        desk = self.snapshot.desk
        builds = any(desk.assets[symbol].feed.source == "ticks" for symbol in _built_by_desk(desk))
        due_at = at + (KEEP_CHAINS_EVERY if builds else KEEP_OBSERVATIONS_EVERY)
        if self._clock() >= due_at and documents.observations(desk, committed):
            self.submit(KeepObservations())

    def on_change(self, look: Callable[[], None]) -> None:
        """Call ``look`` after each publication, in the writer's thread: it must be quick and never raise."""
        self._published.on_change = look

    def wake(self) -> None:
        """Wake every waiting thread although nothing changed, because the process is about to end."""
        self._published.wake()

    def finish(self) -> None:
        """Finish the queue and release the desk. The store may still be read."""
        self._waiting.put(None)
        self._thread.join(timeout=STOP_WITHIN_SECONDS)

    def stop(self) -> None:
        """Finish, and close the store."""
        self.finish()
        self._store.close()


def _built_by_desk(desk: Desk) -> list[str]:
    return [symbol for symbol in desk.rules.bricks_by_desk if symbol in desk.assets]
