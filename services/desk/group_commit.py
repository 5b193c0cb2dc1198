"""Group commit: decide the waiting commands in order, commit them in one write, publish, then answer (DESIGN 2)."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from msgspec.structs import replace

from services.desk.clicks import refusal_of_stale
from services.desk.commit_batch import CommitBatch, KeyReused, MaintenanceWrite, Outcome, Submission
from services.desk.committed import ends_with, with_newer
from services.desk.leadership import Leadership
from services.desk.publication import Publication
from services.desk.subscribers import CommitTimer, Subscriptions
from services.stores.store import NotTheWriter, OutcomeUnknown, Store, StoreDown, StoreError
from wire.types import Instant

log = structlog.get_logger(__name__)

Group = list[Submission | MaintenanceWrite]


class GroupCommit:
    """Serves one group after the other while this process holds the desk."""

    def __init__(
        self,
        store: Store,
        published: Publication,
        clock: Callable[[], Instant],
        leadership: Leadership,
        subscriptions: Subscriptions,
        timer: CommitTimer,
    ) -> None:
        self._store = store
        self._published = published
        self._clock = clock
        self._leadership = leadership
        self._lease = leadership.lease
        self._subscriptions = subscriptions
        self._timer = timer

    def serve(self, group: Group) -> None:
        """Decide and commit the group's commands, then do its maintenance writes. A standby refuses all of them."""
        if not self._lease.is_held:
            for item in group:
                item.future.set_exception(NotTheWriter(self._published.snapshot.writer))
            return
        submissions = [item for item in group if isinstance(item, Submission)]
        if submissions:
            self._decide_group(submissions)
        for item in group:
            if isinstance(item, MaintenanceWrite):
                self._write(item)

    def _decide_group(self, group: list[Submission]) -> None:
        batch = self._leadership.new_batch(self._published.snapshot.desk)
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
        """Decide one command on the batch. A bug in the program fails this command only."""
        try:
            earlier = batch.earlier_answer(submission)
            if earlier is not None:
                return Outcome(earlier, batch.desk, 0, repeated=True)
            now = self._clock()  # read here, not where the request was parsed: the process may freeze in between
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
            log.exception("command failed", command=type(submission.command).__name__)
            submission.future.set_exception(error)
            return None
        return Outcome(decision.answer, batch.desk, 0, decision.events)

    def _commit(self, batch: CommitBatch, commands: int) -> None:
        """Make the group durable. A group without journal rows needs no write, only a store that accepts writes."""
        if not batch.rows:
            self._lease.check()
            if self._published.snapshot.store != "up":
                self._lease.write(self._store.renew)  # acknowledge nothing while the store cannot be written (SPEC 9)
                self._published.say_store("up")
            return
        began_at = time.perf_counter()
        lease = self._lease
        version = self._published.next_version()
        lease.write(lambda head: self._store.commit(batch.as_commit(head, lease.epoch, lease.name, version)))
        self._timer.committed(time.perf_counter() - began_at, commands)

    def _adopt(self, batch: CommitBatch) -> None:
        """Make the committed group the current state: pass it to the subscribers, then publish it.

        Subscribers come first, so that their data is never older than the desk that readers see.
        """
        if batch.rows:
            self._leadership.committed.adopt(batch, self._clock())
        shown_now = self._published.snapshot
        store_came_back = bool(batch.rows) and shown_now.store != "up"
        if batch.desk is shown_now.desk and not store_came_back:
            return
        self._subscriptions.pass_on(batch.rows, batch.events, batch.desk)
        self._published.show(
            desk=batch.desk,
            history=with_newer(shown_now.history, batch.trades),
            store="up" if batch.rows else shown_now.store,
            tried_at=batch.attempts[-1].at if batch.attempts else shown_now.tried_at,
            ended=ends_with(shown_now.ended, batch),
        )

    def _write(self, maintenance: MaintenanceWrite) -> None:
        """Do a maintenance write. Only its caller gets its failure."""
        try:
            self._lease.write(maintenance.write)
        except StoreError as error:
            self._timer.failed(type(error).__name__)
            self._leadership.note_failure(error)
            maintenance.future.set_exception(error)
        except Exception as error:
            log.exception("a maintenance write failed")
            maintenance.future.set_exception(error)
        else:
            maintenance.future.set_result(None)

    def _fail(self, group: list[Submission], error: StoreError) -> None:
        """Answer every command of the group with the failure, and keep the state as it was."""
        log.error("commit failed", error=str(error), commands=len(group))
        self._timer.failed(type(error).__name__)
        self._leadership.note_failure(error)
        answer: StoreError = error if isinstance(error, OutcomeUnknown) else StoreDown(str(error))
        if not self._lease.is_held:
            answer = NotTheWriter(self._published.snapshot.writer)
        for submission in group:
            if not submission.future.done():
                submission.future.set_exception(answer)
