"""Pauses between tries: they double up to a bound, and success makes the next one short again."""

from __future__ import annotations

import random

SHORTEST_SECONDS = 0.25
LONGEST_SECONDS = 5.0


class Pauses:
    """The pauses of one thing that is tried again and again."""

    def __init__(self, shortest: float = SHORTEST_SECONDS, longest: float = LONGEST_SECONDS) -> None:
        """Begin with the shortest pause, in seconds."""
        self._shortest = shortest
        self._longest = longest
        self._next = shortest

    def worked(self) -> None:
        """Begin with the shortest pause again."""
        self._next = self._shortest

    def next_seconds(self) -> float:
        """Return the seconds to wait before the next try, some of them by chance, and double those after it."""
        wait = self._next
        self._next = min(self._longest, 2 * self._next)
        return wait * random.uniform(0.75, 1.25)  # noqa: S311 - so that many programs do not come at once
