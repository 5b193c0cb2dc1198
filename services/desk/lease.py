"""The lease of the desk: every write of this process goes through it, onto the head it saw last (DESIGN 3).

The lease is the store's head itself. A writer writes at least every ``RENEW_SECONDS``, and each write changes the
head's mark. A standby that sees the same mark for ``LEASE_SECONDS`` on its own clock takes over. Clocks of two machines
are never compared. A takeover that came too early does no harm: the old writer's next write finds another mark and is
refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from services.desk import process_name
from services.stores.store import Head, Store, StoreDown, VersionConflict

LEASE_SECONDS = 6.0  # a standby takes over from a writer that has not written for so long
RENEW_SECONDS = 2.0  # a writer that has nothing to write renews its lease this often
LOOK_SECONDS = 1.0  # how often a standby looks; together with the lease a takeover takes less than ten seconds
SETTLE_TRIES = 3


class Lease:
    """Whether this process holds the desk, and its name and epoch as the writer.

    While ``is_in_doubt`` is true, the last write may have happened or not. Nothing is written until ``settled``.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.name = process_name.new_name()
        self.epoch = 0
        self.head: Head | None = None
        self.is_held = False
        self.is_in_doubt = False
        self._tried_at = self._checked_at = self._moved_at = time.monotonic()

    # -- the writer -------------------------------------------------------------------------------------------

    def acquire(self, head: Head | None, write: Callable[[], Head]) -> None:
        """Become the writer by a first write that names this process. Raises StoreError; the lease is not held then."""
        self.epoch = (head.epoch if head is not None else 0) + 1
        self._tried_at = time.monotonic()
        self.head = write()
        self.is_held = True
        self.is_in_doubt = False

    def write(self, write: Callable[[Head], Head]) -> None:
        """Write onto the head seen last. Raises StoreDown, VersionConflict, OutcomeUnknown."""
        if self.head is None or not self.is_held:
            raise VersionConflict("this process does not hold the desk")
        if self.is_in_doubt:
            raise StoreDown("the store has not yet said what became of the last write")
        self._tried_at = time.monotonic()
        try:
            self.head = write(self.head)
        except (StoreDown, VersionConflict):
            raise  # nothing was written
        except Exception:
            self.is_in_doubt = True
            raise

    def check(self) -> None:
        """Raise StoreDown, VersionConflict when the store is no longer as this process left it, where that is cheap."""
        if self.head is not None and not self.is_in_doubt:
            self._store.check(self.head)

    def check_now_and_then(self) -> None:
        """Check once in ``LOOK_SECONDS`` without a write, which checks by itself. Raises as ``check``."""
        if time.monotonic() >= self._looked_at + LOOK_SECONDS:
            self._checked_at = time.monotonic()
            self.check()

    @property
    def _looked_at(self) -> float:
        """When this process last found out whether the store is there."""
        return max(self._tried_at, self._checked_at)

    def renew(self) -> bool:
        """Renew the lease when the last write is ``RENEW_SECONDS`` old. Return True when it was renewed."""
        if time.monotonic() < self._tried_at + RENEW_SECONDS:
            return False
        self.write(self._store.renew)
        return True

    def doubt(self) -> None:
        """Put the lease in doubt: this process's memory may differ from what is stored."""
        self.is_in_doubt = self.is_held

    def resolve(self) -> Head:
        """Find out whether a write in doubt happened, and prevent that it happens later. Raises StoreError.

        The renewal changes the head's mark, so a write that is still under way is refused. The doubt lasts until
        ``settled``: the stored state must be read before anything is written onto it.
        """
        self._tried_at = time.monotonic()
        for _ in range(SETTLE_TRIES):
            head = self._store.head()
            if head is None or (head.epoch, head.holder) != (self.epoch, self.name):
                raise VersionConflict("another process took over while the store did not answer")
            try:
                self.head = self._store.renew(head)
            except VersionConflict:
                continue  # the write in doubt has happened just now
            return self.head
        raise StoreDown("the store would not settle")

    def settled(self) -> None:
        """End the doubt: this process's memory equals what is stored."""
        self.is_in_doubt = False

    def release(self) -> None:
        """Release the desk, so that a standby may take over at once. Raises StoreError."""
        if self.is_held and not self.is_in_doubt:
            self.write(self._store.release)
        self.is_held = False

    def step_down(self) -> None:
        """Stop writing because another process holds the desk."""
        self.is_held = self.is_in_doubt = False
        self._moved_at = time.monotonic()

    @property
    def patience(self) -> float:
        """The seconds that the writer thread may wait for commands before it must check, renew or look again."""
        return max(0.01, self._looked_at + LOOK_SECONDS - time.monotonic())

    # -- the standby ------------------------------------------------------------------------------------------

    def look(self) -> Head | None:
        """Read the head as a standby, and note the time when it has changed since the last look. Raises StoreDown."""
        self._tried_at = time.monotonic()
        try:
            head = self._store.head()
        except StoreDown:
            self._moved_at = time.monotonic()  # the writer could not write either: its lease starts again
            raise
        if head != self.head:
            self._moved_at = time.monotonic()
        self.head = head
        return head

    def is_look_due(self) -> bool:
        return time.monotonic() >= self._tried_at + LOOK_SECONDS

    def may_take(self, head: Head | None) -> bool:
        """Return whether this process may take over: the holder released the desk, ended, or let its lease run out."""
        if head is None or head.holder in ("", self.name) or process_name.is_gone(head.holder):
            return True
        return time.monotonic() >= self._moved_at + LEASE_SECONDS
