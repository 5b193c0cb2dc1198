"""How long a tape waits, which prices it sends, and how it is paused."""

from __future__ import annotations

import os
import pty
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tape.controls import PAUSED, Controls, TapeStopped, keyboard_is_there
from tape.pace import Pace, Throttle
from tests.support.own_time import Stopwatch

OPEN = datetime(2013, 9, 1, 22, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return OPEN + timedelta(seconds=seconds)


def test_real_time_and_ten_times_as_fast() -> None:
    for speed, wait in ((1.0, 2.0), (10.0, 0.2)):
        pace = Pace(speed, longest_gap_seconds=5.0)
        assert pace.wait_before(after(0), wall=100.0) == 0
        assert pace.wait_before(after(2), wall=100.0) == pytest.approx(wait)


def test_speed_zero_never_waits() -> None:
    pace = Pace(0.0, longest_gap_seconds=5.0)
    assert [pace.wait_before(after(seconds), wall=100.0) for seconds in (0, 1, 100_000)] == [0, 0, 0]


def test_a_night_takes_no_longer_than_the_longest_gap() -> None:
    pace = Pace(1.0, longest_gap_seconds=5.0)
    pace.wait_before(after(0), wall=100.0)
    assert pace.wait_before(after(50_000), wall=100.0) == 5.0
    assert pace.wait_before(after(50_001), wall=105.0) == 1.0


def test_a_little_lag_is_made_up() -> None:
    pace = Pace(1.0, longest_gap_seconds=5.0)
    pace.wait_before(after(0), wall=100.0)
    assert pace.wait_before(after(1), wall=101.5) == 0  # half a second late
    assert pace.wait_before(after(2), wall=101.5) == 0.5


def test_a_pause_is_not_made_up() -> None:
    pace = Pace(1.0, longest_gap_seconds=5.0)
    pace.wait_before(after(0), wall=100.0)
    assert pace.wait_before(after(1), wall=700.0) == 0
    assert pace.wait_before(after(4), wall=700.0) == 2.0  # no more than a second is


def test_the_throttle_lets_four_a_second_through_and_every_forced_one() -> None:
    throttle = Throttle(per_second=4.0)
    passed = [throttle.passes(100 + eighth / 8, forced=False) for eighth in range(5)]
    assert passed == [True, False, True, False, True]
    assert throttle.passes(100.5, forced=True)
    assert not throttle.passes(100.7, forced=False)
    assert throttle.passes(100.75, forced=False)


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A terminal to press keys on: write to the number this gives."""
    master, slave = pty.openpty()
    with os.fdopen(slave) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        yield master
    os.close(master)


def test_a_paused_tape_goes_on_with_enter(keyboard: int) -> None:
    told: list[str] = []
    controls = Controls(told.append, keyboard_is_there)
    controls.pause()
    began = time.monotonic()
    threading.Timer(0.2, os.write, (keyboard, b"\n")).start()
    controls.rest(0)
    assert time.monotonic() - began >= 0.2
    assert told == [PAUSED]


def test_pausing_twice_ends_the_tape(keyboard: int) -> None:
    controls = Controls(can_resume=keyboard_is_there)
    controls.pause()
    controls.pause()
    with pytest.raises(TapeStopped):
        controls.rest(0)


def test_without_a_keyboard_a_pause_ends_the_tape() -> None:
    controls = Controls(can_resume=lambda: False)
    controls.pause()
    with pytest.raises(TapeStopped):
        controls.rest(0)


def test_a_wish_ends_a_long_rest_at_once() -> None:
    controls = Controls()
    threading.Timer(0.1, controls.stop).start()
    watch = Stopwatch()
    with pytest.raises(TapeStopped):
        controls.rest(60)
    assert watch.seconds < 5


def test_rest_without_a_wish_is_sleep() -> None:
    began = time.monotonic()
    Controls().rest(0.05)
    assert time.monotonic() - began >= 0.05
