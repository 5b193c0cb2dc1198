"""What readers see: the current immutable snapshot, and the waking of whoever waits for the next one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.events import TradeClosed
from services.engine.model.state import Desk
from services.engine.rules.alerts import NO_ENDS, Ends, still_listed
from wire.types import Instant

Role = Literal["writer", "standby"]


class Past(Struct, frozen=True):
    """What is shown of the past: the last trades, newest first, when a rule was tried last, which alerts ended when."""

    history: tuple[TradeClosed, ...]
    tried_at: Instant | None
    ended: Ends = NO_ENDS


class Snapshot(Struct, frozen=True):
    """What readers see: one desk, its version, its last trades (newest first), whether the store answers.

    ``role`` is this process's, ``writer`` who holds the desk, as a person is shown it. ``tried_at`` is when a rule was
    tried last (``is_try``). ``ended`` is when alerts ended, as far as this process has heard.
    """

    desk: Desk
    version: int
    history: tuple[TradeClosed, ...]
    store: Literal["up", "down"] = "up"
    role: Role = "writer"
    writer: str = ""
    tried_at: Instant | None = None
    ended: Ends = NO_ENDS


class Publication:
    """Holds the current snapshot. One thread publishes; anybody reads without a lock, or waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._snapshot: Snapshot | None = None
        self._passed = 0

    @property
    def snapshot(self) -> Snapshot:
        if self._snapshot is None:
            raise RuntimeError("nothing was published yet")
        return self._snapshot

    @property
    def is_empty(self) -> bool:
        return self._snapshot is None

    def open(self, desk: Desk, past: Past, role: Role, writer: str) -> None:
        """Show a desk that was read from the store, as the first one or after all that was shown before."""
        before = self._snapshot
        ended = still_listed({**(before.ended if before else {}), **past.ended}, desk)
        with self._changed:
            version = self.next_version()
            self._snapshot = Snapshot(desk, version, past.history, "up", role, writer, past.tried_at, ended)
            self._changed.notify_all()

    def show(self, **changes: Any) -> None:
        """Publish the present snapshot with some changes, as the next version."""
        with self._changed:
            self._snapshot = replace(self.snapshot, **changes, version=self.next_version())
            self._changed.notify_all()

    def say_store(self, store: Literal["up", "down"]) -> None:
        """Show whether the store answers, unless that is shown already."""
        with self._changed:
            if self.snapshot.store != store:
                self.show(store=store)

    def wait_until(self, is_true: Callable[[Snapshot], bool], timeout: float) -> bool:
        """Wait until a published state satisfies the question; False when the time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: is_true(self.snapshot), timeout)

    def wake(self) -> None:
        """Let everybody who waits look again, though nothing changed."""
        with self._changed:
            self._changed.notify_all()

    def next_version(self) -> int:
        """Return microseconds of the epoch, always growing, over a restart too (docs/explanation/architecture.md)."""
        last = self._passed if self._snapshot is None else max(self._passed, self._snapshot.version)
        return max(last + 1, time.time_ns() // 1000)

    def pass_by(self, version: int) -> None:
        """Begin above a version that another process has shown, whatever this machine's clock says."""
        self._passed = max(self._passed, version)
