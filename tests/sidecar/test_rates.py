"""How often each caller may: a window that slides, and memory that is bounded."""

from __future__ import annotations

from sidecar import rates
from sidecar.rates import Rates


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_the_limit_is_for_each_caller_and_slides() -> None:
    clock = Clock()
    allowed = Rates(3, 60.0, clock)
    for _ in range(3):
        assert allowed.take("anna") is None
        clock.now += 10
    assert allowed.take("anna") == 30  # the first of them was 30 s ago
    assert allowed.take("ben") is None
    clock.now += 29.5
    assert allowed.take("anna") == 1
    clock.now += 0.5
    assert allowed.take("anna") is None
    assert allowed.take("anna") == 10


def test_what_is_refused_does_not_count() -> None:
    clock = Clock()
    allowed = Rates(1, 60.0, clock)
    assert allowed.take("anna") is None
    for _ in range(100):
        assert allowed.take("anna") == 60
    clock.now += 60
    assert allowed.take("anna") is None


def test_many_callers_take_bounded_memory() -> None:
    clock = Clock()
    allowed = Rates(1, 60.0, clock)
    for number in range(rates.MOST_CALLERS + 50):
        assert allowed.take(f"caller-{number}") is None
    assert allowed.take(f"caller-{rates.MOST_CALLERS + 49}") == 60
    assert len(allowed) <= rates.MOST_CALLERS
