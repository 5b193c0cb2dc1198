"""The writer's thread: decide, commit, adopt, publish, answer, in this order and no other (DESIGN 2, 3).

Of several processes on one store one holds the desk. The others stand by: they show what it commits, refuse every
command, and take over when it lets go, ends, or has not written for the length of a lease (``services/desk/lease.py``).
"""

from __future__ import annotations

import queue
import secrets
import time
from collections.abc import Callable, Sequence

import structlog
from msgspec.structs import replace

from services.desk.clicks import refusal_of_stale
from services.desk.commit_batch import CommitBatch, KeyReused, MaintenanceWrite, Outcome, Submission, next_group
from services.desk.committed import HISTORY_KEPT, CommittedState, ends_with, stored_past
from services.desk.lease import Lease
from services.desk.process_name import shown
from services.desk.program import VERSION
from services.desk.publication import Publication
from services.desk.standby import Follower
from services.desk.subscribers import CommitObserver
from services.engine.decide import open_desk
from services.engine.model.commands import ConfigureDesk, TakeOver
from services.engine.model.order import Order
from services.engine.model.settings import Rules
from services.engine.model.state import Desk
from services.notifications.kinds import Notifying
from services.projections.orders import recall_order
from services.stores.codec import documents
from services.stores.store import (
    Head,
    JournalRow,
    NotTheWriter,
    OutcomeUnknown,
    Store,
    StoreDown,
    StoreError,
    VersionConflict,
)
from wire.types import Instant

log = structlog.get_logger(__name__)

OPEN_WITHIN_SECONDS, OPEN_PAUSE_SECONDS = 10.0, 0.5
SHOWN_UNSTORED = 60_000_000  # µs: a writer shows versions between two commits; those of a lost one are passed, too


