"""How long our own processes took, without the time for which the machine had no core for them.

A promise such as "answered within 3 s" bounds what the program waits and works. On a busy machine a thread that could
go on stands in the run queue besides, and Linux counts for how long (``/proc/<pid>/task/<tid>/schedstat``). On an idle
machine nothing is taken off.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

LOOK_SECONDS = 0.02
NANOSECONDS = 1e9


class Stopwatch:
    """Runs from its making. Parameters: the processes, besides this one, that have a part in what is measured.

    Their children are those of the beginning.
    """

    def __init__(self, *processes: subprocess.Popen[bytes] | int | None) -> None:
        pids = [process.pid if isinstance(process, subprocess.Popen) else process for process in processes]
        roots = [pid for pid in pids if pid is not None]
        self._pids = {os.getpid(), *(pid for root in roots for pid in _with_children(root))}
        self.restart()

    def restart(self) -> None:
        """Begin anew."""
        self._before = dict(self._run_delays())
        self._latest = dict(self._before)
        self._began_at = time.monotonic()

    @property
    def seconds(self) -> float:
        """The seconds since the beginning, without those in the run queue."""
        elapsed = time.monotonic() - self._began_at
        return max(0.0, elapsed - self.queued)  # several threads may stand in the queue at the same time

    @property
    def queued(self) -> float:
        """The seconds that the threads stood in the run queue since the beginning, all of them together."""
        self.look()
        return sum(delay - self._before.get(thread, 0.0) for thread, delay in self._latest.items())

    def look(self) -> None:
        """Note how long the threads stood in the queue: one that ends takes its count along."""
        self._latest.update(self._run_delays())

    def waits_for_end_of(self, process: subprocess.Popen[bytes], patience: float = 60.0) -> None:
        """Wait until a process has ended."""
        self.waits_until(lambda: process.poll() is not None, patience)

    def waits_until(self, is_true: Callable[[], object], patience: float = 60.0) -> float:
        """Wait until something is true, looking all the while; return the seconds since the beginning."""
        gives_up_at = time.monotonic() + patience
        while not is_true():
            assert time.monotonic() < gives_up_at, f"this did not become true within {patience} s"
            self.look()
            time.sleep(LOOK_SECONDS)
        return self.seconds

    def _run_delays(self) -> Iterator[tuple[Path, float]]:
        for pid in self._pids:
            for thread in Path("/proc", str(pid), "task").glob("*"):
                try:
                    yield thread, int((thread / "schedstat").read_text("ascii").split()[1]) / NANOSECONDS
                except (OSError, IndexError):
                    continue  # it has just ended


@contextmanager
def within_own_seconds(seconds: float) -> Iterator[None]:
    """Bound what is done inside, in seconds of this process and all its children: desk, bridge and browser."""
    watch = Stopwatch(os.getpid())
    yield
    taken = watch.seconds
    assert taken < seconds, f"this took {taken:.2f} s, not below {seconds}"


def _with_children(pid: int) -> list[int]:
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []
