"""The bridge's clock is compared with the desk's by what it tells (SPEC 5.8)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.live.clock_watch import ClockWatch
from tests.support.builders import TUESDAY, new_york

NOW = new_york(TUESDAY, "09:31:10")


def told(watch: ClockWatch, *aheads: float) -> list[tuple[bool, float] | None]:
    """Let a bridge tell its time once for each number of seconds that it is ahead of the desk."""
    notes = [watch.hear_clock(NOW + timedelta(seconds=ahead), NOW) for ahead in aheads]
    return [None if note is None else (note.agrees, note.ahead_seconds) for note in notes]


def test_a_clock_that_is_ahead_is_seen_at_once() -> None:
    """No message arrives before it was sent."""
    assert told(ClockWatch(), 40) == [(False, 40)]
    assert told(ClockWatch(), 2.0) == [None]


def test_a_clock_that_is_behind_is_seen_by_three_messages() -> None:
    assert told(ClockWatch(), -3600, -3601, -3600.5) == [None, None, (False, -3600)]


def test_a_message_that_was_long_on_its_way_is_no_wrong_clock() -> None:
    assert told(ClockWatch(), -0.1, -30, -0.1, -25, -0.2) == [None, None, (True, -0.1), (True, -0.1), (True, -0.1)]


def test_a_clock_that_was_set_right_agrees_after_three_messages() -> None:
    assert told(ClockWatch(), 40, 0, 0, 0) == [(False, 40), None, None, (True, 0)]


def test_the_time_of_its_data_counts_for_a_bridge_that_tells_no_other() -> None:
    watch = ClockWatch()
    notes = [watch.hear_data(NOW - timedelta(seconds=40), NOW) for _ in range(3)]
    assert notes[:2] == [None, None]
    assert notes[2] is not None
    assert "40 s behind the desk's clock" in notes[2].detail


@pytest.mark.parametrize("late", [2.2, 40.0])
def test_late_data_of_a_bridge_that_tells_its_clock_are_no_wrong_clock(late: float) -> None:
    watch = ClockWatch()
    watch.hear_clock(NOW, NOW)
    assert [watch.hear_data(NOW - timedelta(seconds=late), NOW) for _ in range(5)] == [None] * 5
