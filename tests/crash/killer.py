"""When the plug is pulled: at a random instant, or at a moment of the load's own."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psutil

from tests.support.processes import Child

PATIENCE_SECONDS = 6.0  # a moment that does not come within this time is taken by force
LONGEST_DELAY_SECONDS = 0.006  # a commit and its answer are over by then
WRITE_LOOK_SECONDS = 0.0002


@dataclass(frozen=True)
class Aim:
    """A moment and how long after it the kill comes.

    ``sent``: a command of ``kind`` has left, its answer is not there. ``answered``: its answer has just come.
    ``written``: a file of the victim's store has just changed, so a commit is under way. ``any``: no moment at all.
    """

    moment: str
    kind: str = ""
    delay_seconds: float = 0.0

    def __str__(self) -> str:
        what = f"{self.moment} {self.kind}".strip()
        return f"{what} + {self.delay_seconds * 1000:.1f} ms"


class Killer:
    """Pulls the plug once per ``aim_at``: in the thread in which the moment happens, so that nothing lies between."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._aim: Aim | None = None
        self._kill: Callable[[], None] = lambda: None
        self._is_done = threading.Event()

    def happens(self, moment: str, kind: str) -> None:
        """The load tells what it does; this may be the moment."""
        aim = self._aim
        if aim is not None and aim.moment == moment and aim.kind in ("", kind):
            self._strike(aim)

    def aim_at(self, aim: Aim, kill: Callable[[], None], files: Iterable[Path] = ()) -> None:
        """Kill at that moment, and return when it is done."""
        self._kill = kill
        self._is_done.clear()
        self._aim = aim
        if aim.moment == "any":
            self._strike(aim)
        elif aim.moment == "written":
            self._watch(aim, list(files))
        elif not self._is_done.wait(PATIENCE_SECONDS):
            self._strike(aim)
        self._is_done.wait()

    def _watch(self, aim: Aim, files: list[Path]) -> None:
        before, deadline = [_look(file) for file in files], time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and [_look(file) for file in files] == before:
            time.sleep(WRITE_LOOK_SECONDS)
        self._strike(aim)

    def _strike(self, aim: Aim) -> None:
        with self._lock:
            if self._aim is not aim:
                return
            self._aim = None
        if aim.delay_seconds:
            time.sleep(aim.delay_seconds)
        self._kill()
        self._is_done.set()


def _look(file: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(file)
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


def group_of(*children: Child) -> Callable[[], None]:
    """Return what kills whole process groups at once: gunicorn's master and its worker, the bridge."""
    groups = [child.process.pid for child in children if child.process is not None]

    def kill() -> None:
        for group in groups:
            os.killpg(group, signal.SIGKILL)

    return kill


def worker_of(web: Child) -> Callable[[], None]:
    """Return what kills gunicorn's worker alone: its master starts another one."""
    assert web.process is not None
    workers = [process.pid for process in psutil.Process(web.process.pid).children()]

    def kill() -> None:
        for worker in workers:
            os.kill(worker, signal.SIGKILL)

    return kill


def some_aim(dice: Random, kinds: Iterable[str], *, may_watch: bool) -> Aim:
    """Draw a moment: of the load's own more often than not."""
    watched = ("written",) * 3 if may_watch else ()
    moment = dice.choice(("any", "sent", "sent", "answered", "answered", *watched))
    if moment == "any":
        return Aim("any")
    delay = dice.choice((0.0, dice.random() ** 2 * LONGEST_DELAY_SECONDS))
    if moment == "written":
        return Aim("written", delay_seconds=delay)
    return Aim(moment, dice.choice(("", *kinds)), delay)
