"""One process's hold on the store: every write goes through it, onto the head it saw last (DESIGN 3).

The lease is the store's head itself. A writer writes at least every ``RENEW_SECONDS``, and each write changes the
head's mark; a standby that sees the same mark for ``LEASE_SECONDS`` on its own clock takes over. Nobody compares
two machines' clocks, and a lease that was judged wrongly does no harm: the writer that was followed finds another
mark at its next write, and that write is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from services.desk import process_name
from services.stores.store import Head, Store, StoreDown, VersionConflict

LEASE_SECONDS = 6.0  # a writer that has not been seen writing for so long is followed
RENEW_SECONDS = 2.0  # a writer that has nothing to write says so often that it lives
LOOK_SECONDS = 1.0  # how often a standby looks; with the lease it stays below the ten seconds of a takeover
SETTLE_TRIES = 3


class Lease:
    """Whether this process holds the desk, and as which writer.

    ``is_in_doubt``: the last write may have happened or not; nothing more is written until ``settled``.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.name = process_name.new_name()
        self.epoch = 0
        self.head: Head | None = None
        self.is_held = False
        self.is_in_doubt = False
        self._tried_at = self._moved_at = time.monotonic()

    # -- the writer -------------------------------------------------------------------------------------------

    def acquire(self, head: Head | None, write: Callable[[], Head]) -> None:
        """Become the writer by a first write that names this process. Raises StoreError, and holds nothing then."""
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

    def renew(self) -> bool:
        """Say that the writer lives when nothing else said so lately; True when it was said."""
        if time.monotonic() < self._tried_at + RENEW_SECONDS:
            return False
        self.write(self._store.renew)
        return True

    def doubt(self) -> None:
        """Trust nothing but what is stored: this process may remember something else."""
        self.is_in_doubt = self.is_held

    def resolve(self) -> Head:
        """Find out where a write in doubt left the store, and keep it from coming true later. Raises StoreError.

        The doubt lasts until ``settled``: what is stored must be read before anything is written onto it.
        """
        self._tried_at = time.monotonic()
        for _ in range(SETTLE_TRIES):
            head = self._store.head()
            if head is None or (head.epoch, head.holder) != (self.epoch, self.name):
                raise VersionConflict("another process took over while the store did not answer")
            try:
                self.head = self._store.renew(head)
            except VersionConflict:
                continue  # the write in doubt came through just now
            return self.head
        raise StoreDown("the store would not settle")

    def settled(self) -> None:
        """Go on writing: this process holds what is stored."""
        self.is_in_doubt = False

    def release(self) -> None:
        """Let go, so that a standby may follow at once. Raises StoreError."""
        if self.is_held and not self.is_in_doubt:
            self.write(self._store.release)
        self.is_held = False

    def step_down(self) -> None:
        """Stop writing: another process holds the desk."""
        self.is_held = self.is_in_doubt = False
        self._moved_at = time.monotonic()

    @property
    def patience(self) -> float:
        """How long the writer thread may wait for something to do before it must look after its hold, in seconds."""
        pause = RENEW_SECONDS if self.is_held else LOOK_SECONDS
        return max(0.01, self._tried_at + pause - time.monotonic())

    # -- the standby ------------------------------------------------------------------------------------------

    def look(self) -> Head | None:
        """Look at the store as a standby, and note when somebody has written since the last look. Raises StoreDown."""
        self._tried_at = time.monotonic()
        try:
            head = self._store.head()
        except StoreDown:
            self._moved_at = time.monotonic()  # the writer could not write either: its time counts anew
            raise
        if head != self.head:
            self._moved_at = time.monotonic()
        self.head = head
        return head

    def is_look_due(self) -> bool:
        return time.monotonic() >= self._tried_at + LOOK_SECONDS

    def may_take(self, head: Head | None) -> bool:
        """Tell whether nobody holds the desk any more: let go, ended, or silent for the length of a lease."""
        if head is None or head.holder in ("", self.name) or process_name.is_gone(head.holder):
            return True
        return time.monotonic() >= self._moved_at + LEASE_SECONDS
