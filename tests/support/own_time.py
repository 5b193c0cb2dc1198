"""Measures the time of our own processes without the time they waited for a core.

A promise such as "answered within 3 s" is about the program's waits and work. On a busy machine a ready thread also
waits in the run queue; Linux counts this (``/proc/<pid>/task/<tid>/schedstat``), and it is subtracted here. On an idle
machine nothing is subtracted.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.fork_server import Fork

LOOK_SECONDS = 0.02
NANOSECONDS = 1e9


class Stopwatch:
    """A stopwatch that starts when it is created. Parameters: the further processes whose queue time is subtracted.

    Their children are listed once, at the start.
    """

    def __init__(self, *processes: subprocess.Popen[bytes] | Fork | int | None) -> None:
        pids = [process.pid if isinstance(process, subprocess.Popen | Fork) else process for process in processes]
        roots = [pid for pid in pids if pid is not None]
        self._pids = {os.getpid(), *(pid for root in roots for pid in _with_children(root))}
        self.restart()

    def restart(self) -> None:
        """Start again from zero."""
        self._before = dict(self._run_delays())
        self._latest = dict(self._before)
        self._began_at = time.monotonic()

    @property
    def seconds(self) -> float:
        """The seconds since the start, without those in the run queue."""
        elapsed = time.monotonic() - self._began_at
        return max(0.0, elapsed - self.queued)  # several threads may stand in the queue at the same time

    @property
    def queued(self) -> float:
        """The seconds that all threads together waited in the run queue since the start."""
        self.look()
        return sum(delay - self._before.get(thread, 0.0) for thread, delay in self._latest.items())

    def look(self) -> None:
        """Read the threads' queue times now, because a thread's count is lost when it ends."""
        self._latest.update(self._run_delays())

    def waits_for_end_of(self, process: subprocess.Popen[bytes] | Fork, patience: float = 60.0) -> None:
        """Wait until a process has ended."""
        self.waits_until(lambda: process.poll() is not None, patience)

    def waits_until(self, is_true: Callable[[], object], patience: float = 60.0) -> float:
        """Wait until a condition holds; return the seconds since the start."""
        gives_up_at = time.monotonic() + patience
        while not is_true():
            assert time.monotonic() < gives_up_at, f"this did not become true within {patience} s"
            self.look()
            time.sleep(LOOK_SECONDS)
        return self.seconds

    def _run_delays(self) -> Iterator[tuple[Path, float]]:
        for pid in self._pids:
            for thread in _threads_of(pid):
                try:
                    yield thread, int((thread / "schedstat").read_text("ascii").split()[1]) / NANOSECONDS
                except (OSError, IndexError):
                    continue  # it has just ended


@contextmanager
def within_own_seconds(seconds: float) -> Iterator[None]:
    """Fail when the block takes longer, in own seconds of this process and its children: desk, bridge, browser."""
    watch = Stopwatch(os.getpid())
    yield
    taken = watch.seconds
    assert taken < seconds, f"this took {taken:.2f} s, not below {seconds}"


def _threads_of(pid: int) -> list[Path]:
    try:
        return list(Path("/proc", str(pid), "task").iterdir())
    except OSError:
        return []  # the process has just ended


def _with_children(pid: int) -> list[int]:
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []
