"""Whose turn it is at a question that only one may ask at a time. Nobody waits for it in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

OPERATOR_COMES_WITHIN_SECONDS: Final = 5.0
"""How long the next turn is kept for an operator who was told to ask again after 2 s."""


class Turns:
    """Gives one turn at a time, at once or not at all. The operator goes before programs."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` tells seconds that only grow."""
        self._clock = clock
        self._lock = threading.Lock()
        self._is_taken = False
        self._kept_until = 0.0

    def would_refuse(self, *, is_operator: bool) -> bool:
        """Return whether a turn would be refused now. An operator who is refused has the next one kept."""
        with self._lock:
            return self._refuses(is_operator)

    def takes(self, *, is_operator: bool) -> bool:
        """Take the turn, and return whether it was free. Who took it must call ``ends``."""
        with self._lock:
            if self._refuses(is_operator):
                return False
            self._is_taken = True
            if is_operator:
                self._kept_until = 0.0
            return True

    def ends(self) -> None:
        """Give the turn back."""
        with self._lock:
            self._is_taken = False

    def is_kept_for_operator(self) -> bool:
        """Return whether an operator was refused a moment ago: a program that has the turn should let go of it."""
        with self._lock:
            return self._is_kept()

    def _refuses(self, is_operator: bool) -> bool:
        if self._is_taken and is_operator:
            self._kept_until = self._clock() + OPERATOR_COMES_WITHIN_SECONDS
        return self._is_taken or (not is_operator and self._is_kept())

    def _is_kept(self) -> bool:
        return self._clock() < self._kept_until
