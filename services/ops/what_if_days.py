"""Days that are decided again, for who asks: one at a time, in a niced child process that is killed when nobody waits.

Only the SQLite store: of Firestore every row that is read costs, and ``flask desk replay`` does it by hand.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from services.ops.config import PROJECT
from wire.what_if import WhatIfDay

SECONDS = 60.0
DAYS_KEPT = 32
LONGEST_ANSWER = 4_000_000
MODULE = "services.ops.what_if_child"

OK, FAILED, NO_SUCH_DAY = 0, 1, 3
"""How the child ends; only with these it has said something."""

Key = tuple[date, int]
"""The day, and the last row of the journal when it was asked; 0 of a day that is over."""

log = structlog.get_logger(__name__)


class Failure(Struct, frozen=True):
    """Why the child has no answer, in one sentence."""

    detail: str


class OtherDayRuns(Exception):
    """Another day is being decided again."""


class NotDecided(Exception):
    """The day could not be decided again; the message is one sentence that says why."""


class UnknownDay(Exception):
    """No row of the trading day is kept; the message is one sentence that says so."""


class DayDecided:
    """A day under way, or decided. Any thread may look at it."""

    def __init__(self, key: Key, found: WhatIfDay | None = None) -> None:
        self.key = key
        self.waiting = 0
        self._found: WhatIfDay | NotDecided | UnknownDay | None = found

    @property
    def is_over(self) -> bool:
        """Whether there is something to say."""
        return self._found is not None

    def result(self) -> WhatIfDay:
        """Return the day. Raises NotDecided, UnknownDay."""
        found = self._found or NotDecided("the day is still being decided again")
        if isinstance(found, Exception):
            raise found
        return found

    def ends(self, found: WhatIfDay | NotDecided | UnknownDay) -> None:
        """Note what became of it."""
        self._found = found


class WhatIfDays:
    """The one day that is under way, and those that were decided lately. Any thread may ask."""

    def __init__(self, database: Path | None, wake: Callable[[], None], seconds: float = SECONDS) -> None:
        """``database`` is the desk's file, None where it has none; ``wake`` lets whoever waits look again."""
        self._database = database
        self._wake = wake
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, WhatIfDay] = OrderedDict()
        self._under_way: DayDecided | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._is_stopping = False
        self._first: date | None = None

    @property
    def is_possible(self) -> bool:
        """Whether this desk keeps its journal where a child may read it."""
        return self._database is not None

    def first_day(self, look: Callable[[], date]) -> date:
        """Return the first day of the journal: ``look`` is asked once, rows are only ever taken away there."""
        if self._first is None:
            self._first = look()
        return self._first

    def ask(self, key: Key) -> DayDecided:
        """Return the day: decided already, or under way. Whoever asks gives it back by `leave`. Raises OtherDayRuns."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return DayDecided(key, self._kept[key])
            if self._under_way is not None and self._under_way.key[0] == key[0] and self._under_way.waiting:
                self._under_way.waiting += 1
                return self._under_way
            if self._under_way is not None or self._is_stopping:
                raise OtherDayRuns
            asked = self._under_way = DayDecided(key)
            asked.waiting = 1
            try:
                threading.Thread(target=self._decide, args=(asked,), name="what-if", daemon=True).start()
            except RuntimeError as error:  # the machine gives no more threads
                self._under_way = None
                raise OtherDayRuns from error
        return asked

    def leave(self, asked: DayDecided) -> None:
        """Give it back. When nobody waits any more, the child is killed."""
        with self._lock:
            asked.waiting -= 1
            if asked.waiting <= 0 and self._under_way is asked:
                self._kill()

    def stop(self) -> None:
        """Kill the child, because the process is about to end."""
        with self._lock:
            self._is_stopping = True
            self._kill()

    def _kill(self) -> None:
        if self._child is not None:
            self._child.kill()

    def _decide(self, asked: DayDecided) -> None:
        found: WhatIfDay | NotDecided | UnknownDay = NotDecided("it was given up")
        try:
            found = self._decided(asked)
        except (OSError, ValueError) as error:  # DecodeError is one
            log.warning("a day could not be decided again", day=str(asked.key[0]), error=str(error))
            found = NotDecided("its process did not start, or said nothing that can be read")
        finally:
            with self._lock:
                self._child = None
                self._under_way = None
                if isinstance(found, WhatIfDay):
                    self._kept[asked.key] = found
                    while len(self._kept) > DAYS_KEPT:
                        self._kept.popitem(last=False)
            asked.ends(found)
            self._wake()

    def _decided(self, asked: DayDecided) -> WhatIfDay | NotDecided | UnknownDay:
        """Run the child to its end. Raises OSError, ValueError."""
        with self._lock:
            if self._is_stopping or asked.waiting <= 0:
                return NotDecided("it was given up")
            child = self._child = self._start(asked.key[0])
        said, is_late = _heard(child, self._seconds)
        if is_late:
            return NotDecided(f"the day was not decided again within {self._seconds:g} s")
        if child.returncode == OK:
            return msgspec.json.decode(said, type=WhatIfDay)
        if child.returncode == NO_SUCH_DAY:
            return UnknownDay(msgspec.json.decode(said, type=Failure).detail)
        if said:
            detail = msgspec.json.decode(said, type=Failure).detail
            log.warning("a day was not decided again", day=str(asked.key[0]), detail=detail)
            return NotDecided(detail)
        return NotDecided("its process was ended: too much work, or nobody waited")

    def _start(self, day: date) -> subprocess.Popen[bytes]:
        """Start the child without our environment, in which the secrets are."""
        return subprocess.Popen(
            command_of(day, self._database or Path()),
            cwd=PROJECT,
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


def command_of(day: date, database: Path) -> list[str]:
    """Return the child's command."""
    return [sys.executable, "-m", MODULE, day.isoformat(), str(database)]


def _heard(child: subprocess.Popen[bytes], seconds: float) -> tuple[bytes, bool]:
    """Return what the child says until it ends, and whether it had to be killed for being late.

    Its input stays open as long: where that ends, it ends.
    """
    late = threading.Event()

    def end() -> None:
        late.set()
        child.kill()

    alarm = threading.Timer(seconds, end)
    alarm.start()
    try:
        with child:
            said = child.stdout.read(LONGEST_ANSWER) if child.stdout is not None else b""
            child.wait()
    finally:
        alarm.cancel()
    return said, late.is_set()
