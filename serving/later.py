"""How a Flask view answers later without holding a thread.

A view that must wait leaves a `Pause` with the request and returns; it is called again when the pause is over. A view
that streams leaves a `Feed`: the head of its answer is sent at once, and then what the feed gives. Both are left in the
`Later` of the request, under ``KEY`` of the WSGI environ.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

KEY = "lockstep.later"
Caller = Literal["operator", "bridge", "webhook", "service", "reader"]
"""Whom a guard has admitted."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Until when the answer waits: ``is_over`` becomes true, or ``deadline`` passes, in seconds of the monotonic clock.

    ``is_over`` is asked on the event loop after each change of the desk: it must be quick and never block.
    """

    is_over: Callable[[], bool]
    deadline: float
    place: str
    """Pauses of one place share its limit."""

    remembered: object = None
    """What the view wants to know when it is called again."""

    on_gone: Callable[[], None] | None = None
    """Called once, on the event loop, when the caller goes before the pause is over: it must be quick."""


class Feed(Protocol):
    """What a stream sends. All methods are called on the event loop."""

    def start(self, wake: Callable[[], None]) -> None:
        """Begin; call ``wake``, from any thread, when there is something to take."""

    def take(self) -> tuple[bytes, bool]:
        """Return what is ready to be sent, and whether the stream goes on after it."""

    def close(self) -> None:
        """The stream has ended or its reader has gone. Called once."""


@dataclass(slots=True)
class Later:
    """What a view leaves for the front, and what a view that is called again finds."""

    deadline: float | None = None
    """Of the pause before this call, None when the view is called for the first time."""

    remembered: object = None
    pause: Pause | None = None
    feed: Feed | None = None
    caller: Caller | None = None
    """Whom a guard has admitted: the front then gives the caller's next requests the threads of its kind."""

    def seconds_left(self, wanted: float) -> float:
        """Return how long the request may still wait, of the ``wanted`` seconds that its caller asked for."""
        return wanted if self.deadline is None else max(0.0, self.deadline - time.monotonic())
