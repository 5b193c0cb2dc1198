"""Look at a program beside web when somebody asks: it is asked now and then, and nobody waits for one that hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

ASKED_EVERY_SECONDS = 2.0
LOOK_WAITS_SECONDS = 0.3  # a program on the same machine answers within milliseconds

Told = TypeVar("Told")


class Lookout(Generic[Told]):
    """Keeps what the last question found. Nobody is asked while nobody looks.

    Parameters: the question, which takes what was known before, waits for its answer and does not raise; and a clock
    in seconds.
    """

    def __init__(self, ask: Callable[[Told | None], Told | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._answered = threading.Event()
        self._answered.set()
        self._told: Told | None = None

    def look(self, waits: float = LOOK_WAITS_SECONDS) -> Told | None:
        """Return what is known, at most some seconds old; None before the first answer. Wait no longer than `waits`.

        A look that is not answered in time returns what was known before; the next one returns the answer.
        """
        self.begin()
        self._answered.wait(waits)
        return self._told

    def begin(self) -> None:
        """Ask, unless that was done a moment ago or is being done."""
        with self._lock:
            if self._answered.is_set() and self._clock() - self._asked_at >= ASKED_EVERY_SECONDS:
                self._asked_at = self._clock()
                self._answered.clear()
                try:
                    threading.Thread(target=self._run, name="lookout", daemon=True).start()
                except RuntimeError:  # the machine gives no more threads: asked again in a moment
                    self._answered.set()

    def _run(self) -> None:
        try:
            told = self._ask(self._told)
            self._told = told if told is not None else self._told
        finally:
            self._answered.set()
