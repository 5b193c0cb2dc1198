"""Whatever the calls: never more than the limit in any time of that length, and the answer says when again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sidecar.rates import Rates

SECONDS = 60.0


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@given(st.integers(1, 5), st.lists(st.floats(0, 40), min_size=1, max_size=60))
def test_no_time_of_that_length_has_more_than_the_limit(limit: int, pauses: list[float]) -> None:
    clock = Clock()
    calls = Rates(limit, SECONDS, clock)
    allowed: list[float] = []
    for pause in pauses:
        clock.now += pause
        wait = calls.take("trader")
        recent = [at for at in allowed if at > clock.now - SECONDS]
        assert (wait is None) == (len(recent) < limit)
        if wait is None:
            allowed.append(clock.now)
        else:
            left = recent[0] + SECONDS - clock.now
            assert left <= wait < left + 1.001, "the next whole second"
