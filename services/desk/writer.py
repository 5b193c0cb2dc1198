"""The writer's thread: keep the lease, serve the queue, and release the desk at the end (DESIGN 2, 3).

``services/desk/leadership.py`` decides which process writes, ``services/desk/group_commit.py`` serves a group.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

import structlog

from services.desk.clock import DeskClock
from services.desk.commit_batch import MaintenanceWrite, Submission, next_group
from services.desk.group_commit import Group, GroupCommit
from services.desk.leadership import Leadership
from services.desk.publication import Publication
from services.desk.subscribers import CommitTimer, Subscriptions
from services.engine.model.settings import Rules
from services.engine.model.state import Desk
from services.notifications.kinds import Notifying
from services.stores.store import Head, OutcomeUnknown, Store
from wire.types import Instant

log = structlog.get_logger(__name__)


class Writer:
    """The work of the writer thread. ``open`` is called once before the thread starts, ``work`` on the thread.

    ``turned_at`` is when it last looked at its queue, by the monotonic clock: every few seconds, on a standby too.
    """

    def __init__(
        self,
        store: Store,
        published: Publication,
        rules_at: Callable[[Instant], Rules],
        clock: DeskClock,
        notifying: Notifying | None,
        subscriptions: Subscriptions,
        timer: CommitTimer,
    ) -> None:
        self._store = store
        self._leadership = Leadership(store, published, rules_at, clock, notifying, subscriptions, timer)
        self.turned_at = time.monotonic()
        self._groups = GroupCommit(store, published, clock, self._leadership, subscriptions, timer)

    def open(self) -> None:
        """Take the desk when no process holds it, else follow the one that does. Raises StoreError."""
        self._leadership.open()

    def work(self, waiting: queue.SimpleQueue[Submission | MaintenanceWrite | None]) -> None:
        """Serve the queue until it ends, then release the desk."""
        while True:
            self.turned_at = time.monotonic()
            self._leadership.keep()
            group = next_group(waiting, self._store.group_at_most, self._leadership.lease.patience)
            if group is None:
                break
            # A future that was cancelled here belongs to a caller who has given up: it is not decided.
            self._serve([item for item in group if item.future.set_running_or_notify_cancel()])
        self._leadership.let_go()

    def _serve(self, group: Group) -> None:
        """Serve a group. After a bug in the program, trust only what is stored."""
        try:
            self._groups.serve(group)
        except Exception:
            log.exception("the writer failed after a commit")
            self._leadership.lease.doubt()
            for item in group:
                if not item.future.done():
                    item.future.set_exception(OutcomeUnknown("the program failed after the commit"))

    @property
    def epoch(self) -> int:
        """The epoch of this process's lease."""
        return self._leadership.lease.epoch

    # -- the committed state ------------------------------------------------------------------------------------

    @property
    def committed(self) -> tuple[Desk, Instant]:
        """The desk as of the last journal row, and the instant of that row."""
        state = self._leadership.committed
        return state.committed, state.committed_at

    def is_snapshot_due(self) -> bool:
        """Return whether a snapshot of the committed desk should be stored for replay."""
        return self._leadership.committed.is_snapshot_due()

    def keep_snapshot(self, head: Head) -> Head:
        """Store a snapshot of the committed desk for replay. This is a maintenance write."""
        snapshot = self._leadership.committed.as_snapshot()
        moved = self._store.keep_snapshot(snapshot, head)
        self._leadership.committed.last_mark = snapshot.mark
        return moved
