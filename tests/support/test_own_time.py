"""The tests' stopwatch counts a program's waits and work, and not the delay of a busy machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.support.own_time import Stopwatch

SPINS = "import time\nwhile True: pass"
WORKS = "import time\nwhile time.process_time() < 0.5: pass"


@pytest.fixture
def one_core() -> Iterator[None]:
    """Bind this process and its children to one core, together with a busy loop."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    loops = [subprocess.Popen([sys.executable, "-c", SPINS]) for _ in range(3)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()
    os.sched_setaffinity(0, before)


def test_a_wait_counts_in_full() -> None:
    watch = Stopwatch()
    began = time.monotonic()
    time.sleep(0.3)
    assert watch.seconds > 0.25
    assert watch.seconds <= time.monotonic() - began


def test_time_in_the_run_queue_of_a_busy_core_does_not_count(one_core: None) -> None:
    began, worker = time.monotonic(), subprocess.Popen([sys.executable, "-c", WORKS])
    watch = Stopwatch(worker)
    watch.waits_for_end_of(worker)
    took = time.monotonic() - began
    assert took > 1.0
    assert watch.seconds < took - 0.5


def test_work_counts_however_busy_the_core_is(one_core: None) -> None:
    watch, began = Stopwatch(), time.process_time()
    while time.process_time() < began + 0.5:
        pass
    assert watch.seconds > 0.4
