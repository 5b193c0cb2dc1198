"""Controls of the running tape: pause, go on, stop.

Signals and other threads only put a request in a queue that is safe to fill from a signal handler. The player reads it
while it waits between messages, so that no message is interrupted.
"""

from __future__ import annotations

import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Literal

Wish = Literal["pause", "stop"]

PAUSED = "Tape paused. Enter goes on, Ctrl-C quits."
KEY_POLL_SECONDS = 0.2


class TapeStopped(Exception):
    """The operator ended the tape. This is not a failure."""


class Controls:
    """The operator's requests to the running tape.

    ``say`` shows the operator a sentence. ``can_resume`` is whether there is a keyboard: without one a pause could
    never end, so it stops the tape instead.
    """

    def __init__(
        self, say: Callable[[str], None] = lambda _: None, can_resume: Callable[[], bool] = lambda: False
    ) -> None:
        self._wishes: SimpleQueue[Wish] = SimpleQueue()
        self.say = say
        self._can_resume = can_resume

    def pause(self) -> None:
        """Request a pause; during a pause, request the end."""
        self._wishes.put("pause")

    def stop(self) -> None:
        """Request the end."""
        self._wishes.put("stop")

    def rest(self, seconds: float) -> None:
        """Sleep up to ``seconds``, or until a pause ends. Raises TapeStopped as soon as the end is requested."""
        try:
            wish = self._wishes.get(timeout=seconds) if seconds > 0 else self._wishes.get_nowait()
        except Empty:
            return
        if wish == "stop" or not self._can_resume():
            raise TapeStopped
        self.say(PAUSED)
        while not _enter_was_pressed():
            if not self._wishes.empty():
                raise TapeStopped

    def wait_for_end(self) -> None:
        """Sleep until the first request: after the last tick any request ends the wait."""
        self._wishes.get()


@contextmanager
def signals_to(controls: Controls) -> Iterator[None]:
    """Let Ctrl-C pause the tape and SIGTERM stop it while the block runs. Main thread only."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            controls.pause()
        else:
            controls.stop()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def keyboard_is_there() -> bool:
    """Return whether standard input is a terminal, so that the operator can press Enter."""
    return sys.stdin is not None and sys.stdin.isatty()


def _enter_was_pressed() -> bool:
    ready, _, _ = select.select([sys.stdin], [], [], KEY_POLL_SECONDS)
    return bool(ready) and bool(sys.stdin.readline())
