"""Which process is the writer: take the desk, keep it, settle a write in doubt, follow another process (DESIGN 3).

Of several processes on one store, one holds the desk and writes. The others are standbys: they show what it commits,
refuse every command, and take over when it releases the desk, ends, or has not written for the length of a lease
(``services/desk/lease.py``).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import structlog
from msgspec.structs import replace

from services.desk.clock import DeskClock
from services.desk.commit_batch import CommitBatch
from services.desk.committed import CommittedState, ends_with, stored_past
from services.desk.continuity import require_continuation
from services.desk.lease import Lease
from services.desk.process_name import shown
from services.desk.publication import Past, Publication
from services.desk.standby import Follower
from services.desk.subscribers import CommitTimer, Subscriptions
from services.engine.decide import open_desk
from services.engine.model.commands import ConfigureDesk, TakeOver
from services.engine.model.order import Order
from services.engine.model.settings import Rules
from services.engine.model.state import GENERATION, Desk
from services.notifications.kinds import Notifying
from services.projections.orders import recall_order
from services.stores.codec import documents
from services.stores.store import Head, OutcomeUnknown, Store, Stored, StoreDown, StoreError, VersionConflict
from wire.program import VERSION
from wire.types import Instant

log = structlog.get_logger(__name__)

OPEN_WITHIN_SECONDS = 10.0
OPEN_PAUSE_SECONDS = 0.5
SHOWN_UNSTORED = 60_000_000  # µs: a lost writer may have published versions above its last stored one by so much


class Leadership:
    """Makes this process the writer or a standby. ``committed`` is the writer's copy of the stored state."""

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
        self._published = published
        self._rules_at = rules_at
        self._clock = clock
        self._notifying = notifying
        self._subscriptions = subscriptions
        self._timer = timer
        self._follower = Follower(store, published, subscriptions)
        self.lease = Lease(store)
        self._failed_by = ""
        self.committed: CommittedState

    # -- at the start -----------------------------------------------------------------------------------------

    def open(self) -> None:
        """Take the desk when no process holds it, else follow the one that does. Raises StoreError.

        A store that does not answer is asked again for some seconds, because it may be starting too.
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
        head = self.lease.look()
        if self.lease.may_take(head):
            try:
                self._take(head)
                return
            except VersionConflict:
                log.info("another process was first, this one stands by")
        self._follower.follow()

    # -- between two groups -----------------------------------------------------------------------------------

    def keep(self) -> None:
        """Renew the lease, settle a write in doubt, or follow the writer. Publish whether the store answers."""
        try:
            if self.lease.is_in_doubt:
                self._settle()
            elif self.lease.is_held:
                self.lease.check_now_and_then()
                if self.lease.renew():
                    self._published.say_store("up")
            elif self.lease.is_look_due():
                self._stand_by()
        except StoreError as error:
            self.note_failure(error)
        except Exception:
            log.exception("the writer failed between two groups")

    def note_failure(self, error: StoreError) -> None:
        """Step down when another process has written; else publish that the store does not answer."""
        if isinstance(error, VersionConflict):
            self._step_down()
        else:
            self._say_down(error)

    def _say_down(self, error: StoreError) -> None:
        """Publish that the store is down, and log why when that is new: it is asked again every second."""
        if self._published.snapshot.store == "up" or str(error) != self._failed_by:
            log.warning("the store failed", error=str(error))
        self._failed_by = str(error)
        self._published.say_store("down")

    def let_go(self) -> None:
        """Release the desk at the end, so that a standby takes it at once."""
        try:
            self.lease.release()
        except StoreError as error:
            log.warning("the desk was not released, a standby will wait for the lease", error=str(error))

    def new_batch(self, desk: Desk) -> CommitBatch:
        """Return an empty group that begins on ``desk``."""
        state = self.committed
        return CommitBatch(desk, state.committed, state.replies, self._recall, self._notifying, state.carried)

    def _recall(self, order_id: str) -> Order | None:
        """Read an order that is no longer on the desk from the store."""
        return recall_order(self._store, order_id)

    # -- becoming the writer, and ceasing to be ---------------------------------------------------------------

    def _take(self, head: Head | None) -> None:
        """Become the writer by one commit that puts the rules in force and names this process. Raises StoreError.

        Everything is read before that commit: if a read fails, this process holds nothing.
        """
        stored = self._store.load()
        self._pass_stored(head)
        now = self._clock()
        past = stored_past(self._store)
        head = self._recall_committed(head, stored, now)
        self._published.pass_by(head.version + SHOWN_UNSTORED if head is not None else 0)
        name = self.lease.name
        lost = self._lost_writer(head)
        epoch = (head.epoch if head is not None else 0) + 1
        batch = self.new_batch(self.committed.committed)
        batch.decide(ConfigureDesk(self._rules_at(now)), now)
        batch.decide(TakeOver(shown(name), epoch, VERSION, lost, counts_ids=True, generation=GENERATION), now)
        commit = batch.as_commit(head, epoch, name, self._published.next_version())
        if stored is not None and documents.is_outdated(stored):
            log.info("documents are upgraded", backup=self._store.back_up("documents"))
            commit = replace(commit, documents={**commit.documents, **documents.desk_documents(batch.journaled)})
        began_at = time.perf_counter()
        self.lease.acquire(head, lambda: self._store.commit(commit))
        self._timer.committed(time.perf_counter() - began_at, 2)
        log.info("this process holds the desk", writer=shown(name), epoch=epoch, after=lost)
        self._open_as_writer(batch, past, now)

    def _pass_stored(self, head: Head | None) -> None:
        """Let the desk's clock go on from the newest row: the machine's may be behind it (SPEC 5.8)."""
        newest = None if head is None else next(iter(self._store.journal(head.sequence - 1)), None)
        if newest is not None:
            self._clock.never_before(newest.at)

    def _recall_committed(self, head: Head | None, stored: Stored | None, now: Instant) -> Head | None:
        """Read the stored state, and pass rows that the last writer committed unseen to the subscribers.

        Returns the head that this state belongs to.
        """
        if stored is None:
            desk = open_desk(secrets.token_hex(32), self._rules_at(now), now)
            self.committed = CommittedState.of_new(desk, now)
        else:
            head = stored.head
            recalled = CommittedState.recall(self._store, stored, now)
            require_continuation(self._published, recalled.committed)
            self.committed = recalled
        desk = self.committed.committed
        self._subscriptions.begin(desk.sequence)
        self._subscriptions.catch_up(self._store, desk)
        return head

    def _lost_writer(self, head: Head | None) -> str | None:
        """Return the display name of a process that held the desk and did not release it, else None."""
        is_lost = head is not None and head.holder not in ("", self.lease.name)
        return shown(head.holder) if head is not None and is_lost else None

    def _open_as_writer(self, batch: CommitBatch, past: Past, now: Instant) -> None:
        self.committed.adopt(batch, now)
        self._subscriptions.pass_on(batch.rows, batch.events, batch.desk)
        known = past.ended if self._published.is_empty else self._published.snapshot.ended
        past = replace(past, ended=ends_with(known, batch))
        self._published.open(batch.desk, past, "writer", shown(self.lease.name))

    def _stand_by(self) -> None:
        """Show what the writer has committed, and take over when it no longer writes. Raises StoreError."""
        head = self.lease.look()
        if self._follower.has_news(head):
            self._follower.follow()
        if self.lease.may_take(head):
            self._take(head)

    def _step_down(self) -> None:
        """Stop writing because another process holds the desk, and show what it commits."""
        log.error("another process holds the desk, this one stands by")
        self.lease.step_down()
        self._published.show(role="standby", writer="")
        try:
            self._follower.follow()
        except StoreError as error:
            log.warning("what the other process has committed could not be read", error=str(error))
            self._published.say_store("down")

    def _settle(self) -> None:
        """After a write in doubt, continue from the stored state. Raises StoreError."""
        head = self.lease.resolve()
        if head.sequence == self.committed.committed.sequence == self._published.snapshot.desk.sequence:
            self.lease.settled()
            self._published.say_store("up")
            return
        stored = self._store.load()
        past = stored_past(self._store)
        if stored is None:
            raise StoreDown("nothing is stored any more")
        recalled = CommittedState.recall(self._store, stored, self._clock())
        require_continuation(self._published, recalled.committed)
        self.committed = recalled
        self._subscriptions.catch_up(self._store, self.committed.committed)
        self.lease.settled()
        log.warning("a write in doubt had come through", sequence=head.sequence)
        self._published.open(self.committed.committed, past, "writer", shown(self.lease.name))