class Writer:
    """All that one thread does. ``open`` is called once before it, everything else on it."""

    def __init__(
        self,
        store: Store,
        published: Publication,
        rules_at: Callable[[Instant], Rules],
        clock: Callable[[], Instant],
        notifying: Notifying | None,
        observer: CommitObserver,
        on_followed: Callable[[Sequence[JournalRow]], None],
    ) -> None:
        self._store = store
        self._published = published
        self._rules_at = rules_at
        self._clock = clock
        self._notifying = notifying
        self._observer = observer
        self._follower = Follower(store, published, on_followed)
        self._lease = Lease(store)
        self._committed_state: CommittedState

    @property
    def committed(self) -> tuple[Desk, Instant]:
        """The desk as of the last journal row, and when that was."""
        return self._committed_state.committed, self._committed_state.committed_at

    def is_snapshot_due(self) -> bool:
        return self._committed_state.is_snapshot_due()

    def keep_snapshot(self, head: Head) -> Head:
        """Keep the committed desk for replay: a maintenance."""
        snapshot = self._committed_state.as_snapshot()
        moved = self._store.keep_snapshot(snapshot, head)
        self._committed_state.last_mark = snapshot.mark
        return moved

    def work(self, waiting: queue.SimpleQueue[Submission | MaintenanceWrite | None]) -> None:
        """Serve what comes until the end is asked for, then let go of the desk."""
        while True:
            self._look_after_hold()
            group = next_group(waiting, self._store.group_at_most, self._lease.patience)
            if group is None:
                break
            group = [item for item in group if item.future.set_running_or_notify_cancel()]
            try:
                self._serve(group)
            except Exception:
                log.exception("the writer stumbled")
                self._lease.doubt()  # what is stored decides, not what this thread was about to remember
                for item in group:
                    if not item.future.done():
                        item.future.set_exception(OutcomeUnknown("the program failed after the commit"))
        self._let_go()

    # -- becoming the writer, and ceasing to be -------------------------------------------------------------------

    def open(self) -> None:
        """Take the desk when nobody holds it, else follow who does. Raises StoreError.

        A store that does not answer at once is asked again for some seconds: it may be starting, too.
        """
        give_up_at = time.monotonic() + OPEN_WITHIN_SECONDS
        while True:
            try:
                self._take_or_follow()
                return
            except (StoreDown, OutcomeUnknown) as error:
                if time.monotonic() >= give_up_at:
                    raise
                log.warning("the store does not answer yet", error=str(error))
                time.sleep(OPEN_PAUSE_SECONDS)

    def _take_or_follow(self) -> None:
        head = self._lease.look()
        if self._lease.may_take(head):
            try:
                self._take_over(head)
                return
            except VersionConflict:
                log.info("another process was first, this one stands by")
        self._follower.follow()

    def _take_over(self, head: Head | None) -> None:
        """Become the writer by one commit that puts the rules in force and names this process. Raises StoreError."""
        stored, now, past = self._store.load(), self._clock(), stored_past(self._store)
        if stored is None:
            self._committed_state = CommittedState.of_new(
                open_desk(secrets.token_hex(32), self._rules_at(now), now), now
            )
        else:
            head = stored.head
            self._committed_state = CommittedState.recall(self._store, stored, now)
        self._published.pass_by(head.version + SHOWN_UNSTORED if head is not None else 0)
        batch = self._new_batch(self._committed_state.committed)
        batch.decide(ConfigureDesk(self._rules_at(now)), now)
        lost = head.holder if head is not None and head.holder not in ("", self._lease.name) else None
        me, epoch = self._lease.name, (head.epoch if head is not None else 0) + 1
        after_loss = shown(lost) if lost else None
        batch.decide(TakeOver(shown(me), epoch, VERSION, after_loss, counts_ids=True), now)
        began_at, commit = time.perf_counter(), batch.as_commit(head, epoch, me, self._published.next_version())
        if stored is not None and documents.is_outdated(stored):
            log.info("documents are upgraded", backup=self._store.back_up("documents"))
            commit = replace(commit, documents=documents.desk_documents(batch.journaled))
        self._lease.take(head, lambda: self._store.commit(commit))
        self._observer.committed(time.perf_counter() - began_at, 2, batch.events)
        self._committed_state.adopt(batch, now)
        log.info("this process holds the desk", writer=shown(me), epoch=epoch, after=shown(lost) if lost else None)
        known = past.ended if self._published.is_empty else self._published.snapshot.ended
        self._published.open(batch.desk, replace(past, ended=ends_with(known, batch)), "writer", shown(me))

    def _step_down(self) -> None:
        """Another process holds the desk: write no more, and show what it commits."""
        log.error("another process holds the desk, this one stands by")
        self._lease.give_up()
        self._published.show(role="standby", writer="")
        try:
            self._follower.follow()
        except StoreError as error:
            log.warning("what the other process has committed could not be read", error=str(error))

    def _stand_by(self) -> None:
        """Look at what the writer has committed, and whether it still lives. Raises StoreError."""
        head = self._lease.look()
        if self._follower.has_news(head):
            self._follower.follow()
        if self._lease.may_take(head):
            self._take_over(head)

    # -- the writer ---------------------------------------------------------------------------------------------

    def _look_after_hold(self) -> None:
        """Renew the lease, settle a doubt, or stand by; say whether the store answers."""
        try:
            if self._lease.is_in_doubt:
                self._settle()
            elif self._lease.is_held:
                if self._lease.renew_when_due():
                    self._published.say_store("up")
            elif self._lease.is_look_due():
                self._stand_by()
        except StoreError as error:
            self._note_failure(error)
        except Exception:
            log.exception("the writer stumbled")

    def _settle(self) -> None:
        """Go on from what is stored after a write in doubt. Raises StoreError."""
        head = self._lease.find_out()
        if head.sequence == self._committed_state.committed.sequence == self._published.snapshot.desk.sequence:
            self._lease.settled()
            self._published.say_store("up")
            return
        stored, past = self._store.load(), stored_past(self._store)
        if stored is None:
            raise StoreDown("nothing is stored any more")
        self._committed_state = CommittedState.recall(self._store, stored, self._clock())
        self._lease.settled()
        log.warning("a write in doubt had come through", sequence=head.sequence)
        self._published.open(self._committed_state.committed, past, "writer", shown(self._lease.name))

    def _serve(self, group: list[Submission | MaintenanceWrite]) -> None:
        """Decide and commit what waited; refuse it when this process may not write now."""
        if not self._lease.is_held:
            for item in group:
                item.future.set_exception(NotTheWriter(self._published.snapshot.writer))
            return
        submissions = [item for item in group if isinstance(item, Submission)]
        if submissions:
            self._decide_group(submissions)
        for item in group:
            if isinstance(item, MaintenanceWrite):
                self._do(item)

    def _do(self, maintenance: MaintenanceWrite) -> None:
        """Do a small write; nobody but who asked for it hears of its failure."""
        try:
            self._lease.write(maintenance.write)
        except StoreError as error:
            self._observer.failed(type(error).__name__)
            self._note_failure(error)
            maintenance.future.set_exception(error)
        except Exception as error:
            log.exception("a maintenance of the writer failed")
            maintenance.future.set_exception(error)
        else:
            maintenance.future.set_result(None)

    def _new_batch(self, desk: Desk) -> CommitBatch:
        memory = self._committed_state
        return CommitBatch(desk, memory.committed, memory.replies, self._recall, self._notifying, memory.carried)

    def _decide_group(self, group: list[Submission]) -> None:
        batch = self._new_batch(self._published.snapshot.desk)
        outcomes: list[tuple[Submission, Outcome]] = []
        try:
            for submission in group:
                outcome = self._decide_one(batch, submission)
                if outcome is not None:
                    outcomes.append((submission, outcome))
            self._commit(batch, len(group))
        except StoreError as error:
            self._fail(group, error)
            return
        except Exception as error:
            log.exception("commit failed by a fault of the program", commands=len(group))
            self._fail(group, StoreDown(f"the commit could not be made: {error}"))
            return
        self._adopt(batch)
        for submission, outcome in outcomes:
            submission.future.set_result(replace(outcome, desk=batch.desk, version=self._published.snapshot.version))

    def _decide_one(self, batch: CommitBatch, submission: Submission) -> Outcome | None:
        """Decide one command on the batch; a fault of the program fails this command alone."""
        try:
            earlier = batch.earlier_answer(submission)
            if earlier is not None:
                return Outcome(earlier, batch.desk, 0, repeated=True)
            now = self._clock()  # judged here, not at the door: a process may freeze between the two
            stale = refusal_of_stale(submission.clicked_at, now)
            if stale is not None:
                return Outcome(stale, batch.desk, 0)
            _, decision = batch.decide(submission.command, now)
            batch.keep_answer(submission, decision, now)
        except StoreError:
            raise
        except KeyReused as error:
            submission.future.set_exception(error)
            return None
        except Exception as error:
            log.exception("command failed", command=submission.command.kind_name())
            submission.future.set_exception(error)
            return None
        return Outcome(decision.answer, batch.desk, 0, decision.events)

    def _recall(self, order_id: str) -> Order | None:
        """Return an order that has left the desk, from the store."""
        return recall_order(self._store, order_id)

    def _commit(self, batch: CommitBatch, commands: int) -> None:
        """Make the group durable. One that changed nothing durable needs no write, but a writer that may write."""
        if not batch.rows:
            if self._published.snapshot.store != "up":
                self._lease.write(self._store.renew)  # nothing is acknowledged that could not be stored (SPEC 9)
                self._published.say_store("up")
            return
        began_at, me, version = time.perf_counter(), self._lease, self._published.next_version()
        me.write(lambda head: self._store.commit(batch.as_commit(head, me.epoch, me.name, version)))
        self._observer.committed(time.perf_counter() - began_at, commands, batch.events)

    def _adopt(self, batch: CommitBatch) -> None:
        """Let the committed group be the state, and wake whoever waits for a change."""
        if batch.rows:
            self._committed_state.adopt(batch, self._clock())
        shown_now = self._published.snapshot
        store_came_back = bool(batch.rows) and shown_now.store != "up"
        if batch.desk is shown_now.desk and not store_came_back:
            return
        self._published.show(
            desk=batch.desk,
            history=(*reversed(batch.trades), *shown_now.history)[:HISTORY_KEPT],
            store="up" if batch.rows else shown_now.store,
            noticed=batch.journaled.sequence if batch.notices else shown_now.noticed,
            tried_at=batch.attempts[-1].at if batch.attempts else shown_now.tried_at,
            ended=ends_with(shown_now.ended, batch),
        )

    def _fail(self, group: list[Submission], error: StoreError) -> None:
        """Answer everybody of the group that nothing happened; go on with the state as it was."""
        log.error("commit failed", error=str(error), commands=len(group))
        self._observer.failed(type(error).__name__)
        self._note_failure(error)
        told: StoreError = error if isinstance(error, OutcomeUnknown) else StoreDown(str(error))
        if not self._lease.is_held:
            told = NotTheWriter(self._published.snapshot.writer)
        for submission in group:
            if not submission.future.done():
                submission.future.set_exception(told)

    def _note_failure(self, error: StoreError) -> None:
        """Step down when somebody else has written; else show that the store does not answer."""
        if isinstance(error, VersionConflict):
            self._step_down()
        else:
            log.warning("the store failed", error=str(error))
            self._published.say_store("down")

    def _let_go(self) -> None:
        try:
            self._lease.release()
        except StoreError as error:
            log.warning("the desk was not let go of, a standby will wait for the lease", error=str(error))
