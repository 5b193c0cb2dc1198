"""The published state: the current immutable snapshot, and a way to wait for the next one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.state import Desk
from services.engine.model.trade_events import TradeClosed
from services.engine.rules.alert_times import NO_ENDS, Ends, still_listed
from wire.types import Instant

Role = Literal["writer", "standby"]


class Past(Struct, frozen=True):
    """The past that is shown: the last trades, newest first, the last attempt against a rule, and ended alerts."""

    history: tuple[TradeClosed, ...]
    tried_at: Instant | None
    ended: Ends = NO_ENDS


class Snapshot(Struct, frozen=True):
    """The state that readers see: one desk, its version, its last trades (newest first), whether the store answers.

    ``role`` is this process's role, ``writer`` the display name of the process that holds the desk. ``tried_at`` is the
    instant of the last attempt against a rule (``is_try``). ``ended`` holds when alerts ended, as far as this process
    has seen it.
    """

    desk: Desk
    version: int
    history: tuple[TradeClosed, ...]
    store: Literal["up", "down"] = "up"
    role: Role = "writer"
    writer: str = ""
    tried_at: Instant | None = None
    ended: Ends = NO_ENDS


def _nobody() -> None:
    """Nobody else wants to know."""


class Publication:
    """Holds the current snapshot. One thread publishes. Any thread reads it without a lock, or waits for the next."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._snapshot: Snapshot | None = None
        self._passed = 0
        self.on_change: Callable[[], None] = _nobody
        """Called after each publication, in the publishing thread and within its lock; it must be quick."""

    @property
    def snapshot(self) -> Snapshot:
        if self._snapshot is None:
            raise RuntimeError("nothing was published yet")
        return self._snapshot

    @property
    def is_empty(self) -> bool:
        return self._snapshot is None

    def open(self, desk: Desk, past: Past, role: Role, writer: str) -> None:
        """Publish a desk that was read from the store, as the first snapshot or in place of the current one."""
        before = self._snapshot
        ended = still_listed({**(before.ended if before else {}), **past.ended}, desk)
        with self._changed:
            version = self.next_version()
            self._snapshot = Snapshot(desk, version, past.history, "up", role, writer, past.tried_at, ended)
            self._notify()

    def show(self, **changes: Any) -> None:
        """Publish the current snapshot with these changes, as the next version."""
        with self._changed:
            self._snapshot = replace(self.snapshot, **changes, version=self.next_version())
            self._notify()

    def say_store(self, store: Literal["up", "down"]) -> None:
        """Publish whether the store answers, if that changed."""
        with self._changed:
            if self.snapshot.store != store:
                self.show(store=store)

    def wait_until(self, is_true: Callable[[Snapshot], bool], timeout: float) -> bool:
        """Wait until a published state satisfies ``is_true``. Return False when the time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: is_true(self.snapshot), timeout)

    def wake(self) -> None:
        """Wake every waiting thread although nothing changed."""
        with self._changed:
            self._notify()

    def _notify(self) -> None:
        self._changed.notify_all()
        self.on_change()

    def next_version(self) -> int:
        """Return the next version: microseconds since the epoch, but always above the last version.

        So it also grows over a restart (docs/explanation/architecture.md).
        """
        last = self._passed if self._snapshot is None else max(self._passed, self._snapshot.version)
        return max(last + 1, time.time_ns() // 1000)

    def pass_by(self, version: int) -> None:
        """Keep the next versions above one that another process has shown, whatever this machine's clock says."""
        self._passed = max(self._passed, version)
