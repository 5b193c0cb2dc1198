"""Strangers' threads rest while more of them wait, so that a crowd does not take the machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from serving.callers import Kind
from serving.pools import RESTS_AT_MOST_SECONDS, RESTS_PER_SECOND_WORKED, THREADS, Pool
from tests.support.desk_process import PATIENCE_SECONDS

WORKS_SECONDS = 0.02


def works(seconds: float = WORKS_SECONDS) -> None:
    """Use the processor for a moment."""
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        pass


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The rests that were taken; none takes time."""
    taken: list[float] = []
    monkeypatch.setattr("serving.pools.time.sleep", taken.append)
    return taken


def does(kind: Kind, *work: Callable[[], None]) -> None:
    """Have the pool do this work, which all waits before its first thread may begin, then end."""
    pool, begins, ended = Pool(kind), threading.Event(), threading.Semaphore(0)

    def waits() -> None:
        assert begins.wait(PATIENCE_SECONDS)

    for _ in range(THREADS[kind]):
        pool.submit(waits)
    for one in work:
        pool.submit(one)
    for _ in range(THREADS[kind]):
        pool.submit(lambda: ended.release())
    begins.set()
    for _ in range(THREADS[kind]):
        assert ended.acquire(timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize("kind", ["anybody", "unproven"])
def test_while_more_strangers_wait_their_threads_rest_longer_than_they_work(kind: Kind, rests: list[float]) -> None:
    does(kind, *[works] * 10)
    waited_for = 10 - THREADS[kind]  # behind the last of each thread nothing may wait any more
    assert sum(rests) >= waited_for * WORKS_SECONDS * RESTS_PER_SECOND_WORKED


def test_after_long_work_the_rest_is_short(rests: list[float]) -> None:
    does("anybody", *[lambda: works(1.2 * RESTS_AT_MOST_SECONDS / RESTS_PER_SECOND_WORKED)] * 5)
    assert max(rests) == RESTS_AT_MOST_SECONDS


@pytest.mark.parametrize("kind", ["operator", "bridge", "webhook", "exit", "health"])
def test_who_was_admitted_waits_for_no_rest(kind: Kind, rests: list[float]) -> None:
    does(kind, *[works] * 4)
    assert rests == []


def test_a_single_stranger_waits_for_no_rest(rests: list[float]) -> None:
    pool, done = Pool("anybody"), threading.Event()
    pool.submit(done.set)
    assert done.wait(PATIENCE_SECONDS)
    assert rests == []
