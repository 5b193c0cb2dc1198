"""The ends of candles and days that stories are kept clear of."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
import time_machine

from tests.support.clock_ends import a_candle_lasts, a_day_lasts, seconds_of_the_day


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, without waiting."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("2031-01-06T22:59:30+00:00", 30),  # winter in New York
        ("2031-01-06T23:00:00+00:00", 86_400),
        ("2031-07-07T21:59:59+00:00", 1),  # summer
        ("2031-03-08T23:00:00+00:00", 23 * 3_600),  # an hour is missing
        ("2031-11-01T22:00:00+00:00", 25 * 3_600),  # an hour comes twice
    ],
)
def test_the_day_ends_by_the_clock_in_new_york(now: str, left: float) -> None:
    assert seconds_of_the_day(datetime.fromisoformat(now)) == left


def test_what_ends_too_soon_is_waited_out(slept: list[float]) -> None:
    with time_machine.travel(datetime(2031, 1, 6, 22, 59, 40, tzinfo=UTC), tick=False):
        a_candle_lasts(10)
        a_day_lasts(10)
        assert slept == []
        a_candle_lasts(30)
        a_day_lasts(30)
        a_candle_lasts(50, length=3_600)
    assert slept == [pytest.approx(20.05)] * 3
