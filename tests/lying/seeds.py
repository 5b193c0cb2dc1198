"""Which worlds are played: some with every test run, many in ``make soak``."""

from __future__ import annotations

OFTEN = (  # in these each fault happens
    *(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    *(16, 17, 19, 20, 25, 26, 28, 31, 35, 43, 47, 52, 54, 58, 69, 73),
)
SELDOM = tuple(seed for seed in range(80) if seed not in OFTEN)
SOAK_GROUPS, WORLDS_OF_A_GROUP = 100, 50


def soak_seeds(group: int) -> range:
    """Return the seeds of one group of the soak."""
    first = 100_000 + group * WORLDS_OF_A_GROUP
    return range(first, first + WORLDS_OF_A_GROUP)
