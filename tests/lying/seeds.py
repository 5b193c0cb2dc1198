"""Which worlds are played: some with every test run, many in ``make soak``."""

from __future__ import annotations

OFTEN = tuple(range(80))
SOAK_GROUPS, WORLDS_OF_A_GROUP = 100, 50


def soak_seeds(group: int) -> range:
    """Return the seeds of one group of the soak."""
    first = 100_000 + group * WORLDS_OF_A_GROUP
    return range(first, first + WORLDS_OF_A_GROUP)
